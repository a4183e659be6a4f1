//! OpenCV's selective search.

use super::scene::Scene;
use super::{Proposal, ProposeError, score};
use crate::cv::{BgrImage, CvError, selective_search};
use crate::types::{BoxXywh, Planes};

/// Short side of the image that is searched, px: the time grows with its area.
const SHORT_SIDE_PX: u32 = 200;

/// The regions found, scored as boxes: OpenCV's own order is drawn at random.
pub(super) fn candidates(frame: &Planes, scene: &Scene) -> Result<Vec<Proposal>, ProposeError> {
    let image = BgrImage::from_planes(frame)?.shrunk_to_short_side(SHORT_SIDE_PX)?;
    let (size, small) = (frame.size(), image.size());
    let across = f64::from(size.width) / f64::from(small.width);
    let down = f64::from(size.height) / f64::from(small.height);
    let found = selective_search(&image)?.into_iter().map(|region| {
        let bbox = BoxXywh {
            x: region.x * across,
            y: region.y * down,
            w: region.w * across,
            h: region.h * down,
        };
        Proposal {
            bbox,
            score: f64::from(score::of_box(scene, scene.picture.covered_by(bbox))),
        }
    });
    Ok(found.collect())
}

impl From<CvError> for ProposeError {
    fn from(err: CvError) -> Self {
        match err {
            CvError::ShortPlane { plane, frame, got } => Self::ShortPlane { plane, frame, got },
            CvError::Library { action, message } => Self::Library { action, message },
        }
    }
}
