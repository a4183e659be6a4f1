//! Lists TrackingNet as distributed: `TRAIN_0 .. TRAIN_11` and `TEST`, each with `zips`, `frames` and `anno`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use vidpairs_types::{Annotation, Clip, Media};

use crate::disk;
use crate::error::SourceError;
use crate::files::{Entry, Files, Kind};
use crate::labels::{self, Labels};
use crate::listing::Listing;
use crate::splits::{Split, Splits};

/// Frame rate of every video.
const FPS: f64 = 30.0;

/// Number in the name of the first frame: `0.jpg`.
const FIRST_NUMBER: u64 = 0;

/// Folders of a split. Any of them identifies it.
const PARTS: [&str; 3] = ["zips", "frames", "anno"];

/// Lists the whole data set or the folder of one split.
pub(crate) fn list(
    files: &dyn Files,
    root: &Path,
    requested: &[String],
) -> Result<Listing, SourceError> {
    let splits = splits_of(files, root)?.chosen(root, requested)?;
    let labels = labels::read(files, root)?;
    let mut listing = Listing::default();
    for split in &splits {
        // Labels in the folder of the split take precedence over those at the root.
        let mut split_labels = labels.clone();
        if split.path != root {
            split_labels.extend(labels::read(files, &split.path)?);
        }
        list_split(files, split, &split_labels, &mut listing);
    }
    Ok(listing)
}

fn splits_of(files: &dyn Files, root: &Path) -> Result<Splits, SourceError> {
    let entries = files.root_entries(root)?;
    let is_split = |name: &str| name == "TEST" || is_train(name);
    let folders = || entries.iter().filter(|entry| entry.is_folder());
    let existing: Vec<Split> = folders()
        .filter(|entry| is_split(&entry.name))
        .map(Split::of)
        .collect();
    if !existing.is_empty() {
        return Ok(Splits {
            existing,
            default_name: "TRAIN_*",
            is_default: is_train,
        });
    }
    if folders().any(|entry| PARTS.contains(&entry.name.as_str())) {
        return Ok(Splits::only(root, disk::own_name(root)));
    }
    Err(SourceError::WrongRoot {
        root: root.to_owned(),
        wanted: "TrackingNet split",
        looked_for: "TRAIN_0 .. TRAIN_11 and TEST, or one split's zips/, frames/ and anno/",
        found: entries.into_iter().map(|entry| entry.name).collect(),
    })
}

fn is_train(name: &str) -> bool {
    name.starts_with("TRAIN_")
}

fn list_split(files: &dyn Files, split: &Split, labels: &Labels, listing: &mut Listing) {
    let num_before = listing.num_inputs();
    let mut videos = BTreeMap::new();
    for part in PARTS {
        for entry in part_entries(files, split, part, listing) {
            match video_name(part, &entry) {
                None => listing.ignored.add(&entry.path),
                Some(video) if entry.has_utf8_name() => {
                    let parts: &mut Parts = videos.entry(video.to_owned()).or_default();
                    parts.add(part, entry);
                }
                Some(video) => {
                    let id = format!("{}/{video}", split.name);
                    listing.refuse(&id, &entry.path, "its name is not UTF-8");
                }
            }
        }
    }
    for (video, parts) in videos {
        let id = format!("{}/{video}", split.name);
        let place = parts.anno.clone().unwrap_or_else(|| split.path.clone());
        match parts.into_media() {
            Ok((media, annotation)) => listing.clips.push(Clip {
                id,
                media,
                annotation,
                label: labels.get(&video).cloned(),
            }),
            Err(reason) => listing.refuse(&id, &place, reason),
        }
    }
    split.refuse_if_empty(num_before, listing);
}

/// Entries of `zips`, `frames` or `anno`; none if there is no such folder, which is common.
fn part_entries(files: &dyn Files, split: &Split, part: &str, listing: &mut Listing) -> Vec<Entry> {
    let folder = split.path.join(part);
    match files.entries(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let id = format!("{}/{part}", split.name);
            listing.refuse(&id, &folder, format!("cannot be read: {error}"));
            Vec::new()
        }
    }
}

