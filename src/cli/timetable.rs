//! When what is scheduled comes, by a wall clock that may be set, stop with the machine, or be wrong.
//!
//! The rules: what falls due while another run is under way comes right after it, once. A clock that is
//! set forward, or a machine that slept, makes what fell due in between come once. A clock that is set
//! back makes everything be planned anew from where it stands now. What fell due while nothing ran is
//! skipped, and said, unless whoever starts it asks to catch up.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Local};
use croner::Cron;

use super::usage::OrUsage;
use crate::model::config::Schedule;

/// A clock that differs by more from the time that passed was set, or stood still.
const SET: chrono::Duration = chrono::Duration::seconds(60);
/// Wait before what found its home held is tried again.
const HELD: chrono::Duration = chrono::Duration::seconds(60);

/// What the wall clock did since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// It went on.
    Went,
    /// It was set forward, or the machine slept: by so many seconds.
    Forward(i64),
    /// It was set back: everything was planned anew.
    Back(i64),
}

/// Schedules, and when each comes next.
pub(super) struct Timetable {
    crons: Vec<Cron>,
    schedules: Vec<Schedule>,
    due: Vec<DateTime<Local>>,
    seen: DateTime<Local>,
}

impl Timetable {
    /// Plans everything from now on.
    ///
    /// # Errors
    /// When an expression is none, or never comes.
    pub(super) fn new(schedules: &[Schedule], now: DateTime<Local>) -> anyhow::Result<Self> {
        let crons: Vec<Cron> = schedules.iter().map(cron).collect::<anyhow::Result<_>>()?;
        let mut me = Self { crons, schedules: schedules.to_vec(), due: Vec::new(), seen: now };
        me.plan(now)?;
        Ok(me)
    }

    fn plan(&mut self, now: DateTime<Local>) -> anyhow::Result<()> {
        self.due =
            self.crons.iter().zip(&self.schedules).map(|(c, s)| next(c, s, now)).collect::<anyhow::Result<_>>()?;
        Ok(())
    }

    /// Looks at the clock, `passed` after the last look by a clock that nobody sets.
    ///
    /// # Errors
    /// When an expression never comes.
    pub(super) fn look(&mut self, now: DateTime<Local>, passed: Duration) -> anyhow::Result<Clock> {
        let expected = self.seen + chrono::Duration::from_std(passed).unwrap_or_default();
        self.seen = now;
        let moved = now - expected;
        if moved < -SET {
            self.plan(now)?;
            return Ok(Clock::Back(-moved.num_seconds()));
        }
        Ok(if moved > SET { Clock::Forward(moved.num_seconds()) } else { Clock::Went })
    }

    /// The first that is due.
    pub(super) fn due(&self, now: DateTime<Local>) -> Option<usize> {
        self.due.iter().position(|at| *at <= now)
    }

    /// It was done: it comes next as its expression says.
    ///
    /// # Errors
    /// When the expression never comes again.
    pub(super) fn done(&mut self, index: usize, now: DateTime<Local>) -> anyhow::Result<()> {
        self.due[index] = next(&self.crons[index], &self.schedules[index], now)?;
        Ok(())
    }

    /// Another process had the home: it is tried again soon, or when it comes anyway.
    ///
    /// # Errors
    /// When the expression never comes again.
    pub(super) fn held(&mut self, index: usize, now: DateTime<Local>) -> anyhow::Result<()> {
        let regular = next(&self.crons[index], &self.schedules[index], now)?;
        self.due[index] = regular.min(now + HELD);
        Ok(())
    }

    /// Makes it due now.
    pub(super) fn hurry(&mut self, index: usize, now: DateTime<Local>) {
        self.due[index] = now;
    }

    /// The last time it should have come, before now.
    pub(super) fn last(&self, index: usize, now: DateTime<Local>) -> Option<DateTime<Local>> {
        self.crons[index].find_previous_occurrence(&now, false).ok()
    }

    /// Each schedule, and when it comes next.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, &Schedule, DateTime<Local>)> {
        self.schedules.iter().zip(&self.due).enumerate().map(|(index, (schedule, at))| (index, schedule, *at))
    }
}

/// The expression of a schedule.
pub(super) fn cron(schedule: &Schedule) -> anyhow::Result<Cron> {
    let fail = || format!("--config: watch.when: {:?} is no cron expression", schedule.when);
    Cron::from_str(&schedule.when).or_usage(fail)
}

pub(super) fn next(cron: &Cron, schedule: &Schedule, after: DateTime<Local>) -> anyhow::Result<DateTime<Local>> {
    let fail = || format!("--config: watch.when: {:?} never comes", schedule.when);
    let at = cron.find_next_occurrence(&after, false).or_usage(fail)?;
    let delay = Duration::from_secs_f64(fastrand::f64() * schedule.jitter);
    Ok(at + delay)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;
    use crate::model::config::Errand;

    fn schedule(when: &str, jitter: f64) -> Schedule {
        Schedule { when: when.into(), run: Errand::Sweep, stores: Vec::new(), jitter, apps: 0 }
    }

    fn at(text: &str) -> DateTime<Local> {
        let naive = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
        naive.and_local_timezone(Local).unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn starts_are_spread_over_the_jitter_and_never_early() {
        let schedule = schedule("0 3 * * *", 600.0);
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

    #[test]
    fn a_clock_that_was_wrong_and_set_right_leaves_nothing_for_never() {
        let start = at("2026-03-10 12:00:30");
        let mut table = Timetable::new(&[schedule("* * * * *", 0.0)], start).unwrap();
        assert_eq!(table.due(start), None);
        // Ten years ahead: what fell due comes once.
        let wrong = at("2036-03-10 12:00:30");
        assert!(matches!(table.look(wrong, SECOND).unwrap(), Clock::Forward(_)));
        assert_eq!(table.due(wrong), Some(0));
        table.done(0, wrong).unwrap();
        assert_eq!(table.due(wrong), None);
        // And back: planned anew, not for ten years from now.
        let right = at("2026-03-10 12:00:40");
        assert!(matches!(table.look(right, SECOND).unwrap(), Clock::Back(_)));
        assert_eq!(table.due(at("2026-03-10 12:01:00")), Some(0));
    }

    #[test]
    fn a_machine_that_slept_catches_up_once() {
        let start = at("2026-03-10 12:00:30");
        let mut table = Timetable::new(&[schedule("0 * * * *", 0.0)], start).unwrap();
        let woken = at("2026-03-10 18:20:00");
        assert!(matches!(table.look(woken, SECOND).unwrap(), Clock::Forward(_)));
        assert_eq!(table.due(woken), Some(0), "six hours were slept through: one run");
        table.done(0, woken).unwrap();
        assert_eq!(table.due(at("2026-03-10 18:59:59")), None);
        assert_eq!(table.look(at("2026-03-10 18:20:01"), SECOND).unwrap(), Clock::Went);
    }

    #[test]
    fn what_found_its_home_held_is_tried_again_within_a_minute() {
        let start = at("2026-03-10 12:00:00");
        let mut table = Timetable::new(&[schedule("0 3 * * *", 0.0)], start).unwrap();
        let three = at("2026-03-11 03:00:00");
        assert_eq!(table.due(three), Some(0));
        table.held(0, three).unwrap();
        assert_eq!(table.due(at("2026-03-11 03:00:59")), None);
        assert_eq!(table.due(at("2026-03-11 03:01:00")), Some(0));
        assert_eq!(table.last(0, three), Some(at("2026-03-10 03:00:00")));
    }
}
