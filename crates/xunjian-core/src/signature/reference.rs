//! Clues that rest on other clues: by what names, and in what order.

use std::collections::HashMap;

use toml::Spanned;

use super::compile::{Site, observed};
use super::syntax::ClueFile;
use super::{Clue, Condition, PackError, Signature};

/// Clue numbers by `sign/file#clue`.
pub(super) struct Names(HashMap<String, usize>);

impl Names {
    pub(super) fn of(signatures: &[Signature]) -> Result<Self, PackError> {
        let mut names = HashMap::new();
        for signature in signatures {
            for (offset, clue) in signature.file.clues.iter().enumerate() {
                let name = format!("{}#{}", signature.id, clue.id.get_ref());
                if names.insert(name, signature.clues.start + offset).is_some() {
                    let file = format!("{}.toml", signature.id);
                    return Err(Site { file: &file, text: &signature.text, is_ours: true }
                        .fault(&clue.id, format!("a second clue `{}`", clue.id.get_ref())));
                }
            }
        }
        Ok(Self(names))
    }

    fn resolve(
        &self,
        list: &[Spanned<String>],
        signature: &Signature,
        site: &Site<'_>,
    ) -> Result<Vec<usize>, PackError> {
        list.iter()
            .map(|name| {
                let full = if name.get_ref().contains('#') {
                    name.get_ref().clone()
                } else {
                    format!("{}#{}", signature.id, name.get_ref())
                };
                self.0
                    .get(&full)
                    .copied()
                    .ok_or_else(|| site.fault(name, format!("no clue `{full}`; write `clue` or `sign/file#clue`")))
            })
            .collect()
    }
}

/// When a clue holds, of the one form that it is written in.
pub(super) fn condition(
    clue: &ClueFile,
    signature: &Signature,
    names: &Names,
    site: &Site<'_>,
) -> Result<Condition, PackError> {
    let is_derived = [&clue.all, &clue.any_of, &clue.none, &clue.not].iter().any(|list| !list.is_empty());
    let observed = observed(clue, site)?;
    let forms = usize::from(is_derived)
        + usize::from(observed.is_some())
        + usize::from(clue.library.is_some())
        + usize::from(clue.model.is_some());
    if forms != 1 {
        return Err(site.fault(
            &clue.id,
            "a clue has one form: `any`/`regex`, or `library`, or `model`, or `all`/`any-of`/`none`/`not`",
        ));
    }
    if let Some(observed) = observed {
        return Ok(Condition::Observed(observed));
    }
    if let Some(category) = &clue.library {
        if !super::library::CATEGORIES.contains(&category.get_ref().as_str()) {
            return Err(site.fault(category, format!("no library category `{}`", category.get_ref())));
        }
        return Ok(Condition::Library { category: category.get_ref().clone(), faint: clue.faint });
    }
    if let Some(model) = &clue.model {
        return Ok(Condition::Model(model.get_ref().clone()));
    }
    Ok(Condition::Derived {
        all: names.resolve(&clue.all, signature, site)?,
        any_of: names.resolve(&clue.any_of, signature, site)?,
        none: names.resolve(&clue.none, signature, site)?,
        not: names.resolve(&clue.not, signature, site)?,
    })
}

/// Orders the derived clues so that each comes after what it refers to.
pub(super) fn order_derived(clues: &[Clue], signatures: &[Signature]) -> Result<Vec<usize>, PackError> {
    let mut order = Vec::new();
    let mut state = vec![0_u8; clues.len()];
    for number in 0..clues.len() {
        visit(number, clues, &mut state, &mut order).map_err(|number| {
            let clue = &clues[number];
            let signature = &signatures[clue.signature];
            PackError {
                file: format!("{}.toml", signature.id),
                line: 1,
                column: 1,
                message: format!("clue `{}` refers to itself through others", clue.id),
            }
        })?;
    }
    Ok(order)
}

fn visit(number: usize, clues: &[Clue], state: &mut [u8], order: &mut Vec<usize>) -> Result<(), usize> {
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    match state[number] {
        DONE => return Ok(()),
        OPEN => return Err(number),
        _ => {}
    }
    let Condition::Derived { all, any_of, none, not } = &clues[number].condition else {
        state[number] = DONE;
        return Ok(());
    };
    state[number] = OPEN;
    for &inner in all.iter().chain(any_of).chain(none).chain(not) {
        visit(inner, clues, state, order)?;
    }
    state[number] = DONE;
    order.push(number);
    Ok(())
}
