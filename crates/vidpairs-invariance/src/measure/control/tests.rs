use rand::RngExt;
use rand_distr::StandardNormal;
use vidpairs_types::Seed;

use super::super::Features;
use super::*;

/// `num_images x num_units`, mixed of `rank` independent numbers for each image; units differ in scale and mean.
fn mixed(num_images: usize, num_units: usize, rank: usize) -> Features<'static> {
    let seed = Seed::of_run(5);
    let draw = |id: &str, num| -> Vec<f64> {
        let rng = seed.for_step("mixed", id).rng();
        rng.sample_iter(StandardNormal).take(num).collect()
    };
    let (hidden, mixing) = (
        draw("hidden", num_images * rank),
        draw("mixing", num_units * rank),
    );
    let mut features = Vec::new();
    for hidden in hidden.chunks_exact(rank) {
        for (unit, mixing) in mixing.chunks_exact(rank).enumerate() {
            let sum: f64 = hidden.iter().zip(mixing).map(|(a, b)| a * b).sum();
            features.push((10f64.powi(unit as i32 % 5 - 2) * (sum + unit as f64)) as f32);
        }
    }
    rows(features, num_units)
}

fn rows(values: Vec<f32>, num_units: usize) -> Features<'static> {
    Features::new(values, num_units).unwrap()
}

/// Mean of each unit, and the covariances of all.
fn mean_and_covariance(features: &[f32], num_units: usize) -> (Vec<f64>, Vec<f64>) {
    let num_images = (features.len() / num_units) as f64;
    let mut means = vec![0.0; num_units];
    let mut products = vec![0.0; num_units * num_units];
    for row in features.chunks_exact(num_units) {
        for (i, &a) in row.iter().enumerate() {
            means[i] += f64::from(a) / num_images;
            for (j, &b) in row.iter().enumerate() {
                products[i * num_units + j] += f64::from(a) * f64::from(b) / num_images;
            }
        }
    }
    for i in 0..num_units {
        for j in 0..num_units {
            products[i * num_units + j] -= means[i] * means[j];
        }
    }
    (means, products)
}

#[test]
fn gaussian_features_have_the_mean_and_covariance_of_the_features() {
    let (num_units, num_drawn) = (9, 40_000);
    let features = mixed(3000, num_units, 12);
    let control = GaussianControl::of(&features);
    assert_eq!(control.rank(), num_units);
    let mut drawn = vec![0.0; num_drawn * num_units];
    control.fill(Seed::of_run(1), 0, &mut drawn);
    let (means, covariances) = mean_and_covariance(features.values(), num_units);
    let (drawn_means, drawn_covariances) = mean_and_covariance(&drawn, num_units);
    // Five standard errors of each.
    let far = 5.0 / (num_drawn as f64).sqrt();
    let deviation = |unit: usize| covariances[unit * num_units + unit].sqrt();
    for i in 0..num_units {
        assert!((drawn_means[i] - means[i]).abs() < far * deviation(i));
        for j in 0..num_units {
            let at = i * num_units + j;
            let apart = (drawn_covariances[at] - covariances[at]).abs();
            assert!(apart < far * 2f64.sqrt() * deviation(i) * deviation(j));
        }
    }
}

#[test]
fn the_control_uses_as_many_dimensions_as_the_features() {
    for (num_images, num_units, dimensions, rank) in
        [(900, 300, 20, 20), (40, 100, 100, 39), (1, 5, 3, 0)]
    {
        let features = mixed(num_images, num_units, dimensions);
        let control = GaussianControl::of(&features);
        assert_eq!(control.rank(), rank);
        let mut drawn = vec![0.0; 2 * num_images * num_units];
        control.fill(Seed::of_run(1), 0, &mut drawn);
        let again = GaussianControl::of(&rows(drawn, num_units));
        assert_eq!(again.rank(), rank);
    }
}

