//! The command line: one subcommand a file.

mod asked;
mod audit;
mod backup;
mod bench;
mod calibrate;
mod check;
mod choice;
mod client;
mod config;
mod corpora;
mod deliver;
mod diff;
mod doing;
mod evidence;
mod examples;
mod exit;
mod explain;
mod feed;
mod home;
mod jobs;
mod keeper;
mod log;
mod names;
mod network;
mod out;
mod pack;
mod people;
mod policies;
mod progress;
mod prune;
mod register;
mod rescore;
mod run;
mod serve;
mod shown;
mod signatures;
mod speech;
mod status;
mod store;
mod sweep;
mod targets;
mod timetable;
#[cfg_attr(not(feature = "traces"), path = "absent/traces.rs")]
mod traces;
mod train;
mod trial;
mod turns;
mod usage;
mod watch;
mod worker;

use std::io::IsTerminal;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use crate::isolate;

pub use exit::Exit;
pub use traces::Traces;

/// 巡检 audits education apps for what the education-app notice bars.
///
/// 检查教育类应用是否出现通知禁止的内容，输出供人工核查的线索。
#[derive(Debug, Parser)]
#[command(name = "xunjian", version, about, max_term_width = 100)]
pub struct Cli {
    /// More log lines on stderr; twice for all.
    #[arg(long, short, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Form of the log on stderr.
    #[arg(long, value_enum, default_value_t = Log::Text, global = true)]
    pub log: Log,
    #[command(subcommand)]
    command: Command,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Log {
    /// Lines for people.
    Text,
    /// One JSON object a line, with the time.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Audit packages, folders of them, and listings. 审计应用包、文件夹或应用商店介绍。
    Audit(audit::Args),
    /// Check, list, explain, test and fit the signatures. 检查、列出、解释、试用、校准特征。
    #[command(subcommand)]
    Signatures(signatures::Command),
    /// List, show, check and try the rules that findings rest on. 列出、显示、检查、试算条款表。
    #[command(subcommand)]
    Policies(policies::Command),
    /// Measure recognition on labelled examples. 用标注语料衡量识别质量。
    #[command(subcommand)]
    Corpora(corpora::Command),
    /// Crawl stores, fetch what is new, audit it and remember. 巡检应用商店：抓取、下载、审计、留存。
    Sweep(sweep::Args),
    /// Run what the configuration schedules: sweeps, rescores, re-audits. 按配置的时间表巡检、重新评估。
    Watch(watch::Args),
    /// Join the sweeps that others submitted to a cluster. 加入集群，承担他人提交的巡检任务。
    Worker(worker::Args),
    /// Judge everything remembered by the signatures at hand, without fetching. 用当前特征重新评估已留存的应用。
    Rescore(rescore::Args),
    /// Forget what no longer serves: old runs, old versions, bytes nothing refers to. 清理不再需要的旧记录和文件。
    Prune(prune::Args),
    /// Where everything stands: stores, runs, what waits, what comes next. 显示各商店、任务和日程的状态。
    Status(status::Args),
    /// Is what is remembered whole: the state, every file's hash, what refers to what? 检查留存的数据是否完整。
    Check(check::Args),
    /// Copy an embedded home while it is in use. 在使用中备份本机数据。
    Backup(backup::Args),
    /// Make a home of a copy. 从备份恢复。
    Restore(backup::RestoreArgs),
    /// Show what changed between versions of an app and between its copies in stores. 比较应用的版本和各商店的副本。
    Diff(diff::Args),
    /// Serve the reviewers' page. 启动核查网页。
    Serve(serve::Args),
    /// Deliver decisions to the case backend. 向案件系统推送结论。
    Feed(feed::Args),
    /// Say who may sign in to the reviewers' page. 管理可登录核查网页的人员。
    #[command(subcommand)]
    People(people::Command),
    /// Say which programs may use the API. 管理可使用接口的程序。
    #[command(subcommand)]
    Client(client::Command),
    /// Hand out and verify evidence. 导出、核验证据包。
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// Import licences, filings and lists. 导入许可、备案和名单。
    #[command(subcommand)]
    Register(register::Command),
    /// List the stores and check that their adapters still fit. 列出应用商店，检查适配是否仍然有效。
    #[command(subcommand)]
    Store(store::Command),
    /// Show the configuration in force. 显示当前生效的配置。
    #[command(subcommand)]
    Config(config::Command),
}

impl Cli {
    /// Reads the command line.
    ///
    /// # Errors
    /// What is wrong with it, to be printed.
    pub fn read() -> Result<Self, clap::Error> {
        let mut matches = speech::translated(Self::command()).try_get_matches()?;
        home::give(&matches);
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut Self::command()))
    }

    /// What is wrong with a command line, in Chinese, where that is spoken.
    #[must_use]
    pub fn fault(error: &clap::Error) -> Option<String> {
        if speech::spoken() == "zh" { speech::fault(error) } else { None }
    }

    /// Sends logs to stderr: warnings, more with `-v`; and spans to a collector, where one is named and
    /// the command makes any. Results go to stdout and nowhere else.
    ///
    /// # Errors
    /// When a collector is named that cannot be one.
    pub fn observe(&self) -> anyhow::Result<Option<Traces>> {
        let level = match self.verbose {
            0 => "xunjian=warn",
            1 => "xunjian=info",
            _ => "xunjian=debug",
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
        let colour = audit::is_coloured(std::io::stderr().is_terminal());
        let log = fmt::layer().with_writer(log::Stderr).with_ansi(colour);
        let log = match self.log {
            Log::Text => log.without_time().boxed(),
            Log::Json => log.json().boxed(),
        };
        // What is wrong with the configuration the command itself says.
        let config = self.config().and_then(|args| args.load().ok());
        let traces = config.map(|config| Traces::start(&config)).transpose().map(Option::flatten);
        let spans = traces.as_ref().ok().and_then(Option::as_ref).map(Traces::layer);
        let _ = registry().with(log.with_filter(filter)).with(spans).try_init();
        traces
    }

    /// The configuration of a command that makes spans.
    fn config(&self) -> Option<&config::ConfigArgs> {
        match &self.command {
            Command::Sweep(args) => Some(args.config()),
            Command::Watch(args) => Some(args.config()),
            Command::Worker(args) => Some(args.config()),
            Command::Serve(args) => Some(args.config()),
            _ => None,
        }
    }

    /// The configuration of a command that reads packages, or tells how they are read.
    fn reading(&self) -> Option<&config::ConfigArgs> {
        match &self.command {
            Command::Audit(args) => Some(args.config()),
            Command::Config(config::Command::Show { config, .. }) => Some(config),
            _ => self.config(),
        }
    }

    /// Runs the subcommand.
    ///
    /// # Errors
    /// A failure of ours or of the caller's configuration; what is wrong with an input is
    /// part of the report instead.
    pub fn run(self) -> anyhow::Result<Exit> {
        // What is wrong with the configuration the command itself says.
        if let Some(config) = self.reading().and_then(|args| args.load().ok()) {
            isolate::configure(&config.reading);
        }
        match self.command {
            Command::Audit(mut args) => {
                args.tell_more(self.verbose);
                audit::run(&args)
            }
            Command::Sweep(args) => sweep::run(&args),
            Command::Serve(args) => serve::run(&args),
            Command::Feed(args) => feed::run(&args),
            Command::Client(command) => client::run(&command),
            Command::People(command) => people::run(&command),
            Command::Evidence(command) => evidence::run(&command),
            Command::Diff(args) => diff::run(&args),
            Command::Watch(args) => watch::run(&args),
            Command::Worker(args) => worker::run(&args),
            Command::Rescore(args) => rescore::run(&args),
            Command::Prune(args) => prune::run(&args),
            Command::Status(args) => status::run(&args),
            Command::Check(args) => check::run(&args),
            Command::Backup(args) => backup::run(&args),
            Command::Restore(args) => backup::run_restore(&args),
            Command::Signatures(command) => signatures::run(&command),
            Command::Policies(command) => policies::run(&command),
            Command::Corpora(command) => corpora::run(&command),
            Command::Register(command) => register::run(&command),
            Command::Store(command) => store::run(&command),
            Command::Config(command) => config::run(&command),
        }
    }
}

/// The reader of stdout went away.
#[must_use]
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Whose fault an error is: ours, unless it is of a type that blames the caller's words, files or configuration.
#[must_use]
pub fn exit_of(error: &anyhow::Error) -> Exit {
    let theirs = error.is::<crate::signature::PackError>()
        || matches!(error.downcast_ref(), Some(crate::store::StoreError::Schema(_)))
        || error.is::<usage::UsageError>()
        || error.is::<home::Held>()
        || error.is::<crate::model::config::ConfigError>()
        || error.is::<crate::crawl::StoreError>()
        || error.is::<crate::acquire::ClientError>()
        || error.is::<crate::runs::fit::FixtureError>()
        || error.is::<crate::measure::CorpusError>()
        || error.is::<crate::train::TrainError>()
        || error.is::<targets::TargetError>();
    if theirs { Exit::Usage } else { Exit::Failure }
}
