//! The configuration file: every key with its default and what it does, in one place.
//!
//! [`Config::parse`] reads TOML, [`Config::show`] writes what is in force with the words below
//! as comments. A key that is not known is an error with its line and column.

mod check;
mod show;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Budget;

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
        proxy: String = String::new(), "Address of a proxy (http or https) for stores. Names are looked up and checked here before it is asked; it looks them up again, so it should refuse private addresses too. Empty: none; those of the environment are never used.",
            "访问商店所用的代理地址（http 或 https）。请求前先在本机解析并检查域名；代理会再次解析，因此也应拒绝内网地址。留空则不用代理；环境变量中的代理一概不用。";
        proxy_resolves: bool = false, "The proxy looks names up and keeps to the public internet by itself: names that cannot be looked up here are asked for as well.",
            "由代理解析域名并自行限于公网：本机无法解析的域名也交给代理。";
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
    /// `[time]`: in which zone days begin.
    Time {
        zone: String = "Asia/Shanghai".to_owned(), "Zone in which days begin and times are shown: Asia/Shanghai, UTC, or hours east of UTC such as +08:00.",
            "日期与时间所用的时区：Asia/Shanghai、UTC，或与 UTC 的时差，如 +08:00。";
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

section! {
    /// `[reading]`: the processes that read packages.
    Reading {
        processes: u32 = 0, "Processes that read packages, each one package at a time. 0: one a core.",
            "读取安装包的进程数，每个进程一次读一个包。0 表示每个处理器核心一个。";
        memory_bytes: u64 = 2 << 30, "Bytes of memory that each may take (Linux); a package that needs more is told as crashed.",
            "每个进程的内存上限，字节（Linux）；需要更多的安装包记为 crashed。";
    }
}

/// Which pictures are read for words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhichPictures {
    /// None.
    Off,
    /// What a store shows of an app.
    Listing,
    /// That, and of each package what people see large.
    #[default]
    Some,
    /// That, and every picture of each package that may hold words.
    All,
}

impl WhichPictures {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Off, Self::Listing, Self::Some, Self::All];

    /// Its word.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Listing => "listing",
            Self::Some => "some",
            Self::All => "all",
        }
    }

    /// Those that this budget reads.
    #[must_use]
    pub const fn of(budget: &Budget) -> Self {
        match (budget.pictures, budget.screenshots) {
            (0, 0) => Self::Off,
            (0, _) => Self::Listing,
            (1..=Budget::SOME_PICTURES, _) => Self::Some,
            _ => Self::All,
        }
    }

    /// What an app may cost where these are read.
    #[must_use]
    pub fn budget(self) -> Budget {
        let (pictures, screenshots) = match self {
            Self::Off => (0, 0),
            Self::Listing => (0, Budget::SCREENSHOTS),
            Self::Some => (Budget::SOME_PICTURES, Budget::SCREENSHOTS),
            Self::All => (Budget::ALL_PICTURES, Budget::SCREENSHOTS),
        };
        let mut budget = Budget::default();
        (budget.pictures, budget.screenshots) = (pictures, screenshots);
        budget
    }
}

section! {
    /// `[pictures]`: the words in pictures.
    Pictures {
        read: WhichPictures = WhichPictures::default(), "Pictures that are read for words and QR codes: off; listing: the icon and screenshots that a store shows; some: these, and of each package the 40 that people see largest; all: these, and every picture of a package that may hold words.",
            "读取哪些图片中的文字和二维码：off 不读；listing 只读商店展示的图标和截图；some 另读安装包中最显眼的 40 张；all 另读安装包中可能有文字的全部图片。";
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
    /// Listings that lost a field which they had the last time are taken as they are: the store shows
    /// it no more. Otherwise that is a fault of the store's file.
    pub accept_losses: bool,
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
    /// Look whether the stores' files still fit the stores.
    Check,
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
    /// `[time]`
    pub time: Time,
    /// `[traces]`
    pub traces: Traces,
    /// `[keep]`
    pub keep: Keep,
    /// `[reading]`
    pub reading: Reading,
    /// `[pictures]`
    pub pictures: Pictures,
    /// `[cluster.NAME]`
    pub cluster: BTreeMap<String, Engine>,
    /// `[host."NAME"]`
    pub host: BTreeMap<String, HostPace>,
    /// `[store.ID]`
    pub store: BTreeMap<String, StoreSettings>,
    /// `[[watch]]`
    pub watch: Vec<Schedule>,
}

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
        config.check().map_err(|(path, message)| {
            fault(file, text, check::offset_of(text, &path), &format!("`{}` {message}", check::named(&path)))
        })?;
        Ok(config)
    }

    /// Minutes east of UTC in which days begin.
    #[must_use]
    pub fn zone_minutes(&self) -> i32 {
        check::offset_of_zone(&self.time.zone).unwrap_or_default()
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
    fn a_value_out_of_range_is_named_where_it_stands() {
        let text = "[pace]\nevery = 1.0\n\n[host.\"a.example\"]\nevery = -1.0\n";
        let error = Config::parse("c.toml", text).unwrap_err();
        assert_eq!((error.line, error.column), (5, 1), "{error}");
        let text = "[[watch]]\nrun = \"prune\"\nwhen = \"0 3 * * *\"\njitter = 5.0\n\n\
                    [[watch]]\nrun = \"rescore\"\nwhen = \"0 4 * * *\"\n  jitter = -5.0\n";
        let error = Config::parse("d.toml", text).unwrap_err();
        assert_eq!((error.line, error.column), (9, 3), "{error}");
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
            "[time]\nzone = \"Mars\"",
            "[time]\nzone = \"+8:00\"",
        ] {
            assert!(Config::parse("c", text).is_err(), "{text}");
        }
        assert_eq!(Config::parse("c", "").unwrap(), Config::default());
    }
}
