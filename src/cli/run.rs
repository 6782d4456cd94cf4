//! What sweeps and rescores have in common: pack and report options, the report of a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::audit::{FailOn, is_incomplete, style};
use super::out::Out;
use super::pack::JudgingArgs;
use super::register::RegisterArgs;
use super::{Exit, choice};
use crate::audit::Auditor;
use crate::model::config::Config;
use crate::report::{self, Format};
use crate::runs::evidence;
use crate::runs::sweep::Ended;
use crate::store::{Home, State, Vault};
use crate::time;

/// What audits rest on besides apps.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct GroundsArgs {
    #[command(flatten)]
    pub(super) judging: JudgingArgs,
    #[command(flatten)]
    pub(super) registers: RegisterArgs,
    /// Day on which licences and dates are judged, as 2026-01-31. Default: today.
    #[arg(long, value_name = "DATE", value_parser = choice::day)]
    as_of: Option<String>,
    /// Seconds that reading one app may take.
    #[arg(long, default_value_t = 600, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) timeout: u64,
}

/// Options of a run over many apps.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RunArgs {
    /// Form of the report of the apps that this run audited. Default: no report, one line.
    #[arg(long, value_parser = choice::format())]
    format: Option<Format>,
    /// Write the report to a file instead of stdout.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Exit with 10 when a finding has at least this confidence.
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    fail_on: FailOn,
    #[command(flatten)]
    pub(super) grounds: GroundsArgs,
}

/// Rows taken from the state at once.
const PAGE: u32 = 128;

impl GroundsArgs {
    /// The day to judge on.
    pub(super) fn day(&self) -> String {
        self.as_of.clone().unwrap_or_else(time::today)
    }

    /// Pack, policy and registers.
    pub(super) fn auditor(&self, config: &Config) -> anyhow::Result<Auditor> {
        let pack = self.judging.pack.load_to_read(1)?;
        let policy = self.judging.policy(&pack)?;
        Ok(Auditor {
            policy,
            budget: config.pictures.read.budget(),
            registers: Arc::new(self.registers.load(&self.day())?),
            pack: Arc::new(pack),
        })
    }

    /// Keeps what audits rest on besides apps: signatures, policies and registers, so that
    /// evidence can be judged again years later. The name of the registers in the vault.
    pub(super) async fn keep_grounds(&self, home: &Home) -> anyhow::Result<String> {
        evidence::keep_pack(&home.state, &home.vault, &self.judging.pack.source()?).await?;
        let registers = self.registers.all()?;
        if registers.is_empty() {
            return Ok(String::new());
        }
        Ok(home.vault.put(&serde_json::to_vec(&registers)?).await?)
    }
}

impl RunArgs {
    /// A report was asked for, or an exit code by its findings.
    pub(super) fn wants_report(&self) -> bool {
        self.format.is_some() || self.out.is_some() || self.fail_on != FailOn::Never
    }

