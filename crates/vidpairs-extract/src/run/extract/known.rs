//! Annotations of a clip.

use vidpairs_source::SourceError;
use vidpairs_types::{BoxXywh, Clip};

/// Annotations of a clip.
#[derive(Default)]
pub(super) struct Known {
    /// Box of the object in each frame in which it is present and not cut by the image.
    pub boxes: Vec<Option<BoxXywh>>,
    pub label: Option<String>,
    pub remarks: Vec<String>,
}

impl Known {
    /// Reads the annotations of `clip`.
    pub fn of_boxes(clip: &Clip, num_frames: u64) -> Result<Self, SourceError> {
        let found = vidpairs_source::annotations(clip)?;
        let is_whole = |found: &vidpairs_source::TrackBox| !found.absent && !found.cut_by_image;
        let whole_box = |found: Option<vidpairs_source::TrackBox>| found.filter(is_whole);
        let num_boxes = found.boxes.len();
        let mut remarks = found.remarks;
        if num_boxes > 1 && (num_boxes as u64) < num_frames {
            remarks.push(format!(
                "{num_boxes} lines of boxes for {num_frames} frames"
            ));
        }
        let boxes = found.boxes.into_iter();
        Ok(Self {
            boxes: boxes
                .map(|found| Some(whole_box(found)?.bbox))
                .take(usize::try_from(num_frames).unwrap_or(usize::MAX))
                .collect(),
            label: found.label,
            remarks,
        })
    }
}
