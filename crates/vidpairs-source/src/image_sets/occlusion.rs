//! Lists the occlusion sets of GOT-10k: frames of a video with different visible shares of the object.
//!
//! A set has one random frame for each level of `cover`, cropped to the annotated box. A frame is usable if its object is
//! present (the box of an absent object is a guess), its box is valid and partly inside the image, and its JPEG exists.
//!
//! Our choices, where the published protocol states nothing: the levels of the usable frames must span [`MIN_SPAN`], so
//! that every set shows occlusion; all frames of a video have the size of its first readable image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::RngExt;
use vidpairs_types::{Annotation, BoxXywh, Clip, Condition, Seed, SizePx, SourceKind, with_causes};

use super::builder::{ConditionedImage, SetsBuilder};
use crate::annotations::{TrackBox, annotations, cover};
use crate::disk::{self, Disk, stored_size};
use crate::error::SourceError;
use crate::files::{Files, Kind};
use crate::listing::Listing;
use crate::{SourceOptions, list};

/// Smallest difference between the highest and the lowest level of `cover`.
const MIN_SPAN: u8 = 4;

/// Reason why a video whose levels span too little has no set.
const NARROW: &str = "its levels of cover span less than 4";

/// Lists the sets of the split `train`, or of the split that is the root; one for each video, sorted by id.
pub(super) fn list_sets(root: &Path, seed: Seed) -> Result<SetsBuilder, SourceError> {
    let options = SourceOptions {
        kind: SourceKind::Got10k,
        splits: Vec::new(),
    };
    let Listing {
        clips,
        refused,
        ignored,
    } = list(root, &options)?;
    let mut sets = SetsBuilder::default();
    for refusal in refused {
        sets.leave_out(refusal.id, refusal.reason);
    }
    for clip in &clips {
        if let Err(reason) = add_video(clip, seed, &mut sets) {
            sets.leave_out(&*clip.id, reason);
        }
    }
    let reason = "outside the folders of the videos";
    sets.leave_out_counted(ignored.total(), "other file", "other files", reason);
    Ok(sets)
}

/// Adds the set of a video, or returns the reason why it has none.
fn add_video(clip: &Clip, seed: Seed, sets: &mut SetsBuilder) -> Result<(), String> {
    let message = |error: SourceError| with_causes(&error);
    if clip.annotation == Annotation::None {
        return Err("it has no groundtruth.txt".to_owned());
    }
    let levels = cover(clip)
        .map_err(message)?
        .ok_or("it has no cover.label")?;
    // Before the frames are listed: this small file can already exclude the video.
    if span(levels.iter()) < Some(MIN_SPAN) {
        return Err(NARROW.to_owned());
    }
    let annotations = annotations(clip).map_err(message)?;
    let target = annotations
        .label
        .ok_or("its meta_info.ini states no object_class")?;
    let boxes = annotations.boxes;
    let frames = Frames::of(clip.media.path())?;
    let candidates = frames.by_level(&levels, &boxes);
    if span(candidates.keys()) < Some(MIN_SPAN) {
        return Err(format!(
            "{NARROW} among frames with a JPEG, a valid box and a present object"
        ));
    }
    report_missing_frames(&clip.id, levels.len(), boxes.len(), &frames, sets);
    let images = draw_frames(candidates, seed.for_step("occlusion", &clip.id));
    sets.add_set(clip.id.clone(), &target, images);
    Ok(())
}

/// Leaves out missing levels and missing frames of a video.
fn report_missing_frames(
    id: &str,
    num_levels: usize,
    num_boxes: usize,
    frames: &Frames,
    sets: &mut SetsBuilder,
) {
    if num_levels < num_boxes {
        let reason = format!("cover.label has {num_levels} lines for {num_boxes} boxes");
        sets.leave_out(id, format!("{reason}: the frames beyond it"));
    }
    let is_missing = |number: &u64| !frames.by_number.contains_key(number);
    match (1..).take(num_boxes).filter(is_missing).count() {
        0 => {}
        num => sets.leave_out(id, format!("{num} of {num_boxes} frames: no JPEG")),
    }
}

