//! The language of the command line itself: by `LANG` as other programs have it, Chinese where that says nothing.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use crate::report::words::{Lang, find};

/// Variables that name the language, the first that is set counts (POSIX.1-2017, 8.2).
const VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// `zh` or `en`, by what the environment says.
pub(super) fn spoken() -> String {
    let said = VARIABLES.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    of(&said.unwrap_or_default()).unwrap_or("zh").to_owned()
}

/// A language as people and systems write it: `zh`, `zh-CN`, `zh_CN.UTF-8`, `en-GB`.
fn of(text: &str) -> Option<&'static str> {
    let first = text.split(['-', '_', '.', '@']).next().unwrap_or_default();
    match first.to_ascii_lowercase().as_str() {
        "zh" | "chinese" | "中文" => Some("zh"),
        "en" | "english" | "英文" => Some("en"),
        _ => None,
    }
}

/// `--lang`, of every command that has words for people.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SpeechArgs {
    /// Language of words for people.
    #[arg(long, default_value_t = spoken(), value_parser = lang)]
    pub(super) lang: String,
}

/// Takes the language of an option.
///
/// # Errors
/// When it is neither of the two.
fn lang(text: &str) -> Result<String, String> {
    of(text).map(str::to_owned).ok_or_else(|| "zh 或 en; zh or en".to_owned())
}

/// The same command line with its help in Chinese, as far as the words are there.
pub(super) fn translated(command: Command) -> Command {
    if spoken() != "zh" {
        return command;
    }
    let word = |key: &str| find(&format!("help.{key}")).map(|phrase| phrase.get(Lang::Zh).to_owned());
    let title = |key: &str| word(key).unwrap_or_else(|| key.to_owned());
    let template = format!("{{about-with-newline}}\n{}：{{usage}}\n\n{{all-args}}{{after-help}}", title("usage"));
    let argument = |arg: Arg| {
        let heading = if arg.is_positional() { title("arguments") } else { title("options") };
        let said = word(&format!("option.{}", arg.get_id().as_str().replace('_', "-")));
        let arg = arg.help_heading(heading);
        match said {
            Some(said) => arg.help(said.clone()).long_help(said),
            None => arg,
        }
    };
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let mut command = command.mut_args(argument).subcommand_help_heading(title("commands")).help_template(template);
    for name in names {
        command = command.mut_subcommand(name, translated);
    }
    command
}

/// What is wrong with a command line, in Chinese; nothing where there are no words for it.
pub(super) fn fault(error: &clap::Error) -> Option<String> {
    let value = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join("、")),
        Some(ContextValue::StyledStr(text)) => Some(text.to_string()),
        _ => None,
    };
    let arg = value(ContextKind::InvalidArg).unwrap_or_default();
    let said = |key: &str, other: &str| {
        find(&format!("help.fault.{key}"))
            .map(|phrase| phrase.with("arg", &arg).with("value", other).get(Lang::Zh).to_owned())
    };
    let given = value(ContextKind::InvalidValue).unwrap_or_default();
    let mut told = match error.kind() {
        ErrorKind::UnknownArgument => said("unknown", ""),
        ErrorKind::InvalidSubcommand => said("subcommand", &value(ContextKind::InvalidSubcommand).unwrap_or_default()),
        ErrorKind::MissingRequiredArgument => said("missing", ""),
        ErrorKind::InvalidValue if given.is_empty() => said("no-value", ""),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => said("value", &given),
        ErrorKind::ArgumentConflict => said("conflict", &value(ContextKind::PriorArg).unwrap_or_default()),
        _ => None,
    }?;
    let meant = value(ContextKind::SuggestedArg).or_else(|| value(ContextKind::SuggestedSubcommand));
    let command = value(ContextKind::InvalidSubcommand);
    // A file where a subcommand belongs: that file is to be audited.
    if let Some(file) = command.filter(|word| std::fs::metadata(word).is_ok() || word.contains(['.', '/', ':'])) {
        told.push_str(&said("audit", &file).unwrap_or_default());
    } else if let Some(meant) = meant {
        told.push_str(&said("meant", &meant).unwrap_or_default());
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn languages_as_people_write_them() {
        for (text, lang) in [
            ("zh-CN", Some("zh")),
            ("zh_CN.UTF-8", Some("zh")),
            ("ZH", Some("zh")),
            ("en_GB", Some("en")),
            ("C.UTF-8", None),
            ("", None),
            ("fr", None),
        ] {
            assert_eq!(of(text), lang, "{text}");
        }
    }
}
