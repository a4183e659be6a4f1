//! Chooses the protocol of a data set, and words it.

use vidpairs_pipeline::{Framing, Probe, ProbeName, StageName};
use vidpairs_source::ProbeSetKind;
use vidpairs_types::{Beyond, Split, readable};

use super::result::ProbeProtocol;
use super::subject::Subject;
use crate::run::{PartView, SegmentationRecipe, Trunk};

/// Side of a view, px.
const SIDE_PX: u32 = 224;
/// Side of a crop in the training of segmentation, px.
const CROP_PX: u32 = 512;

/// Classifiers, stages and views of a data set: the settings, with the defaults of its kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DataProtocol {
    pub probes: Vec<ProbeName>,
    pub stages: Vec<StageName>,
    pub view: PartView,
}

impl DataProtocol {
    pub fn of(kind: ProbeSetKind, settings: &Probe) -> Self {
        use ProbeName::{Knn, Logistic, Segmentation, Svm};
        let (probes, framing): (&[ProbeName], _) = match kind {
            ProbeSetKind::Voc07 => (&[Svm], Framing::Squash),
            ProbeSetKind::Voc07Boxes => (&[Svm, Logistic, Knn], Framing::Squash),
            ProbeSetKind::Imagenet | ProbeSetKind::Folders => {
                (&[Logistic, Knn], Framing::CenterCrop)
            }
            ProbeSetKind::Ade20k => (&[Segmentation], Framing::CenterCrop),
        };
        let side_px = match kind {
            ProbeSetKind::Ade20k => CROP_PX,
            _ => SIDE_PX,
        };
        let stages: &[StageName] = match kind {
            ProbeSetKind::Voc07 | ProbeSetKind::Voc07Boxes => &[
                StageName::Layer1,
                StageName::Layer2,
                StageName::Layer3,
                StageName::Layer4,
            ],
            ProbeSetKind::Imagenet | ProbeSetKind::Folders | ProbeSetKind::Ade20k => {
                &[StageName::Layer4]
            }
        };
        Self {
            probes: settings.probes.clone().unwrap_or_else(|| probes.to_vec()),
            stages: settings.stages.clone().unwrap_or_else(|| stages.to_vec()),
            view: PartView {
                side_px: settings.size_px.unwrap_or(side_px),
                framing: settings.view.unwrap_or(framing),
                beyond: Beyond::Padded,
            },
        }
    }
}

/// Classifiers of stored features.
pub(super) fn probes_of_features(subject: &Subject, settings: &Probe) -> Vec<ProbeName> {
    let given = settings.probes.clone();
    given.unwrap_or_else(|| match subject.has_many() {
        true => vec![ProbeName::Svm],
        false => vec![ProbeName::Logistic, ProbeName::Knn],
    })
}

/// The protocol of a classifier in words, without the view and the split.
pub(super) fn worded(probe: ProbeName, settings: &Probe) -> ProbeProtocol {
    let folds = settings.folds;
    let protocol = ProbeProtocol {
        probe: probe.name().to_owned(),
        scaling: match probe {
            ProbeName::Svm => "rows scaled to length 1",
            ProbeName::Linear | ProbeName::Segmentation => "",
            ProbeName::Logistic => "units standardised over the training images",
            ProbeName::Knn => "cosine similarity",
        }
        .to_owned(),
        intervals: format!(
            "95 % intervals by a bootstrap over the test images, {} resamples",
            settings.resamples
        ),
        ..ProbeProtocol::default()
    };
    match probe {
        ProbeName::Svm => ProbeProtocol {
            classifier: format!(
                "linear SVM for each class, squared hinge loss, L2 penalty, weight {} of positives",
                readable(settings.positive_weight)
            ),
            metric: "mAP".to_owned(),
            intervals: format!(
                "{}, which lie more above an mAP of few positives than below it",
                protocol.intervals
            ),
            costs: settings.svm_costs.clone(),
            choice: Some(format!(
                "C of each class from {} by the average precision of {folds}-fold cross-validation on the training images",
                listed(&settings.svm_costs)
            )),
            ..protocol
        },
        ProbeName::Linear => ProbeProtocol {
            classifier: format!(
                "linear classifier by SGD on augmented images (recipe of MoCo), {} epochs, batch {}",
                settings.linear_epochs, settings.linear_batch
            ),
            metric: "top-1".to_owned(),
            learning_rates: settings.linear_rates.clone(),
            choice: Some(format!(
                "learning rate from {} by the accuracy on a tenth of the training images, which is held out",
                listed(&settings.linear_rates)
            )),
            ..protocol
        },
        ProbeName::Logistic => ProbeProtocol {
            classifier:
                "multinomial logistic regression on stored features by L-BFGS, L2 penalty (not the SGD recipe with augmentation)"
                    .to_owned(),
            metric: "top-1".to_owned(),
            costs: settings.logistic_costs.clone(),
            choice: Some(format!(
                "C from {} by the accuracy of {folds}-fold cross-validation on the training images",
                listed(&settings.logistic_costs)
            )),
            ..protocol
        },
        ProbeName::Segmentation => ProbeProtocol {
            classifier: match trunk(settings) {
                Trunk::Frozen => {
                    "batch norm and 1 x 1 convolution on the feature map of the frozen network".to_owned()
                }
                Trunk::Finetuned => format!(
                    "batch norm and 1 x 1 convolution on the feature map, fine-tuned with the network (learning rate of the network x {}, its \
                     batch norm in evaluation mode)",
                    Trunk::RATE
                ),
            },
            metric: "mIoU".to_owned(),
            choice: Some(format!(
                "cross-entropy of labelled pixels by SGD, learning rate {} with polynomial decay (power {}), momentum {}, weight decay {}, {} \
                 epochs, batch {}",
                readable(settings.segmentation_rate),
                SegmentationRecipe::POWER,
                SegmentationRecipe::MOMENTUM,
                readable(SegmentationRecipe::WEIGHT_DECAY),
                settings.segmentation_epochs,
                settings.segmentation_batch
            )),
            ..protocol
        },
        ProbeName::Knn => ProbeProtocol {
            classifier: neighbours_text(settings, None),
            metric: "top-1".to_owned(),
            ..protocol
        },
    }
}

