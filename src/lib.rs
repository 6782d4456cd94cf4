//! `xunjian` (巡检): audits education apps for what the Beijing education-app notice
//! bars, and hands a person findings that can be checked.
//!
//! The pure half, from bytes to an audit and its report, is the crate `xunjian-core`, taken over here under its own
//! names. The modules below touch the world: networks, clocks, files, databases, people. Dependencies run one way:
//! `core <- crawl, acquire, store, preserve, isolate <- runs <- feed <- review <- cli`.

pub use xunjian_core::{audit, detect, extract, model, register, report, score, signature, unpack};

rust_i18n::i18n!("locales", fallback = "zh");

mod time;

pub mod crawl;

pub mod acquire;

pub mod store;

pub mod preserve;

pub mod measure;

pub mod train;

pub mod isolate;

pub mod runs;

pub mod feed;

pub mod review;

pub mod cli;
