//! Packages are read in child processes of the program itself.
//!
//! A package is somebody else's bytes. Whatever it does to a reader, it does to a child
//! that has no network, no files and no secrets, and that the system ends when it takes
//! too much; the app is then told with the limit `crashed` or `over-budget`, and all else
//! goes on. A child reads one file at a time and is used again for the next.
//!
//! The program says once that it may be started so ([`enable`]); a library that does not,
//! and systems other than Unix, read within the process, where the meter alone holds.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod confine;
#[cfg(unix)]
mod frame;
mod opened;
#[cfg(unix)]
mod pool;
mod reading;

#[cfg(unix)]
mod registry;
#[cfg(not(unix))]
#[path = "registry_elsewhere.rs"]
mod registry;

#[cfg(unix)]
pub use child::run as run_child;
pub use opened::Opened;
pub use reading::{Asked, identify, read, read_picture};
pub use registry::{configure, enable, guards, know, start};

/// The argument that makes the program a child.
pub const CHILD: &str = "read-packages-for-parent";

/// Bytes of a working thread's stack. A thread that waits for others takes up work of theirs on top of its own.
const STACK: usize = 16 << 20;

/// Gives this process's working threads stacks for that; before any of them works.
pub fn give_stacks() {
    // Where they work already they keep what they have.
    let _ = rayon::ThreadPoolBuilder::new().stack_size(STACK).build_global();
}

/// How many children there are and what each may take.
#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Settings {
    /// Children at most.
    processes: usize,
    /// Bytes of memory of each.
    memory: u64,
}

#[cfg(unix)]
impl Settings {
    fn of(config: &crate::model::config::Reading) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let processes = if config.processes == 0 { cores() } else { config.processes as usize };
        Self { processes, memory: config.memory_bytes }
    }
}

#[cfg(unix)]
impl Default for Settings {
    fn default() -> Self {
        Self::of(&crate::model::config::Reading::default())
    }
}
