//! Jobs that died, and another try for them: while their run goes on they are made ready again;
//! once it has ended, the app they were about is asked for.

use std::collections::BTreeSet;

use super::asked::{self, Job, QUEUE, Wish};
use super::sweep::SweepError;
use crate::store::{DeadJob, Run, State, Work};

/// What another try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// The job is ready: its run goes on.
    Ready,
    /// The run has ended: this one answers instead.
    Asked(Run),
    /// Somebody was faster.
    Gone,
    /// Its run has ended, and it was about no single app of a store known here: the next sweep
    /// asks for the same anyhow.
    Nothing,
}

/// The run that a job was of.
#[must_use]
pub fn run_of(job: &DeadJob) -> Option<i64> {
    let mut words = job.key.split('/');
    match words.next()? {
        QUEUE => words.next()?.parse().ok(),
        run => run.parse().ok(),
    }
}

/// What can be asked for in place of a job whose run has ended. `stores` are ids of those known here.
#[must_use]
pub fn wish_of(job: &DeadJob, stores: &BTreeSet<String>) -> Option<Wish> {
    let mut parts = job.key.splitn(3, '/');
    let (first, sort, rest) = (parts.next()?, parts.next()?, parts.next());
    if first == QUEUE {
        return serde_json::from_str::<Job>(&job.payload).ok().map(|job| job.wish);
    }
    // A store's id may hold slashes itself: of two that fit, the longer one is meant.
    let of = |store: &&String| rest?.strip_prefix(store.as_str())?.strip_prefix('/');
    let store = stores.iter().filter(|store| of(store).is_some()).max_by_key(|store| store.len())?;
    let name = match sort {
        "app" | "picture" => of(&store)?.rsplit_once('/')?.0,
        "package" | "audit" => of(&store)?,
        _ => return None,
    };
    Some(Wish::App { store: store.clone(), package: name.to_owned() })
}

/// Tries a dead job again.
///
/// # Errors
/// When it cannot be remembered.
pub async fn again(
    state: &(impl State + Work),
    job: &DeadJob,
    stores: &BTreeSet<String>,
    now: i64,
) -> Result<Again, SweepError> {
    if let Some(run) = open_run(state, job).await? {
        // First, so that a second death is told anew; should this end in between, the run's end tells it.
        state.unskip(run, &job.skipped).await?;
        if state.revive(job.id, run, now).await? {
            return Ok(Again::Ready);
        }
        if open_run(state, job).await?.is_some() {
            return Ok(Again::Gone);
        }
        state.skip(run, &job.skipped.code, &job.skipped, job.died).await?;
    }
    let Some(wish) = wish_of(job, stores) else { return Ok(Again::Nothing) };
    let run = asked::ask(state, &wish, now).await?;
    state.let_go(job.id).await?;
    Ok(Again::Asked(run))
}

/// The run of a job, where it goes on.
async fn open_run(state: &impl State, job: &DeadJob) -> Result<Option<i64>, SweepError> {
    let Some(id) = run_of(job) else { return Ok(None) };
    Ok(state.run(id).await?.filter(|run| run.ended.is_none()).map(|run| run.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Skipped;

    fn of(key: &str, payload: &str) -> DeadJob {
        DeadJob {
            id: 1,
            key: key.into(),
            stage: String::new(),
            payload: payload.into(),
            attempts: 1,
            skipped: Skipped::default(),
            died: 0,
        }
    }

    #[test]
    fn a_job_names_its_run_and_its_app() {
        let repo = "fdroid+https://f-droid.org/repo";
        let stores: BTreeSet<String> = ["fdroid", "huawei", repo].map(Into::into).into();
        let app = |store: &str| Some(Wish::App { store: store.into(), package: "cn.a".into() });
        for (key, wish) in [
            ("7/app/huawei/cn.a/0a1b", app("huawei")),
            ("7/package/huawei/cn.a", app("huawei")),
            ("7/audit/fdroid+https://f-droid.org/repo/cn.a", app(repo)),
            ("7/picture/fdroid/cn.a/0a1b", app("fdroid")),
            ("7/page/huawei/0a1b", None),
            ("7/audit/elsewhere/cn.a", None),
            ("7", None),
        ] {
            let job = of(key, "{}");
            assert_eq!((run_of(&job), wish_of(&job, &stores)), (Some(7), wish), "{key}");
        }
        let asked = of("asked/9", r#"{"run":9,"wish":{"wish":"app","store":"huawei","package":"cn.a"}}"#);
        assert_eq!((run_of(&asked), wish_of(&asked, &stores)), (Some(9), app("huawei")));
        assert_eq!((run_of(&of("x", "")), wish_of(&of("asked/x", "{"), &stores)), (None, None));
    }
}
