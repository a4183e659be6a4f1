//! Lists GOT-10k as distributed: `train`, `val` and `test`, each with `list.txt` and a folder for each sequence.

use std::collections::HashSet;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use vidpairs_types::{Annotation, Clip, Media, is_still_name};

use crate::disk;
use crate::error::SourceError;
use crate::files::{Entry, Files, Kind, lines};
use crate::listing::Listing;
use crate::splits::{Split, Splits};

/// Frame rate of a sequence whose `meta_info.ini` does not state one.
const DEFAULT_FPS: f64 = 10.0;

/// Number in the name of the first frame: `00000001.jpg`.
const FIRST_NUMBER: u64 = 1;

/// Names of the splits.
const SPLITS: [&str; 3] = ["train", "val", "test"];

/// Name of the file with the boxes of a sequence, one line per frame.
pub(crate) const GROUND_TRUTH: &str = "groundtruth.txt";

/// Names of the files with one number per frame: whether the target is out of sight or reaches beyond the image, and how much of it is
/// visible.
pub(crate) const ABSENCE: &str = "absence.label";
pub(crate) const CUT_BY_IMAGE: &str = "cut_by_image.label";
pub(crate) const COVER: &str = "cover.label";

/// Name of the file with the frame rate and the class of a sequence.
const META_INFO: &str = "meta_info.ini";

/// Names of all files of a sequence beside its pictures.
pub(crate) const TRUTH_FILES: [&str; 5] = [GROUND_TRUTH, ABSENCE, CUT_BY_IMAGE, COVER, META_INFO];

/// Lists the whole data set or the folder of one split.
pub(crate) fn list(
    files: &dyn Files,
    root: &Path,
    requested: &[String],
) -> Result<Listing, SourceError> {
    let mut listing = Listing::default();
    for split in splits_of(files, root)?.chosen(root, requested)? {
        list_split(files, &split, &mut listing)?;
    }
    Ok(listing)
}

fn splits_of(files: &dyn Files, root: &Path) -> Result<Splits, SourceError> {
    let entries = files.root_entries(root)?;
    let is_split = |entry: &&Entry| entry.is_folder() && SPLITS.contains(&entry.name.as_str());
    let existing: Vec<Split> = entries.iter().filter(is_split).map(Split::of).collect();
    if !existing.is_empty() {
        return Ok(Splits {
            existing,
            default_name: "train",
            is_default: |name| name == "train",
        });
    }
    let is_list = |entry: &Entry| entry.name == "list.txt" && matches!(entry.kind, Kind::File);
    if entries
        .iter()
        .any(|entry| is_list(entry) || is_sequence(files, entry))
    {
        return Ok(Splits::only(root, disk::own_name(root)));
    }
    Err(SourceError::WrongRoot {
        root: root.to_owned(),
        wanted: "GOT-10k split",
        looked_for: "train/, val/ and test/, or one split's list.txt and sequence folders",
        found: entries.into_iter().map(|entry| entry.name).collect(),
    })
}

/// Whether an entry is a folder with boxes or pictures.
fn is_sequence(files: &dyn Files, entry: &Entry) -> bool {
    entry.is_folder()
        && (files.is_file(&entry.path.join(GROUND_TRUTH))
            || files.has_name(&entry.path, is_still_name).unwrap_or(false))
}

/// Adds the sequences of `list.txt`; without a list, all sequence folders.
fn list_split(files: &dyn Files, split: &Split, listing: &mut Listing) -> Result<(), SourceError> {
    let file = split.path.join("list.txt");
    let num_before = listing.num_inputs();
    let sequences = match files.read_text_if_any(&file)? {
        Some(text) => named_sequences(files, split, &file, &text, listing),
        None => present_sequences(files, split, listing)?,
    };
    listing.clips.extend(clips(files, &sequences)?);
    split.refuse_if_empty(num_before, listing);
    Ok(())
}

/// Id and folder of a sequence.
type Sequence = (String, PathBuf);

fn named_sequences(
    files: &dyn Files,
    split: &Split,
    file: &Path,
    text: &[u8],
    listing: &mut Listing,
) -> Vec<Sequence> {
    let mut sequences = Vec::new();
    let mut seen = HashSet::new();
    for (number, line) in lines(text) {
        if line.is_empty() || !seen.insert(line) {
            continue;
        }
        let name = String::from_utf8_lossy(line);
        let id = format!("{}/{name}", split.name);
        // A sequence is a folder of the split itself.
        let is_plain = !name.contains(['/', '\\', '\u{FFFD}']) && name != "." && name != "..";
        let path = split.path.join(name.as_ref());
        if !is_plain {
            let reason = format!("list.txt line {number} is not the name of a folder");
            listing.refuse(&id, file, reason);
        } else if files.is_folder(&path) {
            sequences.push((id, path));
        } else {
            let reason = format!("no such folder, though list.txt line {number} names it");
            listing.refuse(&id, &path, reason);
        }
    }
    sequences
}

