//! Compares the score of random features with its exact value.

use vidpairs_fixtures::chance::{CHANCE_LEVELS, ChanceLevel, score_of_noise};

#[test]
fn the_published_code_scores_random_features_at_the_exact_chance_level() {
    for level in CHANCE_LEVELS {
        // A unit fires for 5 % of the images for any number of objects from 20 on. With fewer than 1,000 objects, the image at each
        // threshold, for which it does not fire, is a larger share: the score is about 0.1 lower and varies by 0.15.
        let num_objects = 3600 / level.images_per_object;
        close_to_chance(&level, num_objects, 0.4);
    }
}

#[test]
#[ignore = "a minute and 1.2 GB"]
fn the_published_code_scores_random_features_of_the_size_of_aloi_at_the_exact_chance_level() {
    for level in CHANCE_LEVELS {
        close_to_chance(&level, 1000, 0.25);
    }
}

fn close_to_chance(level: &ChanceLevel, num_objects: usize, tolerance: f64) {
    let found = score_of_noise(num_objects, level.images_per_object).unwrap();
    let ChanceLevel {
        invariance, exact, ..
    } = level;
    assert!(
        (found - exact).abs() < tolerance,
        "{invariance}: {found}, not {exact}"
    );
}
