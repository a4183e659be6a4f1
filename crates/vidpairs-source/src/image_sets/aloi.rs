//! Lists the image sets of ALOI as distributed: a folder for each object in `png2`, with 72 views, 24 light directions and
//! 12 light colors.
//!
//! Missing images, and objects without images, are left out by name. Images of the other two series are ignored.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use vidpairs_types::Condition;

use super::builder::{ConditionedImage, SetsBuilder};
use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::{Entry, Files};
use crate::natural::natural_order;

/// Series of images of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Series {
    /// Viewpoints, `<id>_r<deg>.png`.
    View,
    /// Light directions, `<id>_l<1-8>c<1-3>.png`.
    LightDirection,
    /// Light colors, `<id>_i<code>.png`.
    LightColor,
}

/// Codes of the light colors.
const COLOR_CODES: [u16; 12] = [110, 120, 130, 140, 150, 160, 170, 180, 190, 210, 230, 250];

impl Series {
    /// Suffixes of the file names, between `<id>_` and `.png`, with their conditions.
    fn suffixes(self) -> Vec<(String, Condition)> {
        match self {
            Self::View => (0..360)
                .step_by(5)
                .map(|degrees| {
                    let view = Condition::View {
                        azimuth: f64::from(degrees),
                        elevation: 0.0,
                    };
                    (format!("r{degrees}"), view)
                })
                .collect(),
            Self::LightDirection => (1..=8)
                .flat_map(|lamps| (1..=3).map(move |camera| (lamps, camera)))
                .map(|(lamps, camera)| {
                    let light = Condition::Light { lamps, camera };
                    (format!("l{lamps}c{camera}"), light)
                })
                .collect(),
            Self::LightColor => COLOR_CODES
                .map(|code| (format!("i{code}"), Condition::LightColor { code }))
                .to_vec(),
        }
    }
}

/// Lists the sets of `series`, one for each object, in the order of their numbers.
///
/// - `root`: folder that holds `png2`, or `png2` itself.
pub(super) fn list_sets(series: Series, root: &Path) -> Result<SetsBuilder, SourceError> {
    let suffixes = series.suffixes();
    let all = [Series::View, Series::LightDirection, Series::LightColor];
    let known: HashSet<String> = all
        .iter()
        .flat_map(|series| series.suffixes())
        .map(|(suffix, _)| suffix)
        .collect();
    let mut sets = SetsBuilder::default();
    let (mut objects, others): (Vec<_>, Vec<_>) = png2(root)?.into_iter().partition(is_object);
    objects.sort_by(|a, b| natural_order(&a.name, &b.name));
    let mut num_others = others.len() as u64;
    for object in objects {
        let entries = match Disk.entries(&object.path) {
            Ok(entries) => entries,
            Err(error) => {
                sets.leave_out(object.name, format!("its folder cannot be read: {error}"));
                continue;
            }
        };
        let is_other = |entry: &&Entry| {
            suffix(&object.name, &entry.name).is_none_or(|suffix| !known.contains(suffix))
        };
        num_others += entries.iter().filter(is_other).count() as u64;
        add_object(&object.name, &suffixes, &entries, &mut sets);
    }
    let reason = "not named like an image of ALOI";
    sets.leave_out_counted(num_others, "other file", "other files", reason);
    Ok(sets)
}

/// Entries of `png2`.
fn png2(root: &Path) -> Result<Vec<Entry>, SourceError> {
    let entries = Disk.root_entries(root)?;
    let is_png2 = |entry: &&Entry| entry.is_folder() && entry.name == "png2";
    if let Some(folder) = entries.iter().find(is_png2) {
        return Disk.readable_entries(&folder.path);
    }
    if entries.iter().any(is_object) {
        return Ok(entries);
    }
    Err(SourceError::WrongRoot {
        root: root.to_owned(),
        wanted: "images of ALOI",
        looked_for: "png2/<id>/, or the folders <id>/ of png2",
        found: entries.into_iter().map(|entry| entry.name).collect(),
    })
}

fn is_object(entry: &Entry) -> bool {
    entry.is_folder() && entry.name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Suffix of the name of an image of object `id`.
fn suffix<'a>(id: &str, name: &'a str) -> Option<&'a str> {
    let after_id = name.strip_prefix(id)?.strip_prefix('_')?;
    after_id.strip_suffix(".png")
}

fn add_object(
    id: &str,
    suffixes: &[(String, Condition)],
    entries: &[Entry],
    sets: &mut SetsBuilder,
) {
    let by_suffix: HashMap<&str, &Entry> = entries
        .iter()
        .filter_map(|entry| Some((suffix(id, &entry.name)?, entry)))
        .collect();
    if !suffixes
        .iter()
        .any(|(suffix, _)| by_suffix.contains_key(&**suffix))
    {
        sets.leave_out(id, format!("has none of its {} images", suffixes.len()));
        return;
    }
    let mut images = Vec::new();
    for (suffix, condition) in suffixes {
        let name = || format!("{id}_{suffix}.png");
        let Some(entry) = by_suffix.get(&**suffix) else {
            sets.leave_out(name(), "missing");
            continue;
        };
        match entry.kind.problem_as_file() {
            Some(reason) => sets.leave_out(name(), reason),
            None => images.push(ConditionedImage {
                path: entry.path.clone(),
                region: None,
                condition: *condition,
            }),
        }
    }
    sets.add_set(id.to_owned(), id, images);
}

