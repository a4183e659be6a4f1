//! Prints the scores of Gaussian features of 2,048 units for the three invariances of ALOI by the published code, top 10: the chance
//! levels of the score.
//!
//! ```text
//! cargo run --release -p vidpairs-invariance --example chance
//! ```
//!
//! Takes 1.2 GB. Prints a Markdown table.

#![allow(clippy::print_stdout)] // The table is the output of this program.

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
