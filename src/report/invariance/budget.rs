//! Limits the number of pictures so that a page stays below [`MAX_PICTURE_BYTES`].

use vidpairs_invariance::run::{
    CardPicture, InvarianceSummary, MAX_PICTURES, MAX_TARGET_PICTURES, MAX_TARGETS, MAX_UNITS,
    ModelScores,
};

use super::MAX_PICTURE_BYTES;
use crate::report::models::number::evenly;

/// Number of pictures of a set and of a target; the same for all models, so that they can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    pub per_set: usize,
    pub per_target: usize,
}

/// The largest numbers of pictures that fit in [`MAX_PICTURE_BYTES`].
pub(super) fn budget(summary: &InvarianceSummary) -> Budget {
    let budget = |per_set: usize| Budget {
        per_set,
        per_target: per_set.div_ceil(3).min(MAX_TARGET_PICTURES),
    };
    let fits = |budget: &Budget| bytes(summary, *budget) <= MAX_PICTURE_BYTES;
    let largest_first = (0..=MAX_PICTURES).rev().map(budget);
    largest_first
        .into_iter()
        .find(fits)
        .expect("no pictures always fit")
}

/// Size of the pictures in the page.
fn bytes(summary: &InvarianceSummary, budget: Budget) -> usize {
    let models = summary.panels.iter().flat_map(|panel| &panel.models);
    let models = models.flatten();
    models.map(|scores| bytes_of_model(scores, budget)).sum()
}

fn bytes_of_model(scores: &ModelScores, budget: Budget) -> usize {
    let units = scores.unit_cards.iter().take(MAX_UNITS);
    let of_units = units.flat_map(|card| evenly(&card.pictures, budget.per_set));
    let ends = [&scores.most, &scores.least].into_iter();
    let targets = ends.flat_map(|cards| cards.iter().take(MAX_TARGETS));
    let of_targets = targets.flat_map(|card| evenly(&card.pictures, budget.per_target));
    of_units.chain(of_targets).map(encoded_bytes).sum()
}

/// Base64 has four letters for three bytes.
fn encoded_bytes(picture: &CardPicture) -> usize {
    let jpeg = picture.jpeg.as_ref();
    jpeg.map_or(0, |jpeg| jpeg.len().div_ceil(3) * 4)
}

#[cfg(test)]
mod tests {
    use vidpairs_invariance::run::{MeasuredPanel, UnitCard};

    use super::super::tests;
    use super::*;

    fn summary(bytes_each: usize) -> InvarianceSummary {
        let picture = CardPicture {
            image: 0,
            jpeg: Ok(vec![0; bytes_each]),
            caption: String::new(),
            place: None,
            fires: None,
        };
        let unit = UnitCard {
            pictures: vec![picture; 72],
            ..UnitCard::default()
        };
        let scores = ModelScores {
            unit_cards: vec![unit; 9],
            ..ModelScores::default()
        };
        let panel = MeasuredPanel {
            models: vec![Some(scores); 6],
            ..MeasuredPanel::default()
        };
        InvarianceSummary {
            panels: vec![panel; 7],
            ..tests::summary(0)
        }
    }

    #[test]
    fn small_pictures_are_shown_up_to_the_maximum_number() {
        assert_eq!(budget(&summary(100)).per_set, MAX_PICTURES);
    }

    #[test]
    fn fewer_large_pictures_are_shown_and_as_many_as_the_limit_allows() {
        let summary = summary(9_000);
        let budget = budget(&summary);
        assert!(budget.per_set > 0 && budget.per_set < MAX_PICTURES);
        assert!(bytes(&summary, budget) <= MAX_PICTURE_BYTES);
        let more = Budget {
            per_set: budget.per_set + 1,
            ..budget
        };
        assert!(bytes(&summary, more) > MAX_PICTURE_BYTES);
    }
}
