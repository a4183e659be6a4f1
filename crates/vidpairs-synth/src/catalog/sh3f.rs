//! Reads a catalogue of Sweet Home 3D: a ZIP with a list of objects and their files.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use java_properties::{PropertiesError, PropertiesIter};

use super::category::{class_of, is_flat};
use super::files::{Place, Reference, Zip};
use super::{CatalogError, CatalogObject, Half, Listing, refusal};

/// Member that lists the objects.
const LIST: &str = "PluginFurnitureCatalog.properties";

/// Reads the list of the catalogue at `path`, and checks that each model exists.
///
/// # Errors
/// [`CatalogError`] if the file is not a catalogue. A bad entry is refused instead.
pub(super) fn read(path: &Path) -> Result<Listing, CatalogError> {
    let path: Arc<Path> = Arc::from(path);
    let place = path.display().to_string();
    let mut zip = Zip::open(&path)?;
    if !zip.holds(LIST) {
        return Err(CatalogError::NoProperties {
            catalogue: path.to_path_buf(),
        });
    }
    let list = Reference {
        name: LIST,
        model: &place,
    };
    let text = zip.read(LIST, list)?;
    let properties = Properties::parse(&text).map_err(|source| CatalogError::BadProperties {
        catalogue: path.to_path_buf(),
        source,
    })?;
    let mut listing = Listing::default();
    for (number, entry) in &properties.entries {
        match object(entry, &properties.licence, &zip, &path) {
            Ok(object) => listing.objects.push(object),
            Err(reason) => {
                let numbered = || format!("{place}#{number}");
                let id = entry.text("id").map_or_else(numbered, str::to_owned);
                listing.set_aside.push(refusal(&id, &place, reason));
            }
        }
    }
    Ok(listing)
}

/// Object of an entry, or the reason why there is none.
fn object(
    entry: &Entry,
    licence: &str,
    zip: &Zip,
    path: &Arc<Path>,
) -> Result<CatalogObject, String> {
    let id = entry.text("id").ok_or("an entry without id")?;
    let model = entry.text("model").ok_or("an entry without model")?;
    if !model.to_ascii_lowercase().ends_with(".obj") {
        return Err(format!("the model is {model:?}; expected an .obj file"));
    }
    // Models are relative to the root of the ZIP, with or without a leading slash.
    let member = zip
        .find("", model.trim_start_matches('/'))
        .map_err(|_| format!("the model {model:?} lies outside the catalogue"))?
        .ok_or_else(|| format!("the model {model:?} is not in the catalogue"))?;
    let size_cm = entry.size_cm()?;
    let name = entry.text("name").unwrap_or(id);
    let class = class_of(id, [name]);
    let is_door_or_window = entry.text("doorOrWindow") == Some("true");
    let is_thing = !class.is_fixed && !is_door_or_window && !size_cm.is_some_and(is_flat);
    let text = |field| entry.text(field).unwrap_or_default().to_owned();
    Ok(CatalogObject {
        id: id.to_owned(),
        name: name.to_owned(),
        category: class.name,
        group: text("category"),
        creator: text("creator"),
        licence: licence.to_owned(),
        half: Half::of(id),
        is_thing,
        size_cm,
        rotation: entry.rotation()?,
        place: Place::Member {
            catalogue: Arc::clone(path),
            member,
        },
    })
}

/// Parsed list of objects: fields of the catalogue (`license`), and of every entry (`name#3`).
#[derive(Debug, Default)]
struct Properties {
    /// Licence as the catalogue states it; may be empty.
    licence: String,
    /// Entries by number.
    entries: BTreeMap<u32, Entry>,
}

/// Fields of one entry, by their name without `#3`.
#[derive(Debug, Default)]
struct Entry(HashMap<String, String>);

