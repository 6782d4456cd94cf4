//! Work handed out by NATS JetStream.
//!
//! A message says that a queue has one more job, not which: whoever gets it leases the job that
//! is next in the database, and acknowledges when that lease ends. So priorities are exact, any
//! message serves any job, and a message that was lost, doubled or acknowledged late changes only
//! how soon a job is found: [`Stream::open`]'s grace later at worst.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, AckKind, Context, Message};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::{Lease, NewJob, Result, StoreError, stage_of};
use crate::model::{Skipped, hex};

/// How long the server may take to let the first connection in.
const ANSWER: Duration = Duration::from_secs(4);
/// A message that is not acknowledged comes again after this; as long as a lease of a sweep.
const ACK_WAIT: Duration = Duration::from_secs(20);
/// A message id is known for this long, so that a job pushed twice is told of once.
const DUPLICATES: Duration = Duration::from_secs(120);
/// How long a look for a message waits.
const LOOK: Duration = Duration::from_millis(100);
/// Consumers that nobody asks any more are gone after this.
const FORGOTTEN: Duration = Duration::from_secs(86_400);
/// Dead letters are kept for this: 90 days.
const DEAD_KEPT: Duration = Duration::from_secs(90 * 86_400);
/// Work that has streams of its own; jobs of any other queue go to the first.
const STAGES: [&str; 7] = ["asked", "catalogue", "listing", "package", "picture", "audit", "deliver"];

/// JetStream, and what of it this process holds.
#[derive(Clone)]
pub(super) struct Stream {
    context: Context,
    /// What streams and subjects begin with.
    name: String,
    grace: Duration,
    consumers: Arc<tokio::sync::Mutex<HashMap<String, PullConsumer>>>,
    /// Messages by the lease they led to: job and token.
    held: Arc<Mutex<HashMap<(i64, i64), Message>>>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An address without the name and password in it.
fn without_user(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("nats", address));
    format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default())
}

fn broken(error: impl std::fmt::Display) -> StoreError {
    StoreError::Stream(error.to_string())
}

/// The stage whose stream a queue is in.
fn stage(queue: &str) -> &'static str {
    let word = stage_of(queue);
    STAGES.into_iter().find(|stage| *stage == word).unwrap_or(STAGES[0])
}

/// A queue or key as one token of a subject: its name may hold anything.
fn token(name: &str) -> String {
    hex(&Sha256::digest(name)[..12])
}

impl Stream {
    /// Connects, and makes the streams where they are not there yet.
    pub(super) async fn open(address: &str, name: &str, grace: Duration) -> Result<Self> {
        let unusable = |cause: String| StoreError::Unusable {
            place: format!("NATS at {}", without_user(address)),
            cause,
            advice: "start it with JetStream, or correct the address: --nats, XUNJIAN_NATS or [engine] of the configuration",
        };
        let connecting = async_nats::ConnectOptions::new().name("xunjian").connection_timeout(ANSWER).connect(address);
        let client = match tokio::time::timeout(ANSWER, connecting).await {
            Ok(client) => client.map_err(|error| unusable(error.to_string()))?,
            Err(_) => return Err(unusable(format!("no answer within {} s", ANSWER.as_secs()))),
        };
        let context = jetstream::new(client);
        let me = Self { context, name: name.to_owned(), grace, consumers: Arc::default(), held: Arc::default() };
        for stage in STAGES {
            me.context.get_or_create_stream(me.config(stage)).await.map_err(broken)?;
        }
        me.context.get_or_create_stream(me.dead_config()).await.map_err(broken)?;
        Ok(me)
    }

    fn config(&self, stage: &str) -> Config {
        Config {
            name: format!("{}-{stage}", self.name),
            subjects: vec![format!("{}.{stage}.*", self.name)],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            duplicate_window: DUPLICATES,
            ..Config::default()
        }
    }

    fn dead_config(&self) -> Config {
        Config {
            name: format!("{}-dead", self.name),
            subjects: vec![format!("{}.dead.*", self.name)],
            storage: StorageType::File,
            max_age: DEAD_KEPT,
            ..Config::default()
        }
    }

    fn subject(&self, queue: &str) -> String {
        format!("{}.{}.{}", self.name, stage(queue), token(queue))
    }

    /// How long a job may be overdue before it is taken without a message.
    pub(super) fn grace(&self) -> Duration {
        self.grace
    }

    /// Tells of jobs that are in the database. What cannot be told is found without.
    pub(super) async fn tell(&self, jobs: &[&NewJob]) {
        let mut sent = Vec::new();
        for job in jobs {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", job.key.replace(['\r', '\n'], " ").as_str());
            let told = self.context.publish_with_headers(self.subject(&job.queue), headers, job.key.clone().into());
            match told.await {
                Ok(acknowledged) => sent.push(acknowledged),
                Err(error) => tracing::warn!("work is not told of: {error}"),
            }
        }
        for acknowledged in sent {
            if let Err(error) = acknowledged.await {
                tracing::warn!("work is not told of: {error}");
            }
        }
    }

