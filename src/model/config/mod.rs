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
    ($(#[$outer:meta])* $name:ident { $($field:ident : $type:ty = $default:expr, $doc:literal, $zh:literal;)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $(#[doc = $doc] pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self { Self { $($field: $default,)* } }
        }

        impl $name {
            /// Each key with its words in English and in Chinese.
            pub(super) const WORDS: &[(&str, [&str; 2])] = &[$((stringify!($field), [$doc, $zh]),)*];
        }
    };
}

section! {
    /// `[network]`: how requests are made.
    Network {
        contact: String = String::new(), "Mail or web address in the User-Agent, so that a store can reach whoever runs this. Set it before the first sweep.",
            "写入 User-Agent 的邮箱或网址，供商店联系运行者。首次巡检前请填写。";
        proxy: String = String::new(), "Address of a proxy (http or https); it resolves names itself, so it must refuse private addresses itself. Empty: none.",
            "代理地址（http 或 https）。域名由代理解析，因此代理须自行拒绝内网地址。留空则不用代理。";
        client_certificate: String = String::new(), "PEM file with a client certificate and its key. Empty: none.",
            "含客户端证书和私钥的 PEM 文件。留空则不用。";
        allow_private: bool = false, "Also connect to private, loopback and link-local addresses. For mirrors of your own.",
            "允许连接内网、本机和链路本地地址，用于自建镜像。";
        redirects: u32 = 8, "Redirects followed, each checked like the first address.",
            "最多跟随的重定向次数，每次都与首个地址一样检查。";
        connect_timeout: f64 = 20.0, "Seconds until a connection must stand.",
            "建立连接的时限，秒。";
        idle_timeout: f64 = 60.0, "Seconds without a byte after which a connection is given up.",
            "收不到数据多少秒后放弃连接。";
        page_timeout: f64 = 120.0, "Seconds that one page may take.",
            "取一个页面的时限，秒。";
        package_timeout: f64 = 3600.0, "Seconds that one try of a package may take.",
            "下载一次安装包的时限，秒。";
        retries: u32 = 3, "Tries after the first one, for failures that may pass; also resumes of a download.",
            "可恢复的失败再试的次数，也是断点续传的次数。";
        backoff: f64 = 2.0, "Seconds before the second try; doubled each time, with jitter.",
            "第二次尝试前等待的秒数；其后每次加倍并加随机抖动。";
        backoff_max: f64 = 300.0, "Seconds waited at most, a server's Retry-After included; a longer one ends as throttled.",
            "最长等待秒数，服务器的 Retry-After 也以此为限；要求更久的记为 throttled。";
        breaker_after: u32 = 5, "Failures of one host in a row after which it is left alone.",
            "同一主机连续失败多少次后暂停访问。";
        breaker_rest: f64 = 300.0, "Seconds it is left alone.",
            "暂停访问的秒数。";
        withheld_rest: f64 = 604_800.0, "Seconds until a package that a store lists but does not hand out is asked for again; doubled each time, to eight times this at most. Another version, address or hash is asked for at once.",
            "商店列出却不提供的安装包，隔多少秒再请求；每次加倍，最多八倍。版本、地址或哈希变化时立即请求。";
        robots_lifetime: f64 = 86400.0, "Seconds that a robots.txt is remembered (RFC 9309 asks for no more than a day).",
            "robots.txt 保留的秒数（RFC 9309 要求不超过一天）。";
    }
}

section! {
    /// `[caps]`: what a hostile server may cost.
    Caps {
        page_bytes: u64 = 16 << 20, "Bytes of one page after decoding.",
            "一个页面解码后的字节上限。";
        index_bytes: u64 = 96 << 20, "Bytes of one repository index or sitemap after decoding.",
            "一份仓库索引或站点地图解码后的字节上限。";
        picture_bytes: u64 = 16 << 20, "Bytes of one screenshot.",
            "一张截图的字节上限。";
        package_bytes: u64 = 4 << 30, "Bytes of one package.",
            "一个安装包的字节上限。";
        free_bytes: u64 = 1 << 30, "Bytes of the disk that stay free; a download that would need them is not begun.",
            "磁盘须保留的空闲字节；会占用这部分空间的下载不会开始。";
        pages: u32 = 2000, "Pages of one list that are followed.",
            "一个列表最多翻的页数。";
    }
}