#[test]
fn a_constant_unit_stays_constant() {
    let features = rows(vec![0.1, 5.0, 0.1, 6.0, 0.1, 7.0], 2);
    let control = GaussianControl::of(&features);
    assert_eq!(control.rank(), 1);
    let mut drawn = [0.0; 20];
    control.fill(Seed::of_run(3), 0, &mut drawn);
    assert!(drawn.chunks(2).all(|row| row[0] == 0.1));
    assert!(drawn.chunks(2).any(|row| (row[1] - 6.0).abs() > 0.5));
}

#[test]
fn gaussian_features_depend_on_seed_and_image_and_not_on_the_blocks() {
    let num_units = 300;
    let control = GaussianControl::of(&mixed(500, num_units, 290));
    let draw = |seed, cuts: &[usize]| {
        let mut drawn = vec![0.0; 700 * num_units];
        let mut rest = drawn.as_mut_slice();
        let mut first = 0;
        for &end in cuts {
            let (rows, others) = rest.split_at_mut((end - first) * num_units);
            control.fill(Seed::of_run(seed), first, rows);
            (rest, first) = (others, end);
        }
        drawn
    };
    let whole = draw(1, &[700]);
    assert_eq!(whole, draw(1, &[1, 8, 256, 431, 699, 700]));
    assert_ne!(whole, draw(2, &[700]));
    let rows: Vec<&[f32]> = whole.chunks(num_units).collect();
    assert!(rows[1..].iter().all(|row| *row != rows[0]));
}

#[test]
fn products_summed_over_blocks_give_the_correlations_of_all_images() {
    let (num_images, num_units) = (2100, 4);
    let features = mixed(num_images, num_units, 6);
    let moments = FeatureMoments::of(&features);
    assert_eq!(moments.num_blocks(), 3);
    let mut products = moments.products(&features, 0);
    products += moments.products(&features, 1);
    products += moments.products(&features, 2);
    let correlations = moments.correlations(products);
    let (_, covariances) = mean_and_covariance(features.values(), num_units);
    for ((i, j), &value) in correlations.indexed_iter() {
        let at = |i, j| covariances[i * num_units + j];
        let truth = at(i, j) / (at(i, i) * at(j, j)).sqrt();
        assert!((value - truth).abs() < 1e-6, "{value} {truth}");
    }
}

#[test]
fn shuffling_keeps_the_values_of_each_unit_and_removes_correlations() {
    let (num_images, num_units) = (500, 70);
    // All units agree: value and image are one.
    let features: Vec<f32> = (0..num_images * num_units)
        .map(|at| (at / num_units * 100 + at % num_units) as f32)
        .collect();
    let features = rows(features, num_units);
    let columns = shuffled_units(&features, 0..num_units, Seed::of_run(4));
    let mut orders = Vec::new();
    for (unit, column) in columns.chunks(num_images).enumerate() {
        let order: Vec<usize> = column.iter().map(|&value| value as usize / 100).collect();
        assert!(column.iter().all(|value| *value as usize % 100 == unit));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..num_images));
        orders.push(order);
    }
    for (unit, order) in orders.iter().enumerate() {
        assert!(orders[..unit].iter().all(|other| other != order));
        let num_in_place = order.iter().enumerate().filter(|(at, image)| at == *image);
        // One on average.
        assert!(num_in_place.count() < 10);
    }
}

#[test]
fn a_shuffled_unit_does_not_depend_on_the_units_shuffled_with_it() {
    let (num_images, num_units) = (50, 130);
    let features = mixed(num_images, num_units, 3);
    let seed = Seed::of_run(4);
    let whole = shuffled_units(&features, 0..num_units, seed);
    for units in [0..1, 60..70, 129..130] {
        let columns = shuffled_units(&features, units.clone(), seed);
        assert_eq!(
            columns,
            whole[units.start * num_images..units.end * num_images]
        );
    }
    let other = shuffled_units(&features, 0..num_units, Seed::of_run(5));
    assert_ne!(whole, other);
    assert!(shuffled_units(&features, 130..140, seed).is_empty());
}
