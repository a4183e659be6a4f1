//! Choosing objects: things, of one half or of both, of some categories or of all.

use super::{Catalog, CatalogObject, Half};

/// What [`Catalog::select`] chose.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selected<'a> {
    /// In the catalogue's order; may be empty.
    pub objects: Vec<&'a CatalogObject>,
    /// Categories asked for that no object has, as they were given.
    pub unknown: Vec<UnknownCategory>,
    /// Categories asked for that objects do have, but none that could be chosen: all in the other half, or no
    /// things.
    pub without_objects: Vec<String>,
}

/// A category that no object has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCategory {
    /// As it was given.
    pub asked: String,
    /// The class or group nearest in spelling, if one is near.
    pub nearest: Option<String>,
}

impl Catalog {
    /// The things of `half` (both halves if `None`) whose class or group is one of `categories` (of all if
    /// there is none), upper and lower case alike.
    pub fn select(&self, half: Option<Half>, categories: &[String]) -> Selected<'_> {
        let mut selected = Selected {
            objects: self.objects.iter().filter(|it| is_open(it, half)).collect(),
            ..Selected::default()
        };
        if categories.is_empty() {
            return selected;
        }
        let wanted: Vec<String> = categories
            .iter()
            .map(|it| it.trim().to_lowercase())
            .collect();
        for (asked, wanted) in categories.iter().zip(&wanted) {
            if selected.objects.iter().any(|it| it.is_of(wanted)) {
                continue;
            }
            if self.objects.iter().any(|it| it.is_of(wanted)) {
                selected.without_objects.push(asked.clone());
            } else {
                selected.unknown.push(UnknownCategory {
                    asked: asked.clone(),
                    nearest: self.nearest_category(wanted),
                });
            }
        }
        selected
            .objects
            .retain(|it| wanted.iter().any(|wanted| it.is_of(wanted)));
        selected
    }

    fn nearest_category(&self, wanted: &str) -> Option<String> {
        /// Of 1 for the same word: one wrong letter in three still passes, two in four do not.
        const MIN_LIKENESS: f64 = 0.6;
        /// The comparison takes time and memory in the product of the lengths.
        const MAX_BYTES: usize = 64;
        if wanted.len() > MAX_BYTES {
            return None;
        }
        let things = self.objects.iter().filter(|it| it.is_thing);
        things
            .flat_map(|it| [&it.category, &it.group])
            .filter(|name| name.len() <= MAX_BYTES)
            .map(|name| {
                let likeness = strsim::normalized_damerau_levenshtein(wanted, &name.to_lowercase());
                (name, likeness)
            })
            .filter(|(_, likeness)| *likeness >= MIN_LIKENESS)
            // Of equals the first by name, whatever the order of the objects.
            .max_by(|(a, likeness_a), (b, likeness_b)| {
                likeness_a.total_cmp(likeness_b).then_with(|| b.cmp(a))
            })
            .map(|(name, _)| name.clone())
    }
}

impl CatalogObject {
    /// Whether its class or its group is `wanted`, which is in lower case.
    fn is_of(&self, wanted: &str) -> bool {
        self.category == wanted || self.group.to_lowercase() == wanted
    }
}

fn is_open(object: &CatalogObject, half: Option<Half>) -> bool {
    object.is_thing && half.is_none_or(|half| object.half == half)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// In `Seats` a sofa and a stool, in the root a car and a door.
    fn catalog() -> Catalog {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("Seats")).unwrap();
        for file in ["Seats/sofa", "Seats/stool", "car", "door"] {
            fs::write(root.path().join(format!("{file}.obj")), "").unwrap();
        }
        let mut catalog = Catalog::read(&[root.path().to_owned()]).unwrap();
        for object in &mut catalog.objects {
            object.half = match object.id.as_str() {
                "car" => Half::HeldOut,
                _ => Half::Training,
            };
        }
        catalog
    }

    fn ids<'a>(selected: &Selected<'a>) -> Vec<&'a str> {
        selected.objects.iter().map(|it| it.id.as_str()).collect()
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn without_a_category_all_things_are_chosen() {
        let catalog = catalog();
        let selected = catalog.select(None, &[]);
        assert_eq!(ids(&selected), ["Seats/sofa", "Seats/stool", "car"]);
        assert_eq!(ids(&catalog.select(Some(Half::HeldOut), &[])), ["car"]);
    }

    #[test]
    fn classes_and_groups_choose_in_any_case() {
        let catalog = catalog();
        let ids = |categories| ids(&catalog.select(None, &owned(categories)));
        assert_eq!(ids(&["SOFA", " car"]), ["Seats/sofa", "car"]);
        assert_eq!(ids(&["seats"]), ["Seats/sofa", "Seats/stool"]);
        assert_eq!(ids(&["sofa", "Seats"]), ["Seats/sofa", "Seats/stool"]);
    }

    #[test]
    fn an_unknown_category_is_named_with_the_nearest() {
        let catalog = catalog();
        let selected = catalog.select(None, &owned(&["sofas", "Zebra", "car"]));
        assert_eq!(ids(&selected), ["car"]);
        let unknown = |asked: &str, nearest: Option<&str>| UnknownCategory {
            asked: asked.to_owned(),
            nearest: nearest.map(str::to_owned),
        };
        let expected = [unknown("sofas", Some("sofa")), unknown("Zebra", None)];
        assert_eq!(selected.unknown, expected);
    }

    #[test]
    fn a_category_that_exists_but_offers_nothing_here_is_told_apart() {
        let catalog = catalog();
        let selected = catalog.select(Some(Half::Training), &owned(&["car", "Door"]));
        assert!(selected.objects.is_empty() && selected.unknown.is_empty());
        assert_eq!(selected.without_objects, ["car", "Door"]);
    }
}