/// Draws one random frame of each level, from the lowest.
fn draw_frames(candidates: ByLevel<'_>, seed: Seed) -> Vec<ConditionedImage> {
    let mut rng = seed.rng();
    let draw = |(level, frames): (u8, Vec<(&Path, BoxXywh)>)| {
        let (path, region) = frames[rng.random_range(0..frames.len())];
        ConditionedImage {
            path: path.to_owned(),
            region: Some(region),
            condition: Condition::Cover { level },
        }
    };
    candidates.into_iter().map(draw).collect()
}

/// Difference between the highest and the lowest level; `None` if there is no level.
fn span<'a>(levels: impl Iterator<Item = &'a u8> + Clone) -> Option<u8> {
    Some(levels.clone().max()? - levels.min()?)
}

/// Usable frames of each level of `cover`, with the part of the box inside the image. No level is empty.
type ByLevel<'a> = BTreeMap<u8, Vec<(&'a Path, BoxXywh)>>;

/// Existing frames of a video.
struct Frames {
    /// Paths by the number in the file name, from 1.
    by_number: BTreeMap<u64, PathBuf>,
    size: SizePx,
}

impl Frames {
    fn of(folder: &Path) -> Result<Self, String> {
        let entries = Disk
            .entries(folder)
            .map_err(|error| format!("its folder cannot be read: {error}"))?;
        let by_number: BTreeMap<u64, PathBuf> = entries
            .into_iter()
            .filter(|entry| matches!(entry.kind, Kind::File))
            .filter_map(|entry| Some((frame_number(&entry.name)?, entry.path)))
            .collect();
        let mut paths = by_number.values();
        let size = paths
            .find_map(|path| stored_size(path))
            .ok_or("it has no JPEG with a readable header")?;
        Ok(Self { by_number, size })
    }

    fn by_level(&self, levels: &[u8], boxes: &[Option<TrackBox>]) -> ByLevel<'_> {
        let mut by_level = ByLevel::new();
        for (number, (level, track)) in (1..).zip(levels.iter().zip(boxes)) {
            let present = track.filter(|track| !track.absent);
            let region = present.and_then(|track| track.bbox.clipped(self.size));
            if let Some((path, region)) = self.by_number.get(&number).zip(region) {
                by_level.entry(*level).or_default().push((&**path, region));
            }
        }
        by_level
    }
}

