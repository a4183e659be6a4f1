//! Compares retrieval across the transformation with NumPy; `scripts/golden/retrieval.py` writes the expected numbers.

use serde::Deserialize;
use vidpairs_invariance::measure::Features;
use vidpairs_invariance::measure::retrieval::{Retrieval, RetrievalOptions};
use vidpairs_types::{Condition, NearView};

const OBJECTS: usize = 40;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    views: usize,
    units: usize,
    num_queries: u64,
    num_found: u64,
    num_alone: u64,
    num_zeros: u64,
    chance: f64,
    found_of_target: Vec<u64>,
}

/// Numbers between -1 and 1, integer multiples of 2^-15.
fn drawn(count: usize, start: u32) -> Vec<f32> {
    let number = |at: u32| {
        let mixed = at.wrapping_mul(0x9e37_79b1);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
        (mixed >> 16) as f32 / 32768.0 - 1.0
    };
    (start..).take(count).map(number).collect()
}

/// The `features` of the script, sums of a few multiples of 2^-16, exact in 32 bits, and its `with_shared`.
fn features(views: usize, units: usize, shared: &str) -> Vec<f32> {
    let objects = drawn(OBJECTS * units, 0);
    let sides = drawn(views * units, 100_000);
    let own = drawn(OBJECTS * views * units, 200_000);
    let num_images = (OBJECTS - 1) * views + 1;
    let mut features = Vec::new();
    for image in 0..num_images {
        for unit in 0..units {
            let object = objects[image / views * units + unit];
            let side = sides[image % views * units + unit];
            let value = object + 0.5 * side + 0.5 * own[image * units + unit];
            let value = if image % 100 == 50 { 0.0 } else { value };
            features.push(match shared {
                "offset" => value + 1e4,
                "component" if unit == 0 => 1e4,
                "two-components" if unit == 0 => [1e4, -1e4][image / views % 2],
                _ => value,
            });
        }
    }
    features
}

fn view(azimuth: usize) -> Condition {
    Condition::View {
        azimuth: azimuth as f64,
        elevation: 10.0,
    }
}

/// The condition of each view, and the rule for near views.
fn conditions(case: &Case) -> (fn(usize) -> Condition, NearView) {
    match case.name.as_str() {
        "azimuth" => (|place| view(15 * place), NearView::Azimuth { under: 60.0 }),
        "wide" => (|place| view(36 * place), NearView::Azimuth { under: 100.0 }),
        "same-light" => (
            |place| Condition::Light {
                lamps: place as u8 / 3,
                camera: place as u8 % 3,
            },
            NearView::SameCondition,
        ),
        _ => (|_| Condition::Unknown, NearView::Itself),
    }
}

#[test]
fn retrieval_finds_the_same_neighbours_as_numpy_in_64_bits() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/retrieval/cases.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let golden: Golden = serde_json::from_str(&text).unwrap();
    assert_eq!(golden.cases.len(), 7);
    for case in golden.cases {
        let features =
            Features::new(features(case.views, case.units, &case.name), case.units).unwrap();
        let places = 0..features.num_images();
        let targets: Vec<u32> = places.clone().map(|at| (at / case.views) as u32).collect();
        let (condition, near) = conditions(&case);
        let conditions: Vec<Condition> = places.map(|at| condition(at % case.views)).collect();
        let options = RetrievalOptions {
            near,
            max_queries: 0,
        };
        let retrieval = Retrieval::new(&features, &targets, &conditions, options).unwrap();
        let tally = retrieval.ask_all(&features).unwrap();
        let name = &case.name;
        let counts = [tally.num_queries, tally.num_alone, tally.num_zeros];
        let numpy = [case.num_queries, case.num_alone, case.num_zeros];
        assert_eq!(counts, numpy, "{name}");
        assert_eq!(tally.num_found, case.num_found, "{name}");
        // Sums of a thousand shares in another order.
        assert!(
            (tally.chance().unwrap() - case.chance).abs() < 1e-12,
            "{name}"
        );
        for (target, &found) in case.found_of_target.iter().enumerate() {
            let of_target = tally.targets.get(&(target as u32)).copied();
            let of_target = of_target.unwrap_or_default().num_found;
            assert_eq!(of_target, found, "{name}, target {target}");
        }
    }
}
