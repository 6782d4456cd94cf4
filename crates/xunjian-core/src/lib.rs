//! The pure core of `xunjian` (巡检): from the bytes of packages and listings, and a pack of signatures, to audits with
//! their findings, and to reports.
//!
//! Nothing here knows a clock, a network or a database: the same bytes and the same pack give the same audit. The
//! modules are the pipeline, in order. Dependencies run one way: `model <- signature <- stages <- audit`; no stage
//! names another. `examples/audit.rs` audits one package in thirty lines.

rust_i18n::i18n!("../../locales", fallback = "zh");

pub mod model;
pub mod signature;

pub mod unpack;

pub mod extract;

pub mod detect;

pub mod register;

pub mod score;

pub mod report;

pub mod audit;
