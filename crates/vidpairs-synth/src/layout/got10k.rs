//! Layout of GOT-10k: a folder of JPEGs and label files per sequence.
//!
//! From the release (its download page, the `got10k` toolkit that reads it, and published samples): the names; boxes as
//! `x,y,w,h` with four decimals; a 0 or 1 per line in `absence.label` and `cut_by_image.label`; the levels of
//! `cover.label`; the keys of `meta_info.ini`, their order and format. `test` states the first box only and has no other
//! labels. Our choice: the box of a frame in which the object is not visible is `0.0000,0.0000,0.0000,0.0000`.

use vidpairs_types::{BoxXywh, SizePx};

/// File of the boxes of a sequence, a line per frame.
pub const GROUND_TRUTH: &str = "groundtruth.txt";

/// File of flags, a line per frame: whether the object is not visible.
pub const ABSENCE: &str = "absence.label";

/// File of levels of visibility, a line per frame; see [`cover_level`].
pub const COVER: &str = "cover.label";

/// File of flags, a line per frame: whether the image border cuts the object.
pub const CUT_BY_IMAGE: &str = "cut_by_image.label";

/// File of the properties of a sequence; see [`MetaInfo`].
pub const META_INFO: &str = "meta_info.ini";

/// File of the names of the sequences of a split.
pub const LIST: &str = "list.txt";

/// Folder of the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `train`.
    Train,
    /// `val`.
    Val,
    /// `test`.
    Test,
}

impl Split {
    /// Name of the folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// Name of the folder of sequence `number`, from 1: `GOT-10k_Train_000001`.
pub fn sequence_name(split: Split, number: u32) -> String {
    let part = match split {
        Split::Train => "Train",
        Split::Val => "Val",
        Split::Test => "Test",
    };
    format!("GOT-10k_{part}_{number:06}")
}

/// File name of frame `frame_index`, from 0. The number in the file name starts at 1: `00000001.jpg`.
pub fn frame_name(frame_index: u64) -> String {
    format!("{:08}.jpg", frame_index + 1)
}

/// Content of [`LIST`]: a name per line.
pub fn list_text<'a>(sequences: impl IntoIterator<Item = &'a str>) -> String {
    let lines = sequences.into_iter().map(|name| format!("{name}\n"));
    lines.collect()
}

/// Content of [`GROUND_TRUTH`]. For [`Split::Test`], pass the first box only.
///
/// A frame without a box gets zeros, which [`vidpairs_source::annotations`] reads as no box.
pub fn ground_truth_text(boxes: &[Option<BoxXywh>]) -> String {
    let lines = boxes.iter().map(|bbox| {
        let [x, y, w, h] = bbox.map_or([0.0; 4], <[f64; 4]>::from);
        format!("{x:.4},{y:.4},{w:.4},{h:.4}\n")
    });
    lines.collect()
}

/// Content of [`ABSENCE`] or [`CUT_BY_IMAGE`].
pub fn flags_text(flags: &[bool]) -> String {
    let line = |&is_set: &bool| if is_set { "1\n" } else { "0\n" };
    flags.iter().map(line).collect()
}

/// Content of [`COVER`], from the visible share of the object in each frame.
pub fn cover_text(visible_shares: &[f64]) -> String {
    let line = |&share: &f64| format!("{}\n", cover_level(share));
    visible_shares.iter().map(line).collect()
}

/// Level of `cover.label`: the range that contains the visible share of the object.
///
/// - 0: 0 %; 1: up to 15 %; 2: up to 30 %; 3: up to 45 %; 4: up to 60 %; 5: up to 75 %; 6: up to 90 %, upper ends
///   included; 7: below 100 %; 8: 100 %.
///
/// # Source
/// The download page of GOT-10k: "Values 0~8 in file cover.label correspond to ranges of object visible ratios".
pub fn cover_level(visible_share: f64) -> u8 {
    const ENDS: [(f64, u8); 7] = [
        (0.0, 0),
        (0.15, 1),
        (0.30, 2),
        (0.45, 3),
        (0.60, 4),
        (0.75, 5),
        (0.90, 6),
    ];
    let range = ENDS.iter().find(|(end, _)| visible_share <= *end);
    let below_all = if visible_share < 1.0 { 7 } else { 8 };
    range.map_or(below_all, |&(_, level)| level)
}

/// Properties of a sequence, as stored in `meta_info.ini`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetaInfo {
    /// Source of the video.
    pub url: String,
    /// Start of the sequence in the video, whole seconds.
    pub begin_secs: u64,
    /// End of the sequence in the video, whole seconds.
    pub end_secs: u64,
    /// Frames per second; 10 in the release.
    pub anno_fps: u32,
    /// Class of the object: `ctenophore`.
    pub object_class: String,
    /// Class of the motion: `swimming`.
    pub motion_class: String,
    /// Superclass of the object: `invertebrate`.
    pub major_class: String,
    /// Top-level class of the object: `animal`.
    pub root_class: String,
    /// Manner of the motion: `slowly`.
    pub motion_adverb: String,
    /// Size of the frames.
    pub resolution: SizePx,
}

