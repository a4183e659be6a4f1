//! Trains segmentation heads on feature maps, and tests them at the full size of the labels.
//!
//! **Takes** images with a class for each pixel, and an encoder. **Gives** for each test image its pixels by true and predicted class.
//! **Fails** with [`FeatureError`]. **Source**: Zhou et al., "Semantic Understanding of Scenes through the ADE20K Dataset", IJCV 2019, and its
//! program (CSAILVision): dilation, decay of the learning rate; Chen et al., "DeepLab", TPAMI 2018: random scales and crops.

mod labels;
mod loader;
mod student;
mod survey;
mod test_images;

use std::sync::{Arc, Mutex};

use vidpairs_invariance::run::{
    SegmentationImage, SegmentationRecipe, SegmentationRequest, Segmented, Trunk,
};
use vidpairs_pipeline::StageName;
use vidpairs_run::RunError;
use vidpairs_types::{ImagePart, Split};

use self::loader::CropLoader;
use self::student::Segmenter;
use super::fit::{FitPlan, StateFile, fit};
use crate::model::{TrainedEncoder, TrainedNetwork, use_cores};
use crate::run::features::{FeatureError, key_of, stamps};

pub(in crate::run) use survey::survey;

/// Version of the training: increased when the same request gives another head.
const FORMAT: u32 = 1;

/// What a head on the map of `stage` sees.
///
/// # Errors
/// [`FeatureError::CannotFinetune`].
pub(in crate::run) fn map_readout(
    encoder: &TrainedEncoder,
    stage: StageName,
    trunk: Trunk,
) -> Result<String, FeatureError> {
    let stride = encoder.network.as_maps().map_stride(stage);
    let stage = stage.name();
    match (&encoder.network, trunk) {
        (TrainedNetwork::ResNet(_), _) => Ok(format!("{stage}, map of output stride {stride}")),
        (TrainedNetwork::Vit(_), Trunk::Frozen) => {
            Ok(format!("{stage}, patches of {stride} px as a map"))
        }
        (TrainedNetwork::Vit(_), Trunk::Finetuned) => Err(FeatureError::CannotFinetune {
            architecture: encoder.architecture.to_string(),
        }),
    }
}

/// Trains a head on the training images of `request`, and predicts the classes of the pixels of its test images.
///
/// # Errors
/// [`RunError`]: an image cannot be read, the training diverges, libtorch refuses, or the state cannot be written;
/// [`RunError::Interrupted`] if the user stopped the training, which the same request continues.
pub(in crate::run) fn segment(
    encoder: &TrainedEncoder,
    request: &SegmentationRequest<'_>,
) -> Result<Segmented, RunError> {
    map_readout(encoder, request.stage, request.recipe.trunk)?;
    use_cores(
        encoder.network.as_features().device(),
        request.control.workers,
    );
    let of_split = |split| -> Vec<SegmentationImage> {
        let images = request.images.iter().filter(|image| image.split == split);
        images.cloned().collect()
    };
    let mut segmenter = Segmenter::new(encoder, request);
    let recipe = &request.recipe;
    let loader = CropLoader {
        images: of_split(Split::Train),
        num_classes: request.num_classes,
        crop_px: recipe.size_px,
        stride: segmenter.stride(),
        batch: u64::from(recipe.batch),
        seed: request.seed,
        numbers: request.numbers,
        viewers: Mutex::default(),
    };
    let num_steps = u64::from(recipe.epochs) * loader.steps_per_epoch();
    let plan = FitPlan {
        what: "segmentation head",
        file: StateFile::new(
            request.out,
            key(encoder, request, &loader.images)?,
            vec![
                ("what", "segmentation head".to_owned()),
                ("num_classes", request.num_classes.to_string()),
            ],
        ),
        num_steps,
        factor: &|step| {
            let left = 1.0 - step as f64 / num_steps as f64;
            left.powf(SegmentationRecipe::POWER)
        },
        batch_bytes: loader.batch_bytes(),
        control: request.control,
    };
    fit(&mut segmenter, Arc::new(loader), &plan)?;
    test_images::predict(&segmenter, of_split(Split::Test), request)
}

/// Hash of everything that the head depends on.
fn key(
    encoder: &TrainedEncoder,
    request: &SegmentationRequest<'_>,
    train: &[SegmentationImage],
) -> Result<String, RunError> {
    let words = [
        format!("vidpairs segmentation head {FORMAT}"),
        format!("{:032x}", encoder.fingerprint),
        format!(
            "{:?} {:?} {:?} {:?} {}",
            request.stage, request.numbers, request.recipe, request.seed, request.num_classes
        ),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let files = train.iter().flat_map(|image| {
        [&image.path, &image.labels].map(|path| ImagePart {
            path: path.clone(),
            region: None,
        })
    });
    let files: Vec<ImagePart> = files.collect();
    let stamps = stamps(&files, request.control)?;
    Ok(key_of(&words, &files, &stamps))
}
