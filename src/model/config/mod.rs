//! The configuration file: every key with its default and what it does, in one place.
//!
//! [`Config::parse`] reads TOML, [`Config::show`] writes what is in force with the words below
//! as comments. A key that is not known is an error with its line and column.

mod show;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A fault in the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ConfigError {
    /// File as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

macro_rules! section {
    ($(#[$outer:meta])* $name:ident { $($field:ident : $type:ty = $default:expr, $doc:literal;)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $(#[doc = $doc] pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self { Self { $($field: $default,)* } }
        }

        impl $name {
            /// Each key with its words.
            pub(super) const WORDS: &[(&str, &str)] = &[$((stringify!($field), $doc),)*];
        }
    };
}

section! {
    /// `[network]`: how requests are made.
    Network {
        contact: String = String::new(), "Mail or web address in the User-Agent, so that a store can reach whoever runs this. Set it before the first sweep.";
        proxy: String = String::new(), "Address of a proxy (http or https); it resolves names itself, so it must refuse private addresses itself. Empty: none.";
        client_certificate: String = String::new(), "PEM file with a client certificate and its key. Empty: none.";
        allow_private: bool = false, "Also connect to private, loopback and link-local addresses. For mirrors of your own.";
        redirects: u32 = 8, "Redirects followed, each checked like the first address.";
        connect_timeout: f64 = 20.0, "Seconds until a connection must stand.";
        idle_timeout: f64 = 60.0, "Seconds without a byte after which a connection is given up.";
        page_timeout: f64 = 120.0, "Seconds that one page may take.";
        package_timeout: f64 = 3600.0, "Seconds that one try of a package may take.";
        retries: u32 = 3, "Tries after the first one, for failures that may pass; also resumes of a download.";
        backoff: f64 = 2.0, "Seconds before the second try; doubled each time, with jitter.";
        backoff_max: f64 = 300.0, "Seconds waited at most, a server's Retry-After included; a longer one ends as throttled.";
        breaker_after: u32 = 5, "Failures of one host in a row after which it is left alone.";
        breaker_rest: f64 = 300.0, "Seconds it is left alone.";
        robots_lifetime: f64 = 86400.0, "Seconds that a robots.txt is remembered (RFC 9309 asks for no more than a day).";
    }
}

section! {
    /// `[caps]`: what a hostile server may cost.
    Caps {
        page_bytes: u64 = 16 << 20, "Bytes of one page after decoding.";
        index_bytes: u64 = 256 << 20, "Bytes of one repository index or sitemap after decoding.";
        picture_bytes: u64 = 16 << 20, "Bytes of one screenshot.";
        package_bytes: u64 = 4 << 30, "Bytes of one package.";
        free_bytes: u64 = 1 << 30, "Bytes of the disk that stay free; a download that would need them is not begun.";
        pages: u32 = 2000, "Pages of one list that are followed.";
    }
}

section! {
    /// `[pace]`: politeness towards any host; `[host."NAME"]` and a store's own file may differ.
    Pace {
        every: f64 = 1.0, "Seconds between the starts of two requests to one host.";
        at_once: u32 = 2, "Requests to one host at the same time.";
    }
}

/// `[host."NAME"]`: what differs from `[pace]` for one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostPace {
    /// Seconds between the starts of two requests.
    pub every: Option<f64>,
    /// Requests at the same time.
    pub at_once: Option<u32>,
}

/// `[store.ID]`: what differs from a store's own file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreSettings {
    /// Address that stands in for every host of the store: a mirror, or a test.
    pub base: Option<String>,
    /// Values that its request templates may name, over those of its file (a token, a region).
    pub vars: BTreeMap<String, String>,
}

/// What a scheduled run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Errand {
    /// Sweep the stores.
    Sweep,
    /// Judge everything remembered by the signatures at hand.
    Rescore,
    /// Fetch and judge anew the apps with open findings and those on the grey list.
    Reaudit,
    /// Fetch and judge anew some apps without findings, picked at random.
    Recheck,
}

/// `[[watch]]`: a run on a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Schedule {
    /// When, as a cron expression in local time: `0 3 * * 1` is Mondays at three.
    pub when: String,
    /// What.
    pub run: Errand,
    /// Stores to sweep; to `reaudit` and `recheck`, all where it is empty.
    #[serde(default)]
    pub stores: Vec<String>,
    /// Seconds of delay at most, drawn anew each time, so that stores are not asked on the dot.
    #[serde(default = "ten_minutes")]
    pub jitter: f64,
    /// Apps of one `reaudit` or `recheck`, at most.
    #[serde(default = "some_apps")]
    pub apps: u32,
}

