use super::*;

fn rows(values: &[f32], num_units: usize) -> Features<'_> {
    Features::new(values, num_units).unwrap()
}

fn view(azimuth: f64) -> Condition {
    Condition::View {
        azimuth,
        elevation: 0.0,
    }
}

fn ask(
    features: &[f32],
    num_units: usize,
    targets: &[u32],
    conditions: &[Condition],
    near: NearView,
) -> RetrievalTally {
    let options = RetrievalOptions::new(near);
    let retrieval =
        Retrieval::new(&rows(features, num_units), targets, conditions, options).unwrap();
    retrieval.ask_all(&rows(features, num_units)).unwrap()
}

/// `count` pseudo-random numbers from -1 to 1, the same as in `scripts/golden/retrieval.py`.
fn drawn(count: usize, start: u32) -> Vec<f32> {
    let number = |at: u32| {
        let mixed = at.wrapping_mul(0x9e37_79b1);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
        (mixed >> 16) as f32 / 32768.0 - 1.0
    };
    (start..).take(count).map(number).collect()
}

#[test]
fn near_views_of_all_targets_are_excluded_as_neighbours() {
    // Vectors of an angle: two objects seen from 350, 20 and 180 degrees. From 350 to 20 are 30 degrees.
    let angles: [f32; 6] = [0.0, 1.0, 10.0, 2.2, 3.0, 50.0];
    let features: Vec<f32> = angles
        .iter()
        .flat_map(|angle| [angle.to_radians().cos(), angle.to_radians().sin()])
        .collect();
    let conditions = [350.0, 20.0, 180.0, 350.0, 20.0, 180.0].map(view);
    let targets = [7, 7, 7, 9, 9, 9];
    let near = NearView::Azimuth { under: 60.0 };
    let tally = ask(&features, 2, &targets, &conditions, near);
    // The views from 350 and 20 degrees may find those from 180 alone: 10 degrees of object 7, 50 of object 9. All
    // four are nearer to the 10. The two from 180 find the view of 3 degrees of object 9.
    assert_eq!((tally.num_queries, tally.num_found), (6, 3));
    assert_eq!(
        tally.targets[&7],
        TargetTally {
            num_queries: 3,
            num_found: 2
        }
    );
    assert_eq!(
        tally.targets[&9],
        TargetTally {
            num_queries: 3,
            num_found: 1
        }
    );
    assert_eq!(tally.chance(), Some(0.5));
    // With only the query left out, 0, 1, 2.2 and 3 degrees find a neighbour of their own; 10 finds 3, and 50 finds 10.
    let tally = ask(&features, 2, &targets, &conditions, NearView::Itself);
    assert_eq!((tally.num_queries, tally.num_found), (6, 4));
    assert!((tally.chance().unwrap() - 0.4).abs() < 1e-12);
}

#[test]
fn the_first_of_equally_near_images_is_found() {
    let features = [1.0, 0.0, 3.0, 0.0, 2.0, 0.0, 0.0, 1.0];
    let conditions = [Condition::Unknown; 4];
    // Image 2 finds image 0, not image 1; image 0 finds image 1; image 3, as far from all, finds image 0.
    let tally = ask(&features, 2, &[0, 1, 0, 0], &conditions, NearView::Itself);
    assert_eq!((tally.num_queries, tally.num_found), (3, 2));
    assert_eq!(tally.num_alone, 1);
    assert_eq!(tally.chance(), Some(2.0 / 3.0));
}

#[test]
fn a_target_with_one_image_is_no_query_but_stays_a_candidate() {
    let features = [1.0, 0.0, 0.9, 0.1, 0.99, 0.05];
    let conditions = [Condition::Unknown; 3];
    let tally = ask(&features, 2, &[0, 0, 5], &conditions, NearView::Itself);
    assert_eq!((tally.num_queries, tally.num_alone), (2, 1));
    // Both find the image of target 5.
    assert_eq!((tally.share(), tally.chance()), (Some(0.0), Some(0.5)));
    assert!(!tally.targets.contains_key(&5));
}

#[test]
fn a_query_without_a_far_image_of_its_target_is_left_out() {
    let near = NearView::Azimuth { under: 60.0 };
    let conditions = [0.0, 59.0, 120.0].map(view);
    let tally = ask(&[1.0, 1.0, 1.0], 1, &[0, 0, 1], &conditions, near);
    assert_eq!((tally.num_queries, tally.num_alone), (0, 3));
    assert_eq!((tally.share(), tally.chance()), (None, None));
}