fn present_sequences(
    files: &dyn Files,
    split: &Split,
    listing: &mut Listing,
) -> Result<Vec<Sequence>, SourceError> {
    let mut sequences = Vec::new();
    for entry in files.readable_entries(&split.path)? {
        let id = format!("{}/{}", split.name, entry.name);
        if !is_sequence(files, &entry) {
            if !entry.is_folder() {
                listing.ignored.add(&entry.path);
            }
        } else if entry.has_utf8_name() {
            sequences.push((id, entry.path));
        } else {
            listing.refuse(&id, &entry.path, "its name is not UTF-8");
        }
    }
    Ok(sequences)
}

/// Clips of the sequences, in their order. Opens a file of each.
fn clips(files: &dyn Files, sequences: &[Sequence]) -> Result<Vec<Clip>, SourceError> {
    let clips_of = |sequences: &[Sequence]| -> Result<Vec<Clip>, SourceError> {
        let clips = sequences.iter().map(|(id, folder)| clip(files, id, folder));
        clips.collect()
    };
    let share = sequences.len().div_ceil(files.num_readers()).max(1);
    if share >= sequences.len() {
        return clips_of(sequences);
    }
    thread::scope(|scope| {
        let shares = sequences.chunks(share);
        let readers: Vec<_> = shares
            .map(|share| scope.spawn(move || clips_of(share)))
            .collect();
        let mut clips = Vec::with_capacity(sequences.len());
        for reader in readers {
            let found = reader.join().unwrap_or_else(|panic| resume_unwind(panic));
            clips.extend(found?);
        }
        Ok(clips)
    })
}

fn clip(files: &dyn Files, id: &str, folder: &Path) -> Result<Clip, SourceError> {
    let meta = match MetaInfo::read(files, folder) {
        // The next listing may get it, and must give the same clip.
        Err(error) if files.is_transient(&error) => return Err(error),
        // If the file is unreadable, the clip has the default frame rate and no class.
        found => found.unwrap_or_default(),
    };
    let has_boxes = files.exists(&folder.join(GROUND_TRUTH));
    Ok(Clip {
        id: id.to_owned(),
        annotation: if has_boxes {
            Annotation::Got10k(folder.to_owned())
        } else {
            Annotation::None
        },
        media: Media::JpegFolder {
            path: folder.to_owned(),
            fps: Some(meta.fps.unwrap_or(DEFAULT_FPS)),
            first_number: Some(FIRST_NUMBER),
        },
        label: meta.object_class,
    })
}

/// Values used from the `meta_info.ini` of a sequence.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct MetaInfo {
    /// Frames per second, `anno_fps`; `None` unless it is a positive number.
    pub(crate) fps: Option<f64>,
    /// Class of the object, `object_class`; `None` if it is empty.
    pub(crate) object_class: Option<String>,
}

impl MetaInfo {
    /// Reads the file in `folder`; without a file, all values are `None`.
    pub(crate) fn read(files: &dyn Files, folder: &Path) -> Result<Self, SourceError> {
        let text = files.read_text_if_any(&folder.join(META_INFO))?;
        Ok(text.map(|text| Self::parse(&text)).unwrap_or_default())
    }

    fn parse(text: &[u8]) -> Self {
        let mut meta = Self::default();
        for (_, line) in lines(text) {
            let line = String::from_utf8_lossy(line);
            let Some((key, value)) = line.split_once([':', '=']) else {
                continue;
            };
            match (key.trim(), value.trim()) {
                ("anno_fps", value) => meta.fps = fps(value),
                ("object_class", value) if !value.is_empty() => {
                    meta.object_class = Some(value.to_owned());
                }
                _ => {}
            }
        }
        meta
    }
}

/// Parses a frame rate such as `10`, `10Hz` or `10 fps`.
fn fps(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let fps: f64 = number.trim_end().parse().ok()?;
    (fps.is_finite() && fps > 0.0).then_some(fps)
}

#[cfg(test)]
mod tests {
    use vidpairs_types::SourceKind;

    use super::*;
    use crate::test_tree::{ids, listed, refused, tree, write};

    fn got10k(root: &Path, splits: &[&str]) -> Listing {
        listed(SourceKind::Got10k, root, splits).unwrap()
    }

    fn error_text(root: &Path, splits: &[&str]) -> String {
        let error = listed(SourceKind::Got10k, root, splits).unwrap_err();
        error.to_string().replace(&*root.to_string_lossy(), "ROOT")
    }

