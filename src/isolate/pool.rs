//! A few children, lent to one file at a time and reused from app to app.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::frame::{FACTS_MAX, READING_MAX, Ready, Reply, Request, Setup, WORDS_MAX, hand, hear, receive, say};
use super::{CHILD, Settings};
use crate::audit::{Kept, Reading};
use crate::signature::Source;

/// Time beyond an app's own in which a child may still say what it has read so far.
const GRACE: Duration = Duration::from_millis(700);
/// Time for what was read to come over, once it was read.
const HANDING_OVER: Duration = Duration::from_secs(60);
/// Time in which a child must have loaded its signatures.
const LOADING: Duration = Duration::from_secs(120);
/// Files after which a child makes place for a new one: what a reader leaves behind in
/// memory does not pile up.
const SERVED_MAX: u32 = 1_000;
/// Tries of one file, where something else than the file ended the child.
const TRIES: u32 = 4;
/// Children that may die while they load, one after the other, before it is called a fault of
/// the system.
const STARTS: u32 = 5;

/// What a child said of a file.
pub(super) type Said = (Reply, Option<(Reading, Option<Kept>)>);

/// Why a child said nothing of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// It did not come back in time.
    Late,
    /// The system ended it for its processor time.
    Processor,
    /// It died, by this signal where it was one.
    Died(Option<i32>),
}

/// Children that read with the same signatures.
pub(super) struct Pool {
    program: PathBuf,
    /// `None`: those of the program itself.
    source: Option<Source>,
    pack: String,
    settings: Settings,
    children: Mutex<Children>,
    freed: Condvar,
}

#[derive(Default)]
struct Children {
    idle: Vec<Child>,
    /// Those that are lent, too.
    all: usize,
}

/// One child process.
pub(super) struct Child {
    process: std::process::Child,
    stream: UnixStream,
    is_ready: bool,
    served: u32,
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Pool {
    pub(super) fn new(program: PathBuf, source: Option<Source>, pack: String, settings: Settings) -> Self {
        Self { program, source, pack, settings, children: Mutex::default(), freed: Condvar::new() }
    }

    /// Starts children ahead of the first file, so that they load while the parent does.
    pub(super) fn start(&self, wanted: usize) {
        let mut children = self.lock();
        while children.all < wanted.min(self.settings.processes) {
            let Ok(child) = self.spawn() else { return };
            children.all += 1;
            children.idle.push(child);
        }
    }

    /// Has a child do what is asked with a file.
    ///
    /// # Errors
    /// When no child can be started.
    pub(super) fn ask(&self, request: &Request, file: &File) -> io::Result<Result<Said, Lost>> {
        let mut request = request.clone();
        let mut until = None;
        let mut tries = 0;
        loop {
            let mut lent = self.lend_ready()?;
            let Some(child) = &mut lent.child else { return Err(io::ErrorKind::Other.into()) };
            tries += 1;
            request.threads = if tries == 1 { (self.settings.processes / lent.busy).max(1) } else { 1 };
            // The time of the file begins when somebody reads it; tries share it.
            let now = Instant::now();
            let until = *until.get_or_insert_with(|| now + Duration::from_millis(request.milliseconds));
            request.milliseconds = until.saturating_duration_since(now).as_millis() as u64;
            match child.exchange(&request, file, until + GRACE) {
                Ok(said) => return Ok(Ok(said)),
                Err(Fault::Late) => {
                    lent.child = None;
                    return Ok(Err(Lost::Late));
                }
                Err(Fault::Gone) => {
                    let signal = lent.child.take().and_then(Child::ended).and_then(|status| status.signal());
                    drop(lent);
                    if signal == Some(SIGXCPU) {
                        return Ok(Err(Lost::Processor));
                    }
                    // A child that somebody ended says nothing about the file. One that failed for want of
                    // memory may do with one thread, which holds one entry at a time.
                    let most = if matches!(signal, Some(SIGKILL | SIGTERM | SIGINT | SIGHUP)) { TRIES } else { 2 };
                    if tries >= most || Instant::now() >= until {
                        return Ok(Err(Lost::Died(signal)));
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A child that has loaded its signatures. One that died before it had is nobody's fault.
    fn lend_ready(&self) -> io::Result<Lent<'_>> {
        let mut last = io::ErrorKind::Other.into();
        for _ in 0..STARTS {
            let mut lent = self.lend()?;
            match lent.child.as_mut().map(|child| child.await_ready(&self.pack)) {
                Some(Ok(())) => return Ok(lent),
                Some(Err(error)) => last = error,
                None => {}
            }
            lent.child = None;
        }
        Err(last)
    }

    /// A child that is free, or a new one, or the next that is given back.
    fn lend(&self) -> io::Result<Lent<'_>> {
        let mut children = self.lock();
        let child = loop {
            if let Some(child) = children.idle.pop() {
                break child;
            }
            if children.all < self.settings.processes {
                children.all += 1;
                let spawned = self.spawn();
                if spawned.is_err() {
                    children.all -= 1;
                }
                break spawned?;
            }
            children = self.freed.wait(children).unwrap_or_else(PoisonError::into_inner);
        };
        let busy = (children.all - children.idle.len()).max(1);
        Ok(Lent { pool: self, child: Some(child), busy })
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut child = Child::spawn(&self.program)?;
        let files = self.source.as_ref().map(|source| source.files.clone());
        say(&mut child.stream, &Setup { files, loads: true, memory: self.settings.memory })?;
        Ok(child)
    }
}

use rustix::process::Signal;
const SIGKILL: i32 = Signal::KILL.as_raw();
const SIGTERM: i32 = Signal::TERM.as_raw();
const SIGINT: i32 = Signal::INT.as_raw();
const SIGHUP: i32 = Signal::HUP.as_raw();
const SIGXCPU: i32 = Signal::XCPU.as_raw();

/// A child that one file has to itself.
struct Lent<'p> {
    pool: &'p Pool,
    child: Option<Child>,
    /// Children that are lent, this one included.
    busy: usize,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut children = self.pool.lock();
        match self.child.take().filter(|child| child.served < SERVED_MAX) {
            Some(child) => children.idle.push(child),
            None => children.all -= 1,
        }
        self.pool.freed.notify_one();
    }
}

enum Fault {
    Late,
    Gone,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Late,
            _ => Self::Gone,
        }
    }
}

