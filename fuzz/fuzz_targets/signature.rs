#![no_main]
use xunjian_core::signature::{Pack, Source};

// A signature and a lexicon of somebody's own, alone: syntax, checks, the automaton.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut source = Source::default();
    source.files.insert("photo-search/mine.toml".into(), text.into());
    let _ = Pack::load(&source);
    source.files.clear();
    source.files.insert("lexicons/mine.toml".into(), text.into());
    let _ = Pack::load(&source);
});
