//! Ranges that values of the configuration must keep, and where in the file one stands that does not.

use toml::de::{DeTable, DeValue};

use super::Config;

/// Seconds that any wait or timeout may be set to: a year.
const SECONDS_MAX: f64 = 31_536_000.0;

/// Days that anything may be kept for: a hundred years.
const DAYS_MAX: u32 = 36_500;

/// Bytes of memory that a process needs to load the signatures and read anything.
const READING_LEAST: u64 = 512 << 20;

/// Processes that read, at most.
const PROCESSES_MAX: u32 = 1_024;

impl Config {
    /// The first value that is out of its range, by where it stands, and what it may be.
    pub(super) fn check(&self) -> Result<(), (Path, String)> {
        let n = &self.network;
        let seconds = [
            ("network.connect-timeout", n.connect_timeout),
            ("network.idle-timeout", n.idle_timeout),
            ("network.page-timeout", n.page_timeout),
            ("network.package-timeout", n.package_timeout),
            ("network.backoff", n.backoff),
            ("network.backoff-max", n.backoff_max),
            ("network.breaker-rest", n.breaker_rest),
            ("network.withheld-rest", n.withheld_rest),
            ("network.robots-lifetime", n.robots_lifetime),
            ("pace.every", self.pace.every),
            ("evidence.timestamp-timeout", self.evidence.timestamp_timeout),
        ];
        let seconds = seconds.into_iter().map(|(key, value)| (path(key), value));
        let hosts = self.host.iter().filter_map(|(name, h)| Some((within("host", name, "every"), h.every?)));
        let schedules = self.watch.iter().enumerate();
        let jitters = schedules.map(|(at, schedule)| (within("watch", &at.to_string(), "jitter"), schedule.jitter));
        for (key, value) in seconds.chain(hosts).chain(jitters) {
            if !(0.0..=SECONDS_MAX).contains(&value) {
                return Err((key, format!("is {value}; give seconds from 0 to {SECONDS_MAX}")));
            }
        }
        let at_once = self.host.iter().filter_map(|(name, h)| Some((within("host", name, "at-once"), h.at_once?)));
        for (key, value) in at_once.chain([(path("pace.at-once"), self.pace.at_once)]) {
            if !(1..=64).contains(&value) {
                return Err((key, format!("is {value}; give 1 to 64")));
            }
        }
        for (key, days, least) in [
            ("keep.run-days", self.keep.run_days, 0),
            ("keep.dead-days", self.keep.dead_days, 0),
            ("keep.blob-days", self.keep.blob_days, 1),
        ] {
            if !(least..=DAYS_MAX).contains(&days) {
                return Err((path(key), format!("is {days}; give days from {least} to {DAYS_MAX}")));
            }
        }
        if self.keep.runs == 0 {
            return Err((path("keep.runs"), "is 0; the latest run of a kind always stays".into()));
        }
        if self.reading.memory_bytes < READING_LEAST {
            let what = format!("is {}; give {READING_LEAST} bytes at least", self.reading.memory_bytes);
            return Err((path("reading.memory-bytes"), what));
        }
        if self.reading.processes > PROCESSES_MAX {
            let what = format!("is {}; give 0 to {PROCESSES_MAX}", self.reading.processes);
            return Err((path("reading.processes"), what));
        }
        if n.contact.chars().any(char::is_control) {
            return Err((path("network.contact"), "holds a control character".into()));
        }
        if offset_of_zone(&self.time.zone).is_none() {
            let zone = &self.time.zone;
            return Err((
                path("time.zone"),
                format!("is {zone:?}; give Asia/Shanghai, UTC, or an offset such as +08:00"),
            ));
        }
        let authority = &self.evidence.timestamp_authority;
        if !authority.is_empty() && !authority.starts_with("https://") && !authority.starts_with("http://") {
            return Err((path("evidence.timestamp-authority"), format!("is {authority:?}; give https://HOST/PATH")));
        }
        Ok(())
    }
}

/// Minutes east of UTC of a zone: a name that keeps one offset all year, or `+HH:MM`.
pub(super) fn offset_of_zone(zone: &str) -> Option<i32> {
    match zone {
        "Asia/Shanghai" | "PRC" => return Some(8 * 60),
        "UTC" | "Z" => return Some(0),
        _ => {}
    }
    let (sign, rest) = match zone.as_bytes().first()? {
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let is_two = |digits: &str| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_two(hours) || !is_two(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// Where a value stands in the document: keys from the top down, and numbers within arrays of tables.
pub(super) type Path = Vec<String>;

/// A path as messages name it, without numbers.
pub(super) fn named(path: &[String]) -> String {
    let keys: Vec<&str> = path.iter().map(String::as_str).filter(|step| step.parse::<usize>().is_err()).collect();
    keys.join(".")
}

/// The path of a key whose names hold no dot.
fn path(key: &str) -> Path {
    key.split('.').map(str::to_owned).collect()
}

/// The path of a key of one table among several, whose name may hold dots.
fn within(section: &str, name: &str, key: &str) -> Path {
    vec![section.to_owned(), name.to_owned(), key.to_owned()]
}

/// The offset in bytes at which the key of a path is written; of its section where it is a default.
pub(super) fn offset_of(text: &str, path: &[String]) -> usize {
    let Ok(document) = DeTable::parse(text) else { return 0 };
    let (mut offset, mut table) = (0, document.get_ref());
    let mut steps = path.iter();
    while let Some(step) = steps.next() {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == step) else { break };
        offset = key.span().start;
        let mut value = value.get_ref();
        if let DeValue::Array(items) = value {
            let item = steps.next().and_then(|number| items.get(number.parse::<usize>().ok()?));
            let Some(item) = item else { break };
            value = item.get_ref();
        }
        let DeValue::Table(inner) = value else { break };
        table = inner;
    }
    offset
}
