//! Reads the truth of a sequence: the frames that a tracker sees, the start, and the scored frames.

use std::error::Error;
use std::path::Path;

use vidpairs_run::RunError;
use vidpairs_source::{MotRow, SourceError, TrackBox};
use vidpairs_types::{BoxXywh, Clip, Stage, with_causes};

use super::data::{Sequence, TrackDataKind, TruthPlace};
use crate::run::faults::Faults;

/// The truth of one sequence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Truth {
    /// Index in the video of the frame in which the tracker starts.
    pub first_frame: u64,
    /// Box of the target in that frame.
    pub start: BoxXywh,
    /// True box of each frame from the first on; `None` for a frame that is not scored.
    pub boxes: Vec<Option<BoxXywh>>,
    /// Whether only the first box is known, so that nothing is scored.
    pub is_first_only: bool,
    /// Class of the object.
    pub label: Option<String>,
    /// Damage that did not stop the reading.
    pub remarks: Vec<String>,
}

/// Why a sequence gives no result.
#[derive(Debug)]
pub(super) enum NotUsable {
    /// It is damaged or does not fit: the stage and the reason.
    Refused(Stage, String),
    /// The machine is at fault: the run stops.
    Fault(Box<RunError>),
}

impl NotUsable {
    /// Decides whether `err`, met in `path`, is a fault of the sequence or of the machine.
    pub fn of(stage: Stage, err: &(dyn Error + 'static), path: &Path, faults: &Faults) -> Self {
        match faults.behind(err, path) {
            Some(fault) => Self::Fault(Box::new(fault)),
            None => Self::Refused(stage, with_causes(err)),
        }
    }
}

/// Stage and reason of a refused sequence.
type Refused = (Stage, String);

impl From<Refused> for NotUsable {
    fn from((stage, reason): Refused) -> Self {
        Self::Refused(stage, reason)
    }
}

/// Stands for an invalid true box: both benchmarks count every result for it as a miss.
const NO_BOX: BoxXywh = BoxXywh {
    x: 0.0,
    y: 0.0,
    w: 0.0,
    h: 0.0,
};

impl Truth {
    /// Reads the truth of `sequence`.
    ///
    /// - `num_frames`: frames in its video.
    /// - `faults`: tells damage from a fault of the machine.
    pub fn read(sequence: &Sequence, num_frames: u64, faults: &Faults) -> Result<Self, NotUsable> {
        match &sequence.truth {
            TruthPlace::Clip(clip) => of_clip(clip, sequence.kind, num_frames, faults),
            TruthPlace::Mot(track) => Ok(of_rows(&track.rows, num_frames)?),
        }
    }
}

fn of_clip(
    clip: &Clip,
    kind: TrackDataKind,
    num_frames: u64,
    faults: &Faults,
) -> Result<Truth, NotUsable> {
    let unreadable =
        |err: SourceError| NotUsable::of(Stage::Source, &err, clip.media.path(), faults);
    let found = vidpairs_source::annotations(clip).map_err(unreadable)?;
    let cover = vidpairs_source::cover(clip).map_err(unreadable)?;
    let num_boxes = found.boxes.len();
    let start = match found.boxes.first() {
        Some(Some(first)) => first.bbox,
        Some(None) => {
            return Err((
                Stage::Source,
                "the first box has no area, so there is nothing to follow".to_owned(),
            )
                .into());
        }
        None => return Err((Stage::Source, "no box is known".to_owned()).into()),
    };
    if num_boxes as u64 > num_frames {
        return Err((Stage::Decode, too_short(num_frames, num_boxes as u64)).into());
    }
    let is_first_only = num_boxes == 1;
    let scored = |(frame, found): (usize, Option<TrackBox>)| match &cover {
        // As in the program of the benchmark: the cover alone decides.
        Some(cover) => {
            let is_seen = cover.get(frame).is_none_or(|level| *level > 0);
            is_seen.then(|| found.map_or(NO_BOX, |found| found.bbox))
        }
        None if kind == TrackDataKind::TrackingNet => {
            Some(found.map_or(NO_BOX, |found| found.bbox))
        }
        None => found.filter(|found| !found.absent).map(|found| found.bbox),
    };
    let mut boxes: Vec<_> = found.boxes.into_iter().enumerate().map(scored).collect();
    let mut remarks = Vec::new();
    if !is_first_only {
        remarks = remarks_on(&boxes, cover.as_deref(), num_frames);
    } else {
        boxes.resize(usize::try_from(num_frames).unwrap_or(usize::MAX), None);
    }
    Ok(Truth {
        first_frame: 0,
        start,
        boxes,
        is_first_only,
        label: found.label,
        remarks,
    })
}

/// Missing parts of the truth. A missing box in a frame without a visible target is correct.
fn remarks_on(scored: &[Option<BoxXywh>], cover: Option<&[u8]>, num_frames: u64) -> Vec<String> {
    let (num_boxes, mut remarks) = (scored.len(), Vec::new());
    if (num_boxes as u64) < num_frames {
        remarks.push(format!(
            "{num_boxes} boxes for {num_frames} frames: followed as far as the boxes go"
        ));
    }
    if let Some(cover) = cover.filter(|cover| cover.len() != num_boxes) {
        let num = cover.len();
        remarks.push(format!(
            "cover.label has {num} lines for {num_boxes} boxes: missing ones taken as seen"
        ));
    }
    let num_misses = scored.iter().filter(|bbox| **bbox == Some(NO_BOX)).count();
    if num_misses > 0 {
        remarks.push(format!(
            "{num_misses} of {num_boxes} frames have no true box and count as misses"
        ));
    }
    remarks
}

/// The rows from the first in which the target is visible to the last.
fn of_rows(rows: &[MotRow], num_frames: u64) -> Result<Truth, Refused> {
    let first = rows.iter().position(|row| row.is_visible);
    let rows = first
        .and_then(|first| rows.get(first..))
        .unwrap_or_default();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Err((
            Stage::Source,
            "nothing can be seen of it in any row".to_owned(),
        ));
    };
    if last.frame >= num_frames {
        return Err((Stage::Decode, too_short(num_frames, last.frame + 1)));
    }
    let len = usize::try_from(last.frame - first.frame + 1).unwrap_or(usize::MAX);
    let mut boxes = vec![None; len];
    for row in rows.iter().filter(|row| row.is_visible) {
        let place = usize::try_from(row.frame - first.frame).unwrap_or(usize::MAX);
        if let Some(slot) = boxes.get_mut(place) {
            *slot = Some(row.bbox);
        }
    }
    Ok(Truth {
        first_frame: first.frame,
        start: first.bbox,
        boxes,
        is_first_only: false,
        label: None,
        remarks: Vec::new(),
    })
}

fn too_short(num_frames: u64, num_needed: u64) -> String {
    format!("{num_frames} frames, but truth for {num_needed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(frame: u64, is_visible: bool) -> MotRow {
        let bbox = BoxXywh::from([frame as f64, 0.0, 5.0, 5.0]);
        MotRow {
            frame,
            bbox,
            is_visible,
        }
    }

    #[test]
    fn a_target_with_sparse_truth_is_followed_from_its_first_to_its_last_row() {
        let rows = [row(2, false), row(4, true), row(6, false), row(7, true)];
        let truth = of_rows(&rows, 8).unwrap();
        assert_eq!((truth.first_frame, truth.start), (4, rows[1].bbox));
        assert_eq!(
            truth.boxes,
            [Some(rows[1].bbox), None, None, Some(rows[3].bbox)]
        );
    }

    #[test]
    fn truth_beyond_the_video_and_truth_of_nothing_are_told_apart() {
        let (stage, reason) = of_rows(&[row(8, true)], 8).unwrap_err();
        assert_eq!(
            (stage, reason.as_str()),
            (Stage::Decode, "8 frames, but truth for 9")
        );
        assert_eq!(of_rows(&[row(1, false)], 8).unwrap_err().0, Stage::Source);
    }
}