section! {
    /// `[pace]`: politeness towards any host; `[host."NAME"]` and a store's own file may differ.
    Pace {
        every: f64 = 1.0, "Seconds between the starts of two requests to one host.",
            "对同一主机两次请求开始之间的秒数。";
        at_once: u32 = 2, "Requests to one host at the same time.",
            "对同一主机同时进行的请求数。";
    }
}

section! {
    /// `[engine]`: what state, work and vault stand on. Everything embedded where nothing is set.
    Engine {
        database: String = String::new(), "PostgreSQL (15 or later) for state and work: postgres://USER:PASSWORD@HOST/DATABASE, with ?schema=NAME for another schema than xunjian. Empty: a SQLite file in the home folder. XUNJIAN_DATABASE wins.",
            "状态与任务所用的 PostgreSQL（15 及以上）：postgres://用户:密码@主机/数据库，可用 ?schema=名称 指定 xunjian 以外的模式。留空则用主目录中的 SQLite 文件。以 XUNJIAN_DATABASE 为准。";
        nats: String = String::new(), "NATS server with JetStream that hands out the work: nats://HOST:4222. Needs a database. Empty: workers ask the database. XUNJIAN_NATS wins.",
            "分发任务的 NATS 服务器（须启用 JetStream）：nats://主机:4222。须同时设置 database。留空则由工作进程直接向数据库领取任务。以 XUNJIAN_NATS 为准。";
        vault: String = String::new(), "Where packages and pages are kept: s3://BUCKET/PREFIX, with keys, region and endpoint from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT), or a folder. Empty: vault in the home folder. XUNJIAN_VAULT wins.",
            "安装包与页面的存放处：s3://桶/前缀（密钥、区域与地址取自环境变量 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY、AWS_REGION、AWS_ENDPOINT），或一个文件夹。留空则为主目录中的 vault。以 XUNJIAN_VAULT 为准。";
        cache_bytes: u64 = 8 << 30, "Bytes of an s3 vault that are kept in the home folder as well.",
            "使用 s3 时，主目录中最多保留的副本字节数。";
    }
}

section! {
    /// `[evidence]`: what goes into bags of evidence.
    Evidence {
        timestamp_authority: String = String::new(), "Address of an authority that confirms when a bag was there (RFC 3161), https://HOST/PATH. It is written into the bag. Where it gives no valid timestamp, no bag is exported. Empty: bags without a timestamp.",
            "时间戳机构的地址（RFC 3161），https://主机/路径，用于证明证据包在何时已经存在。地址会写入证据包；取不到有效时间戳时不导出。留空则证据包不含时间戳。";
        timestamp_timeout: f64 = 30.0, "Seconds that the authority may take, further tries included.",
            "等待时间戳机构的秒数，含重试。";
    }
}

section! {
    /// `[traces]`: what sweeps and workers do, told to an OpenTelemetry collector.
    Traces {
        endpoint: String = String::new(), "Address of a collector that takes OTLP over HTTP (protobuf): http://HOST:4318, to which /v1/traces is added. Empty: nothing is told. OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT win.",
            "接收 OTLP/HTTP（protobuf）的采集器地址：http://主机:4318，其后自动加上 /v1/traces。留空则不上报。以 OTEL_EXPORTER_OTLP_ENDPOINT 和 OTEL_EXPORTER_OTLP_TRACES_ENDPOINT 为准。";
    }
}

