//! How many pictures a page can bear.

use super::number::evenly;
use super::view::{InvariancePage, ModelResult, SetPicture};
use super::{MAX_PICTURE_BYTES, MAX_PICTURES, MAX_TARGET_PICTURES, MAX_TARGETS, MAX_UNITS};

/// How many pictures of a set and of a target are shown; the same for all, so that models can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    pub per_set: usize,
    pub per_target: usize,
}

/// The most pictures that fit in [`MAX_PICTURE_BYTES`].
pub(super) fn budget(page: &InvariancePage) -> Budget {
    let of = |per_set: usize| Budget {
        per_set,
        per_target: per_set.div_ceil(3).min(MAX_TARGET_PICTURES),
    };
    let fits = |it: &Budget| bytes(page, *it) <= MAX_PICTURE_BYTES;
    let most_first = (0..=MAX_PICTURES).rev().map(of);
    most_first.into_iter().find(fits).unwrap_or(of(0))
}

/// What the pictures take in the page.
fn bytes(page: &InvariancePage, budget: Budget) -> usize {
    let results = page.panels.iter().flat_map(|it| it.models.iter().flatten());
    results.map(|it| bytes_of_result(it, budget)).sum()
}

fn bytes_of_result(result: &ModelResult, budget: Budget) -> usize {
    let sets = result.units.iter().take(MAX_UNITS).map(|it| &it.pictures);
    let sets = sets.flat_map(|it| evenly(it, budget.per_set));
    let targets = [&result.most, &result.least]
        .into_iter()
        .flat_map(|it| it.iter().take(MAX_TARGETS));
    let targets = targets.flat_map(|it| evenly(&it.pictures, budget.per_target));
    sets.chain(targets).map(encoded_bytes).sum()
}

/// Base64 has four letters for three bytes.
fn encoded_bytes(shot: &SetPicture) -> usize {
    shot.picture
        .as_ref()
        .map_or(0, |it| it.bytes.len().div_ceil(3) * 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::invariance::view::{Panel, UnitCard};
    use crate::report::picture::Picture;

    fn page(bytes_each: usize) -> InvariancePage {
        let shot = SetPicture {
            picture: Ok(Picture {
                media_type: "image/png",
                bytes: vec![0; bytes_each],
            }),
            caption: String::new(),
            place: None,
            fires: None,
        };
        let unit = UnitCard {
            pictures: vec![shot; 72],
            ..UnitCard::default()
        };
        let result = ModelResult {
            units: vec![unit; 9],
            ..ModelResult::default()
        };
        let panel = Panel {
            models: vec![Some(result); 6],
            ..Panel::default()
        };
        InvariancePage {
            panels: vec![panel; 7],
            ..InvariancePage::default()
        }
    }

    #[test]
    fn small_pictures_are_shown_as_many_as_fit_side_by_side() {
        assert_eq!(budget(&page(100)).per_set, MAX_PICTURES);
    }

    #[test]
    fn large_pictures_are_fewer_and_stay_within_the_bound() {
        let page = page(9_000);
        let budget = budget(&page);
        assert!(budget.per_set > 0 && budget.per_set < MAX_PICTURES);
        assert!(bytes(&page, budget) <= MAX_PICTURE_BYTES);
        let more = Budget {
            per_set: budget.per_set + 1,
            ..budget
        };
        assert!(bytes(&page, more) > MAX_PICTURE_BYTES);
    }
}
