//! Samples that the script makes too, and the numbers that it found.

use serde_json::Value;
use vidpairs_invariance::measure::Features;
use vidpairs_invariance::probe::Truths;
use vidpairs_types::ProbeLabel;

pub const UNITS: usize = 12;
pub const CLASSES: usize = 4;

/// Start of the numbers of the training images, and of the test images.
pub const TRAIN: (usize, u32) = (150, 0);
pub const TEST: (usize, u32) = (60, 70_000);

/// What the script found under `key`.
pub fn golden(key: &str) -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/probe/cases.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    all[key].take()
}

pub fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

pub fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs() / expected.abs().max(1.0);
        assert!(
            off <= tolerance,
            "{what}, place {place}: {found} instead of {expected}"
        );
    }
}

/// Numbers between -1 and 1, integer multiples of 2^-15.
pub fn drawn(count: usize, start: u32) -> Vec<f64> {
    let number = |at: u32| {
        let mixed = at.wrapping_mul(0x9e37_79b1);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
        f64::from(mixed >> 16) / 32768.0 - 1.0
    };
    (start..).take(count).map(number).collect()
}

/// Features of the images, and the class of each.
pub fn samples((num, start): (usize, u32)) -> (Vec<f32>, Vec<usize>) {
    let rows = drawn(num * UNITS, start);
    let noise = drawn(num, start + 500_000);
    let rows_and_noise = rows.chunks(UNITS).zip(&noise);
    let class = |(row, noise): (&[f64], &f64)| {
        let first = row[0] + row[1] + 0.5 * noise > 0.0;
        let second = row[2] - row[3] + 0.5 * noise > 0.0;
        2 * usize::from(first) + usize::from(second)
    };
    let classes = rows_and_noise.map(class).collect();
    let scaled = |(at, value): (usize, &f64)| {
        let unit = at % UNITS;
        (value * f64::from(1 << (unit % 3)) + (unit % 2) as f64) as f32
    };
    (rows.iter().enumerate().map(scaled).collect(), classes)
}

/// Any number of classes for each image.
pub fn shown(features: &[f32]) -> Truths {
    let noise = drawn(features.len() / UNITS * CLASSES, 900_000);
    let images = features.chunks(UNITS).zip(noise.chunks(CLASSES));
    let label = |(row, noise): (&[f32], &[f64])| {
        let shows = |class: &usize| {
            let difference = f64::from(row[*class]) - f64::from(row[class + 1]);
            difference + noise[*class] > 0.5 + 0.4 * *class as f64
        };
        ProbeLabel::Many {
            positive: (0..CLASSES).filter(shows).collect(),
            ignored: Vec::new(),
        }
    };
    let labels: Vec<ProbeLabel> = images.map(label).collect();
    Truths::new(&labels, CLASSES).unwrap()
}

pub fn features(values: &[f32]) -> Features<'_> {
    Features::new(values, UNITS).unwrap()
}
