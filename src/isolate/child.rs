//! The child's side: one file after the other, each with a deadline, until the parent is gone.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::Opened;
use super::confine::{confine, processor_time};
use super::frame::{Ready, Reply, Request, Setup, Task, hear, say, send, take};
use crate::audit::{Auditor, Named, Reading};
use crate::model::Budget;
use crate::signature::{Pack, Source};

/// Seconds of processor time beside those of its threads.
const SPARE: u64 = 2;
/// The setup holds the signatures.
const SETUP_MAX: usize = 256 << 20;

/// Reads the files that the parent hands over on standard input.
///
/// # Errors
/// When the parent speaks otherwise than it should, or the pack does not load.
pub fn run() -> io::Result<()> {
    let mut parent = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let setup: Setup = serde_json::from_slice(&super::frame::receive(&mut parent, SETUP_MAX)?)?;
    let guards = confine(setup.memory);
    let loaded = if setup.loads { Some(load(setup.files)?) } else { None };
    let pack = loaded.as_ref().map(|auditor| auditor.pack.sha256.clone()).unwrap_or_default();
    say(&mut parent, &Ready { pack, guards })?;
    let Some(auditor) = loaded else { return Ok(()) };
    let mut threads = Threads::default();
    while let Some((request, file)) = take::<Request>(&mut parent)? {
        let auditor = bounded(&auditor, &request);
        let pool = threads.of(request.threads)?;
        let done = catch_unwind(AssertUnwindSafe(|| pool.install(|| answer(&auditor, &request, file.into()))));
        let (reply, reading) = done.unwrap_or((Reply::Panicked, None));
        say(&mut parent, &reply)?;
        if let Some(mut reading) = reading {
            send(&mut parent, &reading.to_wire()?)?;
            // Facts of a reading that the clock cut short would be taken for all there are.
            let kept = if auditor.budget.is_out_of_time() { None } else { reading.keep()? };
            send(&mut parent, kept.as_ref().map_or(&[], |kept| &kept.0))?;
        }
    }
    Ok(())
}

fn load(files: Option<std::collections::BTreeMap<String, String>>) -> io::Result<Auditor> {
    let source = files.map_or_else(Source::embedded, |files| Source { files });
    let pack = Pack::load(&source).map_err(io::Error::other)?;
    let policy = pack.policies.values().next().cloned().ok_or(io::ErrorKind::InvalidData)?;
    Ok(Auditor { pack: Arc::new(pack), policy, budget: Budget::default(), registers: Arc::default() })
}

/// The auditor for one file: with its deadline, and as much processor time as fits before it.
fn bounded(auditor: &Auditor, request: &Request) -> Auditor {
    let time = Duration::from_millis(request.milliseconds);
    let deadline = Instant::now().checked_add(time);
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).tv_sec;
    let worth = time.as_secs().saturating_add(SPARE).saturating_mul(request.threads as u64);
    processor_time(u64::try_from(used).unwrap_or(0).saturating_add(worth));
    Auditor {
        pack: Arc::clone(&auditor.pack),
        policy: auditor.policy.clone(),
        registers: Arc::clone(&auditor.registers),
        budget: auditor
            .budget
            .renewed()
            .with_pictures(request.pictures)
            .until(move || deadline.is_some_and(|deadline| Instant::now() > deadline)),
    }
}

fn answer(auditor: &Auditor, request: &Request, file: File) -> (Reply, Option<Reading>) {
    let opened = Opened::from_file(file).and_then(Opened::held);
    let file = match opened {
        Ok(file) => file,
        Err(error) => return (Reply::Unread(format!("cannot be read: {error}")), None),
    };
    let named = Named { name: &request.name, sha256: &request.sha256, wanted: request.wanted.as_deref() };
    let read = match request.task {
        Task::Identify => return (Reply::Identity(auditor.identify(&file)), None),
        Task::Read => auditor.read_named(named, &file, false),
        Task::Picture => Ok(auditor.read_shown(&request.name, &file)),
        Task::Keep => auditor.read_named(named, &file, true),
    };
    match read {
        Ok(reading) => (Reply::Reading, Some(reading)),
        Err(error) => (Reply::Unread(error.to_string()), None),
    }
}

/// Thread pools by size: a package alone has all cores, one of many has its share.
#[derive(Default)]
struct Threads {
    pool: Option<(usize, ThreadPool)>,
}

impl Threads {
    fn of(&mut self, threads: usize) -> io::Result<&ThreadPool> {
        let threads = threads.max(1);
        if self.pool.as_ref().is_none_or(|(size, _)| *size != threads) {
            let pool = ThreadPoolBuilder::new().num_threads(threads).stack_size(super::STACK).build();
            let pool = pool.map_err(io::Error::other)?;
            self.pool = Some((threads, pool));
        }
        self.pool.as_ref().map(|(_, pool)| pool).ok_or_else(|| io::ErrorKind::Other.into())
    }
}

/// The setup as the parent says it, for a child that is only asked what holds it in.
pub(super) fn probe(stream: &mut UnixStream, memory: u64) -> io::Result<Ready> {
    say(stream, &Setup { files: None, loads: false, memory })?;
    hear(stream)
}
