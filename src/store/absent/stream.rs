//! Work handed out by NATS, in a build without the feature `cluster`: there is none, and whoever names a server is told.

use std::time::Duration;

use crate::model::Skipped;
use crate::store::{Lease, NewJob, Result, StoreError};

/// Never made in this build.
#[derive(Debug, Clone)]
pub(super) enum Stream {}

/// A message that led to a job; never seen in this build.
#[derive(Debug)]
pub(super) enum Message {}

impl Stream {
    pub(super) async fn open(_address: &str, _name: &str, _grace: Duration) -> Result<Self> {
        Err(StoreError::Absent("NATS"))
    }

    pub(super) fn grace(&self) -> Duration {
        match *self {}
    }

    pub(super) async fn tell(&self, _jobs: &[&NewJob]) {
        match *self {}
    }

    pub(super) async fn next<'q>(&self, _queues: &[&'q str]) -> Option<(&'q str, Message)> {
        match *self {}
    }

    pub(super) fn hold(&self, _lease: &Lease, _message: Message) {
        match *self {}
    }

    pub(super) async fn go_on(&self, _lease: &Lease) {
        match *self {}
    }

    pub(super) async fn done(&self, _lease: &Lease) {
        match *self {}
    }

    pub(super) async fn again(&self, _lease: &Lease, _later: Duration) {
        match *self {}
    }

    pub(super) fn lost(&self, _lease: &Lease) {
        match *self {}
    }

    pub(super) async fn bury(&self, _lease: &Lease, _why: &Skipped) {
        match *self {}
    }

    pub(super) async fn exhume(&self, _key: &str) {
        match *self {}
    }

    pub(super) async fn forget(&self, _queue: &str) {
        match *self {}
    }
}

pub(super) async fn early(message: &Message, _wait: Duration) {
    match *message {}
}

pub(super) async fn spent(message: &Message) {
    match *message {}
}
