//! Derives the class of an object from its name.
//!
//! The class is the last word of the name (`Coffee table`, `wine_bottle_2`), unless `categories.tsv` overrides it: by
//! the id of the object, or by the longest sequence of words that the name ends with (`football table` before `table`).
//! Classes of PASCAL3D+ keep their names, with the boundaries of the VOC guidelines: an armchair is a `chair`, a van a
//! `car`, a motor scooter a `motorbike`, and only a table for eating is a `diningtable`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Last words of file names that do not describe the object.
const VAGUE: &[&str] = &[
    "copy",
    "export",
    "final",
    "highpoly",
    "lod",
    "lowpoly",
    "mesh",
    "model",
    "normalized",
    "obj",
    "object",
    "texture",
    "textured",
];

/// Class of objects whose names contain no word.
const UNKNOWN: &str = "object";

/// Class of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    /// Name: lower-case ASCII letters and `-`.
    pub(super) name: String,
    /// Whether the object is a part of a building, of a wall or of the ground, not a thing by itself.
    pub(super) is_fixed: bool,
}

/// Rows of `categories.tsv`, by id or by last words.
static TABLE: LazyLock<HashMap<&str, Class>> = LazyLock::new(|| {
    rows()
        .map(|(key, class, place)| (key, to_class(class, place)))
        .collect()
});

fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    include_str!("categories.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut fields = line.split('\t');
            Some((fields.next()?, fields.next()?, fields.next()?))
        })
}

fn to_class(name: &str, place: &str) -> Class {
    Class {
        name: name.to_owned(),
        is_fixed: place == "fixed",
    }
}

/// Class of the object `id`.
///
/// - `names`: the object's name, then the names of its folders from the inside out; the first that contains a word
///   counts.
pub(super) fn class_of<'a>(id: &str, names: impl IntoIterator<Item = &'a str>) -> Class {
    if let Some(class) = TABLE.get(id) {
        return class.clone();
    }
    names
        .into_iter()
        .find_map(class_of_name)
        .unwrap_or_else(|| to_class(UNKNOWN, "thing"))
}

fn class_of_name(name: &str) -> Option<Class> {
    let words = words(name);
    let by_table = (0..words.len()).find_map(|first| {
        let ending = words[first..].join(" ");
        TABLE.get(ending.as_str()).cloned()
    });
    by_table.or_else(|| words.last().map(|word| to_class(word, "thing")))
}

/// Words of a name in lower case: `coffeeTable-02` has two. Words with letters beyond ASCII, single letters, and vague
/// words at the end are left out.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lowercase = false;
    for letter in name.chars() {
        let starts_word = !letter.is_alphabetic() || (was_lowercase && letter.is_uppercase());
        if starts_word {
            words.push(String::new());
        }
        if letter.is_alphabetic() {
            let word = words.last_mut().expect("the list starts with one word");
            word.push(letter);
        }
        was_lowercase = letter.is_lowercase();
    }
    words.retain(|word| word.len() > 1 && word.is_ascii());
    for word in &mut words {
        word.make_ascii_lowercase();
    }
    let is_vague = |word: &mut String| VAGUE.contains(&word.as_str());
    while words.pop_if(is_vague).is_some() {}
    words
}

/// Whether an object is flat: its smallest side is shorter than 3 % of its largest, in any unit.
pub(super) fn is_flat(size: [f32; 3]) -> bool {
    const MIN_SHARE: f32 = 0.03;
    let smallest = size.into_iter().fold(f32::INFINITY, f32::min);
    let largest = size.into_iter().fold(0.0, f32::max);
    smallest < MIN_SHARE * largest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str) -> String {
        class_of("", [name]).name
    }

    #[test]
    fn the_class_is_the_last_word_of_the_name() {
        assert_eq!(class("Coffee table"), "table");
        assert_eq!(class("Wine bottle"), "bottle");
        assert_eq!(class("Sofa 3 seats"), "sofa");
        assert_eq!(class("coffeeTable-02"), "table");
        assert_eq!(class("old_chair_B.v2"), "chair");
        assert_eq!(class("Zorblax"), "zorblax");
    }

    #[test]
    fn classes_of_pascal3d_keep_their_names() {
        let expected = [
            ("Concept Sedan 01", "car"),
            ("Renault Scenic", "car"),
            ("Seat Leon", "car"),
            ("SUV", "car"),
            ("Motorbike", "motorbike"),
            ("Yamaha YZR R6", "motorbike"),
            ("Couch", "sofa"),
            ("Corner sofa", "sofa"),
            ("TV 16:9", "tvmonitor"),
            ("Wall flat TV", "tvmonitor"),
            ("Bike", "bicycle"),
            ("Biplane", "aeroplane"),
            ("Toy train", "train"),
            ("Armchair", "chair"),
            ("Sitting female", "person"),
            ("Palm tree", "tree"),
        ];
        for (name, expected) in expected {
            assert_eq!(class(name), expected, "{name}");
        }
    }

    #[test]
    fn the_longest_matching_ending_of_the_name_decides() {
        assert_eq!(class("Football table"), "game-table");
        assert_eq!(class("Old football table"), "game-table");
        assert_eq!(class("Clothes horse"), "clothes-horse");
        assert_eq!(class("Wooden clothes horse"), "clothes-horse");
        assert_eq!(class("Horse"), "horse");
        assert_eq!(class("Toy horse"), "horse");
    }

    #[test]
    fn an_id_in_the_table_overrides_the_name() {
        assert_eq!(class_of("Scopia#chaussette", ["Socket"]).name, "sock");
        assert!(!class_of("Scopia#chaussette", ["Socket"]).is_fixed);
        assert_eq!(class("Wall socket"), "wall-socket");
    }

    #[test]
    fn for_a_name_without_a_word_the_innermost_folder_with_a_word_decides() {
        assert_eq!(class_of("", ["0001", "car"]).name, "car");
        assert_eq!(
            class_of("", ["model_normalized", "12", "Chairs x"]).name,
            "chairs"
        );
        assert_eq!(class_of("", ["椅子", "stool"]).name, "stool");
        assert_eq!(class_of("", ["1", ""]).name, "object");
    }

    #[test]
    fn doors_sockets_and_carpets_are_fixed_and_tables_are_not() {
        for name in [
            "Front door",
            "Wall type B plug",
            "Bathmat",
            "Parking slot 45°",
            "Fence",
        ] {
            assert!(class_of("", [name]).is_fixed, "{name}");
        }
        for name in ["Table", "Car", "Doorbell robot"] {
            assert!(!class_of("", [name]).is_fixed, "{name}");
        }
    }

    #[test]
    fn an_object_is_flat_below_three_percent_of_its_largest_side() {
        assert!(is_flat([100.0, 2.9, 50.0]));
        assert!(!is_flat([100.0, 3.1, 50.0]));
        assert!(is_flat([0.01, 1.0, 1.0]));
        assert!(!is_flat([7.0, 7.0, 7.0]));
    }

    #[test]
    fn every_row_of_the_table_is_complete_and_can_be_matched() {
        let text = include_str!("categories.tsv");
        let num_lines = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!((num_lines, TABLE.len()), (rows().count(), num_lines));
        for (key, class, place) in rows() {
            assert!(["thing", "fixed"].contains(&place), "{key}");
            let is_sound = class.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            assert!(is_sound && !class.is_empty(), "{key}: {class}");
            if !key.contains('#') {
                assert_eq!(words(key).join(" "), key);
            }
        }
    }
}
