//! The configuration in force, as a file with comments.

use std::fmt::Write;

use super::{Caps, Config, Engine, Evidence, Keep, Network, Pace, Pictures, Reading, Time, Traces};

/// Sections that are there as often as somebody needs them: what they are for, with an example.
const FURTHER: [(&str, [&str; 2]); 4] = [
    (
        "cluster",
        [
            "# Engines that several machines share, by the name that `sweep --on` and `worker --on` give them; keys as in [engine]:\n\
             # [cluster.main]\n# database = \"postgres://xunjian@db.example.org/xunjian\"\n# nats = \"nats://nats.example.org:4222\"\n# vault = \"s3://xunjian/vault\"",
            "# 多台机器共用的引擎，名称供 sweep --on 与 worker --on 使用；各项与 [engine] 相同：\n\
             # [cluster.main]\n# database = \"postgres://xunjian@db.example.org/xunjian\"\n# nats = \"nats://nats.example.org:4222\"\n# vault = \"s3://xunjian/vault\"",
        ],
    ),
    (
        "host",
        [
            "# Pace of one host, in place of [pace] and of the store's own file:\n\
             # [host.\"store.example.org\"]\n# every = 2.0\n# at-once = 1",
            "# 单个主机的访问节奏，代替 [pace] 和商店文件中的设置：\n\
             # [host.\"store.example.org\"]\n# every = 2.0\n# at-once = 1",
        ],
    ),
    (
        "store",
        [
            "# What differs from a store's file: an address that stands in for all its hosts (a mirror), and\n\
             # values for its requests (a token, a region), which are never shown. `accept-losses`: a field that\n\
             # listings had the last time and have no more is taken as gone, not as a fault of the store's file:\n\
             # [store.fdroid]\n# base = \"https://mirror.example.org\"\n# vars = { region = \"cn\" }\n# accept-losses = true",
            "# 与商店文件不同之处：代替其全部主机的地址（镜像），以及请求中使用的值（令牌、地区），后者不会显示：\n\
             # `accept-losses`：上次有而这次没有的字段按商店已不再显示处理，不视为商店文件失效。\n\
             # [store.fdroid]\n# base = \"https://mirror.example.org\"\n# vars = { region = \"cn\" }\n# accept-losses = true",
        ],
    ),
    (
        "watch",
        [
            "# A scheduled run; as many as needed. `when` is a cron expression in local time, `run` is sweep, rescore,\n\
             # reaudit, recheck, prune or check (do the stores' files still fit?), `jitter` the longest delay in seconds, `apps` the most apps of a reaudit or recheck:\n\
             # [[watch]]\n# when = \"0 3 * * 1\"\n# run = \"sweep\"\n# stores = [\"fdroid\"]\n# jitter = 600.0\n# apps = 50",
            "# 定时任务，可写多个。when 是本地时间的 cron 表达式；run 为 sweep（巡检）、rescore（重新评估）、reaudit（复查）、\n\
             # recheck（抽查）、prune（清理）或 check（核对商店适配文件）；jitter 是最长的随机推迟秒数；apps 是一次复查或抽查的应用数上限：\n\
             # [[watch]]\n# when = \"0 3 * * 1\"\n# run = \"sweep\"\n# stores = [\"fdroid\"]\n# jitter = 600.0\n# apps = 50",
        ],
    ),
];

/// Stands for a secret.
const MASK: &str = "********";

impl Config {
    /// TOML with a comment above each key, Chinese where `lang` is `zh` and else English;
    /// secrets are masked.
    #[must_use]
    pub fn show(&self, lang: &str) -> String {
        let pick = usize::from(lang == "zh");
        let mut shown = self.clone();
        shown.network.proxy = masked(&shown.network.proxy);
        for engine in shown.cluster.values_mut().chain([&mut shown.engine]) {
            engine.database = masked(&engine.database);
            engine.nats = masked(&engine.nats);
        }
        shown.traces.endpoint = masked(&shown.traces.endpoint);
        for store in shown.store.values_mut() {
            store.vars.values_mut().for_each(|value| *value = MASK.into());
        }
        let Ok(toml::Value::Table(table)) = toml::Value::try_from(&shown) else { return String::new() };
        let mut out = String::new();
        let sections = [
            ("network", Network::WORDS),
            ("caps", Caps::WORDS),
            ("pace", Pace::WORDS),
            ("engine", Engine::WORDS),
            ("evidence", Evidence::WORDS),
            ("time", Time::WORDS),
            ("traces", Traces::WORDS),
            ("keep", Keep::WORDS),
            ("reading", Reading::WORDS),
            ("pictures", Pictures::WORDS),
        ];
        for (name, words) in sections {
            let _ = writeln!(out, "[{name}]");
            for (field, doc) in words {
                let key = field.replace('_', "-");
                if let Some(value) = table.get(name).and_then(|section| section.get(&key)) {
                    let _ = write!(out, "# {}\n{key} = {value}\n", doc[pick]);
                }
            }
            out.push('\n');
        }
        for (name, words) in FURTHER {
            let _ = writeln!(out, "{}", words[pick]);
            let mut part = toml::Table::new();
            let is_some = |v: &&toml::Value| {
                v.as_table().is_some_and(|t| !t.is_empty()) || v.as_array().is_some_and(|a| !a.is_empty())
            };
            if let Some(value) = table.get(name).filter(is_some) {
                part.insert(name.into(), value.clone());
                out.push_str(&toml::to_string(&part).unwrap_or_default());
            }
            out.push('\n');
        }
        out
    }
}

/// Hides the user part of an address.
fn masked(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}{MASK}{}", &address[..scheme + 3], &address[at..]),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    /// The examples with their `# ` taken away, as somebody would who needs them.
    #[test]
    fn examples_of_further_sections_read_as_configuration() {
        for (name, words) in FURTHER {
            for text in words {
                let lines = text.lines().map(|line| line.trim_start_matches("# "));
                let example: Vec<&str> = lines.skip_while(|line| !line.starts_with('[')).collect();
                let config: Config = toml::from_str(&example.join("\n")).unwrap();
                let there = [
                    config.host.is_empty(),
                    config.store.is_empty(),
                    config.watch.is_empty(),
                    config.cluster.is_empty(),
                ];
                let is_this = |at: usize| ["host", "store", "watch", "cluster"][at] == name;
                assert!((0..4).all(|at| there[at] != is_this(at)), "{name}: {there:?}");
            }
        }
    }
}
