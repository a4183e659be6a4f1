//! What Gaussian features of 2,048 units score for the three invariances of ALOI by the published code, top-10: the level from
//! which a score there means anything.
//!
//! ```text
//! cargo run --release --no-default-features --example chance
//! ```
//!
//! Takes 1.2 GB. The table is for Markdown.

#![allow(clippy::print_stdout)] // its result

use std::error::Error;

use vidpairs_fixtures::chance::{CHANCE_LEVELS, ChanceLevel, score_of_noise};

fn main() -> Result<(), Box<dyn Error>> {
    println!("| invariance | images of an object | simulated, % | exactly, % |");
    println!("|---|---|---|---|");
    for level in CHANCE_LEVELS {
        let ChanceLevel {
            invariance,
            images_per_object,
            exact,
        } = level;
        let found = score_of_noise(1000, images_per_object)?;
        println!("| {invariance} | {images_per_object} | {found:.2} | {exact:.2} |");
    }
    Ok(())
}
