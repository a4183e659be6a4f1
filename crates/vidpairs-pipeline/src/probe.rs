//! Declares the table `[probe]`.

use super::error::PipelineError;
use super::extract::RunKeys;
use super::rule::{Flag, Number, Optional, Positive, Positives, Whole, Word, Words};
use super::settings::{KeyPath, Settings};
use super::values::{Framing, NumberFormat, PoolName, ProbeName, StageName};

table! {
    /// `[probe]` and the random seed: classifiers on frozen features.
    #[derive(Debug, Clone, PartialEq)]
    "probe" struct Probe {
        /// Random seed.
        seed: u64 => |settings| RunKeys::seed.get(settings);
        /// Classifiers to fit.
        probes: Option<Vec<ProbeName>> = (|_| Ok(None), "the data set's"), Optional(Words);
        /// Stages of the network whose pooled outputs are the features of a table each.
        stages: Option<Vec<StageName>> = (|_| Ok(None), "the data set's"), Optional(Words);
        /// Pooling of a stage, as in `[invariance]`.
        pool: PoolName = "auto", Word;
        /// Side of the square views of images; of `segmentation`, of the random crops in training.
        size_px as "size": Option<u32> = (|_| Ok(None), "the data set's, 224; 512 for segmentation"), Optional(Whole(16..=1024)), "px";
        /// How the view of an image is made: resized to a square, or its central square.
        view: Option<Framing> = (|_| Ok(None), "the data set's"), Optional(Word);
        /// Factor by which the boxes of a data set grow around their centres. What lies outside the image has the mean colour of ImageNet.
        box_scale: f64 = 1, Number(0.5..=4.0), "ratio";
        /// Number format of the encoder's convolutions.
        numbers: NumberFormat = "f32", Word;
        /// Share of the images of each class that are test images, for folders without splits.
        test_share: f64 = 0.2, Number(0.01..=0.99), "ratio";
        /// Number of folds of cross-validation, which chooses a cost from a grid on the training images.
        folds: u32 = 3, Whole(2..=20), "folds";
        /// Costs of the support vector machines (C of liblinear).
        svm_costs: Vec<f64> = [0.01, 0.1, 1, 2, 5, 10, 15, 20, 50, 100, 1000], Positives("[0.1, 1, 10]");
        /// Weight of the errors on positive images of the support vector machines; that of the others is 1.
        positive_weight: f64 = 2, Positive(1000.0), "ratio";
        /// Costs of logistic regression (C of scikit-learn; of two classes half of it).
        logistic_costs: Vec<f64> = [0.01, 0.1, 1, 10, 100, 1000], Positives("[0.1, 1, 10]");
        /// Number of epochs of linear classifiers. The learning rate is divided by 10 after 60 % and after 80 % of them.
        linear_epochs: u32 = 100, Whole(1..=10_000), "epochs";
        /// Number of images of a step of linear classifiers.
        linear_batch: u32 = 256, Whole(1..=4096), "images";
        /// Learning rates of linear classifiers. All are trained at once, on the same features.
        linear_rates: Vec<f64> = [0.1, 0.3, 1, 3, 10, 30, 100], Positives("[1, 10, 30]");
        /// Number of epochs of segmentation heads.
        segmentation_epochs: u32 = 20, Whole(1..=10_000), "epochs";
        /// Number of images of a step of segmentation heads.
        segmentation_batch: u32 = 16, Whole(1..=4096), "images";
        /// Learning rate of segmentation heads at the first step.
        segmentation_rate: f64 = 0.02, Positive(1000.0);
        /// Whether the trunk is trained with the segmentation head, at a tenth of its learning rate. Only ResNets.
        finetune: bool = false, Flag;
        /// Number of nearest neighbours of an image that vote on its class.
        neighbours: u32 = 20, Whole(1..=10_000), "images";
        /// Temperature of the votes: a neighbour has the weight exp(cosine similarity / temperature).
        temperature: f64 = 0.07, Number(1e-6..=100.0), "ratio";
        /// Bootstrap resamples of the test images for a confidence interval.
        resamples: u32 = 1000, Whole(100..=100_000), "resamples";
    }
}

/// Reads the random seed and `[probe]`.
///
/// # Errors
/// The first refused setting.
pub(crate) fn probe(settings: &Settings) -> Result<Probe, PipelineError> {
    let probe = Probe::from_settings(settings)?;
    if let Some(probes) = &probe.probes {
        refuse_without_classifier(settings, probes)?;
    }
    Ok(probe)
}

/// Refuses changed settings that only classifiers use which are not among `probes`.
fn refuse_without_classifier(
    settings: &Settings,
    probes: &[ProbeName],
) -> Result<(), PipelineError> {
    use ProbeName::{Knn, Linear, Logistic, Segmentation, Svm};
    let settings_of: [(&[ProbeName], &[Option<KeyPath>]); 6] = [
        (
            &[Svm],
            &[
                Probe::svm_costs.if_changed(settings)?,
                Probe::positive_weight.if_changed(settings)?,
            ],
        ),
        (&[Logistic], &[Probe::logistic_costs.if_changed(settings)?]),
        (&[Svm, Logistic], &[Probe::folds.if_changed(settings)?]),
        (
            &[Linear],
            &[
                Probe::linear_epochs.if_changed(settings)?,
                Probe::linear_batch.if_changed(settings)?,
                Probe::linear_rates.if_changed(settings)?,
            ],
        ),
        (
            &[Knn],
            &[
                Probe::neighbours.if_changed(settings)?,
                Probe::temperature.if_changed(settings)?,
            ],
        ),
        (
            &[Segmentation],
            &[
                Probe::segmentation_epochs.if_changed(settings)?,
                Probe::segmentation_batch.if_changed(settings)?,
                Probe::segmentation_rate.if_changed(settings)?,
                Probe::finetune.if_changed(settings)?,
            ],
        ),
    ];
    for (users, changed) in settings_of {
        if users.iter().any(|user| probes.contains(user)) {
            continue;
        }
        let names: Vec<String> = users
            .iter()
            .map(|user| format!("{:?}", user.name()))
            .collect();
        let why = format!("probe.probes has no {}", names.join(" and no "));
        let changed: Vec<KeyPath> = changed.iter().copied().flatten().collect();
        settings.refuse_unused(&changed, Probe::probes.path, &why)?;
    }
    Ok(())
}