#[test]
fn a_query_of_zeros_is_a_miss_and_is_counted() {
    let features = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0];
    let conditions = [Condition::Unknown; 4];
    let targets = [0, 0, 1, 1];
    let tally = ask(&features, 2, &targets, &conditions, NearView::Itself);
    // The zeros lie between the two others, so each of these finds a row of zeros.
    assert_eq!(
        (tally.num_queries, tally.num_found, tally.num_zeros),
        (4, 0, 2)
    );
}

#[test]
fn images_in_the_same_light_are_excluded_and_lengths_do_not_matter() {
    let light = |lamps| Condition::Light { lamps, camera: 1 };
    let features = [1.0, 0.2, 10.0, 6.0, 1.0, 0.1, 0.1, 1.0];
    let conditions = [light(1), light(2), light(1), light(2)];
    let tally = ask(
        &features,
        2,
        &[0, 0, 1, 1],
        &conditions,
        NearView::SameCondition,
    );
    // Images 0 and 1 find each other. Image 2 finds image 1, and image 3 image 0: the nearer under the other light.
    assert_eq!((tally.num_queries, tally.num_found), (4, 2));
    assert_eq!(tally.chance(), Some(0.5));
}

#[test]
fn answers_do_not_depend_on_blocks_and_agree_with_a_plain_search() {
    let (num_images, num_units) = (2500, 7);
    let features = drawn(num_images * num_units, 3);
    let targets: Vec<u32> = (0..num_images as u32).map(|image| image % 31).collect();
    let conditions: Vec<Condition> = (0..num_images)
        .map(|image| view((image % 24 * 15) as f64))
        .collect();
    let near = NearView::Azimuth { under: 60.0 };
    let options = RetrievalOptions {
        near,
        max_queries: 600,
    };
    let retrieval =
        Retrieval::new(&rows(&features, num_units), &targets, &conditions, options).unwrap();
    assert_eq!((retrieval.num_queries(), retrieval.num_blocks()), (600, 3));
    let mut backwards = RetrievalTally::default();
    for block in (0..4).rev() {
        backwards += retrieval.ask(&rows(&features, num_units), block).unwrap();
    }
    let tally = retrieval.ask_all(&rows(&features, num_units)).unwrap();
    assert_eq!(tally.targets, backwards.targets);

    let cosine = |a: usize, b: usize| {
        let row = |image: usize| &features[image * num_units..][..num_units];
        let dot = |a: usize, b: usize| -> f64 {
            let products = row(a).iter().zip(row(b));
            products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let (mut num_found, mut sum_chance) = (0, 0.0);
    for query in spread(num_images, 600) {
        let far: Vec<usize> = (0..num_images)
            .filter(|&image| image != query && !near.holds(conditions[query], conditions[image]))
            .collect();
        let nearest = far
            .iter()
            .max_by(|a, b| cosine(query, **a).total_cmp(&cosine(query, **b)));
        num_found += u64::from(targets[*nearest.unwrap()] == targets[query]);
        let num_same = far
            .iter()
            .filter(|&&image| targets[image] == targets[query]);
        sum_chance += num_same.count() as f64 / far.len() as f64;
    }
    assert_eq!((tally.num_queries, tally.num_found), (600, num_found));
    assert!((tally.sum_chance - sum_chance).abs() < 1e-9);
}

#[test]
fn labels_of_another_number_of_images_are_refused() {
    let options = RetrievalOptions::new(NearView::Itself);
    let conditions = [Condition::Unknown; 2];
    let err = Retrieval::new(&rows(&[1.0, 2.0], 1), &[0, 0, 0], &conditions, options).unwrap_err();
    assert_eq!(err.to_string(), "3 targets for 2 images");
    let retrieval = Retrieval::new(&rows(&[1.0, 2.0], 1), &[0, 0], &conditions, options).unwrap();
    let err = retrieval.ask(&rows(&[1.0], 1), 0).unwrap_err();
    assert_eq!(err.to_string(), "1 rows of features for 2 images");
}

#[test]
fn every_image_is_a_query_if_the_limit_allows() {
    let all: Vec<usize> = (0..7).collect();
    for max in [0, 7, 8] {
        assert_eq!(spread(7, max).collect::<Vec<_>>(), all);
    }
    assert_eq!(spread(0, 10).count(), 0);
}

#[test]
fn queries_are_spread_over_images_and_over_the_views_of_each_object() {
    let (num_objects, num_views, max) = (1000, 72, 1000);
    let queries: Vec<usize> = spread(num_objects * num_views, max).collect();
    assert!(queries.is_sorted_by(|a, b| a < b));
    let mut times = vec![0; num_views];
    for query in &queries {
        times[query % num_views] += 1;
    }
    // 1000 / 72 is 13.9.
    assert!(
        times.iter().all(|times| (10..=18).contains(times)),
        "{times:?}"
    );
}
