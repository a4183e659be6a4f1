//! Selects things by half and by category.

use super::{Catalog, CatalogObject, Half};

/// Result of [`Catalog::select`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selected<'a> {
    /// Selected things in the order of the catalogue; may be empty.
    pub objects: Vec<&'a CatalogObject>,
    /// Requested categories that no object has.
    pub unknown: Vec<UnknownCategory>,
    /// Requested categories, as given, of which no object can be selected: all are in the other half, or are not things.
    pub without_objects: Vec<String>,
}

/// A category that no object has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCategory {
    /// Name as given.
    pub name: String,
    /// Most similar class or group, if one is similar enough.
    pub nearest: Option<String>,
}

impl Catalog {
    /// Things of `half` whose class or group is one of `categories`, ignoring case. `None` selects both halves; no
    /// category selects all.
    pub fn select(&self, half: Option<Half>, categories: &[String]) -> Selected<'_> {
        let is_open = |object: &&CatalogObject| {
            object.is_thing && half.is_none_or(|half| object.half == half)
        };
        let mut selected = Selected {
            objects: self.objects.iter().filter(is_open).collect(),
            ..Selected::default()
        };
        if categories.is_empty() {
            return selected;
        }
        let wanted: Vec<String> = categories
            .iter()
            .map(|category| category.trim().to_lowercase())
            .collect();
        for (category, wanted) in categories.iter().zip(&wanted) {
            if selected.objects.iter().any(|object| object.is_of(wanted)) {
                continue;
            }
            if self.objects.iter().any(|object| object.is_of(wanted)) {
                selected.without_objects.push(category.clone());
            } else {
                selected.unknown.push(UnknownCategory {
                    name: category.clone(),
                    nearest: self.nearest_category(wanted),
                });
            }
        }
        selected
            .objects
            .retain(|object| wanted.iter().any(|wanted| object.is_of(wanted)));
        selected
    }

    fn nearest_category(&self, wanted: &str) -> Option<String> {
        /// Minimum similarity, where 1 is equality: accepts one wrong letter in three, but not two in four.
        const MIN_SIMILARITY: f64 = 0.6;
        /// Longer names are not compared: time and memory grow with the product of the lengths.
        const MAX_BYTES: usize = 64;
        if wanted.len() > MAX_BYTES {
            return None;
        }
        let similarity =
            |name: &str| strsim::normalized_damerau_levenshtein(wanted, &name.to_lowercase());
        let things = self.objects.iter().filter(|object| object.is_thing);
        things
            .flat_map(|object| [&object.category, &object.group])
            .filter(|name| name.len() <= MAX_BYTES)
            .map(|name| (similarity(name), name))
            .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
            // Of equally similar names, the first in alphabetical order, whatever the order of the objects.
            .max_by(|(a, name_a), (b, name_b)| a.total_cmp(b).then_with(|| name_b.cmp(name_a)))
            .map(|(_, name)| name.clone())
    }
}

impl CatalogObject {
    /// Whether the class or the group is `wanted`, a name in lower case.
    fn is_of(&self, wanted: &str) -> bool {
        self.category == wanted || self.group.to_lowercase() == wanted
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A sofa and a stool in the group `Seats`, and a car and a door.
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
        selected
            .objects
            .iter()
            .map(|object| object.id.as_str())
            .collect()
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn without_a_category_all_things_are_selected() {
        let catalog = catalog();
        let selected = catalog.select(None, &[]);
        assert_eq!(ids(&selected), ["Seats/sofa", "Seats/stool", "car"]);
        assert_eq!(ids(&catalog.select(Some(Half::HeldOut), &[])), ["car"]);
    }

    #[test]
    fn classes_and_groups_select_ignoring_case() {
        let catalog = catalog();
        let ids = |categories| ids(&catalog.select(None, &owned(categories)));
        assert_eq!(ids(&["SOFA", " car"]), ["Seats/sofa", "car"]);
        assert_eq!(ids(&["seats"]), ["Seats/sofa", "Seats/stool"]);
        assert_eq!(ids(&["sofa", "Seats"]), ["Seats/sofa", "Seats/stool"]);
    }

    #[test]
    fn an_unknown_category_is_reported_with_the_most_similar_one() {
        let catalog = catalog();
        let selected = catalog.select(None, &owned(&["sofas", "Zebra", "car"]));
        assert_eq!(ids(&selected), ["car"]);
        let unknown = |name: &str, nearest: Option<&str>| UnknownCategory {
            name: name.to_owned(),
            nearest: nearest.map(str::to_owned),
        };
        let expected = [unknown("sofas", Some("sofa")), unknown("Zebra", None)];
        assert_eq!(selected.unknown, expected);
    }

    #[test]
    fn a_known_category_without_selectable_objects_is_reported_as_such() {
        let catalog = catalog();
        let selected = catalog.select(Some(Half::Training), &owned(&["car", "Door"]));
        assert!(selected.objects.is_empty() && selected.unknown.is_empty());
        assert_eq!(selected.without_objects, ["car", "Door"]);
    }
}
