//! `xunjian` (巡检): audits education apps for what the Beijing education-app notice
//! bars, and hands a person findings that can be checked.
//!
//! The modules below are the pipeline, in order. Dependencies run one way:
//! `model <- signature <- stages <- pipeline <- feed <- review <- cli`; no stage names another.

rust_i18n::i18n!("locales", fallback = "zh");

pub mod model;
pub mod signature;

pub mod crawl;

pub mod acquire;

pub mod unpack;

pub mod extract;

pub mod detect;

pub mod register;

pub mod score;

pub mod store;

pub mod preserve;

pub mod report;

pub mod measure;

pub mod train;

pub mod pipeline;

pub mod feed;

pub mod review;

pub mod cli;