/// A value that the toolkit would not read back from `meta_info.ini`. Leave the sequence out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value:?}; expected one line without a colon followed by a space")]
pub struct MetaInfoError {
    /// Key of the value.
    pub key: &'static str,
    /// Refused value.
    pub value: String,
}

impl MetaInfo {
    /// Content of [`META_INFO`].
    ///
    /// # Errors
    /// [`MetaInfoError`] for a value that contains a line break, or `": "`, at which the toolkit would truncate it.
    pub fn to_text(&self) -> Result<String, MetaInfoError> {
        let Self { resolution, .. } = self;
        let values = [
            ("url", self.url.clone()),
            ("begin", clock(self.begin_secs)),
            ("end", clock(self.end_secs)),
            ("anno_fps", format!("{}Hz", self.anno_fps)),
            ("object_class", self.object_class.clone()),
            ("motion_class", self.motion_class.clone()),
            ("major_class", self.major_class.clone()),
            ("root_class", self.root_class.clone()),
            ("motion_adverb", self.motion_adverb.clone()),
            (
                "resolution",
                format!("({}, {})", resolution.width, resolution.height),
            ),
        ];
        let mut text = "[METAINFO]\n".to_owned();
        for (key, value) in values {
            if value.contains(['\n', '\r']) || value.contains(": ") {
                return Err(MetaInfoError { key, value });
            }
            text.push_str(&format!("{key}: {value}\n"));
        }
        Ok(text)
    }
}

/// Time as `hh:mm:ss`.
fn clock(secs: u64) -> String {
    let (minutes, secs) = (secs / 60, secs % 60);
    format!("{:02}:{:02}:{secs:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta_info() -> MetaInfo {
        MetaInfo {
            url: "https://youtu.be/P-fKM-2DHoM".to_owned(),
            begin_secs: 1,
            end_secs: 3_670,
            anno_fps: 10,
            object_class: "ctenophore".to_owned(),
            motion_class: "swimming".to_owned(),
            major_class: "invertebrate".to_owned(),
            root_class: "animal".to_owned(),
            motion_adverb: "slowly".to_owned(),
            resolution: [1920, 1080].into(),
        }
    }

    #[test]
    fn names_are_those_of_the_release() {
        assert_eq!(sequence_name(Split::Train, 1), "GOT-10k_Train_000001");
        assert_eq!(sequence_name(Split::Val, 180), "GOT-10k_Val_000180");
        assert_eq!(frame_name(0), "00000001.jpg");
        assert_eq!(list_text(["a", "b"]), "a\nb\n");
    }

    #[test]
    fn boxes_have_four_decimals_and_frames_without_a_box_have_zeros() {
        let boxes = [Some([347.0, 443.25, 429.0, 272.0].into()), None];
        assert_eq!(
            ground_truth_text(&boxes),
            "347.0000,443.2500,429.0000,272.0000\n0.0000,0.0000,0.0000,0.0000\n"
        );
        assert_eq!(flags_text(&[true, false]), "1\n0\n");
    }

    #[test]
    fn cover_is_0_only_if_nothing_is_visible_and_8_only_if_all_is() {
        let levels = |shares: &[f64]| shares.iter().copied().map(cover_level).collect::<Vec<_>>();
        assert_eq!(levels(&[0.0, 1e-9, 0.15, 0.150_001]), [0, 1, 1, 2]);
        assert_eq!(levels(&[0.5, 0.75, 0.9, 0.900_1]), [4, 5, 6, 7]);
        assert_eq!(levels(&[1.0 - 1e-9, 1.0]), [7, 8]);
        assert_eq!(cover_text(&[0.0, 1.0]), "0\n8\n");
    }

    #[test]
    fn meta_info_has_the_format_of_the_release() {
        let text = meta_info().to_text().unwrap();
        assert_eq!(
            text,
            "[METAINFO]\nurl: https://youtu.be/P-fKM-2DHoM\nbegin: 00:00:01\nend: 01:01:10\n\
             anno_fps: 10Hz\nobject_class: ctenophore\nmotion_class: swimming\n\
             major_class: invertebrate\nroot_class: animal\nmotion_adverb: slowly\n\
             resolution: (1920, 1080)\n"
        );
    }

    #[test]
    fn a_value_that_the_toolkit_would_truncate_is_refused() {
        for value in ["a: b", "a\nb"] {
            let object_class = value.to_owned();
            let meta = MetaInfo {
                object_class,
                ..meta_info()
            };
            let error = meta.to_text().unwrap_err();
            assert_eq!((error.key, &*error.value), ("object_class", value));
        }
    }
}
