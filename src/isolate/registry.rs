//! The pools of this process, by the signatures that their children read with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::Settings;
use super::pool::{Child, Pool};
use crate::model::config::Reading;
use crate::signature::Source;

static ISOLATION: OnceLock<Isolation> = OnceLock::new();

struct Isolation {
    program: PathBuf,
    settings: Mutex<Settings>,
    pools: Mutex<BTreeMap<String, Arc<Pool>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that this program makes children of itself when it is started with [`super::CHILD`].
pub fn enable() {
    // The program may have been replaced on the disk since: a child must be of the same one.
    let itself = PathBuf::from("/proc/self/exe");
    let program = if itself.exists() { Ok(itself) } else { std::env::current_exe() };
    if let Ok(program) = program {
        let _ = ISOLATION.set(Isolation { program, settings: Mutex::default(), pools: Mutex::default() });
    }
}

/// Sets how many children there are and what each may take, for pools to come.
pub fn configure(config: &Reading) {
    if let Some(isolation) = ISOLATION.get() {
        *lock(&isolation.settings) = Settings::of(config);
    }
}

/// Makes signatures known, so that children can read with them; `own` says that they are
/// those of the program itself. Tells the hash that they are known by.
pub fn know(source: &Source, own: bool) -> String {
    let pack = source.sha256();
    let Some(isolation) = ISOLATION.get() else { return pack };
    let settings = *lock(&isolation.settings);
    lock(&isolation.pools).entry(pack.clone()).or_insert_with(|| {
        let source = (!own).then(|| source.clone());
        Arc::new(Pool::new(isolation.program.clone(), source, pack.clone(), settings))
    });
    pack
}

/// Starts children that are going to be needed, while the parent loads the same signatures.
pub fn start(pack: &str, wanted: usize) {
    if let Some(pool) = pool(pack) {
        pool.start(wanted);
    }
}

/// The pool for a pack, where its signatures are known.
pub(super) fn pool(pack: &str) -> Option<Arc<Pool>> {
    lock(&ISOLATION.get()?.pools).get(pack).cloned()
}

/// What holds children in on this system, each by its name; `None` where none can be started.
#[must_use]
pub fn guards() -> Option<Vec<(&'static str, bool)>> {
    let isolation = ISOLATION.get()?;
    let memory = lock(&isolation.settings).memory;
    let ready = Child::spawn(&isolation.program).and_then(|mut child| child.probe(memory)).ok()?;
    Some(ready.guards.named().to_vec())
}
