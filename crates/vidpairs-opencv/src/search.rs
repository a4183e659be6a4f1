//! Runs OpenCV's selective search.

use opencv::core::{Rect, Vector};
use opencv::ximgproc::{SelectiveSearchSegmentationTrait, create_selective_search_segmentation};
use vidpairs_extract::propose::ProposeError;
use vidpairs_types::{BoxXywh, Planes};

use super::failed;
use super::image::BgrImage;

/// Regions of selective search's fast mode; see
/// [`SearchEngine::selective_search`](vidpairs_extract::propose::SearchEngine::selective_search).
///
/// OpenCV ranks regions by C's `rand`, whose state is global; this rank is dropped.
///
/// # Source
/// Uijlings et al., "Selective Search for Object Recognition", IJCV 2013.
pub(super) fn selective_search(
    frame: &Planes,
    short_side_px: u32,
) -> Result<Vec<BoxXywh>, ProposeError> {
    let image =
        BgrImage::from_planes::<ProposeError>(frame)?.shrunk_to_short_side(short_side_px)?;
    let (size, small) = (frame.size(), image.size());
    let across = f64::from(size.width) / f64::from(small.width);
    let down = f64::from(size.height) / f64::from(small.height);
    let mut regions: Vec<[i32; 4]> = search(&image)
        .map_err(failed("search for regions"))?
        .iter()
        .map(|rect| [rect.x, rect.y, rect.width, rect.height])
        .collect();
    regions.sort_unstable();
    regions.dedup();
    let in_frame = |region: [i32; 4]| {
        let [x, y, w, h] = region.map(f64::from);
        BoxXywh {
            x: x * across,
            y: y * down,
            w: w * across,
            h: h * down,
        }
    };
    Ok(regions.into_iter().map(in_frame).collect())
}

fn search(image: &BgrImage) -> opencv::Result<Vector<Rect>> {
    let mut search = create_selective_search_segmentation()?;
    search.set_base_image(&image.mat)?;
    search.switch_to_selective_search_fast_def()?;
    let mut regions = Vector::new();
    search.process(&mut regions)?;
    Ok(regions)
}

#[cfg(test)]
mod tests {
    use vidpairs_extract::propose::{Proposal, ProposalRules, ProposerKind, propose};
    use vidpairs_fixtures::planes::{drawn, noise};
    use vidpairs_types::{PlaneLayout, Seed, SizePx};

    use super::*;
    use crate::OpencvTrackers;

    const SIZE: SizePx = SizePx {
        width: 320,
        height: 240,
    };

    fn proposals(frame: &Planes) -> Vec<Proposal> {
        let (kind, rules) = (ProposerKind::SelectiveSearch, ProposalRules::default());
        propose(
            kind,
            frame,
            None,
            &rules,
            Seed::of_run(0),
            Some(&OpencvTrackers),
        )
        .unwrap()
    }

    #[test]
    fn a_lone_bright_textured_object_on_a_plain_ground_is_the_first_proposal() {
        let planes = drawn(SIZE, PlaneLayout::Gray, 8, |_, x, y| {
            if (90..170).contains(&x) && (80..140).contains(&y) {
                170 + u16::from(noise(x / 6, y / 6)) / 4
            } else {
                40
            }
        });
        let proposals = proposals(&planes);
        let object = BoxXywh::from([90.0, 80.0, 80.0, 60.0]);
        assert!(proposals[0].bbox.iou(object) > 0.8, "{proposals:?}");
    }

    #[test]
    fn a_flat_frame_gives_no_proposal() {
        let flat = drawn(SIZE, PlaneLayout::Yuv420, 8, |_, _, _| 90);
        assert_eq!(proposals(&flat), []);
    }

    #[test]
    fn the_same_frame_gives_the_same_proposals_twice() {
        let planes = drawn(SIZE, PlaneLayout::Yuv420, 8, |plane, x, y| {
            noise(x / (9 + plane as i64), y / 11).into()
        });
        let first = proposals(&planes);
        assert!(!first.is_empty());
        assert_eq!(proposals(&planes), first);
    }
}
