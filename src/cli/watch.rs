//! `xunjian watch`: sweeps, rescores, re-audits and re-checks on the schedules of the
//! configuration; one line a run.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Local};
use croner::Cron;

use super::Exit;
use super::config::ConfigArgs;
use super::home::{HomeArgs, runtime};
use super::network::NetworkArgs;
use super::prune;
use super::rescore::rescore;
use super::run::{RunArgs, line, stop_on_interrupt};
use super::sweep::{Errand, sweep};
use crate::model::RegisterKind;
use crate::model::config::{self, Config, Schedule};
use crate::pipeline::sweep::Ended;
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
    anyhow::ensure!(!config.watch.is_empty(), "--config: nothing to watch; add a [[watch]] with `when` and `run`");
    let crons: Vec<Cron> = config.watch.iter().map(cron).collect::<anyhow::Result<_>>()?;
    runtime()?.block_on(async {
        let stop = stop_on_interrupt();
        if args.once {
            let mut exit = Exit::Clean;
            for schedule in &config.watch {
                exit = if one(args, &config, schedule, &stop).await { exit } else { Exit::Incomplete };
            }
            return Ok(exit);
        }
        let now = Local::now();
        let mut due: Vec<DateTime<Local>> =
            crons.iter().zip(&config.watch).map(|(cron, of)| next(cron, of, now)).collect::<anyhow::Result<_>>()?;
        while !stop.load(Ordering::Relaxed) {
            for (at, (cron, schedule)) in due.iter_mut().zip(crons.iter().zip(&config.watch)) {
                if *at <= Local::now() && !stop.load(Ordering::Relaxed) {
                    one(args, &config, schedule, &stop).await;
                    *at = next(cron, schedule, Local::now())?;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Exit::Clean)
    })
}

fn cron(schedule: &Schedule) -> anyhow::Result<Cron> {
    let fail = || format!("--config: watch.when: {:?} is no cron expression", schedule.when);
    Cron::from_str(&schedule.when).with_context(fail)
}

fn next(cron: &Cron, schedule: &Schedule, after: DateTime<Local>) -> anyhow::Result<DateTime<Local>> {
    let fail = || format!("--config: watch.when: {:?} never comes", schedule.when);
    let at = cron.find_next_occurrence(&after, false).with_context(fail)?;
    let delay = Duration::from_secs_f64(fastrand::f64() * schedule.jitter);
    Ok(at + delay)
}

/// One run. What fails is told, and the next one comes as scheduled.
async fn one(args: &Args, config: &Config, schedule: &Schedule, stop: &Arc<AtomicBool>) -> bool {
    let lang = &args.run.grounds.judging.lang;
    let told = match schedule.run {
        config::Errand::Prune => forgotten(args, config, stop).await,
        _ => errand(args, config, schedule, stop).await.map(|ended| line(&ended, lang)),
    };
    match told {
        Ok(told) => {
            println!("{told}");
            true
        }
        Err(error) => {
            tracing::error!("{:?}: {error:#}", schedule.run);
            false
        }
    }
}

/// Forgets what no longer serves. The configuration is read anew: what is kept may be less by now.
async fn forgotten(args: &Args, config: &Config, stop: &Arc<AtomicBool>) -> anyhow::Result<String> {
    let home = args.home.open_by(config).await?;
    let pruned = prune::prune_home(&home, &args.network.config.load()?, false, stop).await?;
    Ok(prune::line(&pruned, &args.run.grounds.judging.lang))
}

async fn errand(args: &Args, config: &Config, schedule: &Schedule, stop: &Arc<AtomicBool>) -> anyhow::Result<Ended> {
    // Read anew each time: signatures, registers and the day may be others by now.
    let auditor = Arc::new(args.run.grounds.auditor()?);
    let (home, _lock) = args.home.take(config).await?;
    let stores = if schedule.stores.is_empty() {
        args.network.stores()?.all().cloned().map(Arc::new).collect()
    } else {
        args.network.chosen(&schedule.stores)?
    };
    let (kind, has_findings) = match schedule.run {
        config::Errand::Rescore => {
            return rescore(&home, auditor, &args.run, false, Arc::clone(stop)).await;
        }
        config::Errand::Sweep | config::Errand::Prune => ("sweep", None),
        config::Errand::Reaudit => ("reaudit", Some(true)),
        config::Errand::Recheck => ("recheck", Some(false)),
    };
    anyhow::ensure!(
        has_findings.is_some() || !schedule.stores.is_empty(),
        "--config: watch: a sweep names its `stores`"
    );
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
        let run = home.state.begin(kind, "", crate::pipeline::sweep::now()).await?;
        home.state.end(run.id, "{}", crate::pipeline::sweep::now()).await?;
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn starts_are_spread_over_the_jitter_and_never_early() {
        let schedule = Schedule {
            when: "0 3 * * *".into(),
            run: config::Errand::Sweep,
            stores: Vec::new(),
            jitter: 600.0,
            apps: 0,
        };
        let (cron, after) = (super::cron(&schedule).unwrap(), Local::now());
        let on_the_dot = next(&cron, &Schedule { jitter: 0.0, ..schedule.clone() }, after).unwrap();
        let late = |_| (next(&cron, &schedule, after).unwrap() - on_the_dot).num_milliseconds();
        let late: Vec<i64> = (0..200).map(late).collect();
        assert!(late.iter().all(|ms| (0..=600_000).contains(ms)), "{late:?}");
        // Of 200 even draws, none in a quarter of the span comes once in 10^25 runs.
        for quarter in 0..4 {
            let span = quarter * 150_000..(quarter + 1) * 150_000;
            assert!(late.iter().any(|ms| span.contains(ms)), "nothing in {span:?}");
        }
    }
}
