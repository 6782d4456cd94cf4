//! `xunjian status`: where everything stands.

use std::time::Duration;

use chrono::{DateTime, Local};
use rust_i18n::t;
use serde::Serialize;

use super::Exit;
use super::config::ConfigArgs;
use super::home::{HomeArgs, runtime};
use super::speech::SpeechArgs;
use super::timetable::Timetable;
use super::watch::name_of;
use crate::model::config::Config;
use crate::report::words;
use crate::runs::status::{RunStatus, Status, status};
use crate::runs::sweep::now;
use crate::store::Home;

/// Time between looks of `--watch`.
const LOOK: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Look again every five seconds, until interrupted.
    #[arg(long)]
    watch: bool,
    /// `human`, or `json`: one object a look.
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    format: String,
    #[command(flatten)]
    speech: SpeechArgs,
}

/// What is told.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    status: Status,
    /// When each schedule comes next, without its jitter.
    next: Vec<Next>,
    /// Bytes free on the home's disk.
    disk_free: Option<u64>,
}

#[derive(Serialize)]
struct Next {
    what: String,
    at: String,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = args.config.load()?;
    runtime()?.block_on(async {
        let home = args.home.open_by(&config).await?;
        loop {
            let told = told(&home, &config).await?;
            match args.format.as_str() {
                "json" => println!("{}", serde_json::to_string(&told)?),
                _ => print!("{}", human(&told, &args.speech.lang)),
            }
            if !args.watch {
                return Ok(Exit::Clean);
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

async fn told(home: &Home, config: &Config) -> anyhow::Result<Told> {
    let mut still = config.watch.clone();
    still.iter_mut().for_each(|schedule| schedule.jitter = 0.0);
    let table = Timetable::new(&still, Local::now())?;
    let next = table.each().map(|(_, schedule, at)| Next { what: name_of(schedule), at: at.to_rfc3339() });
    Ok(Told {
        next: next.collect(),
        status: status(&home.state).await?,
        disk_free: fs4::available_space(&home.root).ok(),
    })
}

fn clock(at: i64) -> String {
    DateTime::from_timestamp_millis(at)
        .map_or_else(String::new, |at| at.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string())
}

fn ago(at: i64) -> String {
    let seconds = u64::try_from(now().saturating_sub(at)).unwrap_or(0) / 1000;
    indicatif::HumanDuration(Duration::from_secs(seconds)).to_string()
}

fn human(told: &Told, lang: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (id, store) in &told.status.stores {
        let success = match store.last_success {
            Some(at) => t!("status.success", locale = lang, at = clock(at), ago = ago(at)),
            None => t!("status.no_success", locale = lang),
        };
        let left_out: Vec<String> =
            store.left_out.iter().map(|(code, n)| format!("{} {n}", reason(code, lang))).collect();
        let left_out = if left_out.is_empty() { "0".to_owned() } else { left_out.join(", ") };
        lines.push(t!("status.store", locale = lang, store = id, success = success, left_out = left_out).into_owned());
    }
    for run in &told.status.runs {
        let time = run.seconds_left.map_or_else(
            || "?".to_owned(),
            |seconds| indicatif::HumanDuration(Duration::from_secs(seconds)).to_string(),
        );
        let (kind, scope, began) = (&run.kind, &run.scope, clock(run.began));
        let by_stage = under(run, lang);
        let (done, left, run) = (run.done, run.left, run.run);
        lines.push(
            t!(
                "status.run",
                locale = lang,
                run = run,
                kind = kind,
                scope = scope,
                began = began,
                done = done,
                left = left,
                time = time
            )
            .into_owned(),
        );
        lines.extend(by_stage);
    }
    if told.status.runs.is_empty() {
        lines.push(t!("status.idle", locale = lang).into_owned());
    }
    if let Some(at) = told.status.oldest_job {
        lines.push(t!("status.oldest", locale = lang, ago = ago(at)).into_owned());
    }
    if told.status.dead_jobs > 0 {
        lines.push(t!("status.dead", locale = lang, n = told.status.dead_jobs).into_owned());
    }
    for next in &told.next {
        lines.push(t!("status.next", locale = lang, what = next.what, at = next.at).into_owned());
    }
    if let Some(free) = told.disk_free {
        lines.push(t!("status.disk", locale = lang, free = indicatif::HumanBytes(free).to_string()).into_owned());
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What is left of a run stage by stage, and the stages that nobody serves.
fn under(run: &RunStatus, lang: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if !run.left_by_stage.is_empty() {
        let counts: Vec<String> = run.left_by_stage.iter().map(|(stage, n)| format!("{stage} {n}")).collect();
        lines.push(t!("status.left", locale = lang, counts = counts.join(", ")).into_owned());
    }
    for (stage, since) in &run.unserved {
        let n = run.left_by_stage.get(stage).copied().unwrap_or_default();
        lines.push(t!("status.unserved", locale = lang, stage = stage, n = n, ago = ago(*since)).into_owned());
    }
    lines
}

/// The reason of a skip, as people read it.
fn reason(code: &str, lang: &str) -> String {
    words::skip_code(code).map_or_else(|| code.to_owned(), |words| words.get(words::Lang::of(lang)).to_owned())
}