#[cfg(test)]
mod tests {
    use vidpairs_types::{Invariance, NearView, Seed};

    use super::*;
    use crate::image_sets::test_sets::{error_text, left_out, sets_of};
    use crate::image_sets::{ImageSetKind, image_sets};
    use crate::test_tree::{make_fifo, tree};

    fn names(ids: &[u32]) -> Vec<String> {
        let all = [Series::View, Series::LightDirection, Series::LightColor];
        all.iter()
            .flat_map(|series| series.suffixes())
            .flat_map(|(suffix, _)| {
                ids.iter()
                    .map(move |id| format!("png2/{id}/{id}_{suffix}.png"))
            })
            .collect()
    }

    fn official(ids: &[u32], besides: &[&str], missing: &[&str]) -> tempfile::TempDir {
        let mut names = names(ids);
        names.retain(|name| !missing.iter().any(|end| name.ends_with(end)));
        let mut all: Vec<&str> = names.iter().map(|name| &**name).collect();
        all.extend(besides);
        tree(&all)
    }

    #[test]
    fn an_object_gives_72_views_24_directions_and_12_colors() {
        let root = official(&[1, 2, 10], &[], &[]);
        for (kind, num_images, invariance) in [
            (ImageSetKind::AloiViewpoint, 72, Invariance::Viewpoint),
            (
                ImageSetKind::AloiDirection,
                24,
                Invariance::IlluminationDirection,
            ),
            (ImageSetKind::AloiColor, 12, Invariance::IlluminationColor),
        ] {
            let found = image_sets(kind, root.path(), Seed::of_run(0)).unwrap();
            assert_eq!(found.invariance, invariance);
            assert_eq!(found.side_px, 128);
            assert_eq!(found.targets, ["1", "2", "10"]);
            assert_eq!(sets_of(&found), [("1", "1"), ("2", "2"), ("10", "10")]);
            assert_eq!(found.images.len(), 3 * num_images);
            assert!(found.images.iter().all(|image| image.region.is_none()));
            assert!(found.left_out.is_empty());
            let in_png2 = image_sets(kind, &root.path().join("png2"), Seed::of_run(0));
            assert_eq!(in_png2.unwrap(), found);
        }
    }

    #[test]
    fn conditions_are_parsed_from_the_names() {
        let root = official(&[7], &[], &[]);
        let condition = |kind, name: &str| {
            let found = image_sets(kind, root.path(), Seed::of_run(0)).unwrap();
            let image = found.images.iter().find(|image| image.path.ends_with(name));
            (image.unwrap().condition, found.near)
        };
        let view = Condition::View {
            azimuth: 355.0,
            elevation: 0.0,
        };
        assert_eq!(
            condition(ImageSetKind::AloiViewpoint, "7/7_r355.png"),
            (view, NearView::Azimuth { under: 60.0 })
        );
        let light = Condition::Light {
            lamps: 3,
            camera: 2,
        };
        assert_eq!(
            condition(ImageSetKind::AloiDirection, "7/7_l3c2.png"),
            (light, NearView::SameCondition)
        );
        let color = Condition::LightColor { code: 250 };
        assert_eq!(
            condition(ImageSetKind::AloiColor, "7/7_i250.png"),
            (color, NearView::SameCondition)
        );
    }

    #[test]
    fn missing_images_and_empty_objects_are_left_out_by_name_and_other_files_counted() {
        let extra = [
            "png2/4/",
            "png2/3/Thumbs.db",
            "png2/3/4_r0.png",
            "png2/3/3_r7.png",
            "png2/a/1.png",
        ];
        let root = official(&[3], &extra, &["3_r45.png", "3_r0.png"]);
        make_fifo(root.path(), "png2/3/3_r0.png");
        let found = image_sets(ImageSetKind::AloiViewpoint, root.path(), Seed::of_run(0)).unwrap();
        assert_eq!(found.images.len(), 70);
        let expected = [
            ("3_r0.png", "is a FIFO, not a regular file"),
            ("3_r45.png", "missing"),
            ("4", "has none of its 72 images"),
            ("4 other files", "not named like an image of ALOI"),
        ];
        assert_eq!(left_out(&found), expected);
    }

    #[test]
    fn wrong_roots_and_roots_without_the_series_give_errors_with_the_reason() {
        let root = tree(&["car/1.png", "notes.txt"]);
        assert_eq!(
            error_text(ImageSetKind::AloiColor, root.path()),
            "no images of ALOI in ROOT: looked for png2/<id>/, or the folders <id>/ of png2; found: car, notes.txt"
        );
        let root = tree(&["png2/1/1_r0.png", "png2/2/2_r0.png"]);
        assert_eq!(
            error_text(ImageSetKind::AloiColor, root.path()),
            "no image set in ROOT: looked for png2/<id>/<id>_i<code>.png; left out: 2, the first: 1: has none \
             of its 12 images"
        );
        let gone = root.path().join("gone");
        assert_eq!(
            error_text(ImageSetKind::AloiColor, &gone),
            "ROOT does not exist"
        );
    }
}