    /// Writes the report of a run and tells how it ended.
    pub(super) async fn finish(&self, state: &impl State, auditor: &Auditor, ended: &Ended) -> anyhow::Result<Exit> {
        let format = self.format.or_else(|| {
            let out = self.out.as_ref()?;
            Some(Format::by_ending(&out.to_string_lossy()).unwrap_or(Format::Json))
        });
        let out = Out::open(self.out.as_deref(), &[])?;
        let mut writer = match format {
            Some(format) => {
                let style = style(self.grounds.judging.speech.lang.clone(), &out);
                Some(report::writer(format, out.writer()?, style, auditor.made_by()))
            }
            None => None,
        };
        let mut exit = if ended.is_done { Exit::Clean } else { Exit::Incomplete };
        let mut after = 0;
        loop {
            let rows = state.audits(ended.run.id, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for row in rows {
                if self.fail_on.is_met_by(&row.audit) {
                    exit = Exit::Findings;
                } else if exit == Exit::Clean && is_incomplete(&row.audit) {
                    exit = Exit::Incomplete;
                }
                if let Some(writer) = &mut writer {
                    writer.audit(row.audit)?;
                }
            }
        }
        let mut after = 0;
        loop {
            let rows = state.skips(ended.run.id, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            exit = if exit == Exit::Clean { Exit::Incomplete } else { exit };
            if let Some(writer) = &mut writer {
                rows.into_iter().try_for_each(|row| writer.skipped(row.skipped))?;
            }
        }
        if let Some(mut writer) = writer {
            writer.finish()?;
        }
        out.finish()?;
        let lang = &self.grounds.judging.speech.lang;
        let count = |name: &str| ended.counts.get(name).copied().unwrap_or_default();
        // What was not read by an earlier run is not read by one that found nothing new, either.
        if exit == Exit::Clean && count("unread") > 0 {
            exit = Exit::Incomplete;
        }
        if exit != Exit::Findings && count("failed") > 0 {
            exit = Exit::StoreFailed;
        }
        let why = why(exit, ended, lang)
            .map_or_else(String::new, |why| format!("{}{why}", if lang == "en" { "; " } else { "；" }));
        eprintln!("{}{why}", line(ended, lang));
        Ok(exit)
    }
}

/// Why a run ended with another exit code than 0, in one line.
fn why(exit: Exit, ended: &Ended, lang: &str) -> Option<String> {
    let count = |name: &str| ended.counts.get(name).copied().unwrap_or_default();
    let skipped: u64 = ended.counts.iter().filter(|(key, _)| key.starts_with("skipped:")).map(|(_, n)| n).sum();
    let code = exit.code();
    let told = match exit {
        Exit::StoreFailed => rust_i18n::t!("run.why_store", locale = lang, code = code, n = count("failed")),
        Exit::Findings => rust_i18n::t!("run.why_findings", locale = lang, code = code),
        Exit::Incomplete if !ended.is_done => rust_i18n::t!("run.why_stopped", locale = lang, code = code),
        Exit::Incomplete => {
            rust_i18n::t!("run.why_incomplete", locale = lang, code = code, skipped = skipped, unread = count("unread"))
        }
        Exit::Clean | Exit::Usage | Exit::Failure => return None,
    };
    Some(told.into_owned())
}

/// One line about a run: apps seen, new, changed, audited, skipped by reason, findings by sign.
pub(super) fn line(ended: &Ended, lang: &str) -> String {
    let count = |name: &str| ended.counts.get(name).copied().unwrap_or_default();
    let group = |prefix: &str, name: &dyn Fn(&str) -> String| {
        let all = ended.counts.iter().filter_map(|(key, n)| Some((key.strip_prefix(prefix)?, n)));
        let told: Vec<String> = all.map(|(key, n)| format!("{} {n}", name(key))).collect();
        if told.is_empty() { "0".to_owned() } else { told.join(", ") }
    };
    let skipped = group("skipped:", &|code| {
        let words = report::words::skip_code(code).filter(|_| lang == "zh");
        words.map_or_else(|| code.to_owned(), |words| words.get(report::words::Lang::Zh).to_owned())
    });
    let found = group("found:", &|sign| {
        crate::model::Sign::from_id(sign)
            .map_or(sign.to_owned(), |s| report::words::sign(s).get(report::words::Lang::of(lang)).to_owned())
    });
    let state = if ended.is_done { "run.done" } else { "run.stopped" };
    rust_i18n::t!(
        "run.line",
        locale = lang,
        run = ended.run.id,
        state = rust_i18n::t!(state, locale = lang),
        seen = count("seen"),
        new = count("new"),
        changed = count("changed"),
        audited = count("audited"),
        skipped = skipped,
        found = found,
        came = count("came")
    )
    .into_owned()
}

/// A flag that the first interrupt raises; the second one ends the process as usual.
pub(super) fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    tokio::spawn(async move {
        told_to_stop().await;
        raised.store(true, Ordering::Relaxed);
        eprintln!("xunjian: finishing what is in hand; the next run goes on from there");
        told_to_stop().await;
        std::process::exit(i32::from(Exit::Failure.code()));
    });
    stop
}

/// Comes with an interrupt, or with what service managers send.
pub(super) async fn told_to_stop() {
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
