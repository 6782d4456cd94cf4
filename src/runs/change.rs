//! What another policy, or another pack, makes of the apps that are kept: by sign, how many apps and providers.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Audit, Finding, Sign};

/// Apps of a sign named as examples.
const NAMED: usize = 10;

/// What changed for one sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Apps that have it now.
    pub apps: usize,
    /// Providers of these.
    pub providers: BTreeSet<String>,
    /// Apps that did not have it before.
    pub gained: usize,
    /// Apps that have it no more.
    pub lost: usize,
    /// Some of those that gained or lost it: `+title` or `-title`.
    pub examples: Vec<String>,
}

/// What changed over all apps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Apps looked at.
    pub apps: usize,
    /// Providers of these.
    pub providers: BTreeSet<String>,
    /// Apps whose package could not be read.
    pub unread: usize,
    /// By sign.
    pub signs: BTreeMap<Sign, Change>,
}

impl Changes {
    /// Takes an app in: its findings before, and its audit now.
    pub fn note(&mut self, was: &[Finding], is: &Audit) {
        let provider = provider(is);
        self.apps += 1;
        self.providers.insert(provider.clone());
        let title = [&is.app.title, &is.app.package, &is.app.id].into_iter().find(|name| !name.trim().is_empty());
        let title: String = title.map_or("?", |name| name.trim()).chars().take(60).collect();
        let has = |findings: &[Finding], sign: Sign| findings.iter().any(|finding| finding.sign == sign);
        for &sign in Sign::ALL {
            let (before, now) = (has(was, sign), has(&is.findings, sign));
            if !before && !now {
                continue;
            }
            let change = self.signs.entry(sign).or_default();
            if now {
                change.apps += 1;
                change.providers.insert(provider.clone());
            }
            change.gained += usize::from(now && !before);
            change.lost += usize::from(before && !now);
            if before != now && change.examples.len() < NAMED {
                change.examples.push(format!("{}{title}", if now { '+' } else { '-' }));
            }
        }
    }
}

/// Who offers an app: the developer as listed, else whoever signed it, else the app itself.
fn provider(audit: &Audit) -> String {
    let developer = audit.app.developer.trim();
    let signer = || audit.artifacts.iter().flat_map(|artifact| &artifact.certificates).next().cloned();
    match developer {
        "" => signer().unwrap_or_else(|| format!("{}:{}", audit.app.store, audit.app.package)),
        named => named.to_owned(),
    }
}
