//! Scores trackers by one-pass evaluation (OPE): compares the boxes of a tracker with the true boxes.
//!
//! **Takes** the tracker's box of every frame of a sequence, and the true box where it is known. The tracker starts at frame 0.
//! **Gives** overlaps and the scores of two benchmarks: [`got10k`] (average overlap, success rates) and [`trackingnet`] (areas
//! under the success and precision curves); the speed of updates ([`Speed`]), and the calibration of the stated [`Confidence`].
//! **Fails** never: an invalid box is a miss. **Source**: Wu et al., "Online Object Tracking: A Benchmark",
//! CVPR 2013; Huang et al., "GOT-10k", TPAMI 2021 and its toolkit; Müller et al., "TrackingNet", ECCV 2018 and
//! its devkit.
//!
//! All shares are 0 to 1, never percent. The benchmarks differ in more than their thresholds: GOT-10k excludes
//! the first frame and pools the frames of all sequences; TrackingNet includes the first frame and averages
//! over sequences. Each is computed as in its own program.

mod confidence;
pub mod got10k;
mod speed;
pub mod trackingnet;

pub use confidence::{Confidence, ConfidenceBin};
pub use speed::{Speed, Times};

use vidpairs_types::BoxXywh;

/// The tracker's box of frame `frame`; `None` if it is missing or has a number that is not finite: a miss.
fn finite_box(boxes: &[BoxXywh], frame: usize) -> Option<BoxXywh> {
    let bbox = *boxes.get(frame)?;
    let is_finite = [bbox.x, bbox.y, bbox.w, bbox.h]
        .iter()
        .all(|number| number.is_finite());
    is_finite.then_some(bbox)
}
