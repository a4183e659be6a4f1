//! A frame as trackers and proposers see it.

use crate::types::{Planes, SizePx};

/// A frame's planes, and whatever is made of them once for all the targets in it.
pub struct TrackFrame<'a> {
    planes: &'a Planes,
}

impl<'a> TrackFrame<'a> {
    /// Wraps the planes; nothing is read yet.
    pub fn new(planes: &'a Planes) -> Self {
        Self { planes }
    }

    /// The planes as the decoder left them.
    pub fn planes(&self) -> &'a Planes {
        self.planes
    }

    /// Size of the upright frame, the space in which boxes live.
    pub fn size(&self) -> SizePx {
        self.planes.size()
    }
}
