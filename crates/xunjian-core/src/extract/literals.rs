//! Which classes of a Dalvik executable use a string constant.
//!
//! The table of strings mixes the app's words with those of every library in it. What tells them apart
//! is who uses them: an instruction `const-string` or the first value of a static field. Written
//! against <https://source.android.com/docs/core/runtime/dex-format> and
//! <https://source.android.com/docs/core/runtime/dalvik-bytecode>. Only strings with Han characters are
//! followed: words for users, whereas those of ASCII are nearly all names for machines.

use std::collections::BTreeMap;

use super::pool::{u16_at, u32_at};
use crate::model::Meter;

/// Classes kept for one string: enough to tell the app's own words from those of its libraries.
const USERS_MAX: usize = 4;
/// Pairs of string and class, at most.
const PAIRS_MAX: usize = 200_000;
/// Depth of arrays within a static value.
const DEPTH: usize = 4;

/// The strings that are wanted, and who uses them: string to classes, by number.
pub(super) struct Users<'a> {
    bytes: &'a [u8],
    wanted: &'a [bool],
    found: BTreeMap<u32, Vec<u32>>,
    /// What may still be spent: hostile code items lie over one another.
    meter: &'a Meter<'a>,
    pairs: usize,
}

impl<'a> Users<'a> {
    /// Over the bytes of one file; `wanted` says which strings are followed.
    pub(super) const fn new(bytes: &'a [u8], wanted: &'a [bool], meter: &'a Meter<'a>) -> Self {
        Self { bytes, wanted, found: BTreeMap::new(), meter, pairs: 0 }
    }

    /// Looks through the class with this number, whose definition begins at `at`.
    pub(super) fn class(&mut self, number: u32, at: usize) {
        let data = u32_at(self.bytes, at.saturating_add(24)).unwrap_or(0) as usize;
        let values = u32_at(self.bytes, at.saturating_add(28)).unwrap_or(0) as usize;
        if values != 0 {
            let mut at = values;
            self.array(number, &mut at, 0);
        }
        if data != 0 {
            self.methods(number, data);
        }
    }

    /// Each string with the classes that use it, in the order of the strings.
    pub(super) fn into_found(self) -> BTreeMap<u32, Vec<u32>> {
        self.found
    }

    fn note(&mut self, string: u32, class: u32) {
        if !self.wanted.get(string as usize).copied().unwrap_or(false) || self.pairs >= PAIRS_MAX {
            return;
        }
        let users = self.found.entry(string).or_default();
        if users.len() < USERS_MAX && !users.contains(&class) {
            users.push(class);
            self.pairs += 1;
        }
    }

    /// Pays for a look; `None` where nothing is left.
    fn pay(&self) -> Option<()> {
        self.meter.step().then_some(())
    }

    fn uleb(&mut self, at: &mut usize) -> Option<u32> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            self.pay()?;
            let byte = *self.bytes.get(*at)?;
            *at += 1;
            value |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// `class_data_item`: its fields are passed over, its methods lead to code.
    fn methods(&mut self, class: u32, mut at: usize) -> Option<()> {
        let counts = [(); 4].map(|()| self.uleb(&mut at));
        let [statics, instances, direct, virtuals] = counts;
        for _ in 0..u64::from(statics?) + u64::from(instances?) {
            self.uleb(&mut at)?;
            self.uleb(&mut at)?;
        }
        for _ in 0..u64::from(direct?) + u64::from(virtuals?) {
            self.uleb(&mut at)?;
            self.uleb(&mut at)?;
            let code = self.uleb(&mut at)? as usize;
            if code != 0 {
                self.code(class, code)?;
            }
        }
        Some(())
    }

    /// `code_item`: the instructions in a row. Nothing is lost by those of a broken method.
    fn code(&mut self, class: u32, at: usize) -> Option<()> {
        let bytes = self.bytes;
        let units = u32_at(bytes, at.saturating_add(12)).unwrap_or(0) as usize;
        let start = at.saturating_add(16);
        let end = start.saturating_add(units.saturating_mul(2)).min(bytes.len());
        let mut at = start;
        while at < end {
            let Some(unit) = u16_at(bytes, at) else { break };
            match unit as u8 {
                CONST_STRING => {
                    if let Some(string) = u16_at(bytes, at + 2) {
                        self.note(u32::from(string), class);
                    }
                }
                CONST_STRING_JUMBO => {
                    if let Some(string) = u32_at(bytes, at + 2) {
                        self.note(string, class);
                    }
                }
                _ => {}
            }
            let width = width(bytes, at, unit).saturating_mul(2).max(2);
            self.pay()?;
            at = at.saturating_add(width);
        }
        Some(())
    }