/// Weighted kNN in words, with the number of neighbours that vote: all of fewer training images.
///
/// - `num_train`: number of training images, if it is known.
pub(super) fn neighbours_text(settings: &Probe, num_train: Option<usize>) -> String {
    let neighbours = match num_train {
        Some(num) if (num as u64) < u64::from(settings.neighbours) => format!(
            "all {num} training images as neighbours (probe.neighbours is {})",
            settings.neighbours
        ),
        _ => format!("{} neighbours", settings.neighbours),
    };
    let temperature = readable(settings.temperature);
    format!("weighted kNN, {neighbours}, temperature {temperature}")
}

/// Whether segmentation trains the network.
pub(super) fn trunk(settings: &Probe) -> Trunk {
    match settings.finetune {
        true => Trunk::Finetuned,
        false => Trunk::Frozen,
    }
}

/// The training of segmentation heads.
///
/// - `size_px`: side of the crops, px.
pub(super) fn segmentation_recipe(settings: &Probe, size_px: u32) -> SegmentationRecipe {
    SegmentationRecipe {
        size_px,
        epochs: settings.segmentation_epochs,
        batch: settings.segmentation_batch,
        learning_rate: settings.segmentation_rate,
        trunk: trunk(settings),
    }
}

/// The views of segmentation in words; the side of the crops follows.
pub(super) fn crops_text(recipe: &SegmentationRecipe) -> String {
    let [low, high] = SegmentationRecipe::SCALES;
    format!(
        "tested on whole images (long side at most {} px) with logits upsampled bilinearly to the full label size; trained on images scaled by \
         {low} to {high}, flipped and cropped at random",
        recipe.max_test_side_px()
    )
}

fn listed(costs: &[f64]) -> String {
    let costs: Vec<String> = costs.iter().map(|&cost| readable(cost)).collect();
    format!("[{}]", costs.join(", "))
}

/// The view in words.
pub(super) fn view_text(view: PartView, has_regions: bool, box_scale: f64) -> String {
    let framing = match view.framing {
        Framing::Squash => "resized to a square",
        Framing::CenterCrop => "short side resized to 8/7 of the view, central square",
    };
    match has_regions {
        false => framing.to_owned(),
        true => {
            format!("boxes scaled by {box_scale}, outside of the image the mean colour, {framing}")
        }
    }
}

/// Where training and test images come from, in words.
pub(super) fn split_text(
    kind: Option<ProbeSetKind>,
    subject: &Subject,
    settings: &Probe,
) -> String {
    let is_first_from = |folder: &str| subject.ids.iter().any(|id| id.starts_with(folder));
    match kind {
        None => "splits of the file".to_owned(),
        Some(ProbeSetKind::Voc07 | ProbeSetKind::Voc07Boxes) => {
            "fitted on trainval, tested on test".to_owned()
        }
        Some(ProbeSetKind::Imagenet) => "fitted on train, tested on val".to_owned(),
        Some(ProbeSetKind::Ade20k) => "fitted on training, tested on validation".to_owned(),
        Some(ProbeSetKind::Folders) => {
            let is_test = |place: usize| subject.splits[place] == Split::Test;
            let test = (0..subject.splits.len()).find(|&place| is_test(place));
            let folder = test.and_then(|place| subject.ids[place].split('/').next());
            match folder {
                Some(folder) if ["val", "test"].contains(&folder) && is_first_from("train/") => {
                    format!("fitted on train, tested on {folder}")
                }
                _ => format!(
                    "{} of the images of each class at random for testing, seed {}",
                    readable(settings.test_share),
                    settings.seed
                ),
            }
        }
    }
}
