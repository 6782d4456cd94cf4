//! `xunjian signatures test`: one signature file, tried while it is written.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Exit;
use super::pack::JudgingArgs;
use super::targets::{self, Target, TargetError};
use super::usage::usage;
use crate::audit::{self, Auditor, Reading};
use crate::isolate::Opened;
use crate::model::{About, Block, Facts, Kind, Kinds, Listing, Trial};
use crate::report::words::{Lang, said};
use crate::report::{self, Style};
use crate::signature::{Pack, PackError};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Signature file. It need not be in the pack; one of the same sign and name gives way.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What to try it on: a text, a package, or listings (.json, or .jsonl with one a line).
    /// Without it, the file's own examples are run.
    #[arg(long, value_name = "TEXT|APK|LISTING")]
    on: Vec<String>,
    /// What a text is: description, title, class, permission, code, …
    #[arg(long, default_value = "description", value_parser = kind)]
    kind: Kind,
    /// The sign it is about, where its folder does not say: a sign's id or `education`.
    #[arg(long, value_parser = about)]
    sign: Option<About>,
    /// Form of the answer.
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    format: String,
    #[command(flatten)]
    judging: JudgingArgs,
}

fn kind(word: &str) -> Result<Kind, String> {
    Kind::from_id(word).ok_or_else(|| {
        let known = Kind::ALL.iter().map(|kind| kind.id()).collect::<Vec<_>>().join(", ");
        format!("no such kind; use {known}")
    })
}

pub(super) fn about(word: &str) -> Result<About, String> {
    About::from_id(word).ok_or_else(|| "no such sign; `xunjian signatures list` shows them".into())
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let (id, mut pack) = args.compile()?;
    pack.watch(&id);
    if args.on.is_empty() {
        return examples(&pack, &id, &args.file, Lang::of(&args.judging.speech.lang));
    }
    let auditor = args.judging.auditor(Arc::new(pack))?;
    let mut exit = Exit::Clean;
    let mut trials = Vec::new();
    for on in &args.on {
        for subject in subjects(on, args.kind) {
            match subject.and_then(|subject| subject.read(&auditor)) {
                Ok((name, listing, readings)) => trials.extend(auditor.try_out(&id, &name, listing.as_ref(), readings)),
                Err(reason) => {
                    eprintln!("--on {reason}");
                    exit = Exit::Usage;
                }
            }
        }
    }
    args.print(&trials)?;
    Ok(exit)
}

impl Args {
    /// The pack with the file in it, and the signature's id.
    fn compile(&self) -> anyhow::Result<(String, Pack)> {
        let path = self.file.display();
        let text = std::fs::read_to_string(&self.file).map_err(|e| TargetError::Unreadable(path.to_string(), e))?;
        let name = self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = self.file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let Some(about) = self.sign.or_else(|| About::from_id(folder.as_deref().unwrap_or(""))) else {
            return Err(usage!("--sign is needed: {path} lies in no folder named after a sign"));
        };
        let id = format!("{}/{name}", about.id());
        let key = format!("{id}.toml");
        let mut source = self.judging.pack.source()?;
        source.files.insert(key.clone(), text);
        // The caller knows the file by the path they gave.
        let pack = Pack::load(&source).map_err(|fault| match fault {
            PackError { file, .. } if file == key => PackError { file: path.to_string(), ..fault },
            other => other,
        })?;
        Ok((id, pack))
    }

    fn print(&self, trials: &[Trial]) -> anyhow::Result<()> {
        let stdout = std::io::stdout();
        let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let style = Style { lang: self.judging.speech.lang.clone(), colour, ..Style::default() };
        let mut out = stdout.lock();
        if self.format == "json" {
            writeln!(out, "{}", serde_json::to_string_pretty(trials)?)?;
        } else {
            for (index, trial) in trials.iter().enumerate() {
                let gap = if index == 0 { "" } else { "\n" };
                write!(out, "{gap}{}", report::trial(trial, &style))?;
            }
        }
        Ok(())
    }
}