/// Name of the video to which an entry of `part` belongs; `None` for other files.
fn video_name<'a>(part: &str, entry: &'a Entry) -> Option<&'a str> {
    match part {
        "zips" => entry.stem_before("zip"),
        "anno" => entry.stem_before("txt"),
        _ => Some(entry.name.as_str()).filter(|_| !matches!(entry.kind, Kind::File)),
    }
}

/// Files of one video in a split.
#[derive(Default)]
struct Parts {
    zip: Option<PathBuf>,
    frames: Option<PathBuf>,
    anno: Option<PathBuf>,
    /// Reason why a zip or a folder of frames cannot be used.
    unusable: Option<String>,
}

impl Parts {
    fn add(&mut self, part: &str, entry: Entry) {
        match (part, &entry.kind) {
            ("zips", Kind::File) => self.zip = Some(entry.path),
            ("frames", Kind::Folder) => self.frames = Some(entry.path),
            // Of any kind: reading the annotation reports problems.
            ("anno", _) => self.anno = Some(entry.path),
            (_, kind) => {
                let reason = kind
                    .problem_as_file()
                    .expect("`video_name` leaves out files in `frames`");
                self.unusable = Some(format!("{part}/{} {reason}", entry.name));
            }
        }
    }

    /// Frames and boxes of the video, or the reason why there are no frames.
    fn into_media(self) -> Result<(Media, Annotation), String> {
        let (fps, first_number) = (Some(FPS), Some(FIRST_NUMBER));
        // The zip takes precedence: it is complete even if unpacking was interrupted.
        let media = match (self.zip, self.frames) {
            (Some(path), _) => Media::JpegZip {
                path,
                fps,
                first_number,
            },
            (None, Some(path)) => Media::JpegFolder {
                path,
                fps,
                first_number,
            },
            (None, None) => {
                let missing = || "media missing: neither zips/<video>.zip nor frames/<video>/";
                return Err(self.unusable.unwrap_or_else(|| missing().to_owned()));
            }
        };
        let annotation = self.anno.map_or(Annotation::None, Annotation::TrackingNet);
        Ok((media, annotation))
    }
}

#[cfg(test)]
mod tests {
    use vidpairs_types::SourceKind;

    use super::*;
    use crate::test_tree::{ids, listed, make_fifo, refused, tree, write};

    fn trackingnet(root: &Path, splits: &[&str]) -> Listing {
        listed(SourceKind::TrackingNet, root, splits).unwrap()
    }

    fn error_text(root: &Path, splits: &[&str]) -> String {
        let error = listed(SourceKind::TrackingNet, root, splits).unwrap_err();
        error.to_string().replace(&*root.to_string_lossy(), "ROOT")
    }

    #[test]
    fn every_train_split_is_listed_by_default_and_test_only_on_request() {
        let root = tree(&[
            "TRAIN_10/zips/_b_0.zip",
            "TRAIN_2/zips/-a_1.zip",
            "TRAIN_2/zips/-a_0.zip",
            "TEST/zips/t_0.zip",
            "readme.md",
        ]);
        let default = trackingnet(root.path(), &[]);
        assert_eq!(
            ids(&default),
            ["TRAIN_10/_b_0", "TRAIN_2/-a_0", "TRAIN_2/-a_1"]
        );
        let named = trackingnet(root.path(), &["TEST", "TRAIN_10", "TEST"]);
        assert_eq!(ids(&named), ["TEST/t_0", "TRAIN_10/_b_0"]);
    }

    #[test]
    fn the_folder_of_one_split_gives_the_same_ids_as_the_whole_data_set() {
        let root = tree(&["TEST/zips/t_0.zip"]);
        let whole = trackingnet(root.path(), &["TEST"]);
        assert_eq!(whole, trackingnet(&root.path().join("TEST"), &[]));
        assert_eq!(whole, trackingnet(&root.path().join("TEST"), &["TEST"]));
    }

