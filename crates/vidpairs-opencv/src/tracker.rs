//! Three of OpenCV's trackers behind one type.

use opencv::core::{Ptr, Rect2d};
use opencv::tracking::{
    Legacy_Tracker, Legacy_TrackerCSRT, Legacy_TrackerKCF, Legacy_TrackerMOSSE, Legacy_TrackerTrait,
};
use vidpairs_types::BoxXywh;

use super::{BgrImage, CvError, refused, use_one_thread};

/// A tracking algorithm of OpenCV, with its default parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Kernelized correlation filter.
    Kcf,
    /// Correlation filter with channel and spatial reliability.
    Csrt,
    /// Minimum output sum of squared error filter.
    Mosse,
}

/// One target that one of the algorithms follows.
pub struct CvTracker {
    tracker: Ptr<Legacy_Tracker>,
    /// Where the target was seen last: OpenCV wants it back.
    last: Rect2d,
}

impl CvTracker {
    /// Starts on `target`: whole pixels, inside `image`.
    ///
    /// # Errors
    /// [`CvError::Library`] if OpenCV refuses it.
    pub fn start(algorithm: Algorithm, image: &BgrImage, target: BoxXywh) -> Result<Self, CvError> {
        use_one_thread();
        let failed = refused("start a tracker");
        let mut tracker: Ptr<Legacy_Tracker> = match algorithm {
            Algorithm::Kcf => Legacy_TrackerKCF::create_1().map_err(failed)?.into(),
            Algorithm::Csrt => Legacy_TrackerCSRT::create_1().map_err(failed)?.into(),
            Algorithm::Mosse => Legacy_TrackerMOSSE::create().map_err(failed)?.into(),
        };
        let last = Rect2d::new(target.x, target.y, target.w, target.h);
        let is_started = tracker
            .init(&image.mat, last)
            .map_err(refused("start a tracker"))?;
        if !is_started {
            return Err(CvError::Library {
                action: "start a tracker",
                message: "it refused the target".to_owned(),
            });
        }
        let mut started = Self { tracker, last };
        if algorithm == Algorithm::Kcf {
            // OpenCV's KCF learns nothing when it starts, and takes the place of the target in its first
            // update for known (`if (frame > 0)` in trackerKCF.cpp): that must be this image.
            started.update(image)?;
        }
        Ok(started)
    }

    /// Looks for the target in `image`, which is as large as the first; `None` where it is not found.
    ///
    /// # Errors
    /// [`CvError::Library`] if OpenCV throws.
    pub fn update(&mut self, image: &BgrImage) -> Result<Option<BoxXywh>, CvError> {
        let mut seen = self.last;
        let is_found = self
            .tracker
            .update(&image.mat, &mut seen)
            .map_err(refused("follow a target"))?;
        let bbox = BoxXywh {
            x: seen.x,
            y: seen.y,
            w: seen.width,
            h: seen.height,
        };
        if !is_found || !bbox.is_valid() {
            return Ok(None);
        }
        self.last = seen;
        Ok(Some(bbox))
    }
}