    #[test]
    fn train_is_the_default_and_the_folder_of_a_split_gives_the_same_ids() {
        let root = tree(&[
            "train/S_2/1.jpg",
            "train/S_1/groundtruth.txt",
            "val/V_1/1.jpg",
        ]);
        write(root.path(), "train/list.txt", "S_2\r\nS_1\r\nS_2\r\n\r\n");
        let train = got10k(root.path(), &[]);
        assert_eq!(ids(&train), ["train/S_1", "train/S_2"]);
        assert_eq!(train, got10k(&root.path().join("train"), &[]));
        assert_eq!(ids(&got10k(root.path(), &["val"])), ["val/V_1"]);
        let spaced = tree(&["train/my dog 1/1.jpg"]);
        write(spaced.path(), "train/list.txt", "my dog 1\r\n");
        assert_eq!(ids(&got10k(spaced.path(), &[])), ["train/my dog 1"]);
        let annotations: Vec<_> = train.clips.iter().map(|clip| &clip.annotation).collect();
        let folder = root.path().join("train/S_1");
        assert_eq!(
            annotations,
            [&Annotation::Got10k(folder), &Annotation::None]
        );
    }

    #[test]
    fn without_a_list_every_folder_with_boxes_or_jpegs_is_a_sequence() {
        let root = tree(&[
            "val/B/1.jpg",
            "val/A/groundtruth.txt",
            "val/notes/x.md",
            "val/y.md",
        ]);
        let listing = got10k(&root.path().join("val"), &[]);
        assert_eq!(ids(&listing), ["val/A", "val/B"]);
        assert_eq!(listing.ignored.to_string(), "1 other file (1 .md)");
    }

    #[test]
    fn a_listed_sequence_that_is_missing_or_outside_the_split_is_refused() {
        let root = tree(&["train/A/1.jpg", "other/1.jpg", "val/"]);
        write(root.path(), "train/list.txt", "A\ngone\n../other\n..\n");
        let listing = got10k(root.path(), &["train", "val"]);
        assert_eq!(ids(&listing), ["train/A"]);
        let expected = [
            ("train/..", "list.txt line 4 is not the name of a folder"),
            (
                "train/../other",
                "list.txt line 3 is not the name of a folder",
            ),
            (
                "train/gone",
                "no such folder, though list.txt line 2 names it",
            ),
            ("val", "a split without videos"),
        ];
        assert_eq!(refused(&listing), expected);
    }

    #[test]
    fn frame_rate_and_class_are_read_from_meta_info_and_default_if_it_is_damaged() {
        let root = tree(&["train/A/1.jpg", "train/B/1.jpg", "train/C/1.jpg"]);
        let meta =
            "[METAINFO]\nurl: https://a.b/c?d=e:f\nanno_fps: 5Hz\nobject_class: snow leopard\n";
        write(root.path(), "train/A/meta_info.ini", meta);
        write(
            root.path(),
            "train/B/meta_info.ini",
            b"\xFF\nanno_fps: -3\nobject_class:\n",
        );
        let listing = got10k(root.path(), &[]);
        let known: Vec<_> = listing
            .clips
            .iter()
            .map(|clip| (&clip.media, &clip.label))
            .collect();
        let media = |name: &str, fps| Media::JpegFolder {
            path: root.path().join("train").join(name),
            fps: Some(fps),
            first_number: Some(1),
        };
        let label = Some("snow leopard".to_owned());
        let expected = [
            (&media("A", 5.0), &label),
            (&media("B", 10.0), &None),
            (&media("C", 10.0), &None),
        ];
        assert_eq!(known, expected);
    }

    #[test]
    fn a_frame_rate_may_have_a_unit() {
        assert_eq!(fps("10"), Some(10.0));
        assert_eq!(fps("10Hz"), Some(10.0));
        assert_eq!(fps("29.97 fps"), Some(29.97));
        for text in ["", "Hz", "0", "-1", "inf", "NaN", "ten"] {
            assert_eq!(fps(text), None, "{text}");
        }
    }

    #[test]
    fn wrong_roots_and_missing_splits_give_different_errors() {
        let root = tree(&["videos/a.mp4"]);
        assert_eq!(
            error_text(root.path(), &[]),
            "no GOT-10k split in ROOT: looked for train/, val/ and test/, or one split's list.txt \
             and sequence folders; found: videos"
        );
        let root = tree(&["val/A/1.jpg"]);
        assert_eq!(
            error_text(root.path(), &[]),
            "no split train in ROOT; found: val; name the splits to list"
        );
        assert_eq!(
            error_text(root.path(), &["dev"]),
            "no split `dev` in ROOT; found: val"
        );
    }
}
