//! `xunjian watch`: sweeps, rescores, re-audits and re-checks on the schedules of the
//! configuration; one line a run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Local};

use super::Exit;
use super::config::ConfigArgs;
use super::home::{Held, HomeArgs, runtime};
use super::network::NetworkArgs;
use super::prune;
use super::rescore::rescore;
use super::run::{RunArgs, line, stop_on_interrupt};
use super::store;
use super::sweep::{Errand, sweep};
use super::timetable::{Clock, Timetable, cron};
use super::usage::ensure_usage;
use crate::crawl::Store;
use crate::model::RegisterKind;
use crate::model::config::{self, Config, Schedule};
use crate::runs::sweep::Ended;
use crate::store::{Desk, DeskQuery, Home, State, Tray};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    network: NetworkArgs,
    /// Do everything that is scheduled once, now, and end.
    #[arg(long)]
    once: bool,
    /// Do at the start what fell due while nothing ran. Default: say it, and wait for the next time.
    #[arg(long)]
    catch_up: bool,
    #[command(flatten)]
    run: RunArgs,
}

/// Time between looks at the clock: a machine that slept wakes up late, not never.
const LOOK: Duration = Duration::from_secs(1);

impl Args {
    /// The configuration that holds.
    pub(super) fn config(&self) -> &ConfigArgs {
        &self.network.config
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = args.network.config.load()?;
    ensure_usage!(!config.watch.is_empty(), "--config: nothing to watch; add a [[watch]] with `when` and `run`");
    makes_sense(args, &config)?;
    let mut table = Timetable::new(&config.watch, Local::now())?;
    runtime()?.block_on(async {
        let stop = stop_on_interrupt();
        if args.once {
            let mut exit = Exit::Clean;
            for schedule in &config.watch {
                exit = if one(args, &config, schedule, &stop).await == Did::Done { exit } else { Exit::Incomplete };
            }
            return Ok(exit);
        }
        missed(args, &config, &mut table).await;
        announce(args, &table);
        let mut looked = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let clock = table.look(Local::now(), looked.elapsed())?;
            looked = Instant::now();
            match clock {
                Clock::Went => {}
                Clock::Forward(seconds) => say(args, "watch.forward", &[("seconds", &seconds.to_string())]),
                Clock::Back(seconds) => {
                    say(args, "watch.back", &[("seconds", &seconds.to_string())]);
                    announce(args, &table);
                }
            }
            while let Some(index) = table.due(Local::now()).filter(|_| !stop.load(Ordering::Relaxed)) {
                match one(args, &config, &config.watch[index], &stop).await {
                    Did::Held => table.held(index, Local::now())?,
                    Did::Done | Did::Failed => table.done(index, Local::now())?,
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Exit::Clean)
    })
}

/// Refuses at the start what would only be found out when it comes.
fn makes_sense(args: &Args, config: &Config) -> anyhow::Result<()> {
    ensure_usage!(
        !args.run.wants_report(),
        "--format, --out and --fail-on: watch writes no report; ask `xunjian sweep` for one, or the reviewers' page"
    );
    for schedule in &config.watch {
        cron(schedule)?;
        args.network.chosen(&schedule.stores)?;
        let is_sweep = schedule.run == config::Errand::Sweep;
        ensure_usage!(!is_sweep || !schedule.stores.is_empty(), "--config: watch: a sweep names its `stores`");
        let takes_stores = !matches!(schedule.run, config::Errand::Rescore | config::Errand::Prune);
        ensure_usage!(
            takes_stores || schedule.stores.is_empty(),
            "--config: watch: {:?} goes over everything kept, and takes no `stores`",
            schedule.run
        );
    }
    Ok(())
}

/// What a person calls a schedule.
pub(super) fn name_of(schedule: &Schedule) -> String {
    let run = serde_json::to_value(schedule.run).ok().and_then(|word| word.as_str().map(str::to_owned));
    [&[run.unwrap_or_default()][..], &schedule.stores].concat().join(" ")
}

/// Says when everything comes next.
fn announce(args: &Args, table: &Timetable) {
    for (_, schedule, at) in table.each() {
        let (at, jitter) = (at.format("%Y-%m-%d %H:%M:%S").to_string(), schedule.jitter.to_string());
        say(args, "watch.next", &[("what", &name_of(schedule)), ("at", &at), ("jitter", &jitter)]);
    }
}

/// What fell due while nothing ran: skipped and said, or (`--catch-up`) done now.
async fn missed(args: &Args, config: &Config, table: &mut Timetable) {
    let now = Local::now();
    let home = match args.home.open_by(config).await {
        Ok(home) => home,
        // Whoever runs says so when it comes.
        Err(error) => return tracing::warn!("{error:#}"),
    };
    let mut late = Vec::new();
    for (index, schedule, _) in table.each() {
        let mut stores = schedule.stores.clone();
        stores.sort_unstable();
        let scope = stores.join(",");
        let kind = match schedule.run {
            config::Errand::Sweep => "sweep",
            config::Errand::Rescore => "rescore",
            _ => continue,
        };
        let ran = home.state.latest_run(kind, &scope).await.ok().flatten().map(|run| run.began);
        let was_due = table.last(index, now);
        if let (Some(ran), Some(at)) = (ran, was_due)
            && ran < at.timestamp_millis()
        {
            late.push((index, name_of(schedule), at.format("%Y-%m-%d %H:%M:%S").to_string()));
        }
    }
    for (index, what, at) in late {
        let key = if args.catch_up { "watch.caught_up" } else { "watch.missed" };
        say(args, key, &[("what", &what), ("at", &at)]);
        if args.catch_up {
            table.hurry(index, now);
        }
    }
}

fn say(args: &Args, key: &str, values: &[(&str, &str)]) {
    let lang = &args.run.grounds.judging.speech.lang;
    eprintln!("{}", crate::report::words::said(key, values).get(crate::report::words::Lang::of(lang)));
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Did {
    Done,
    Failed,
    /// Another process had the home.
    Held,
}

/// One run. What fails is told, and the next one comes as scheduled.
async fn one(args: &Args, config: &Config, schedule: &Schedule, stop: &Arc<AtomicBool>) -> Did {
    let lang = &args.run.grounds.judging.speech.lang;
    let told = match schedule.run {
        config::Errand::Prune => forgotten(args, config, stop).await,
        config::Errand::Check => fitting(args, config, schedule).await,
        _ => errand(args, config, schedule, stop).await.map(|ended| line(&ended, lang)),
    };
    match told {
        Ok(told) => {
            println!("{told}");
            Did::Done
        }
        Err(error) if error.is::<Held>() => {
            say(args, "watch.held", &[("what", &name_of(schedule))]);
            Did::Held
        }
        Err(error) => {
            tracing::error!("{}: {error:#}", name_of(schedule));
            Did::Failed
        }
    }
}

/// Forgets what no longer serves. The configuration is read anew: what is kept may be less by now.
async fn forgotten(args: &Args, config: &Config, stop: &Arc<AtomicBool>) -> anyhow::Result<String> {
    let home = args.home.open_by(config).await?;
    let pruned = prune::prune_home(&home, &args.network.config.load()?, false, stop).await?;
    Ok(prune::line(&pruned, &args.run.grounds.judging.speech.lang))
}

/// Looks whether the stores' files still fit.
async fn fitting(args: &Args, config: &Config, schedule: &Schedule) -> anyhow::Result<String> {
    let (home, _lock) = args.home.take(config).await?;
    store::check_all(config, &home, &chosen(args, schedule)?, &args.run.grounds.judging.speech.lang).await
}

/// The stores of a schedule; all where it names none.
fn chosen(args: &Args, schedule: &Schedule) -> anyhow::Result<Vec<Arc<Store>>> {
    if schedule.stores.is_empty() {
        return Ok(args.network.stores()?.all().cloned().map(Arc::new).collect());
    }
    args.network.chosen(&schedule.stores)
}

async fn errand(args: &Args, config: &Config, schedule: &Schedule, stop: &Arc<AtomicBool>) -> anyhow::Result<Ended> {
    // Read anew each time: signatures, registers and the day may be others by now.
    let auditor = Arc::new(args.run.grounds.auditor(config)?);
    let (home, _lock) = args.home.take(config).await?;
    let stores = chosen(args, schedule)?;
    let (kind, has_findings) = match schedule.run {
        config::Errand::Rescore => {
            return rescore(&home, auditor, &args.run, false, Arc::clone(stop)).await;
        }
        config::Errand::Sweep | config::Errand::Prune | config::Errand::Check => ("sweep", None),
        config::Errand::Reaudit => ("reaudit", Some(true)),
        config::Errand::Recheck => ("recheck", Some(false)),
    };
    let mut aims = BTreeSet::new();
    for store in stores.iter().filter(|_| has_findings.is_some()) {
        let apps = home.state.sample(&store.id, has_findings == Some(true), schedule.apps).await?;
        aims.extend(apps.into_iter().map(|app| (store.id.clone(), app.name)));
    }
    if has_findings == Some(true) {
        let ids = stores.iter().map(|store| store.id.as_str()).collect();
        aims.extend(grey(args, &home, &ids).await?);
        aims.extend(due(&home, &ids).await?);
    }
    if has_findings.is_some() && aims.is_empty() {
        // Nothing to look at is a run as well, so that its line says so.
        let run = home.state.begin(kind, "", crate::runs::sweep::now()).await?;
        home.state.end(run.id, "{}", crate::runs::sweep::now()).await?;
        return Ok(Ended { run, is_done: true, counts: Default::default() });
    }
    let errand = Errand {
        kind,
        scope: None,
        stores,
        aims: aims.into_iter().collect(),
        limit: None,
        refresh: has_findings.is_some(),
        stop: Arc::clone(stop),
    };
    sweep(&home, config, auditor, &args.run, errand).await
}

/// Apps of these stores whose day to mend by has come, but for those audited today already.
async fn due(home: &Home, stores: &BTreeSet<&str>) -> anyhow::Result<Vec<(String, String)>> {
    let day = |days: i64| (Local::now() + chrono::Duration::days(days)).format("%Y-%m-%d").to_string();
    // The tray holds what was to be mended before a day: by tomorrow, today's are among them.
    let mut asked = DeskQuery { tray: Tray::Overdue, today: day(1), after: Some(0), most: 500, ..DeskQuery::default() };
    let mut found = Vec::new();
    loop {
        let rows = home.state.desk(&asked).await?;
        for row in &rows {
            let seen = DateTime::from_timestamp_millis(row.at).map(|at| at.with_timezone(&Local));
            let seen = seen.map_or_else(String::new, |at| at.format("%Y-%m-%d").to_string());
            if !stores.contains(row.store.as_str()) || seen == day(0) {
                continue;
            }
            let app = home.state.apps(row.app - 1, 1).await?.pop().filter(|app| app.id == row.app);
            found.extend(app.map(|app| (app.store, app.name)));
        }
        match rows.last() {
            Some(last) if rows.len() == asked.most as usize => asked.after = Some(last.app),
            _ => return Ok(found),
        }
    }
}

/// Apps on the grey list that are known of these stores.
async fn grey(args: &Args, home: &Home, stores: &BTreeSet<&str>) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for register in args.run.grounds.registers.all()?.iter().filter(|register| register.kind == RegisterKind::Grey) {
        for row in register.rows.iter().filter(|row| !row.package.is_empty()) {
            let apps = home.state.find("", &row.package).await?;
            let here = apps.into_iter().filter(|app| stores.contains(app.store.as_str()));
            found.extend(here.map(|app| (app.store, app.name)));
        }
    }
    Ok(found)
}
