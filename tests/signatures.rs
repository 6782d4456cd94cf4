//! Every example of every signature is a named test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panic")]

use libtest_mimic::{Arguments, Trial};
use xunjian::audit;
use xunjian::signature::{Pack, Source};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    match Pack::load(&Source::embedded()) {
        Ok(pack) => {
            for case in audit::lint(&pack) {
                trials.push(Trial::test(case.name, move || match case.faults.first() {
                    Some(fault) => Err(fault.to_string().into()),
                    None => Ok(()),
                }));
            }
        }
        Err(fault) => trials.push(Trial::test("the pack loads", move || Err(fault.to_string().into()))),
    }
    libtest_mimic::run(&arguments, trials).exit();
}
