//! An app and its provider on the registers.

use std::collections::HashMap;

use super::name::distance;
use super::{Register, legal_name};
use crate::model::{Answer, App, FoundBy, RegisterKind, Row, Standing, Standings};

/// The registers at hand, indexed.
#[derive(Debug, Default)]
pub struct Registers {
    indexed: HashMap<RegisterKind, Indexed>,
    /// The day on which validity is judged, `YYYY-MM-DD`.
    as_of: String,
}

#[derive(Debug)]
struct Indexed {
    register: Register,
    codes: HashMap<String, usize>,
    providers: HashMap<String, usize>,
    packages: HashMap<String, usize>,
    numbers: HashMap<String, usize>,
}

/// Characters by which a near miss may differ.
const NEAR: usize = 2;
/// Near misses offered.
const NEAR_MAX: usize = 3;

impl Registers {
    /// Indexes registers; `as_of` is the day on which validity is judged.
    #[must_use]
    pub fn new(registers: Vec<Register>, as_of: &str) -> Self {
        let indexed = registers.into_iter().map(|register| (register.kind, Indexed::new(register))).collect();
        Self { indexed, as_of: as_of.into() }
    }

    /// No register at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indexed.is_empty()
    }

    /// Looks an app up: by credit code, package and number, else by the provider's legal name.
    #[must_use]
    pub fn look_up(&self, app: &App, credit_codes: &[String], numbers: &[String]) -> Standings {
        let answers = self
            .indexed
            .iter()
            .map(|(kind, indexed)| (*kind, indexed.answer(app, credit_codes, numbers, &self.as_of)))
            .collect();
        Standings { answers }
    }
}

impl Indexed {
    fn new(register: Register) -> Self {
        let index = |key: &dyn Fn(&Row) -> String| {
            let mut map = HashMap::new();
            for (number, row) in register.rows.iter().enumerate() {
                let key = key(row);
                if !key.is_empty() {
                    map.entry(key).or_insert(number);
                }
            }
            map
        };
        let (codes, providers) = (index(&|r| r.credit_code.clone()), index(&|r| legal_name(&r.provider)));
        let (packages, numbers) = (index(&|r| r.package.clone()), index(&|r| legal_name(&r.number)));
        Self { register, codes, providers, packages, numbers }
    }

    fn answer(&self, app: &App, credit_codes: &[String], numbers: &[String], as_of: &str) -> Answer {
        let provider = legal_name(&app.developer);
        let whole = Answer {
            rows: self.register.rows.len(),
            as_of: as_of.into(),
            shown: if self.register.kind == RegisterKind::Filing { numbers.to_vec() } else { Vec::new() },
            ..Answer::not_checked()
        };
        if !self.is_asked(app, &provider, credit_codes, numbers) {
            return whole;
        }
        let code = || credit_codes.iter().find_map(|code| self.codes.get(code));
        let number = || numbers.iter().find_map(|number| self.numbers.get(&legal_name(number)));
        let found = code()
            .map(|row| (FoundBy::CreditCode, row))
            .or_else(|| self.packages.get(&app.package).map(|row| (FoundBy::Package, row)))
            .or_else(|| number().map(|row| (FoundBy::Number, row)))
            .or_else(|| self.providers.get(&provider).map(|row| (FoundBy::Provider, row)));
        match found.and_then(|(by, &row)| Some((by, self.register.rows.get(row)?))) {
            Some((by, row)) => Answer {
                by: Some(by),
                standing: Standing::Listed,
                expired: !row.until.is_empty() && row.until.as_str() < as_of,
                row: Some(row.clone()),
                ..whole
            },
            None => Answer { standing: Standing::NotListed, near: self.near(&provider), ..whole },
        }
    }

    /// Whether the app gives anything that rows of this register are found by: who provides it, its package where
    /// rows name packages, and a filing number where rows have such numbers.
    fn is_asked(&self, app: &App, provider: &str, credit_codes: &[String], numbers: &[String]) -> bool {
        let has_number = self.register.kind != RegisterKind::Licence && !numbers.is_empty() && !self.numbers.is_empty();
        let has_package = !app.package.is_empty() && !self.packages.is_empty();
        !provider.is_empty() || !credit_codes.is_empty() || has_package || has_number
    }

    /// Names within two edits of a name of six characters or more.
    fn near(&self, provider: &str) -> Vec<Row> {
        if provider.chars().count() < 6 {
            return Vec::new();
        }
        let mut near: Vec<(usize, usize)> =
            self.providers.iter().filter_map(|(name, &row)| distance(provider, name, NEAR).map(|d| (d, row))).collect();
        near.sort_unstable();
        near.into_iter().take(NEAR_MAX).filter_map(|(_, row)| self.register.rows.get(row).cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::import;
    use super::*;

    fn registers(as_of: &str) -> Registers {
        let text = "机构名称,许可证号,有效期至\n示例（北京）教育科技有限公司,京1,2026-06-30\n";
        Registers::new(vec![import(RegisterKind::Licence, text.as_bytes()).unwrap().register], as_of)
    }

    fn app(developer: &str) -> App {
        App { developer: developer.into(), ..App::default() }
    }

    #[test]
    fn three_answers() {
        let listed = registers("2026-01-01").look_up(&app("示例(北京)教育科技有限责任公司"), &[], &[]);
        assert!(listed.of(RegisterKind::Licence).is_valid());
        assert_eq!(listed.of(RegisterKind::Licence).by, Some(FoundBy::Provider));
        assert_eq!(listed.of(RegisterKind::Black).standing, Standing::NotChecked);
        let other = registers("2026-01-01").look_up(&app("别的公司"), &[], &[]);
        assert_eq!(other.of(RegisterKind::Licence).standing, Standing::NotListed);
    }

    #[test]
    fn who_is_not_known_is_not_looked_up() {
        let unknown = App { package: "cn.example.app".into(), ..App::default() };
        let answer =
            registers("2026-01-01").look_up(&unknown, &[], &["京ICP备1号-1A".into()]).of(RegisterKind::Licence);
        assert_eq!(answer.standing, Standing::NotChecked, "no row of this register names a package");
        assert!(answer.is_unasked());
        let text = "应用包名,备案号\ncn.example.app,教APP备1100001号\n";
        let filings =
            Registers::new(vec![import(RegisterKind::Filing, text.as_bytes()).unwrap().register], "2026-01-01");
        assert!(filings.look_up(&unknown, &[], &[]).of(RegisterKind::Filing).is_valid());
        let nobody = filings.look_up(&App::default(), &[], &[]).of(RegisterKind::Filing);
        assert_eq!(nobody.standing, Standing::NotChecked);
    }

    #[test]
    fn an_expired_licence_is_listed_and_not_valid() {
        let answer =
            registers("2026-07-01").look_up(&app("示例(北京)教育科技有限公司"), &[], &[]).of(RegisterKind::Licence);
        assert_eq!(answer.standing, Standing::Listed);
        assert!(!answer.is_valid());
    }

    #[test]
    fn a_near_miss_is_offered_and_not_taken() {
        let answer =
            registers("2026-01-01").look_up(&app("示例(北京)教肓科技有限公司"), &[], &[]).of(RegisterKind::Licence);
        assert_eq!(answer.standing, Standing::NotListed);
        assert_eq!(answer.near.len(), 1);
    }
}
