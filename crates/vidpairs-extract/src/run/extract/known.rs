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

/// Why the boxes of a clip cannot be used. Refuse the clip.
#[derive(Debug, thiserror::Error)]
pub(super) enum KnownError {
    /// The annotations cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Frame 0 is missing, and the last frames have no box: the pictures may be numbered from another number than the boxes.
    #[error(
        "{num_boxes} boxes for frames 0 to {}, but the pictures are frames {first} to {last}; if their numbers start at \
         another number than those of the data set, rename them",
        num_boxes - 1
    )]
    Shifted {
        /// Number of boxes.
        num_boxes: u64,
        /// First frame that exists.
        first: u64,
        /// Last frame that exists.
        last: u64,
    },
}

impl Known {
    /// Reads the annotations of `clip`.
    ///
    /// - `num_frames`: number of frames, missing ones included.
    /// - `present`: frames that exist, if some are missing.
    pub fn of_boxes(
        clip: &Clip,
        num_frames: u64,
        present: Option<&[u64]>,
    ) -> Result<Self, KnownError> {
        let found = vidpairs_source::annotations(clip)?;
        let is_whole = |found: &vidpairs_source::TrackBox| !found.absent && !found.cut_by_image;
        let whole_box = |found: Option<vidpairs_source::TrackBox>| found.filter(is_whole);
        let num_boxes = found.boxes.len() as u64;
        let mut remarks = found.remarks;
        // A single box is that of the first frame: test splits have no other.
        if num_boxes > 1 && num_boxes != num_frames {
            let first = present.and_then(|present| present.first().copied());
            if let Some(first) = first.filter(|first| *first > 0 && num_boxes < num_frames) {
                let last = num_frames - 1;
                return Err(KnownError::Shifted {
                    num_boxes,
                    first,
                    last,
                });
            }
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