impl Child {
    /// Starts a child that has nothing of the parent but a socket: neither its environment
    /// with its secrets, nor its terminal and the signals of that.
    pub(super) fn spawn(program: &PathBuf) -> io::Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        let process = Command::new(program)
            .arg0("xunjian")
            .arg(CHILD)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        stream.set_write_timeout(Some(LOADING))?;
        Ok(Self { process, stream, is_ready: false, served: 0 })
    }

    /// What the child says first, for one that is only asked what holds it in.
    pub(super) fn probe(&mut self, memory: u64) -> io::Result<Ready> {
        self.stream.set_read_timeout(Some(LOADING))?;
        super::child::probe(&mut self.stream, memory)
    }

    fn await_ready(&mut self, pack: &str) -> io::Result<()> {
        if self.is_ready {
            return Ok(());
        }
        let ready: Ready = hear(&mut Until { stream: &self.stream, at: Instant::now() + LOADING })?;
        if ready.pack != pack {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a child with other signatures"));
        }
        self.is_ready = true;
        Ok(())
    }

    fn exchange(&mut self, request: &Request, file: &File, until: Instant) -> Result<Said, Fault> {
        self.served += 1;
        hand(&mut self.stream, request, file)?;
        let reply: Reply = serde_json::from_slice(&receive(&mut Until { stream: &self.stream, at: until }, WORDS_MAX)?)
            .map_err(io::Error::from)?;
        if !matches!(reply, Reply::Reading) {
            return Ok((reply, None));
        }
        let mut over = Until { stream: &self.stream, at: Instant::now() + HANDING_OVER };
        let reading = Reading::from_wire(&receive(&mut over, READING_MAX)?).map_err(io::Error::from)?;
        let facts = receive(&mut over, FACTS_MAX)?;
        Ok((reply, Some((reading, (!facts.is_empty()).then_some(Kept(facts))))))
    }

    /// How it ended; it is ended where it did not.
    fn ended(mut self) -> Option<ExitStatus> {
        // Its end of the socket closes a moment before it is gone.
        for _ in 0..50 {
            if let Ok(Some(status)) = self.process.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }
}

/// A stream that is read until a moment.
struct Until<'s> {
    stream: &'s UnixStream,
    at: Instant,
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut stream = self.stream;
        stream.read(buffer)
    }
}