    /// `encoded_array`: the values that static fields begin with.
    fn array(&mut self, class: u32, at: &mut usize, depth: usize) -> Option<()> {
        for _ in 0..self.uleb(at)? {
            self.pay()?;
            let head = *self.bytes.get(*at)?;
            *at += 1;
            let (kind, size) = (head & 0x1f, usize::from(head >> 5) + 1);
            match kind {
                VALUE_STRING => {
                    let raw = self.bytes.get(*at..at.checked_add(size.min(4))?)?;
                    let string = raw.iter().rev().fold(0_u32, |all, &b| all << 8 | u32::from(b));
                    self.note(string, class);
                    *at += size;
                }
                VALUE_ARRAY if depth < DEPTH => self.array(class, at, depth + 1)?,
                // Annotations stand in no static field; what follows cannot be told.
                VALUE_ARRAY | VALUE_ANNOTATION => return None,
                VALUE_NULL | VALUE_BOOLEAN => {}
                _ => *at += size,
            }
        }
        Some(())
    }
}

const CONST_STRING: u8 = 0x1a;
const CONST_STRING_JUMBO: u8 = 0x1b;
const VALUE_STRING: u8 = 0x17;
const VALUE_ARRAY: u8 = 0x1c;
const VALUE_ANNOTATION: u8 = 0x1d;
const VALUE_NULL: u8 = 0x1e;
const VALUE_BOOLEAN: u8 = 0x1f;

/// Units of 16 bits that an instruction takes, tables behind `nop` included.
fn width(bytes: &[u8], at: usize, unit: u16) -> usize {
    match unit {
        0x0100 => usize::from(u16_at(bytes, at + 2).unwrap_or(0)) * 2 + 4,
        0x0200 => usize::from(u16_at(bytes, at + 2).unwrap_or(0)) * 4 + 2,
        0x0300 => {
            let one = usize::from(u16_at(bytes, at + 2).unwrap_or(0));
            let count = u32_at(bytes, at + 4).unwrap_or(0) as usize;
            one.saturating_mul(count).div_ceil(2).saturating_add(4)
        }
        _ => match unit as u8 {
            0x02 | 0x05 | 0x08 | 0x13 | 0x15 | 0x16 | 0x19 | 0x1a | 0x1c | 0x1f | 0x20 | 0x22 | 0x23 => 2,
            0x29 | 0x2d..=0x3d | 0x44..=0x6d | 0x90..=0xaf | 0xd0..=0xe2 | 0xfe | 0xff => 2,
            0x03 | 0x06 | 0x09 | 0x14 | 0x17 | 0x1b | 0x24..=0x26 | 0x2a..=0x2c => 3,
            0x6e..=0x72 | 0x74..=0x78 | 0xfc | 0xfd => 3,
            0xfa | 0xfb => 4,
            0x18 => 5,
            _ => 1,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Budget;

    /// A class definition, its data, and one method with these units of code.
    fn file(code: &[u16]) -> Vec<u8> {
        let mut bytes = vec![0; 32];
        let data = bytes.len() as u32;
        bytes[24..28].copy_from_slice(&data.to_le_bytes());
        // No fields, one direct method: index 0, access 1, code at 64.
        bytes.extend([0, 0, 1, 0, 0, 1, 64]);
        bytes.resize(64, 0);
        bytes.extend([0; 12]);
        bytes.extend((code.len() as u32).to_le_bytes());
        bytes.extend(code.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes
    }

    fn used(bytes: &[u8]) -> Vec<u32> {
        let wanted = [true; 9];
        let budget = Budget::default();
        let meter = Meter::new(&budget, bytes.len());
        let mut users = Users::new(bytes, &wanted, &meter);
        users.class(7, 0);
        let found = users.into_found();
        assert!(found.values().all(|classes| classes == &[7]));
        found.into_keys().collect()
    }

    #[test]
    fn strings_of_instructions_are_found_and_tables_passed_over() {
        // const-string 3; packed-switch payload of one target that looks like const-string 4; jumbo 5.
        let code = [0x001a, 3, 0x0100, 1, 0, 0, 0x001a, 4, 0x001b, 5, 0, 0x000e];
        assert_eq!(used(&file(&code)), [3, 5]);
    }

    #[test]
    fn values_of_static_fields_are_found() {
        let mut bytes = vec![0; 32];
        bytes[28..32].copy_from_slice(&32_u32.to_le_bytes());
        // null, int of two bytes, string 2, array of string 6.
        bytes.extend([4, 0x1e, 0x24, 1, 1, 0x17, 2, 0x1c, 1, 0x17, 6]);
        assert_eq!(used(&bytes), [2, 6]);
    }

    #[test]
    fn hostile_data_ends() {
        for fill in [0x00_u8, 0x1a, 0x7f, 0x80, 0xff] {
            let bytes = vec![fill; 4_096];
            let wanted = [true; 9];
            let budget = Budget::default();
            let meter = Meter::new(&budget, bytes.len());
            let mut users = Users::new(&bytes, &wanted, &meter);
            (0..64).for_each(|class| users.class(class, class as usize * 32));
        }
    }
}