/// Runs the file's examples and rules, as `signatures check` does for the whole pack.
fn examples(pack: &Pack, id: &str, file: &Path, lang: Lang) -> anyhow::Result<Exit> {
    let cases = audit::lint_one(pack, id);
    let faults: Vec<&PackError> = cases.iter().flat_map(|case| &case.faults).collect();
    for fault in &faults {
        eprintln!("{}:{}:{}: {}", file.display(), fault.line, fault.column, fault.message);
    }
    let counts = [cases.len().saturating_sub(1).to_string(), faults.len().to_string()];
    let ran = said("explain.ran", &[("examples", &counts[0]), ("faults", &counts[1])]);
    println!("{id}: {}", ran.get(lang));
    Ok(if faults.is_empty() { Exit::Clean } else { Exit::Usage })
}

/// One thing to try a signature on.
enum Subject {
    Told(String, Kind),
    Listing(Box<Listing>),
    Package(PathBuf),
}

/// What a word of `--on` means: a file there is, else a text. A word that looks like a
/// file and is none is a mistake, not a text.
fn subjects(word: &str, kind: Kind) -> Vec<Result<Subject, String>> {
    let path = Path::new(word);
    let extension = path.extension().and_then(|ext| ext.to_str()).unwrap_or("");
    if path.is_file() && extension == "json" {
        let listing = targets::listing(path).map(|listing| Subject::Listing(Box::new(listing)));
        return vec![listing.map_err(|e| e.to_string())];
    }
    if path.exists() {
        let targets = targets::on_disk(word).into_iter();
        return targets
            .map(|target| match target {
                Target::Listing(listing, _) => Ok(Subject::Listing(listing)),
                Target::Package(path) => Ok(Subject::Package(path)),
                Target::Skip(skipped) => Err(format!("{}: {}", skipped.target, skipped.reason)),
                Target::Store(_) | Target::Link(_) => Err(format!("{word}: not a file")),
            })
            .collect();
    }
    let is_file_name =
        matches!(extension, "json" | "jsonl" | "ndjson" | "apk" | "xapk" | "apks" | "aab" | "hap" | "ipa");
    if is_file_name && !word.contains(char::is_whitespace) {
        return vec![Err(format!("{word}: no such file"))];
    }
    vec![Ok(Subject::Told(word.to_owned(), kind))]
}

impl Subject {
    fn read(self, auditor: &Auditor) -> Result<(String, Option<Listing>, Vec<Reading>), String> {
        match self {
            Self::Listing(listing) => {
                let name = [&listing.id, &listing.title].into_iter().find(|name| !name.is_empty());
                Ok((name.cloned().unwrap_or_else(|| "listing".into()), Some(*listing), Vec::new()))
            }
            Self::Package(path) => {
                let name = path.display().to_string();
                let file = Opened::new(&path).map_err(|e| format!("{name}: cannot be opened: {e}"))?;
                let reading = auditor.read(&name, "", &file).map_err(|e| format!("{name}: {e}"))?;
                Ok((name, None, vec![reading]))
            }
            Self::Told(text, kind) => {
                let name = format!("{} 「{text}」", kind.id());
                match told(&text, kind) {
                    Some(listing) => Ok((name, Some(listing), Vec::new())),
                    None => {
                        let mut facts = Facts::default();
                        facts.push(Block::one(kind, "text", "", &text));
                        Ok((name, None, vec![auditor.read_facts("", &facts)]))
                    }
                }
            }
        }
    }
}

/// A listing that says the text under this kind; `None` for what only a package holds.
fn told(text: &str, kind: Kind) -> Option<Listing> {
    if !Kinds::LISTING.contains(kind.bit()) {
        return None;
    }
    let mut listing = Listing::default();
    let field = match kind {
        Kind::Title => &mut listing.title,
        Kind::Changelog => &mut listing.changelog,
        Kind::Category => &mut listing.category,
        Kind::AgeRating => &mut listing.age_rating,
        Kind::Developer => &mut listing.developer,
        _ => &mut listing.description,
    };
    text.clone_into(field);
    Some(listing)
}
