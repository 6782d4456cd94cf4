//! Bars of a sweep: one a stage, with rates and the time that is left. Only on a terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::acquire::Client;
use crate::runs::sweep::Tally;
use crate::store::Work;

/// Time between looks.
const EVERY: Duration = Duration::from_millis(500);

/// Bars that move until dropped.
pub(super) struct Bars {
    task: tokio::task::JoinHandle<()>,
    all: MultiProgress,
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.task.abort();
        let _ = self.all.clear();
    }
}

/// Shows bars of the latest run, where stderr is a terminal.
pub(super) fn show<W>(work: W, tally: Arc<Tally>, client: Arc<Client>, lang: &str) -> Option<Bars>
where
    W: Work + 'static,
{
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let all = MultiProgress::new();
    let name = |key: &str| rust_i18n::t!(key, locale = lang).into_owned();
    let fetching = bar(&all, name("run.fetching"));
    let auditing = bar(&all, name("run.auditing"));
    let hosts = all.add(ProgressBar::no_length().with_style(plain("{msg:.dim}")));
    let resting = name("run.resting");
    let task = tokio::spawn(async move {
        loop {
            let counts = work.counts("").await.unwrap_or_default();
            for (bar, is_audit) in [(&fetching, false), (&auditing, true)] {
                let of: Vec<_> = counts.iter().filter(|c| is_of(&c.queue, is_audit)).collect();
                let done: u64 =
                    of.iter().filter(|c| matches!(c.state.as_str(), "done" | "dead")).map(|c| c.count).sum();
                bar.set_length(of.iter().map(|c| c.count).sum());
                bar.set_position(done);
            }
            let told = tally.counts();
            fetching.set_message(format!("{} MiB", told.bytes >> 20));
            let resting: Vec<String> = client
                .hosts()
                .into_iter()
                .filter(|host| host.rests > 0)
                .map(|host| format!("{} {resting} {} s", host.host, host.rests))
                .collect();
            hosts.set_message(resting.join(", "));
            tokio::time::sleep(EVERY).await;
        }
    });
    Some(Bars { task, all })
}

/// Queues of runs have a number before the slash; what is asked for and what is delivered has no bar.
fn is_of(queue: &str, is_audit: bool) -> bool {
    queue.contains('/') && queue.ends_with("/audit") == is_audit
}

fn plain(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn bar(all: &MultiProgress, name: String) -> ProgressBar {
    let style = plain("{prefix:>8} {bar:30} {pos}/{len} {per_sec} {eta} {msg}");
    all.add(ProgressBar::new(0).with_style(style).with_prefix(name))
}
