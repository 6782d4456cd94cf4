//! Prints what is read of pictures: a line a passage, with its box and score.
//!
//! `cargo run --release -p xunjian-pictures --example read -- [--package] FILE...`

use xunjian_pictures::{Effort, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, files): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg == "--package");
    let effort = if flags.is_empty() { Effort::LISTING } else { Effort::PACKAGE };
    for file in files {
        match read(&std::fs::read(&file)?, effort, &|| true) {
            Ok(picture) => {
                println!("{file} {}×{}", picture.width, picture.height);
                for code in &picture.codes {
                    println!("  QR {} {}", code.area, code.text);
                }
                for said in &picture.words {
                    println!("  {:.3} {} {}", said.score, said.area, said.text);
                }
            }
            Err(error) => println!("{file}: {error}"),
        }
    }
    Ok(())
}