section! {
    /// `[keep]`: what `xunjian prune` leaves. What a finding, a decision, a letter or the latest state
    /// of an app rests on always stays.
    Keep {
        run_days: u32 = 180, "Days after its end for which a run's audits and skips are kept, and old answers, versions of listings and packages with them.",
            "一次任务结束后，其审计与跳过记录保留的天数；旧的应答、介绍版本和安装包同此期限。";
        runs: u32 = 3, "Latest ended runs of each kind and scope that are kept whatever their age.",
            "每种任务、每个范围无论多久都保留的最近次数。";
        listings: u32 = 5, "Latest versions of each app's listing that are kept whatever their age.",
            "每个应用的介绍无论多久都保留的最近版本数。";
        dead_days: u32 = 90, "Days for which dead jobs are kept to be tried again.",
            "失败任务保留待重试的天数。";
        blob_days: u32 = 7, "Days for which bytes stay in the vault after they were put, though nothing refers to them: 1 at least, and longer than any pause of a sweep that will be resumed.",
            "存入而无任何引用的文件保留的天数：至少 1，且应长于中断后还要继续的巡检的停顿时间。";
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
    /// Forget what no longer serves.
    Prune,
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
    /// `[engine]`
    pub engine: Engine,
    /// `[evidence]`
    pub evidence: Evidence,
    /// `[traces]`
    pub traces: Traces,
    /// `[keep]`
    pub keep: Keep,
    /// `[cluster.NAME]`
    pub cluster: BTreeMap<String, Engine>,
    /// `[host."NAME"]`
    pub host: BTreeMap<String, HostPace>,
    /// `[store.ID]`
    pub store: BTreeMap<String, StoreSettings>,
    /// `[[watch]]`
    pub watch: Vec<Schedule>,
}

/// Seconds that any wait or timeout may be set to: a year.
const SECONDS_MAX: f64 = 31_536_000.0;

/// Days that anything may be kept for: a hundred years.
const DAYS_MAX: u32 = 36_500;

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
            ("network.withheld_rest", n.withheld_rest),
            ("network.robots_lifetime", n.robots_lifetime),
            ("pace.every", self.pace.every),
            ("evidence.timestamp_timeout", self.evidence.timestamp_timeout),
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
        for (key, days) in [
            ("keep.run_days", self.keep.run_days),
            ("keep.dead_days", self.keep.dead_days),
            ("keep.blob_days", self.keep.blob_days),
        ] {
            let least = u32::from(key == "keep.blob_days");
            if !(least..=DAYS_MAX).contains(&days) {
                return Err((key, format!("is {days}; give days from {least} to {DAYS_MAX}")));
            }
        }
        if self.keep.runs == 0 {
            return Err(("keep.runs", "is 0; the latest run of a kind always stays".into()));
        }
        if n.contact.chars().any(char::is_control) {
            return Err(("network.contact", "holds a control character".into()));
        }
        let authority = &self.evidence.timestamp_authority;
        if !authority.is_empty() && !authority.starts_with("https://") && !authority.starts_with("http://") {
            return Err(("evidence.timestamp_authority", format!("is {authority:?}; give https://HOST/PATH")));
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
                    [engine]\ndatabase = \"postgres://me:secret@db.example/x\"\n\
                    [traces]\nendpoint = \"http://me:secret@collector.example:4318\"\n\
                    [store.huawei]\nbase = \"http://127.0.0.1:1\"\nvars = { token = \"t0ps3cret\" }\n";
        let config = Config::parse("c.toml", text).unwrap();
        let shown = config.show("zh");
        assert!(!shown.contains("secret") && !shown.contains("t0ps3cret"), "{shown}");
        let mut again = Config::parse("shown", &shown).unwrap();
        again.network.proxy.clone_from(&config.network.proxy);
        again.engine.database.clone_from(&config.engine.database);
        again.traces.clone_from(&config.traces);
        again.store.clone_from(&config.store);
        assert_eq!(again, config);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for text in [
            "[pace]\nat-once = 0",
            "[pace]\nevery = -1.0",
            "[network]\npage-timeout = nan",
            "[evidence]\ntimestamp-authority = \"tsa\"",
            "[keep]\nblob-days = 0",
            "[keep]\nruns = 0",
        ] {
            assert!(Config::parse("c", text).is_err(), "{text}");
        }
        assert_eq!(Config::parse("c", "").unwrap(), Config::default());
    }
}
