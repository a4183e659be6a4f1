//! Rules by which tracklets are accepted.

use serde::Serialize;

/// What a tracklet must be to be trusted. Written with the keys of the pipeline's `[tracker]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrustRules {
    /// Least confidence in every frame in which the target is found, 0 to 1.
    pub min_confidence: f64,
    /// Least mean of the confidence over the frames, 0 to 1.
    pub min_confidence_mean: f64,
    /// Least confidence in the last frame, 0 to 1.
    pub min_confidence_last: f64,
    /// Frames in a row in which the target may be lost.
    pub max_lost_frames: u32,
    /// Greatest area over the anchor's, or the anchor's over it; at least 1.
    pub max_size_ratio: f64,
    /// Greatest aspect over the anchor's, or the anchor's over it; at least 1.
    pub max_aspect_ratio: f64,
    /// Greatest overlap (IoU) of the last box with that of a better tracklet of the same anchor, 0 to 1.
    pub max_duplicate_iou: f64,
    /// Least overlap (IoU) of a stretch that was tracked back, 0 to 1; 0 tracks nothing back.
    pub min_forward_backward_iou: f64,
    /// Every so many frames one is kept to track back on.
    pub forward_backward_step: u32,
}
