//! One package file read, in a child where there is one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Opened;
use crate::audit::{Auditor, Identity, Kept, Named, Reading, stage};
use crate::model::{Limit, LimitCode};

/// What is asked of a package file.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Path as given.
    pub name: &'a str,
    /// SHA-256 of its bytes.
    pub sha256: &'a str,
    /// The app that is wanted of an archive of several: see [`Named::wanted`].
    pub wanted: Option<&'a str>,
    /// Its facts are kept.
    pub keeps: bool,
    /// When its time is over.
    pub until: Option<Instant>,
}

/// Time for telling who an app is: its manifest alone.
const IDENTIFYING: Duration = Duration::from_secs(10);

/// Reads a package file: what was read of it, and its facts where they are kept. A file
/// that broke its reader or overstayed is a reading of nothing but the limit that says so.
///
/// # Errors
/// When it is no package; why, in words.
pub fn read(auditor: &Auditor, file: Opened, asked: Asked<'_>) -> Result<(Reading, Option<Kept>), String> {
    stage("read").in_scope(|| {
        #[cfg(unix)]
        if let Some(read) = apart::read(auditor, &file, asked) {
            return read;
        }
        within(auditor, file, asked)
    })
}

/// Reads the words in a picture that a store shows, of which `asked` names the place; its facts are kept.
/// One that broke its reader or overstayed is a reading of nothing but the limit that says so.
#[must_use]
pub fn read_picture(auditor: &Auditor, file: Opened, asked: Asked<'_>) -> (Reading, Option<Kept>) {
    #[cfg(unix)]
    if let Some(read) = apart::read_picture(auditor, &file, asked) {
        return read;
    }
    let auditor = timed(auditor, asked.until);
    match file.held() {
        Ok(file) => {
            let mut reading = auditor.read_shown(asked.name, &file);
            let kept = if auditor.budget.is_out_of_time() { None } else { reading.keep().ok().flatten() };
            (reading, kept)
        }
        Err(error) => (Reading::unseen(Limit::new(LimitCode::UnreadPicture, asked.name, error.to_string())), None),
    }
}

/// Who the app in a file is; `None` where that cannot be told.
#[must_use]
pub fn identify(auditor: &Auditor, file: Opened) -> Option<Identity> {
    #[cfg(unix)]
    if let Some(identity) = apart::identify(auditor, &file) {
        return identity;
    }
    timed(auditor, Instant::now().checked_add(IDENTIFYING)).identify(&file)
}

/// Reads within this process.
fn within(auditor: &Auditor, file: Opened, asked: Asked<'_>) -> Result<(Reading, Option<Kept>), String> {
    let auditor = timed(auditor, asked.until);
    let file = file.held().map_err(|e| format!("cannot be read: {e}"))?;
    let named = Named { name: asked.name, sha256: asked.sha256, wanted: asked.wanted };
    let mut reading = auditor.read_named(named, &file, asked.keeps).map_err(|e| e.to_string())?;
    if !asked.keeps {
        return Ok((reading, None));
    }
    // Facts of a reading that the clock cut short would be taken for all there are.
    let kept = if auditor.budget.is_out_of_time() { None } else { reading.keep().ok().flatten() };
    Ok((reading, kept))
}

/// The auditor with a clock.
fn timed(auditor: &Auditor, until: Option<Instant>) -> Auditor {
    Auditor {
        pack: Arc::clone(&auditor.pack),
        policy: auditor.policy.clone(),
        registers: Arc::clone(&auditor.registers),
        budget: auditor.budget.renewed().until(move || until.is_some_and(|until| Instant::now() > until)),
    }
}

#[cfg(unix)]
mod apart {
    use super::{Asked, IDENTIFYING};
    use std::time::{Duration, Instant};

    use crate::audit::{Auditor, Identity, Kept, Reading};
    use crate::isolate::Opened;
    use crate::isolate::frame::{Reply, Request, Task};
    use crate::isolate::pool::Lost;
    use crate::isolate::registry;
    use crate::model::{Artifact, ArtifactKind, Limit, LimitCode};

    /// Time given where nobody set any: a day, which no package takes.
    const ENDLESS: Duration = Duration::from_secs(24 * 60 * 60);

    type Read = Result<(Reading, Option<Kept>), String>;

