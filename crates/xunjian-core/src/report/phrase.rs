//! A phrase in both languages.

use std::borrow::Cow;

use super::words::ui;
use crate::model::Words;

/// Language of words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Both, Chinese first.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The language of `--lang`: `en`, else Chinese.
    #[must_use]
    pub fn of(code: &str) -> Self {
        if code == "en" { Self::En } else { Self::Zh }
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

/// A phrase in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Chinese.
    pub zh: Cow<'static, str>,
    /// English.
    pub en: Cow<'static, str>,
}

impl Phrase {
    /// The phrase in a language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }

    /// A phrase made per language.
    #[must_use]
    pub fn make(of: impl Fn(Lang) -> String) -> Self {
        Self { zh: of(Lang::Zh).into(), en: of(Lang::En).into() }
    }

    /// The same in both languages: a name, a number.
    #[must_use]
    pub fn same(text: &str) -> Self {
        Self::make(|_| text.to_owned())
    }

    /// Fills `%{name}` in.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let slot = format!("%{{{name}}}");
        Self::make(|lang| self.get(lang).replace(&slot, value))
    }

    /// Fills `%{name}` in with another phrase.
    #[must_use]
    pub fn with_phrase(&self, name: &str, value: &Self) -> Self {
        let slot = format!("%{{{name}}}");
        Self::make(|lang| self.get(lang).replace(&slot, value.get(lang)))
    }

    /// Several phrases as a list.
    #[must_use]
    pub fn list(parts: &[Self]) -> Self {
        let sep = ui("list_sep");
        Self::make(|lang| parts.iter().map(|p| p.get(lang)).collect::<Vec<_>>().join(sep.get(lang)))
    }
}

impl From<&Words> for Phrase {
    fn from(words: &Words) -> Self {
        Self { zh: words.zh.clone().into(), en: words.en.clone().into() }
    }
}