    #[test]
    fn a_zip_takes_precedence_over_frames_and_boxes_are_optional() {
        let root = tree(&[
            "TRAIN_0/zips/both.zip",
            "TRAIN_0/frames/both/0.jpg",
            "TRAIN_0/frames/unpacked/0.jpg",
            "TRAIN_0/anno/both.txt",
            "TRAIN_0/zips/checksums.md5",
        ]);
        let split = root.path().join("TRAIN_0");
        let listing = trackingnet(root.path(), &[]);
        let [both, unpacked] = listing.clips.as_slice() else {
            panic!("{:?}", ids(&listing))
        };
        let (fps, first_number) = (Some(30.0), Some(0));
        let path = split.join("zips/both.zip");
        let zip = Media::JpegZip {
            path,
            fps,
            first_number,
        };
        assert_eq!(both.media, zip);
        assert_eq!(
            both.annotation,
            Annotation::TrackingNet(split.join("anno/both.txt"))
        );
        let path = split.join("frames/unpacked");
        let folder = Media::JpegFolder {
            path,
            fps,
            first_number,
        };
        assert_eq!(unpacked.media, folder);
        assert_eq!(unpacked.annotation, Annotation::None);
        assert_eq!(listing.ignored.to_string(), "1 other file (1 .md5)");
    }

    #[test]
    fn boxes_without_frames_and_a_zip_that_is_a_fifo_are_refused() {
        let root = tree(&["TRAIN_0/zips/a.zip", "TRAIN_0/anno/b.txt", "TRAIN_1/"]);
        make_fifo(root.path(), "TRAIN_0/zips/c.zip");
        let listing = trackingnet(root.path(), &[]);
        assert_eq!(ids(&listing), ["TRAIN_0/a"]);
        let expected = [
            (
                "TRAIN_0/b",
                "media missing: neither zips/<video>.zip nor frames/<video>/",
            ),
            ("TRAIN_0/c", "zips/c.zip is a FIFO, not a regular file"),
            ("TRAIN_1", "a split without videos"),
        ];
        assert_eq!(refused(&listing), expected);
    }

    #[test]
    fn hidden_files_of_a_split_are_left_out() {
        let root = tree(&[
            "TRAIN_0/zips/a.zip",
            "TRAIN_0/zips/._a.zip",
            "TRAIN_0/anno/.b.txt",
            "TRAIN_0/frames/.c/0.jpg",
        ]);
        let listing = trackingnet(root.path(), &[]);
        assert_eq!(ids(&listing), ["TRAIN_0/a"]);
        assert_eq!((listing.refused.len(), listing.ignored.total()), (0, 0));
    }

    #[test]
    fn labels_of_the_split_take_precedence_over_those_of_the_root() {
        let root = tree(&[
            "TRAIN_0/zips/a.zip",
            "TRAIN_0/zips/b.zip",
            "TRAIN_0/zips/c.zip",
        ]);
        write(
            root.path(),
            "labels.csv",
            "video,label\na,cat\nb,dog\nother,ox\n",
        );
        write(root.path(), "TRAIN_0/labels.txt", "b\twolf\n");
        let listing = trackingnet(root.path(), &[]);
        let labels: Vec<_> = listing
            .clips
            .iter()
            .map(|clip| clip.label.as_deref())
            .collect();
        assert_eq!(labels, [Some("cat"), Some("wolf"), None]);
    }

    #[test]
    fn the_error_for_a_wrong_root_states_expected_and_existing_names() {
        let root = tree(&["a", "b/", "c", "d", "e"]);
        assert_eq!(
            error_text(root.path(), &[]),
            "no TrackingNet split in ROOT: looked for TRAIN_0 .. TRAIN_11 and TEST, or one split's \
             zips/, frames/ and anno/; found: a, b, c (and 2 more)"
        );
        assert_eq!(
            error_text(&root.path().join("gone"), &[]),
            "ROOT does not exist"
        );
    }

    #[test]
    fn the_error_for_a_missing_split_states_the_existing_splits() {
        let root = tree(&["TEST/zips/t.zip"]);
        assert_eq!(
            error_text(root.path(), &["TRAIN_3"]),
            "no split `TRAIN_3` in ROOT; found: TEST"
        );
        assert_eq!(
            error_text(root.path(), &[]),
            "no split TRAIN_* in ROOT; found: TEST; name the splits to list"
        );
    }

    #[test]
    fn a_data_set_without_a_clip_is_an_error_that_states_the_first_refusal() {
        let root = tree(&["TRAIN_0/anno/b.txt"]);
        let text = error_text(root.path(), &[]);
        assert!(
            text.contains("1 refused, the first: TRAIN_0/b: media missing"),
            "{text}"
        );
    }
}
