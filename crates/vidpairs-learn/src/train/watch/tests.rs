use super::super::rows::drawn;
use super::*;

fn rows(values: &[f32], num_dims: usize) -> Rows<'_> {
    Rows::new(values, num_dims).unwrap()
}

/// `count` unit vectors along the axes of a space of `count` dimensions.
fn axes(count: usize) -> Vec<f32> {
    let at = |place: usize| f32::from(u8::from(place.is_multiple_of(count + 1)));
    (0..count * count).map(at).collect()
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
}

#[test]
fn alignment_is_the_mean_squared_distance_of_pairs() {
    let anchors = [1.0, 0.0, 0.0, 5.0, 2.0, 0.0];
    let positives = [3.0, 0.0, 1.0, 0.0, -1.0, 0.0];
    let found = alignment(rows(&anchors, 2), rows(&positives, 2)).unwrap();
    assert_near(found, (0.0 + 2.0 + 4.0) / 3.0);
}

#[test]
fn uniformity_is_zero_for_one_point_and_falls_as_vectors_spread() {
    assert_near(uniformity(rows(&[2.0, 2.0, 1.0, 1.0], 2)).unwrap(), 0.0);
    // All pairs of axes are sqrt(2) apart.
    assert_near(uniformity(rows(&axes(8), 8)).unwrap(), -4.0);
    // Two pairs of the same, four of opposites: d^2 = 4.
    let two_ends = [1.0, 1.0, -1.0, -1.0];
    let expected = ((2.0 + 4.0 * (-8.0f64).exp()) / 6.0).ln();
    assert_near(uniformity(rows(&two_ends, 1)).unwrap(), expected);
}

#[test]
fn uniform_directions_have_a_deviation_of_one_over_sqrt_d() {
    for num_dims in [2, 16, 128] {
        let mut both_ways = axes(num_dims);
        both_ways.extend(axes(num_dims).iter().map(|x| -x));
        let found = mean_std(rows(&both_ways, num_dims)).unwrap();
        let num_rows = 2.0 * num_dims as f64;
        assert_near(found, (2.0 / (num_rows - 1.0)).sqrt());
        assert!((found * (num_dims as f64).sqrt() - 1.0).abs() < 1.0 / num_dims as f64);
    }
    assert_near(mean_std(rows(&[1.0, 2.0, 0.5, 1.0], 2)).unwrap(), 0.0);
}

#[test]
fn effective_dimensions_count_the_directions_that_vary() {
    let dims = |values: &[f32], num_dims| effective_dimensions(rows(values, num_dims)).unwrap();
    // Centred, the axes of 8 dimensions span 7, all alike.
    assert_near(dims(&axes(8), 8), 7.0);
    let mut both_ways = axes(8);
    both_ways.extend(axes(8).iter().map(|x| -x));
    assert_near(dims(&both_ways, 8), 8.0);
    assert_near(dims(&[1.0, 0.0, -1.0, 0.0, 1.0, 0.0], 2), 1.0);
    assert_near(dims(&[0.3, 0.7, 0.3, 0.7, 0.6, 1.4], 2), 0.0);
}

#[test]
fn figures_are_those_of_pytorch() {
    // Made by scripts/golden/figures.py with torch 2.11.0 in f64. Vectors are scaled to f32 here, which
    // is where the tolerance comes from.
    let (anchors, positives) = (drawn(24 * 6, 0), drawn(24 * 6, 777));
    let (anchors, positives) = (rows(&anchors, 6), rows(&positives, 6));
    assert_near(alignment(anchors, positives).unwrap(), 1.784_627_875_914_16);
    assert_near(uniformity(anchors).unwrap(), -2.779_416_490_534_429);
    assert_near(mean_std(anchors).unwrap(), 0.401_606_060_835_146_1);
    let dims = effective_dimensions(anchors).unwrap();
    assert_near(dims, 5.090_040_581_313_072);
}

#[test]
fn the_loss_at_chance_is_that_of_a_guess_among_all_keys() {
    assert_near(info_nce_chance(65_536), 65_537f64.ln());
    assert_near(info_nce_chance(0), 0.0);
}

#[test]
fn a_collapse_is_reported_once_after_several_consecutive_checks() {
    let mut watch = CollapseWatch::new(0.1, 3);
    // Healthy is 0.25 for 16 dimensions.
    let low = [
        0.02,
        f64::NAN,
        0.2,
        0.024,
        0.0,
        0.01,
        0.0,
        0.03,
        0.0,
        0.0,
        0.0,
    ];
    let reported: Vec<bool> = low
        .iter()
        .map(|&mean_std| watch.check(mean_std, 16).is_some())
        .collect();
    let expected = [
        false, false, false, false, false, true, false, false, false, false, true,
    ];
    assert_eq!(reported, expected);
}

#[test]
fn a_collapse_is_reported_with_its_figures() {
    let collapse = CollapseWatch::new(0.1, 1).check(0.001, 128).unwrap();
    assert_eq!(
        collapse.to_string(),
        "the embeddings collapsed: in the last check their mean deviation was below 10 % of 1/sqrt(D) = \
         0.0884 (now 0.0010), so they are nearly the same for all images; further training learns nothing"
    );
}

#[test]
fn too_few_vectors_and_unpaired_ones_are_refused() {
    let one = rows(&[1.0, 0.0], 2);
    let few = "1 vectors; expected at least 2";
    for figure in [uniformity, mean_std, effective_dimensions] {
        assert_eq!(figure(one).unwrap_err().to_string(), few);
    }
    let unpaired = alignment(one, rows(&[1.0, 0.0], 1)).unwrap_err();
    assert_eq!(
        unpaired.to_string(),
        "(1, 2) anchors, (2, 1) positives (vectors, dimensions); expected equal shapes"
    );
}