const fn ten_minutes() -> f64 {
    600.0
}

const fn some_apps() -> u32 {
    50
}

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// `[network]`
    pub network: Network,
    /// `[caps]`
    pub caps: Caps,
    /// `[pace]`
    pub pace: Pace,
    /// `[host."NAME"]`
    pub host: BTreeMap<String, HostPace>,
    /// `[store.ID]`
    pub store: BTreeMap<String, StoreSettings>,
    /// `[[watch]]`
    pub watch: Vec<Schedule>,
}

/// Seconds that any wait or timeout may be set to: a year.
const SECONDS_MAX: f64 = 31_536_000.0;

impl Config {
    /// Reads the text of a configuration file; `file` is its name for messages.
    ///
    /// # Errors
    /// When it is no TOML, names an unknown key, or a value is of another type or range.
    pub fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            fault(file, text, offset, error.message())
        })?;
        config.check().map_err(|(key, message)| {
            let name = key.rsplit('.').next().unwrap_or(key).replace('_', "-");
            let offset = text.find(&name).unwrap_or(0);
            fault(file, text, offset, &format!("`{}` {message}", key.replace('_', "-")))
        })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        let n = &self.network;
        let seconds = [
            ("network.connect_timeout", n.connect_timeout),
            ("network.idle_timeout", n.idle_timeout),
            ("network.page_timeout", n.page_timeout),
            ("network.package_timeout", n.package_timeout),
            ("network.backoff", n.backoff),
            ("network.backoff_max", n.backoff_max),
            ("network.breaker_rest", n.breaker_rest),
            ("network.robots_lifetime", n.robots_lifetime),
            ("pace.every", self.pace.every),
        ];
        let hosts = self.host.values().filter_map(|h| h.every).map(|every| ("host.every", every));
        let jitters = self.watch.iter().map(|schedule| ("watch.jitter", schedule.jitter));
        for (key, value) in seconds.into_iter().chain(hosts).chain(jitters) {
            if !(0.0..=SECONDS_MAX).contains(&value) {
                return Err((key, format!("is {value}; give seconds from 0 to {SECONDS_MAX}")));
            }
        }
        let at_once = self.host.values().filter_map(|h| h.at_once).map(|n| ("host.at_once", n));
        for (key, value) in at_once.chain([("pace.at_once", self.pace.at_once)]) {
            if !(1..=64).contains(&value) {
                return Err((key, format!("is {value}; give 1 to 64")));
            }
        }
        if n.contact.chars().any(char::is_control) {
            return Err(("network.contact", "holds a control character".into()));
        }
        Ok(())
    }

    /// Pace of one host, `own` being that of the store's file.
    #[must_use]
    pub fn pace_of(&self, host: &str, own: Option<&Pace>) -> Pace {
        let base = own.unwrap_or(&self.pace);
        let set = self.host.get(host).copied().unwrap_or_default();
        Pace { every: set.every.unwrap_or(base.every), at_once: set.at_once.unwrap_or(base.at_once) }
    }
}

fn fault(file: &str, text: &str, offset: usize, message: &str) -> ConfigError {
    let head = text.get(..offset).unwrap_or("");
    let start = head.rfind('\n').map_or(0, |i| i + 1);
    ConfigError {
        file: file.into(),
        line: head.matches('\n').count() + 1,
        column: head[start..].chars().count() + 1,
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_column() {
        let error = Config::parse("c.toml", "[network]\ncontact = \"a@b.example\"\n  proxi = \"x\"\n").unwrap_err();
        assert_eq!((error.line, error.column), (3, 3), "{error}");
        assert!(error.message.contains("proxi"), "{error}");
    }

    #[test]
    fn what_is_shown_reads_back_the_same() {
        let text = "[network]\nproxy = \"http://me:secret@proxy.example:8080\"\n[host.\"a.example\"]\nevery = 3.0\n\
                    [store.huawei]\nbase = \"http://127.0.0.1:1\"\nvars = { token = \"t0ps3cret\" }\n";
        let config = Config::parse("c.toml", text).unwrap();
        let shown = config.show();
        assert!(!shown.contains("secret") && !shown.contains("t0ps3cret"), "{shown}");
        let mut again = Config::parse("shown", &shown).unwrap();
        again.network.proxy.clone_from(&config.network.proxy);
        again.store.clone_from(&config.store);
        assert_eq!(again, config);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for text in ["[pace]\nat-once = 0", "[pace]\nevery = -1.0", "[network]\npage-timeout = nan"] {
            assert!(Config::parse("c", text).is_err(), "{text}");
        }
        assert_eq!(Config::parse("c", "").unwrap(), Config::default());
    }
}
