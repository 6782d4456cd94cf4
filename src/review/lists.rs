//! Where the case backend's lists put an app today.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::failure::Failure;
use super::page::Page;
use super::{Shared, time};
use crate::model::{Audit, RegisterKind, Standing};
use crate::register::{Registers, path_of, read_all};
use crate::report::clean;

/// The lists: licences and filings are judged with the audit.
const LISTS: [RegisterKind; 3] = [RegisterKind::Black, RegisterKind::Grey, RegisterKind::White];

/// The lists as they were last read, and what tells whether they are others by now.
#[derive(Default)]
pub(super) struct Lists(Mutex<(Vec<Option<SystemTime>>, Arc<Registers>)>);

impl Lists {
    /// The lists of a folder, read anew where a file changed.
    fn at(&self, folder: &Path) -> Result<Arc<Registers>, Failure> {
        let changed = |kind: &RegisterKind| path_of(folder, *kind).metadata().and_then(|meta| meta.modified()).ok();
        let stamps: Vec<Option<SystemTime>> = LISTS.iter().map(changed).collect();
        let mut known = self.0.lock().map_err(|_| Failure::ours("a reader of the lists failed"))?;
        if known.0 != stamps {
            let registers = read_all(folder, &LISTS).map_err(Failure::ours)?;
            *known = (stamps, Arc::new(Registers::new(registers, &time::today())));
        }
        Ok(Arc::clone(&known.1))
    }
}

/// A line a list that has the app: 灰名单（整改期限 2026-12-01）.
pub(super) async fn told(site: &Shared, page: &Page, audit: &Audit) -> Result<Vec<String>, Failure> {
    let Some(folder) = site.options.registers.clone() else { return Ok(Vec::new()) };
    let lists = Arc::clone(&site.lists);
    let registers = tokio::task::spawn_blocking(move || lists.at(&folder)).await.map_err(Failure::ours)??;
    let standings = registers.look_up(&audit.app, &[], &audit.profile.filing_numbers);
    let mut lines = Vec::new();
    for kind in LISTS {
        let answer = standings.of(kind);
        let Some(row) = answer.row.filter(|_| answer.standing == Standing::Listed) else { continue };
        let name = page.of("list", kind.id());
        lines.push(match row.until.as_str() {
            "" => name,
            day => page.with("list_until", &[("list", &name), ("day", &clean(day, 20))]),
        });
    }
    Ok(lines)
}
