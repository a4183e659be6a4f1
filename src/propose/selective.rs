//! OpenCV's selective search.

use super::picture::Cells;
use super::scene::Scene;
use super::sums::Sums;
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
    let color_sums = color_sums(scene);
    let found = selective_search(&image)?.into_iter().map(|region| {
        let bbox = BoxXywh {
            x: region.x * across,
            y: region.y * down,
            w: region.w * across,
            h: region.h * down,
        };
        Proposal {
            bbox,
            score: f64::from(of_box(scene, &color_sums, scene.picture.covered_by(bbox))),
        }
    });
    Ok(found.collect())
}

/// Sums of luma and of both chromas.
fn color_sums(scene: &Scene) -> [Sums; 3] {
    let planes = scene.picture.planes.each_ref();
    planes.map(|plane| Sums::of(plane, scene.picture.width))
}

/// How much a box of which no more is known looks like one thing: its mean colour differs from that around it.
fn of_box(scene: &Scene, color_sums: &[Sums; 3], cells: Cells) -> f32 {
    let steps = color_sums.iter().zip([1.0, 2.0, 2.0]); // chroma spans less of its range
    let color_step: f32 = steps
        .map(|(sums, weight)| {
            let mean = scene.surrounded(sums, cells);
            weight * (mean.inside - mean.around).abs()
        })
        .sum();
    1.25 * color_step / 64.0 + score::of_size(scene, cells) + score::of_motion(scene, cells)
}

impl From<CvError> for ProposeError {
    fn from(err: CvError) -> Self {
        match err {
            CvError::ShortPlane { plane, frame, got } => Self::ShortPlane { plane, frame, got },
            CvError::Library { action, message } => Self::Library { action, message },
        }
    }
}
