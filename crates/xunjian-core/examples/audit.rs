//! Audits one package held in memory and prints its findings:
//! `cargo run -p xunjian-core --example audit -- some.apk`.

use std::error::Error;
use std::sync::Arc;

use xunjian_core::audit::{Auditor, sha256};
use xunjian_core::model::Budget;
use xunjian_core::register::Registers;
use xunjian_core::signature::{Pack, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).ok_or("name a package")?;
    let bytes = std::fs::read(&name)?;
    let pack = Arc::new(Pack::load(&Source::embedded())?);
    let policy = pack.policies.values().next().cloned().ok_or("the pack has no policy")?;
    let auditor = Auditor { pack, policy, budget: Budget::default(), registers: Arc::new(Registers::default()) };
    let reading = auditor.read(&name, &sha256(&bytes), &bytes)?;
    let audit = auditor.conclude(None, vec![reading]);
    println!("{} {}", audit.app.package, audit.app.title);
    for finding in &audit.findings {
        println!("{}: {:.0} %", finding.sign.id(), finding.probability * 100.0);
        for evidence in &finding.evidence {
            println!("  {:+} {} ({})", evidence.weight, evidence.text, evidence.place);
        }
    }
    Ok(())
}
