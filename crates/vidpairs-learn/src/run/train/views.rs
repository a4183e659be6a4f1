//! Chooses the views of a method by the kind of the records.

use vidpairs_pipeline::{Pipeline, TrainMethod, Views};
use vidpairs_types::{PairKind, Role};

use crate::augment::{CropRecipe, JigsawRecipe, Recipe};

/// One view of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ViewOf {
    /// Image of the record.
    pub role: Role,
    /// Recipe of the view.
    pub recipe: Recipe,
}

/// The views of a record in the order of the inputs of the method.
///
/// - MoCo: query and key. In kind `images` both come from the one image, else from anchor and positive. If records hold the whole frames
///   too: query and key of the frames, then of the regions; views of a term without weight are not made.
/// - PIRL: an image, and the jigsaw of the positive (of the same image in kind `images`).
/// - `supervised`: the anchor.
pub(super) fn views_of(pipeline: &Pipeline, kind: PairKind, has_frames: bool) -> Vec<ViewOf> {
    let image = image_recipe(pipeline);
    let positive = match kind {
        PairKind::Images => Role::Anchor,
        PairKind::Frames | PairKind::Tracks | PairKind::Regions => Role::Positive,
    };
    let view = |role| ViewOf {
        role,
        recipe: image.clone(),
    };
    match pipeline.train.method {
        TrainMethod::Supervised => vec![view(Role::Anchor)],
        TrainMethod::Pirl => {
            let patch_px = (f64::from(pipeline.augment.size_px) * 64.0 / 224.0).round() as u32;
            let jigsaw = ViewOf {
                role: positive,
                recipe: Recipe::Jigsaw(JigsawRecipe::pirl(patch_px.max(8))),
            };
            vec![view(Role::Anchor), jigsaw]
        }
        TrainMethod::MocoV1 | TrainMethod::MocoV2 => {
            let weight = pipeline.train.moco.map_or(0.0, |moco| moco.region_weight);
            let frames = [Role::AnchorFrame, Role::PositiveFrame].map(view);
            let regions = [Role::Anchor, positive].map(view);
            match has_frames {
                true if weight == 0.0 => frames.to_vec(),
                true if weight < 1.0 => [frames, regions].concat(),
                _ => regions.to_vec(),
            }
        }
    }
}

fn image_recipe(pipeline: &Pipeline) -> Recipe {
    let side_px = pipeline.augment.size_px;
    let mut recipe = match pipeline.augment.views {
        Views::MocoV1 => CropRecipe::moco_v1(side_px),
        Views::MocoV2 => CropRecipe::moco_v2(side_px),
        Views::Pirl => CropRecipe::pirl_image(side_px),
    };
    recipe.area.share[0] = pipeline.augment.min_area;
    Recipe::Crop(recipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(overrides: &[&str], kind: PairKind, has_frames: bool) -> Vec<Role> {
        let text = "[source]\nkind = 'got10k'\n[pairs]\nkind = 'tracks'";
        let overrides: Vec<String> = overrides.iter().map(|&entry| entry.to_owned()).collect();
        let pipeline = Pipeline::from_str(text, "a.toml", &overrides).unwrap();
        let views = views_of(&pipeline, kind, has_frames);
        views.iter().map(|view| view.role).collect()
    }

    #[test]
    fn moco_learns_frames_and_regions_where_both_are_stored_and_have_weight() {
        use Role::{Anchor, AnchorFrame, Positive, PositiveFrame};
        assert_eq!(roles(&[], PairKind::Images, false), [Anchor, Anchor]);
        assert_eq!(roles(&[], PairKind::Frames, false), [Anchor, Positive]);
        assert_eq!(
            roles(&[], PairKind::Tracks, true),
            [AnchorFrame, PositiveFrame, Anchor, Positive]
        );
        let weight = |weight| roles(&[weight], PairKind::Regions, true);
        assert_eq!(weight("train.region_weight=1"), [Anchor, Positive]);
        assert_eq!(
            weight("train.region_weight=0"),
            [AnchorFrame, PositiveFrame]
        );
    }

    #[test]
    fn the_jigsaw_of_pirl_comes_from_the_positive() {
        let pirl = |kind| roles(&["train.method=pirl"], kind, false);
        assert_eq!(pirl(PairKind::Images), [Role::Anchor, Role::Anchor]);
        assert_eq!(pirl(PairKind::Frames), [Role::Anchor, Role::Positive]);
    }
}