/// Number of a frame in its file name, such as 12 in `00000012.jpg`.
fn frame_number(name: &str) -> Option<u64> {
    let (number, _) = name.rsplit_once('.')?;
    let is_number = disk::is_jpeg_name(name) && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;

    use tempfile::TempDir;
    use vidpairs_types::{ImageSets, Invariance, NearView};

    use super::*;
    use crate::image_sets::test_sets::{error_text, left_out, sets_of};
    use crate::image_sets::{ImageSetKind, image_sets};
    use crate::test_tree::{jpeg_head, tree, write};

    /// Adds a video of 320 x 240 px to `train`, with box, level and absence flag of each frame.
    fn add_sequence(root: &Path, name: &str, class: &str, frames: &[(&str, &str, &str)]) {
        let folder = format!("train/{name}");
        let column = |which: fn(&(&str, &str, &str)) -> String| -> String {
            frames.iter().map(|frame| which(frame) + "\n").collect()
        };
        let file = |file: &str, text: String| write(root, &format!("{folder}/{file}"), text);
        file("groundtruth.txt", column(|frame| frame.0.to_owned()));
        file("cover.label", column(|frame| frame.1.to_owned()));
        file("absence.label", column(|frame| frame.2.to_owned()));
        file("cut_by_image.label", column(|_| "0".to_owned()));
        file(
            "meta_info.ini",
            format!("[METAINFO]\nobject_class: {class}\n"),
        );
        for number in 1..=frames.len() {
            let name = format!("{folder}/{number:08}.jpg");
            write(root, &name, jpeg_head(320, 240));
        }
    }

    fn read(root: &Path, seed: u64) -> ImageSets {
        image_sets(ImageSetKind::Got10kOcclusion, root, Seed::of_run(seed)).unwrap()
    }

    /// File name and level of each image.
    fn chosen(found: &ImageSets) -> Vec<(String, u8)> {
        found
            .images
            .iter()
            .map(|image| match image.condition {
                Condition::Cover { level } => {
                    let name = image.path.file_name().unwrap().to_string_lossy();
                    (name.into_owned(), level)
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    const BOX: &str = "10,20,30,40";

    fn two_videos() -> TempDir {
        let root = tree(&[]);
        let levels = ["8", "8", "3", "3", "3", "8", "5"];
        let frames = levels.map(|level| (BOX, level, "0"));
        add_sequence(root.path(), "B", "goat", &frames);
        add_sequence(root.path(), "A", "bus", &frames[..5]);
        write(root.path(), "train/list.txt", "B\nA\n");
        root
    }

    #[test]
    fn a_video_gives_one_frame_of_each_distinct_level() {
        let root = two_videos();
        let found = read(root.path(), 0);
        assert_eq!(sets_of(&found), [("train/A", "bus"), ("train/B", "goat")]);
        let levels: Vec<u8> = chosen(&found).into_iter().map(|(_, level)| level).collect();
        assert_eq!(levels, [3, 8, 3, 5, 8]);
        assert_eq!(
            found.images[0].region,
            Some([10.0, 20.0, 30.0, 40.0].into())
        );
        assert_eq!(found.targets, ["bus", "goat"]);
        assert_eq!(
            (found.invariance, found.side_px),
            (Invariance::Occlusion, 128)
        );
        assert_eq!(found.near, NearView::SameCondition);
        assert!(found.left_out.is_empty(), "{:?}", found.left_out);
    }

    #[test]
    fn chosen_frames_depend_on_seed_and_video_only_and_every_frame_can_be_chosen() {
        let root = two_videos();
        let found = read(root.path(), 0);
        assert_eq!(read(&root.path().join("train"), 0), found);
        let of_a = |found: &ImageSets| chosen(found)[..2].to_vec();
        let before = of_a(&found);
        fs::remove_dir_all(root.path().join("train/B")).unwrap();
        write(root.path(), "train/list.txt", "A\n");
        assert_eq!(of_a(&read(root.path(), 0)), before);
        let all: HashSet<_> = (0..50)
            .flat_map(|seed| of_a(&read(root.path(), seed)))
            .collect();
        assert_eq!(all.len(), 5);
    }

    #[test]
    fn frames_without_object_valid_box_or_image_are_never_chosen() {
        let root = tree(&[]);
        let frames = [
            (BOX, "8", "0"),
            (BOX, "0", "1"),           // absent
            ("0,0,0,0", "1", "0"),     // no box
            ("NaN,1,1,1", "1", "0"),   // no box
            ("400,0,50,50", "2", "0"), // beside the image
            (BOX, "3", "0"),           // its JPEG is missing
            ("-10,200,50,90", "4", "0"),
        ];
        add_sequence(root.path(), "A", "goat", &frames);
        fs::remove_file(root.path().join("train/A/00000006.jpg")).unwrap();
        let found = read(root.path(), 0);
        let expected = [
            ("00000007.jpg".to_owned(), 4),
            ("00000001.jpg".to_owned(), 8),
        ];
        assert_eq!(chosen(&found), expected);
        // Clipped at the left and the lower edge.
        assert_eq!(
            found.images[0].region,
            Some([0.0, 200.0, 40.0, 40.0].into())
        );
        assert_eq!(left_out(&found), [("train/A", "1 of 7 frames: no JPEG")]);
    }

    #[test]
    fn frames_beyond_the_end_of_the_cover_file_are_left_out_and_reported_once() {
        let root = two_videos();
        write(root.path(), "train/B/cover.label", "8\n8\n3\n");
        let found = read(root.path(), 0);
        assert_eq!(found.sets.len(), 2);
        let reason = "cover.label has 3 lines for 7 boxes: the frames beyond it";
        assert_eq!(left_out(&found), [("train/B", reason)]);
    }

    #[test]
    fn a_video_whose_levels_span_too_little_is_left_out_with_the_rule() {
        let root = two_videos();
        write(root.path(), "train/A/cover.label", "8\n7\n6\n5\n5\n");
        // All occluded frames of B are absent.
        write(
            root.path(),
            "train/B/absence.label",
            "0\n0\n1\n1\n1\n0\n0\n",
        );
        let frames = [(BOX, "0", "0"), (BOX, "4", "0")];
        add_sequence(root.path(), "C", "ape", &frames);
        write(root.path(), "train/list.txt", "A\nB\nC\n");
        let found = read(root.path(), 0);
        assert_eq!(sets_of(&found), [("train/C", "ape")]);
        let of_b = format!("{NARROW} among frames with a JPEG, a valid box and a present object");
        assert_eq!(left_out(&found), [("train/A", NARROW), ("train/B", &of_b)]);
    }

    #[test]
    fn damaged_videos_are_left_out_with_the_reason() {
        let root = tree(&[]);
        let frames = [(BOX, "0", "0"), (BOX, "4", "0")];
        for name in ["good", "cover", "bad-cover", "class", "boxes", "images"] {
            add_sequence(root.path(), name, "ape", &frames);
        }
        let remove = |name| fs::remove_file(root.path().join("train").join(name)).unwrap();
        remove("cover/cover.label");
        remove("class/meta_info.ini");
        remove("boxes/groundtruth.txt");
        write(root.path(), "train/bad-cover/cover.label", "0\n9\n");
        for number in 1..=2 {
            let name = format!("train/images/{number:08}.jpg");
            write(root.path(), &name, "");
        }
        let list = "good\ncover\nbad-cover\nclass\nboxes\nimages\ngone\n";
        write(root.path(), "train/list.txt", list);
        let found = read(root.path(), 0);
        assert_eq!(sets_of(&found), [("train/good", "ape")]);
        let reason = |name: &str| {
            let id = format!("train/{name}");
            let reasons: Vec<_> = left_out(&found)
                .into_iter()
                .filter(|left_out| left_out.0 == id)
                .collect();
            assert_eq!(reasons.len(), 1, "{name}: {reasons:?}");
            reasons[0].1.to_owned()
        };
        assert_eq!(reason("cover"), "it has no cover.label");
        assert!(reason("bad-cover").ends_with("line 2: \"9\"; expected a level from 0 to 8"));
        assert_eq!(reason("class"), "its meta_info.ini states no object_class");
        assert_eq!(reason("boxes"), "it has no groundtruth.txt");
        assert_eq!(reason("images"), "it has no JPEG with a readable header");
        assert!(reason("gone").starts_with("no such folder"));
        assert_eq!(found.left_out.len(), 6);
    }

    #[test]
    fn wrong_roots_and_roots_without_a_set_give_errors_with_the_reason() {
        let root = tree(&["videos/a.mp4"]);
        let text = error_text(ImageSetKind::Got10kOcclusion, root.path());
        assert!(
            text.starts_with("no GOT-10k split in ROOT: looked for train/"),
            "{text}"
        );
        let root = tree(&[]);
        add_sequence(root.path(), "A", "goat", &[(BOX, "8", "0")]);
        assert_eq!(
            error_text(ImageSetKind::Got10kOcclusion, root.path()),
            format!(
                "no image set in ROOT: looked for videos with groundtruth.txt, cover.label and an \
                 object_class in meta_info.ini; left out: 1, the first: train/A: {NARROW}"
            )
        );
    }

    #[test]
    fn frame_numbers_are_parsed_from_file_names() {
        assert_eq!(frame_number("00000012.jpg"), Some(12));
        assert_eq!(frame_number("12.JPEG"), Some(12));
        for name in ["12.png", "a12.jpg", "+12.jpg", ".jpg", "12", "12.jpg.part"] {
            assert_eq!(frame_number(name), None, "{name}");
        }
    }
}
