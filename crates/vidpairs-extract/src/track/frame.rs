//! A frame as trackers and proposers see it.

use std::any::Any;
use std::cell::OnceCell;

use vidpairs_types::{Planes, SizePx};

/// A frame's planes, and one value computed from them for all targets in the frame.
pub struct TrackFrame<'a> {
    planes: &'a Planes,
    shared: OnceCell<Box<dyn Any>>,
}

impl<'a> TrackFrame<'a> {
    /// Wraps the planes; nothing is read yet.
    pub fn new(planes: &'a Planes) -> Self {
        Self {
            planes,
            shared: OnceCell::new(),
        }
    }

    /// The planes as the decoder left them.
    pub fn planes(&self) -> &'a Planes {
        self.planes
    }

    /// Size of the upright frame, the space of all boxes.
    pub fn size(&self) -> SizePx {
        self.planes.size()
    }

    /// The value that `make` computes from the planes, computed by the first tracker that asks: the frame as an image of OpenCV,
    /// say. `None` if another type was computed before: all trackers of one frame share one library.
    ///
    /// # Errors
    /// The error of `make`.
    pub fn shared<T: 'static, E>(
        &self,
        make: impl FnOnce(&Planes) -> Result<T, E>,
    ) -> Result<Option<&T>, E> {
        if self.shared.get().is_none() {
            let made = make(self.planes)?;
            let _ = self.shared.set(Box::new(made)); // it is empty
        }
        Ok(self.shared.get().and_then(|made| made.downcast_ref()))
    }
}
