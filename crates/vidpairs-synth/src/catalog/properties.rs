//! `PluginFurnitureCatalog.properties`: the list of a catalogue's objects.

use std::collections::{BTreeMap, HashMap};

use java_properties::{PropertiesError, PropertiesIter};

/// What the list says: fields of the catalogue (`license`), and of every entry (`name#3`).
#[derive(Debug, Default)]
pub(super) struct Properties {
    /// In the catalogue's own words; may be empty.
    pub(super) licence: String,
    /// By number.
    pub(super) entries: BTreeMap<u32, Entry>,
}

/// The fields of one entry, by name without `#3`.
#[derive(Debug, Default)]
pub(super) struct Entry(HashMap<String, String>);

impl Properties {
    /// Parses the list: Java's properties in ISO-8859-1 with `\u20AC` for the rest. (The reader takes it for
    /// Windows-1252, which is the same but for control characters.)
    ///
    /// # Errors
    /// [`PropertiesError`] for a `\u` without four hexadecimal digits.
    pub(super) fn parse(text: &[u8]) -> Result<Self, PropertiesError> {
        let mut properties = Self::default();
        PropertiesIter::new(text).read_into(|key, value| properties.insert(&key, &value))?;
        Ok(properties)
    }

    fn insert(&mut self, key: &str, value: &str) {
        let value = single_spaced(value);
        let numbered = key.split_once('#');
        match numbered.and_then(|(field, number)| Some((field, number.parse().ok()?))) {
            Some((field, number)) => {
                let entry = self.entries.entry(number).or_default();
                entry.0.insert(field.to_owned(), value);
            }
            None if key == "license" => self.licence = value,
            None => {}
        }
    }
}

impl Entry {
    /// The field, if it is there and not empty.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        let text = self.0.get(field)?.as_str();
        (!text.is_empty()).then_some(text)
    }

    /// Width, height and depth, if all three are there.
    ///
    /// # Errors
    /// What is wrong, in words, if one is no number above 0.
    pub(super) fn size_cm(&self) -> Result<Option<[f32; 3]>, String> {
        let mut size = [0.0; 3];
        for (side, field) in size.iter_mut().zip(["width", "height", "depth"]) {
            let Some(text) = self.text(field) else {
                return Ok(None);
            };
            *side = number(text)
                .filter(|value| *value > 0.0)
                .ok_or_else(|| format!("{field} is {text:?}; expected a number > 0"))?;
        }
        Ok(Some(size))
    }

    /// The field `modelRotation`, if it is there.
    ///
    /// # Errors
    /// What is wrong, in words, if it is not nine numbers.
    pub(super) fn rotation(&self) -> Result<Option<[f32; 9]>, String> {
        let Some(text) = self.text("modelRotation") else {
            return Ok(None);
        };
        let numbers: Option<Vec<f32>> = text.split_whitespace().map(number).collect();
        numbers
            .and_then(|numbers| numbers.try_into().ok())
            .map(Some)
            .ok_or_else(|| format!("modelRotation is {text:?}; expected nine numbers"))
    }
}

fn number(text: &str) -> Option<f32> {
    text.parse().ok().filter(|value: &f32| value.is_finite())
}

fn single_spaced(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(lines: &str) -> Entry {
        let mut properties = Properties::parse(lines.as_bytes()).unwrap();
        properties.entries.remove(&1).unwrap()
    }

    #[test]
    fn latin_letters_and_escapes_are_read() {
        let text = b"name#1=Chaise d\xE9j\xE0\nname#2=Bill 10\\u20AC\nlicense=\xA9  Me\n";
        let properties = Properties::parse(text).unwrap();
        assert_eq!(properties.entries[&1].text("name"), Some("Chaise déjà"));
        assert_eq!(properties.entries[&2].text("name"), Some("Bill 10€"));
        assert_eq!(properties.licence, "© Me");
    }

    #[test]
    fn a_broken_escape_is_an_error() {
        assert!(Properties::parse(b"name#1=\\u20\n").is_err());
    }

    #[test]
    fn the_size_is_width_height_depth_and_needs_all_three() {
        let size = entry("depth#1=3\nheight#1=2.5\nwidth#1=1\n").size_cm();
        assert_eq!(size, Ok(Some([1.0, 2.5, 3.0])));
        assert_eq!(entry("depth#1=3\nheight#1=2.5\n").size_cm(), Ok(None));
    }

    #[test]
    fn a_size_that_is_no_number_above_0_is_named() {
        for bad in ["0", "-1", "NaN", "inf", "12 cm"] {
            let error = entry(&format!("width#1={bad}\nheight#1=1\ndepth#1=1\n")).size_cm();
            let expected = format!("width is {bad:?}; expected a number > 0");
            assert_eq!(error, Err(expected));
        }
    }

    #[test]
    fn a_rotation_is_nine_numbers() {
        let rotation = entry("modelRotation#1=0 0 1 -1 0 0 0 -1 0\n").rotation();
        assert_eq!(
            rotation,
            Ok(Some([0.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, -1.0, 0.0]))
        );
        assert_eq!(entry("name#1=x\n").rotation(), Ok(None));
        for bad in ["1 0 0", "1 0 0 0 1 0 0 0 x", "1 0 0 0 1 0 0 0 1 0"] {
            assert!(
                entry(&format!("modelRotation#1={bad}\n"))
                    .rotation()
                    .is_err()
            );
        }
    }
}