impl Properties {
    /// Parses Java properties in ISO-8859-1 with escapes such as `\u20AC`. (The parser reads Windows-1252, which differs
    /// only in control characters.)
    ///
    /// # Errors
    /// [`PropertiesError`] for a `\u` without four hexadecimal digits.
    fn parse(text: &[u8]) -> Result<Self, PropertiesError> {
        let mut properties = Self::default();
        // A byte order mark would switch the parser to another encoding, in which it may panic. Blanks before a key do not count.
        let text = [b" ", text].concat();
        let mut entries = PropertiesIter::new(text.as_slice());
        entries.read_into(|key, value| properties.insert(&key, &value))?;
        Ok(properties)
    }

    fn insert(&mut self, key: &str, value: &str) {
        let words: Vec<&str> = value.split_whitespace().collect();
        let value = words.join(" ");
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
    /// Value of a field; `None` if it is missing or empty.
    fn text(&self, field: &str) -> Option<&str> {
        let text = self.0.get(field)?.as_str();
        (!text.is_empty()).then_some(text)
    }

    /// Width, height and depth in centimetres, if all three are stated.
    ///
    /// # Errors
    /// The reason, if one of them is not a number above 0.
    fn size_cm(&self) -> Result<Option<[f32; 3]>, String> {
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

    /// Rotation of the model (`modelRotation`), row-major, if stated.
    ///
    /// # Errors
    /// The reason, if the field does not hold nine numbers.
    fn rotation(&self) -> Result<Option<[f32; 9]>, String> {
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

#[cfg(test)]
mod tests {
    use super::super::test_zip::{catalogue, entry, zip};
    use super::*;

    fn read_lines(lines: &str, models: &[&str]) -> Listing {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.sh3f");
        catalogue(&path, lines, models);
        read(&path).unwrap()
    }

    fn reason(lines: &str) -> String {
        let listing = read_lines(lines, &["m/1.obj"]);
        assert_eq!((listing.objects.len(), listing.set_aside.len()), (0, 1));
        listing.set_aside[0].reason.clone()
    }

    fn parsed(lines: &str) -> Entry {
        let mut properties = Properties::parse(lines.as_bytes()).unwrap();
        properties.entries.remove(&1).unwrap()
    }

    #[test]
    fn all_fields_of_an_entry_reach_its_object() {
        let lines = "license=CC BY 3.0\nid#7=Scopia#x\nname#7=Coffee table\ncategory#7=Living room\n\
                     model#7=/m/1.obj\nwidth#7=90\nheight#7=40\ndepth#7=50\ncreator#7=Someone\n\
                     doorOrWindow#7=false\nmodelRotation#7=1 0 0 0 1 0 0 0 1\n";
        let listing = read_lines(lines, &["m/1.obj"]);
        let object = &listing.objects[0];
        assert_eq!(object.id, "Scopia#x");
        assert_eq!(object.name, "Coffee table");
        assert_eq!(object.category, "table");
        assert_eq!(object.group, "Living room");
        assert_eq!(object.creator, "Someone");
        assert_eq!(object.licence, "CC BY 3.0");
        assert_eq!(object.half, Half::of("Scopia#x"));
        assert_eq!(object.size_cm, Some([90.0, 40.0, 50.0]));
        assert_eq!(object.rotation.unwrap()[4], 1.0);
        assert!(object.is_thing);
        assert!(
            object.place().ends_with("c.sh3f: m/1.obj"),
            "{}",
            object.place()
        );
    }

    #[test]
    fn doors_fixed_names_and_flat_objects_are_not_things() {
        let is_thing = |more: &str, name| {
            let lines = format!("{}{more}", entry(1, "X#1", name));
            read_lines(&lines, &["m/1.obj"]).objects[0].is_thing
        };
        assert!(is_thing("", "Chair"));
        assert!(!is_thing("doorOrWindow#1=true\n", "Chair"));
        assert!(!is_thing("", "Wall socket"));
        assert!(!is_thing("width#1=100\nheight#1=1\ndepth#1=100\n", "Chair"));
    }

    #[test]
    fn a_bad_entry_is_refused_and_the_others_are_read() {
        let lines = [entry(1, "X#1", "Chair"), entry(2, "X#2", "Chair")].concat();
        let listing = read_lines(&lines, &["m/1.obj"]);
        assert_eq!(listing.objects.len(), 1);
        let refused = &listing.set_aside[0];
        assert_eq!(refused.id, "X#2");
        assert_eq!(
            refused.reason,
            r#"the model "/m/2.obj" is not in the catalogue"#
        );
    }

    #[test]
    fn each_fault_of_an_entry_has_its_own_reason() {
        assert_eq!(reason("id#1=X#1\nname#1=Chair\n"), "an entry without model");
        assert_eq!(
            reason("name#1=Chair\nmodel#1=/m/1.obj\n"),
            "an entry without id"
        );
        let with = |line: &str| reason(&format!("id#1=X#1\n{line}"));
        assert_eq!(
            with("model#1=/m/1.dae\n"),
            r#"the model is "/m/1.dae"; expected an .obj file"#
        );
        assert_eq!(
            with("model#1=../1.obj\n"),
            r#"the model "../1.obj" lies outside the catalogue"#
        );
        let with = |line: &str| with(&format!("model#1=/m/1.obj\n{line}"));
        assert!(with("width#1=x\nheight#1=1\ndepth#1=1\n").starts_with("width is"));
        assert!(with("modelRotation#1=1\n").starts_with("modelRotation is"));
    }

    #[test]
    fn the_error_for_a_file_that_is_not_a_catalogue_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.sh3f");
        std::fs::write(&path, "not a zip").unwrap();
        let error = read(&path).err().unwrap();
        assert!(matches!(error, CatalogError::NotAZip { .. }), "{error:?}");
        assert!(error.to_string().contains("c.sh3f"), "{error}");
        zip(&path, &[("other.txt", b"")]);
        let error = read(&path).err().unwrap();
        assert!(
            matches!(error, CatalogError::NoProperties { .. }),
            "{error:?}"
        );
        zip(&path, &[(LIST, b"name#1=\\u20\n")]);
        let error = read(&path).err().unwrap();
        assert!(
            matches!(error, CatalogError::BadProperties { .. }),
            "{error:?}"
        );
    }

    #[test]
    fn a_byte_order_mark_does_not_panic() {
        for mark in [
            &b"\xFE\xFF"[..],
            b"\xFF\xFE",
            b"\xEF\xBB\xBF",
            b"\xFE\xFF\xFF\xFE\x03",
        ] {
            let text = [mark, b"name#1=a\nname#2=b\n"].concat();
            let properties = Properties::parse(&text).unwrap();
            assert_eq!(properties.entries[&2].text("name"), Some("b"), "{mark:?}");
        }
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
        let size = parsed("depth#1=3\nheight#1=2.5\nwidth#1=1\n").size_cm();
        assert_eq!(size, Ok(Some([1.0, 2.5, 3.0])));
        assert_eq!(parsed("depth#1=3\nheight#1=2.5\n").size_cm(), Ok(None));
    }

    #[test]
    fn a_size_that_is_not_a_number_above_0_is_refused() {
        for bad in ["0", "-1", "NaN", "inf", "12 cm"] {
            let error = parsed(&format!("width#1={bad}\nheight#1=1\ndepth#1=1\n")).size_cm();
            let expected = format!("width is {bad:?}; expected a number > 0");
            assert_eq!(error, Err(expected));
        }
    }

    #[test]
    fn a_rotation_is_nine_numbers() {
        let rotation = parsed("modelRotation#1=0 0 1 -1 0 0 0 -1 0\n").rotation();
        assert_eq!(
            rotation,
            Ok(Some([0.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, -1.0, 0.0]))
        );
        assert_eq!(parsed("name#1=x\n").rotation(), Ok(None));
        for bad in ["1 0 0", "1 0 0 0 1 0 0 0 x", "1 0 0 0 1 0 0 0 1 0"] {
            assert!(
                parsed(&format!("modelRotation#1={bad}\n"))
                    .rotation()
                    .is_err()
            );
        }
    }
}
