//! Compares the invariance scores with their definitions in NumPy; `scripts/golden/invariance.py` writes the expected numbers.

use serde_json::Value;
use vidpairs_invariance::measure::{Features, Labels, ScoreOptions, Version, score};

/// Sums differ only in their order. Relative for numbers above 1.
const TOLERANCE: f64 = 1e-9;

fn path(file: &str) -> String {
    format!(
        "{}/../../tests/golden/invariance/{file}",
        env!("CARGO_MANIFEST_DIR")
    )
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs() / expected.abs().max(1.0);
        assert!(
            off <= TOLERANCE,
            "{what}, place {place}: {found} instead of {expected}"
        );
    }
}

#[test]
fn every_version_agrees_with_its_definition_on_random_and_unusual_features() {
    let golden = std::fs::read_to_string(path("cases.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let bytes = std::fs::read(path("features.f32")).unwrap();
    let (values, _) = bytes.as_chunks::<4>();
    let values: Vec<f32> = values
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    let options = ScoreOptions {
        versions: Version::ALL.to_vec(),
        top: serde_json::from_value(golden["top"].clone()).unwrap(),
        top_share: golden["top_share"].as_f64().unwrap(),
    };
    for case in golden["cases"].as_array().unwrap() {
        let instance: Vec<u32> = serde_json::from_value(case["instance"].clone()).unwrap();
        let class: Vec<u32> = serde_json::from_value(case["class"].clone()).unwrap();
        let num_units = case["num_units"].as_u64().unwrap() as usize;
        let offset = case["offset"].as_u64().unwrap() as usize;
        let values = &values[offset..offset + instance.len() * num_units];
        let features = Features::new(values, num_units).unwrap();
        let labels = Labels::new(&instance, &class).unwrap();
        for score in score(&features, &labels, &options).unwrap() {
            let expected = &case["expected"][score.version.name()];
            let what = format!("{} by {}", case["name"], score.version);
            for (unit, row) in expected["invariance"]
                .as_array()
                .unwrap()
                .iter()
                .enumerate()
            {
                let what = format!("{what}, I of unit {unit}");
                assert_close(&what, score.units.of_unit(unit), &numbers(row));
            }
            let means: Vec<f64> = score.top.iter().map(|top| top.mean).collect();
            assert_close(
                &format!("{what}, mean"),
                &means,
                &numbers(&expected["mean"]),
            );
            let per_target = expected["per_target"].as_array().unwrap();
            for (top, expected) in score.top.iter().zip(per_target) {
                let what = format!("{what}, top {}", top.num_top);
                assert_close(&what, &top.per_target, &numbers(expected));
                assert!(top.mean <= top.ceiling + 1e-9, "{what}: {top:?}");
            }
        }
    }
}
