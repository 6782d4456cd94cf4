//! The inbox's address, read and written.

use url::form_urlencoded::{Serializer, parse};

use crate::report::clean;
use crate::store::{DeskQuery, Tray};
use crate::time;

/// Apps of one page.
pub(super) const PAGE: u32 = 50;
/// Longest text of a filter.
const TEXT_MAX: usize = 100;
/// Pages that can be asked for.
const PAGES_MAX: u32 = 100_000;

/// Filters and page, as the address says them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) desk: DeskQuery,
    /// From 1.
    pub(super) page: u32,
}

impl Asked {
    /// Reads an address. What it does not know is left out; what is too long is cut, and what
    /// would turn the text of the page round is taken away.
    pub(super) fn of(query: &str) -> Self {
        let mut asked = Self { page: 1, ..Self::default() };
        let desk = &mut asked.desk;
        for (name, value) in parse(query.as_bytes()) {
            let value = clean(&value.trim().chars().take(TEXT_MAX).collect::<String>(), TEXT_MAX);
            match &*name {
                "tray" => desk.tray = Tray::from_id(&value).unwrap_or_default(),
                "sign" => desk.sign = value,
                "store" => desk.store = value,
                "stage" => desk.stage = value,
                "subject" => desk.subject = value,
                "provider" => desk.provider = value,
                "standing" => desk.standing = value,
                "assigned" => desk.assigned = value,
                "search" => desk.search = value,
                "page" => asked.page = value.parse().unwrap_or(1).clamp(1, PAGES_MAX),
                _ => {}
            }
        }
        asked.desk.today = time::today();
        asked.desk.most = PAGE;
        asked.desk.skip = (asked.page - 1) * PAGE;
        asked
    }

    /// The address again, with another tray (and its first page) or another page.
    pub(super) fn with(&self, tray: Tray, page: u32) -> String {
        let mut out = Serializer::new(String::new());
        if tray != Tray::Waiting {
            out.append_pair("tray", tray.id());
        }
        for (name, value) in self.filters() {
            if !value.is_empty() {
                out.append_pair(name, value);
            }
        }
        if page > 1 {
            out.append_pair("page", &page.to_string());
        }
        out.finish()
    }

    /// The address as it is.
    pub(super) fn written(&self) -> String {
        self.with(self.desk.tray, self.page)
    }

    /// The first page.
    pub(super) fn at_first(&self) -> String {
        self.with(self.desk.tray, 1)
    }

    /// The tray without filters.
    pub(super) fn cleared(&self) -> String {
        let desk = DeskQuery { tray: self.desk.tray, ..DeskQuery::default() };
        Self { desk, page: 1 }.written()
    }

    pub(super) fn filters(&self) -> [(&'static str, &String); 8] {
        let desk = &self.desk;
        [
            ("sign", &desk.sign),
            ("store", &desk.store),
            ("stage", &desk.stage),
            ("subject", &desk.subject),
            ("provider", &desk.provider),
            ("standing", &desk.standing),
            ("assigned", &desk.assigned),
            ("search", &desk.search),
        ]
    }

    /// Something is left out.
    pub(super) fn is_filtered(&self) -> bool {
        self.filters().iter().any(|(_, value)| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back() {
        let asked = Asked::of("tray=stale&sign=photo-search&search=%E6%90%9C%E9%A2%98&page=3&evil=1");
        assert_eq!((asked.desk.tray, asked.page, asked.desk.skip), (Tray::Stale, 3, 100));
        assert_eq!(Asked::of(&asked.written()), asked);
        assert_eq!(asked.with(Tray::Waiting, 1), "sign=photo-search&search=%E6%90%9C%E9%A2%98");
        assert_eq!(Asked::of("page=99999999999&tray=x").page, 1);
        assert_eq!(Asked::of("page=999999999").page, PAGES_MAX);
    }
}
