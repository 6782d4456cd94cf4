//! Where the case backend's lists put an app today.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::failure::Failure;
use super::page::Page;
use super::{Shared, time};
use crate::model::{Audit, FoundBy, RegisterKind, Standing};
use crate::register::{Registers, path_of, read_all};
use crate::report::clean;

/// The lists: licences and filings are judged with the audit.
const LISTS: [RegisterKind; 3] = [RegisterKind::Black, RegisterKind::Grey, RegisterKind::White];

/// The lists as they were last read, and what tells whether they are others by now.
#[derive(Default)]
pub(super) struct Lists(Mutex<(Days, Arc<Registers>)>);

/// When each list was taken over.
type Days = Vec<Option<SystemTime>>;

impl Lists {
    /// The lists of a folder, read anew where a file changed.
    fn at(&self, folder: &Path) -> Result<(Days, Arc<Registers>), Failure> {
        let changed = |kind: &RegisterKind| path_of(folder, *kind).metadata().and_then(|meta| meta.modified()).ok();
        let stamps: Days = LISTS.iter().map(changed).collect();
        let mut known = self.0.lock().map_err(|_| Failure::ours("a reader of the lists failed"))?;
        if known.0 != stamps {
            let registers = read_all(folder, &LISTS).map_err(Failure::ours)?;
            *known = (stamps, Arc::new(Registers::new(registers, &time::today())));
        }
        Ok((known.0.clone(), Arc::clone(&known.1)))
    }
}

/// A line a list that has the app: 限期整改名单（灰名单）（整改期限 2026-12-01），2026-11-01 导入的名单.
pub(super) async fn told(site: &Shared, page: &Page, audit: &Audit) -> Result<Vec<String>, Failure> {
    let Some(folder) = site.options.registers.clone() else { return Ok(Vec::new()) };
    let lists = Arc::clone(&site.lists);
    let (days, registers) = tokio::task::spawn_blocking(move || lists.at(&folder)).await.map_err(Failure::ours)??;
    let standings = registers.look_up(&audit.app, &[], &audit.profile.filing_numbers);
    let mut lines = Vec::new();
    for (kind, taken) in LISTS.into_iter().zip(days) {
        let answer = standings.of(kind);
        let Some(row) = answer.row.filter(|_| answer.standing == Standing::Listed) else { continue };
        let name = page.of("list", kind.id());
        let mut line = match row.until.as_str() {
            "" => name,
            day => page.with("list_until", &[("list", &name), ("day", &clean(day, 20))]),
        };
        // What an app says of itself may be another's.
        if let Some(by) = answer.by.filter(|by| *by != FoundBy::Provider) {
            line.push_str(&page.of("found_by", by.id()));
        }
        if let Some(at) = taken.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()) {
            let at = time::told(i64::try_from(at.as_millis()).unwrap_or(0));
            line.push_str(&page.with("list_taken", &[("day", at.split(' ').next().unwrap_or_default())]));
        }
        lines.push(line);
    }
    Ok(lines)
}
