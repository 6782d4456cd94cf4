//! `xunjian policies`: the rules that findings rest on.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Exit;
use super::home::{HomeArgs, runtime};
use super::pack::{DEFAULT_POLICY, PackArgs, policy};
use super::run::stop_on_interrupt;
use super::speech::SpeechArgs;
use super::usage::OrUsage;
use crate::audit::Auditor;
use crate::model::{Basis, Budget, Sign};
use crate::report::law;
use crate::report::words::{self, Lang, Phrase, said};
use crate::runs::change::Changes;
use crate::runs::trying::Trying;
use crate::signature::{Pack, Policy, Source};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the policies: id, whether it binds, title. 列出各条款表。
    List(Common),
    /// Show one policy: what it is, and every ground of every sign. 显示一份条款表的全部依据。
    Show {
        /// Id, as `list` prints it; `a+b` for several at once.
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Check instruments and policies: every fault with file, line and column. 检查法规和条款表文件。
    Check(Common),
    /// Try a policy on everything kept, without fetching or writing: what changes by sign and provider.
    /// 用已留存的应用试算一份条款表。
    Try(Box<TryArgs>),
}

#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    pack: PackArgs,
    #[command(flatten)]
    speech: SpeechArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct TryArgs {
    /// A policy file, or the id of one; what it cites is in instruments/ beside its folder or among our own.
    #[arg(value_name = "FILE|ID")]
    what: String,
    /// Policy to compare with.
    #[arg(long, default_value = DEFAULT_POLICY, value_name = "ID")]
    against: String,
    /// Seconds that reading one app may take.
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    timeout: u64,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::List(common) => list(&common.pack.load()?, Lang::of(&common.speech.lang)),
        Command::Show { id, common } => {
            let pack = common.pack.load()?;
            show(&policy(&pack, id)?, Lang::of(&common.speech.lang))
        }
        Command::Check(common) => check(common),
        Command::Try(args) => try_out(args),
    }
}

fn list(pack: &Pack, lang: Lang) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    for policy in pack.policies.values() {
        let mark = if policy.id == DEFAULT_POLICY { "*" } else { " " };
        let basis = &policy.basis[0];
        let signs = said("policies.signs", &[("n", &policy.signs.len().to_string())]);
        let title = Phrase::from(&basis.title);
        let status = words::status(basis.status);
        writeln!(out, "{mark} {}\t{}\t{}\t{}", policy.id, status.get(lang), signs.get(lang), title.get(lang))?;
    }
    Ok(Exit::Clean)
}

fn show(policy: &Policy, lang: Lang) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    for basis in &policy.basis {
        writeln!(out, "{}", about(basis, lang).join("\n"))?;
    }
    if let Some(banner) = law::banner(&policy.basis) {
        writeln!(out, "{}", banner.get(lang))?;
    }
    for &sign in Sign::ALL {
        let Some(said) = policy.of(sign) else { continue };
        let severity = words::severity(said.severity);
        writeln!(out, "\n{}  {}  {}", sign.id(), words::sign(sign).get(lang), severity.get(lang))?;
        for rule in &said.rules {
            writeln!(out, "  § {}", law::line(&rule.cited, lang))?;
        }
    }
    let silent: Vec<Phrase> = policy.spoken_of().filter(|s| policy.of(*s).is_none()).map(words::sign).collect();
    if !silent.is_empty() {
        writeln!(out, "\n{}: {}", words::ui("silent").get(lang), Phrase::list(&silent).get(lang))?;
    }
    Ok(Exit::Clean)
}

/// What a policy says of itself, a line each.
fn about(basis: &Basis, lang: Lang) -> Vec<String> {
    let (title, issuer, source) =
        (Phrase::from(&basis.title), Phrase::from(&basis.issuer), Phrase::from(&basis.source));
    let mut lines = vec![format!("{}  {}", basis.id, title.get(lang))];
    for (key, value) in [
        ("status", words::status(basis.status).get(lang)),
        ("issuer", issuer.get(lang)),
        ("number", &basis.number),
        ("issued", &basis.issued),
        ("in_force", &basis.in_force),
        ("until", &basis.until),
        ("superseded_by", &basis.superseded_by),
        ("region", &basis.region),
        ("address", &basis.address),
        ("source", source.get(lang)),
    ] {
        if !value.is_empty() {
            let label = said(&format!("policies.{key}"), &[]);
            lines.push(format!("  {}{}{value}", label.get(lang), words::ui("label_sep").get(lang)));
        }
    }
    lines
}

