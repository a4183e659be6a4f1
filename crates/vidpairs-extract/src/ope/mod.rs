//! One-pass evaluation (OPE): how well the boxes that a tracker gave fit the true ones.
//!
//! **Takes** for every frame of a sequence the box that was given and, where it is known, the true one; frame 0
//! is where the tracker was started. **Gives** overlaps and the figures that two benchmarks publish:
//! [`got10k`] (average overlap, success rates) and [`trackingnet`] (areas under the success and the precision
//! curves); how fast the updates were ([`Speed`]), and how much the stated [`Confidence`] is worth. **Fails**
//! never: a box that is no box counts as a miss. **Source**: Wu et al., "Online Object Tracking: A Benchmark",
//! CVPR 2013; Huang et al., "GOT-10k", TPAMI 2021 and its toolkit; Müller et al., "TrackingNet", ECCV 2018 and
//! its devkit.
//!
//! All shares are 0 to 1, never percent. The two benchmarks differ in more than their thresholds: GOT-10k leaves
//! out the first frame and pools the frames of all sequences, TrackingNet counts the first frame and averages
//! over sequences. Both ways are kept apart here, each as its own program computes it.

mod confidence;
pub mod got10k;
mod speed;
pub mod trackingnet;

pub use confidence::{Confidence, ConfidenceBin};
pub use speed::{Speed, Times};

use vidpairs_types::BoxXywh;

/// The box of frame `frame`, unless there is none or one of its numbers is not finite: a miss.
fn given(boxes: &[BoxXywh], frame: usize) -> Option<BoxXywh> {
    let found = *boxes.get(frame)?;
    let is_finite = [found.x, found.y, found.w, found.h]
        .iter()
        .all(|number| number.is_finite());
    is_finite.then_some(found)
}