    /// Reads in a child; `None` where there is none to be had.
    pub(super) fn read(auditor: &Auditor, file: &Opened, asked: Asked<'_>) -> Option<Read> {
        let pool = registry::pool(&auditor.pack.sha256)?;
        let left = asked.until.map_or(ENDLESS, |until| until.saturating_duration_since(Instant::now()));
        let task = if asked.keeps { Task::Keep } else { Task::Read };
        let wanted = asked.wanted.map(str::to_owned);
        let own = request(task, asked.name, asked.sha256, left);
        let request = Request { pictures: auditor.budget.pictures, wanted, ..own };
        match pool.ask(&request, file.file()) {
            Ok(Ok((_, Some((reading, kept))))) => Some(Ok((reading, kept))),
            Ok(Ok((Reply::Unread(reason), _))) => Some(Err(reason)),
            Ok(Ok(_)) => Some(Ok(lost(file, asked, limit_of_panic()))),
            Ok(Err(why)) => Some(Ok(lost(file, asked, limit_of(why)))),
            Err(error) => {
                tracing::warn!("packages are read without a process of their own: {error}");
                None
            }
        }
    }

    /// Reads a picture in a child; `None` where there is none to be had.
    pub(super) fn read_picture(auditor: &Auditor, file: &Opened, asked: Asked<'_>) -> Option<(Reading, Option<Kept>)> {
        let pool = registry::pool(&auditor.pack.sha256)?;
        let left = asked.until.map_or(ENDLESS, |until| until.saturating_duration_since(Instant::now()));
        let unseen = |detail: String| (Reading::unseen(Limit::new(LimitCode::UnreadPicture, asked.name, detail)), None);
        match pool.ask(&request(Task::Picture, asked.name, asked.sha256, left), file.file()) {
            Ok(Ok((_, Some((reading, kept))))) => Some((reading, kept)),
            Ok(Ok((Reply::Unread(reason), _))) => Some(unseen(reason)),
            Ok(Ok(_)) => Some(unseen(limit_of_panic().1)),
            Ok(Err(why)) => Some(unseen(limit_of(why).1)),
            Err(_) => None,
        }
    }

    /// Tells who an app is, in a child; `None` where there is none to be had.
    pub(super) fn identify(auditor: &Auditor, file: &Opened) -> Option<Option<Identity>> {
        let pool = registry::pool(&auditor.pack.sha256)?;
        match pool.ask(&request(Task::Identify, "", "", IDENTIFYING), file.file()) {
            Ok(Ok((Reply::Identity(identity), _))) => Some(identity),
            Ok(_) => Some(None),
            Err(_) => None,
        }
    }

    fn request(task: Task, name: &str, sha256: &str, left: Duration) -> Request {
        let milliseconds = left.as_millis() as u64;
        Request { task, name: name.into(), sha256: sha256.into(), wanted: None, milliseconds, threads: 1, pictures: 0 }
    }

    fn limit_of(why: Lost) -> (LimitCode, String) {
        let (code, detail) = match why {
            Lost::Late => {
                (LimitCode::OverBudget, "the process that read the package overstayed its time and was ended".into())
            }
            Lost::Processor => (
                LimitCode::OverBudget,
                "the process that read the package used up its processor time and was ended".into(),
            ),
            Lost::Died(Some(signal)) => {
                (LimitCode::Crashed, format!("the process that read the package died (signal {signal})"))
            }
            Lost::Died(None) => (LimitCode::Crashed, "the process that read the package died (exit)".into()),
        };
        (code, detail)
    }

    fn limit_of_panic() -> (LimitCode, String) {
        (LimitCode::Crashed, "the process that read the package died (a reader failed)".into())
    }

    /// A reading of a file of which nothing came back.
    fn lost(file: &Opened, asked: Asked<'_>, (code, detail): (LimitCode, String)) -> (Reading, Option<Kept>) {
        let place = asked.name.rsplit(['/', '\\']).next().unwrap_or(asked.name);
        let artifact = Artifact {
            name: asked.name.into(),
            sha256: asked.sha256.into(),
            bytes: crate::audit::ReadAt::size(file),
            kind: kind_by_name(place),
            certificates: Vec::new(),
            signers: Vec::new(),
            also: Vec::new(),
        };
        (Reading::lost(artifact, Limit::new(code, place, detail)), None)
    }

    /// The kind that a name promises: nothing else is known of the file.
    fn kind_by_name(name: &str) -> ArtifactKind {
        match name.rsplit('.').next().unwrap_or("").to_ascii_lowercase().as_str() {
            "xapk" | "apkm" => ArtifactKind::Xapk,
            "apks" => ArtifactKind::Apks,
            "aab" => ArtifactKind::Aab,
            "hap" | "hsp" | "app" => ArtifactKind::Hap,
            "ipa" => ArtifactKind::Ipa,
            _ => ArtifactKind::Apk,
        }
    }
}