fn check(common: &Common) -> anyhow::Result<Exit> {
    let pack = Pack::load(&common.pack.source()?)?;
    for fault in &pack.faults {
        eprintln!("{fault}");
    }
    let articles: usize = pack.instruments.values().map(|instrument| instrument.articles.len()).sum();
    let counts = [
        ("policies", pack.policies.len()),
        ("instruments", pack.instruments.len()),
        ("articles", articles),
        ("faults", pack.faults.len()),
    ];
    let counts: Vec<(&str, String)> = counts.iter().map(|(name, count)| (*name, count.to_string())).collect();
    let counts: Vec<(&str, &str)> = counts.iter().map(|(name, count)| (*name, count.as_str())).collect();
    writeln!(std::io::stdout(), "{}", said("policies.checked", &counts).get(Lang::of(&common.speech.lang)))?;
    Ok(if pack.faults.is_empty() { Exit::Clean } else { Exit::Usage })
}

fn try_out(args: &TryArgs) -> anyhow::Result<Exit> {
    let mut source = args.common.pack.source()?;
    let file = Path::new(&args.what);
    let id = if file.extension().is_some() { add(&mut source, file)? } else { args.what.clone() };
    let pack = Arc::new(Pack::load(&source)?);
    for fault in &pack.faults {
        eprintln!("xunjian: {fault}");
    }
    let (then, now) = (policy(&pack, &id)?, policy(&pack, &args.against)?);
    let auditor = |policy| {
        let (pack, budget, registers) = (Arc::clone(&pack), Budget::default(), Arc::default());
        Arc::new(Auditor { pack, policy, budget, registers })
    };
    let (now, then) = (auditor(now), auditor(then));
    runtime()?.block_on(async {
        let home = args.home.open().await?;
        let (state, vault) = (home.state.clone(), home.vault.clone());
        let trying = Trying { state, vault, now, then, timeout: args.timeout, stop: stop_on_interrupt() };
        let changes = trying.run().await?;
        writeln!(std::io::stdout(), "{}", told(&changes, Lang::of(&args.common.speech.lang)).join("\n"))?;
        Ok(if changes.unread == 0 { Exit::Clean } else { Exit::Incomplete })
    })
}

/// Puts a policy file into the source, and the instruments of the folder beside its own.
fn add(source: &mut Source, file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .or_usage(|| format!("--policy {}: cannot be read as UTF-8 text", file.display()))?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let id = name.strip_suffix(".toml").map(str::to_owned);
    let id = id.or_usage(|| format!("--policy {}: its name must end in .toml", file.display()))?;
    let folder: PathBuf = file.parent().and_then(Path::parent).unwrap_or(Path::new("")).join("instruments");
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ext| ext == "toml") {
            let text = std::fs::read_to_string(&path)
                .or_usage(|| format!("--policy: {} cannot be read as UTF-8 text", path.display()))?;
            source.files.insert(format!("instruments/{}", entry.file_name().to_string_lossy()), text);
        }
    }
    source.files.insert(format!("policies/{name}"), text);
    Ok(id)
}

/// Changes, a line a sign.
pub(super) fn told(changes: &Changes, lang: Lang) -> Vec<String> {
    let number = |n: usize| n.to_string();
    let all = [("apps", number(changes.apps)), ("providers", number(changes.providers.len()))];
    let all: Vec<(&str, &str)> = all.iter().map(|(name, n)| (*name, n.as_str())).collect();
    let mut lines = vec![said("policies.tried", &all).get(lang).to_owned()];
    for (&sign, change) in &changes.signs {
        let counts = [
            ("apps", number(change.apps)),
            ("providers", number(change.providers.len())),
            ("gained", number(change.gained)),
            ("lost", number(change.lost)),
        ];
        let counts: Vec<(&str, &str)> = counts.iter().map(|(name, n)| (*name, n.as_str())).collect();
        let line = said("policies.change", &counts);
        lines.push(format!("{}{}{}", words::sign(sign).get(lang), words::ui("label_sep").get(lang), line.get(lang)));
        lines.extend(change.examples.iter().map(|name| format!("    {}", crate::report::clean(name, 80))));
    }
    if changes.unread > 0 {
        lines.push(said("policies.unread", &[("n", &number(changes.unread))]).get(lang).to_owned());
    }
    lines
}
