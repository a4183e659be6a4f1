//! A catalogue of Sweet Home 3D: a ZIP with a list of objects and their files.

use std::path::Path;
use std::sync::Arc;

use super::category::{class_of, is_flat};
use super::files::{Place, Zip};
use super::half::Half;
use super::properties::{Entry, Properties};
use super::{CatalogError, CatalogObject, Found, refusal};

const LIST: &str = "PluginFurnitureCatalog.properties";

/// Reads the list of the catalogue at `path`, and looks up whether each model is there.
///
/// # Errors
/// [`CatalogError`] if it is no catalogue. A bad entry is set aside.
pub(super) fn read(path: &Path) -> Result<Found, CatalogError> {
    let path: Arc<Path> = Arc::from(path);
    let mut zip = Zip::open(&path)?;
    if !zip.holds(LIST) {
        return Err(CatalogError::NoProperties {
            catalogue: path.to_path_buf(),
        });
    }
    let text = zip.read(LIST, LIST, &path.display().to_string())?;
    let properties = Properties::parse(&text).map_err(|source| CatalogError::BadProperties {
        catalogue: path.to_path_buf(),
        source,
    })?;
    let mut found = Found::default();
    for (number, entry) in &properties.entries {
        match object(entry, &properties.licence, &mut zip, &path) {
            Ok(object) => found.objects.push(object),
            Err(reason) => {
                let id = entry
                    .text("id")
                    .map_or_else(|| format!("{}#{number}", path.display()), str::to_owned);
                let place = path.display().to_string();
                found.set_aside.push(refusal(&id, &place, reason));
            }
        }
    }
    Ok(found)
}

/// The object of an entry, or in words why it is none.
fn object(
    entry: &Entry,
    licence: &str,
    zip: &mut Zip,
    path: &Arc<Path>,
) -> Result<CatalogObject, String> {
    let id = entry.text("id").ok_or("an entry without id")?;
    let model = entry.text("model").ok_or("an entry without model")?;
    let has_extension = |wanted| {
        let extension = model.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|found: &str| found.eq_ignore_ascii_case(wanted))
    };
    if !has_extension("obj") {
        return Err(format!("the model is {model:?}; expected an .obj file"));
    }
    // A leading slash means the top of the ZIP.
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

#[cfg(test)]
mod tests {
    use super::super::test_zip::{catalogue, entry, zip};
    use super::*;

    fn read_lines(lines: &str, models: &[&str]) -> Found {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.sh3f");
        catalogue(&path, lines, models);
        read(&path).unwrap()
    }

    fn reason(lines: &str) -> String {
        let found = read_lines(lines, &["m/1.obj"]);
        assert_eq!((found.objects.len(), found.set_aside.len()), (0, 1));
        found.set_aside[0].reason.clone()
    }

    #[test]
    fn an_entry_becomes_an_object_with_all_that_is_said_of_it() {
        let lines = "license=CC BY 3.0\nid#7=Scopia#x\nname#7=Coffee table\ncategory#7=Living room\n\
                     model#7=/m/1.obj\nwidth#7=90\nheight#7=40\ndepth#7=50\ncreator#7=Someone\n\
                     doorOrWindow#7=false\nmodelRotation#7=1 0 0 0 1 0 0 0 1\n";
        let found = read_lines(lines, &["m/1.obj"]);
        let object = &found.objects[0];
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
    fn doors_fixed_names_and_flat_objects_are_no_things() {
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
    fn a_bad_entry_is_set_aside_and_the_rest_goes_on() {
        let lines = [entry(1, "X#1", "Chair"), entry(2, "X#2", "Chair")].concat();
        let found = read_lines(&lines, &["m/1.obj"]);
        assert_eq!(found.objects.len(), 1);
        let refused = &found.set_aside[0];
        assert_eq!(refused.id, "X#2");
        assert_eq!(
            refused.reason,
            r#"the model "/m/2.obj" is not in the catalogue"#
        );
    }

    #[test]
    fn every_fault_of_an_entry_is_told() {
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
    fn a_file_that_is_no_catalogue_is_an_error_that_names_it() {
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
}
