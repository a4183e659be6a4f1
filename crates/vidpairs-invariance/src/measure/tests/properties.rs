//! Properties that hold for all features and labels.

use proptest::prelude::*;

use super::*;

/// Labels and features with few or many distinct values, sets in any order.
#[derive(Debug, Clone)]
struct Drawn {
    instance: Vec<u32>,
    class: Vec<u32>,
    /// A column per unit.
    units: Vec<Vec<f32>>,
}

impl Drawn {
    fn scores(&self) -> Vec<Score> {
        let num_images = self.instance.len();
        let values =
            (0..num_images).flat_map(|image| self.units.iter().map(move |unit| unit[image]));
        let features = Features::new(values.collect::<Vec<_>>(), self.units.len()).unwrap();
        let labels = Labels::new(&self.instance, &self.class).unwrap();
        let options = ScoreOptions {
            top: vec![1, 3, 20],
            top_share: 0.5,
            ..ScoreOptions::default()
        };
        score(&features, &labels, &options).unwrap()
    }

    /// The same images in another order: image `order[i]` becomes image `i`.
    fn reordered(&self, order: &[usize]) -> Self {
        let take = |from: &[u32]| order.iter().map(|&image| from[image]).collect();
        let units = self.units.iter();
        Self {
            instance: take(&self.instance),
            class: take(&self.class),
            units: units
                .map(|unit| order.iter().map(|&image| unit[image]).collect())
                .collect(),
        }
    }
}

fn means(scores: &[Score]) -> Vec<f64> {
    scores
        .iter()
        .flat_map(|score| score.top.iter().map(|top| top.mean))
        .collect()
}

fn assert_same(a: &[Score], b: &[Score]) {
    for (a, b) in means(a).iter().zip(means(b)) {
        close(*a, b);
    }
}

prop_compose! {
    /// Each set has a single class, so that the order of its images does not matter.
    fn drawn()(num_images in 1..60usize, num_units in 1..7usize)(
        instance in proptest::collection::vec(0..14u32, num_images),
        class_of_set in proptest::collection::vec(0..4u32, 14),
        units in proptest::collection::vec(prop_oneof![
            proptest::collection::vec((-3..4i8).prop_map(f32::from), num_images),
            proptest::collection::vec(-1e3..1e3f32, num_images),
            proptest::collection::vec((-5.0..5.0f32).prop_map(|value| value.max(0.0)), num_images),
        ], num_units),
    ) -> Drawn {
        let class = instance.iter().map(|&set| class_of_set[set as usize]).collect();
        Drawn { instance, class, units }
    }
}

fn with_order() -> impl Strategy<Value = (Drawn, Vec<usize>)> {
    drawn().prop_flat_map(|drawn| {
        let order: Vec<usize> = (0..drawn.instance.len()).collect();
        (Just(drawn), Just(order).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn the_order_of_images_does_not_matter((drawn, order) in with_order()) {
        assert_same(&drawn.scores(), &drawn.reordered(&order).scores());
    }

    #[test]
    fn the_order_of_units_does_not_matter(drawn in drawn()) {
        let mut turned = drawn.clone();
        turned.units.reverse();
        turned.units.rotate_left(1);
        assert_same(&drawn.scores(), &turned.scores());
    }

    #[test]
    fn the_names_and_the_order_of_classes_and_sets_do_not_matter(drawn in drawn()) {
        let mut renamed = drawn.clone();
        renamed.class.iter_mut().for_each(|class| *class = 90 - *class * 20);
        renamed.instance.iter_mut().for_each(|set| *set = u32::MAX - *set);
        assert_same(&drawn.scores(), &renamed.scores());
    }

    #[test]
    fn a_strictly_increasing_map_of_the_values_of_a_unit_changes_nothing(drawn in drawn()) {
        let mut mapped = drawn.clone();
        // Exact in 32 bits, so that different values stay different.
        for (number, unit) in mapped.units.iter_mut().enumerate() {
            unit.iter_mut().for_each(|value| match number % 3 {
                0 => *value *= 8.0,
                1 if *value > 0.0 => *value *= 1024.0,
                1 => *value *= 0.25,
                _ => *value = if *value < 0.0 { *value / 64.0 } else { *value * 2.0 },
            });
        }
        prop_assert_eq!(drawn.scores(), mapped.scores());
    }

    #[test]
    fn a_constant_unit_never_raises_the_score(drawn in drawn(), value in -9.0..9.0f32) {
        let mut more = drawn.clone();
        more.units.push(vec![value; drawn.instance.len()]);
        let (before, after) = (drawn.scores(), more.scores());
        for (before, after) in before.iter().zip(&after) {
            // `top_share` of one more unit may select one more unit, which is not better than the others.
            for (before, after) in before.top.iter().zip(&after.top) {
                prop_assert!(after.mean <= before.mean + 1e-9);
            }
        }
    }

    #[test]
    fn no_score_is_above_its_ceiling(drawn in drawn()) {
        for score in drawn.scores() {
            for top in &score.top {
                prop_assert!(top.mean <= top.ceiling + 1e-9, "{}: {top:?}", score.version);
                prop_assert!(top.per_target.iter().all(|&score| score >= 0.0));
            }
            if score.version != Version::PublishedCode {
                prop_assert!(score.top.iter().all(|top| top.ceiling <= 100.0 + 1e-9));
            }
        }
    }
}