    /// The next message of the first of these queues that has one, if one comes soon.
    pub(super) async fn next<'q>(&self, queues: &[&'q str]) -> Option<(&'q str, Message)> {
        if queues.len() > 1 {
            for queue in queues {
                if let Some(message) = self.next_of(queue, Duration::ZERO).await {
                    return Some((queue, message));
                }
            }
        }
        // Whoever has nothing to do waits at one of them, and next time maybe at another.
        let queue = fastrand::choice(queues)?;
        Some((queue, self.next_of(queue, LOOK).await?))
    }

    /// The next message of a queue, if one comes within `patience`.
    async fn next_of(&self, queue: &str, patience: Duration) -> Option<Message> {
        match self.look(queue, patience).await {
            Ok(message) => message,
            Err(error) => {
                // Made anew next time: the server may have lost it.
                self.consumers.lock().await.remove(queue);
                tracing::debug!(queue, "no message: {error}");
                tokio::time::sleep(LOOK).await;
                None
            }
        }
    }

    async fn look(&self, queue: &str, patience: Duration) -> Result<Option<Message>> {
        let consumer = self.consumer(queue).await?;
        let mut batch = consumer.fetch().max_messages(1).expires(patience).messages().await.map_err(broken)?;
        // A server that is gone says nothing at all.
        match tokio::time::timeout(LOOK * 10, batch.next()).await {
            Ok(Some(message)) => Ok(Some(message.map_err(broken)?)),
            Ok(None) => Ok(None),
            Err(_) => Err(StoreError::Stream("no answer".into())),
        }
    }

    async fn consumer(&self, queue: &str) -> Result<PullConsumer> {
        let mut consumers = self.consumers.lock().await;
        if let Some(consumer) = consumers.get(queue) {
            return Ok(consumer.clone());
        }
        let config = pull::Config {
            durable_name: Some(token(queue)),
            filter_subject: self.subject(queue),
            ack_wait: ACK_WAIT,
            max_ack_pending: -1,
            inactive_threshold: FORGOTTEN,
            ..pull::Config::default()
        };
        let making = async {
            let stream = self.context.get_or_create_stream(self.config(stage(queue))).await.map_err(broken)?;
            stream.get_or_create_consumer(&token(queue), config).await.map_err(broken)
        };
        let consumer = tokio::time::timeout(ACK_WAIT / 2, making).await.map_err(broken)??;
        consumers.insert(queue.to_owned(), consumer.clone());
        Ok(consumer)
    }

    /// Keeps the message that led to a lease until the lease ends.
    pub(super) fn hold(&self, lease: &Lease, message: Message) {
        self.held().insert((lease.job, lease.token), message);
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<(i64, i64), Message>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease goes on.
    pub(super) async fn go_on(&self, lease: &Lease) {
        let message = self.held().get(&(lease.job, lease.token)).cloned();
        if let Some(message) = message {
            said(message.ack_with(AckKind::Progress).await);
        }
    }

    /// The job is over: nobody needs to be told of it any more.
    pub(super) async fn done(&self, lease: &Lease) {
        let message = self.held().remove(&(lease.job, lease.token));
        if let Some(message) = message {
            said(message.ack().await);
        }
    }

    /// The job is to be done again, so much later.
    pub(super) async fn again(&self, lease: &Lease, later: Duration) {
        let message = self.held().remove(&(lease.job, lease.token));
        if let Some(message) = message {
            said(message.ack_with(AckKind::Nak(Some(later))).await);
        }
    }

    /// Someone else holds the job by now, and answers for it.
    pub(super) fn lost(&self, lease: &Lease) {
        self.held().remove(&(lease.job, lease.token));
    }

    /// Keeps that a job died, for whoever looks after the cluster. The database holds the same.
    pub(super) async fn bury(&self, lease: &Lease, why: &Skipped) {
        self.done(lease).await;
        let letter = serde_json::json!({ "key": lease.key, "queue": lease.queue, "payload": lease.payload,
            "attempts": lease.attempts, "why": why });
        match self.context.publish(self.grave(&lease.key), letter.to_string().into()).await {
            Ok(acknowledged) => said(acknowledged.await.map(|_| ())),
            Err(error) => tracing::warn!("a dead letter is not kept: {error}"),
        }
    }

    fn grave(&self, key: &str) -> String {
        format!("{}.dead.{}", self.name, token(key))
    }

    /// A job is not dead any more.
    pub(super) async fn exhume(&self, key: &str) {
        let purged = async {
            let dead = self.context.get_stream(format!("{}-dead", self.name)).await.map_err(broken)?;
            dead.purge().filter(self.grave(key)).await.map_err(broken)
        };
        if let Err(error) = purged.await {
            tracing::debug!("a dead letter stays: {error}");
        }
    }

    /// Nothing is left of a queue.
    pub(super) async fn forget(&self, queue: &str) {
        self.consumers.lock().await.remove(queue);
        let name = format!("{}-{}", self.name, stage(queue));
        if let Ok(stream) = self.context.get_stream(&name).await {
            let _ = stream.delete_consumer(&token(queue)).await;
            let _ = stream.purge().filter(self.subject(queue)).await;
        }
    }
}

/// A message that cannot be answered comes again, and finds nothing to do.
fn said<E: std::fmt::Display>(answer: std::result::Result<(), E>) {
    if let Err(error) = answer {
        tracing::debug!("a message was not answered: {error}");
    }
}

/// Gives back a message that came before its job is due.
pub(super) async fn early(message: &Message, wait: Duration) {
    said(message.ack_with(AckKind::Nak(Some(wait))).await);
}

/// A message that no job is left for.
pub(super) async fn spent(message: &Message) {
    said(message.ack().await);
}
