//! Probes encoders on images with a class for each pixel: trains segmentation heads, and scores them by intersection over union.

use std::sync::Arc;

use vidpairs_run::RunError;
use vidpairs_source::NamedKind;
use vidpairs_types::{ProbeLabel, Split};

use super::ProbeOptions;
use super::cards::{BestAndWorst, MAX_CARDS};
use super::error::ProbeError;
use super::judge::{Judge, Judged, Outcome};
use super::models::DataSet;
use super::protocol::{crops_text, segmentation_recipe, split_text, worded};
use super::result::{ClassScore, ProbeCard, ProbeProtocol, ProbeScores, ProbeTable};
use super::table::TableMaker;
use crate::probe::segmentation::{ImagePixels, PixelSums};
use crate::run::engine::{EncoderEngine, ImageEncoder};
use crate::run::image_interval::Photographs;
use crate::run::named::NamedFile;
use crate::run::segmentation::{LabelSurvey, SegmentationImage, SegmentationRequest, Segmented};

/// Number of classes that a card names.
const NUM_NAMED: usize = 3;

/// Tables of the data set, one for each stage.
///
/// # Errors
/// [`RunError`], as [`EncoderEngine::survey`] and [`ImageEncoder::segment`]; [`ProbeError::Unfit`] if a split has no usable image.
pub(super) fn segmentation_tables(
    set: &DataSet<'_>,
    (engine, weights, encoders): (&dyn EncoderEngine, &[NamedFile], &[Box<dyn ImageEncoder>]),
    options: &ProbeOptions,
    judge: &Judge<'_>,
) -> Result<Vec<ProbeTable>, RunError> {
    let num_classes = set.subject.classes.len();
    let images = images(set);
    let survey = engine.survey(&images, num_classes, &options.control)?;
    let usable: Vec<usize> = (0..images.len())
        .filter(|&image| survey.shown[image].is_some())
        .collect();
    (set.subject.check(&usable)).map_err(|reason| ProbeError::Unfit {
        path: set.data.path.clone(),
        reason,
    })?;
    let test: Vec<usize> = set.subject.of_split(&usable, Split::Test).collect();
    for (split, name) in [(Split::Train, "training"), (Split::Test, "test")] {
        let is_labelled =
            |image: usize| (survey.shown[image].as_ref()).is_some_and(|shown| !shown.is_empty());
        if !set.subject.of_split(&usable, split).any(is_labelled) {
            return Err(ProbeError::Unfit {
                path: set.data.path.clone(),
                reason: format!("no pixel of its {name} images has a class"),
            }
            .into());
        }
    }
    let images: Vec<SegmentationImage> =
        usable.iter().map(|&image| images[image].clone()).collect();
    let scoring = Scoring {
        set,
        judge,
        train_counts: counts(set, &survey, Split::Train),
        test_counts: counts(set, &survey, Split::Test),
        test: &test,
    };
    let recipe = segmentation_recipe(judge.settings, set.protocol.view.side_px);
    let mut tables = Vec::new();
    for &stage in &set.protocol.stages {
        for &probe in &set.protocol.probes {
            let mut readouts: Vec<String> = Vec::new();
            for encoder in encoders {
                let readout = encoder.map_readout(stage, recipe.trunk)?;
                if !readouts.contains(&readout) {
                    readouts.push(readout);
                }
            }
            let protocol = ProbeProtocol {
                split: split_text(Some(set.data.kind), &set.subject, judge.settings),
                view: Some(crops_text(&recipe)),
                side_px: Some(recipe.size_px),
                pooling: Some(readouts.join(" or ")),
                ..worded(probe, judge.settings)
            };
            let data = (set.data.kind.name(), set.data.path.as_path());
            let mut table =
                TableMaker::new(data, Some(stage.name().to_owned()), protocol, &set.subject);
            table.leave_out(&set.left_out);
            table.leave_out(&survey.left_out);
            for (index, (file, encoder)) in weights.iter().zip(encoders).enumerate() {
                let segmented = encoder.segment(&SegmentationRequest {
                    images: &images,
                    num_classes,
                    stage,
                    numbers: judge.settings.numbers,
                    recipe,
                    seed: judge.seed("segmentation"),
                    out: &options.out,
                    control: &options.control,
                })?;
                let num_train = usable.len() - test.len();
                table.add(index, &file.name, num_train, scoring.judged(segmented)?);
            }
            tables.push(table.finish(weights.len(), judge)?);
        }
    }
    Ok(tables)
}

/// Images of the data set with their labels.
fn images(set: &DataSet<'_>) -> Vec<SegmentationImage> {
    let subject = &set.subject;
    let labelled = subject.parts.iter().zip(&subject.labels).enumerate();
    let images = labelled.filter_map(|(image, (part, label))| match label {
        ProbeLabel::Pixels(labels) => Some(SegmentationImage {
            id: subject.name_of(image),
            path: part.path.clone(),
            labels: labels.clone(),
            split: subject.splits[image],
        }),
        ProbeLabel::One(_) | ProbeLabel::Many { .. } => None,
    });
    images.collect()
}

/// Number of usable images of `split` that show each class.
fn counts(set: &DataSet<'_>, survey: &LabelSurvey, split: Split) -> Vec<usize> {
    let mut counts = vec![0; set.subject.classes.len()];
    for (shown, of) in survey.shown.iter().zip(&set.subject.splits) {
        if *of == split {
            for &class in shown.iter().flatten() {
                counts[class] += 1;
            }
        }
    }
    counts
}

/// What the scores of all models share.
struct Scoring<'a> {
    set: &'a DataSet<'a>,
    judge: &'a Judge<'a>,
    train_counts: Vec<usize>,
    test_counts: Vec<usize>,
    /// Test images, as indices in the subject.
    test: &'a [usize],
}

impl Scoring<'_> {
    fn judged(&self, segmented: Segmented) -> Result<Judged, RunError> {
        let num_classes = self.set.subject.classes.len();
        let (pixels, pictures): (Vec<ImagePixels>, Vec<_>) = (segmented
            .images
            .into_iter()
            .map(|image| (image.pixels, image.picture)))
        .unzip();
        let pixels = Arc::new(pixels);
        let photographs = Photographs::each(pixels.len());
        let figure = |of: fn(&PixelSums) -> Option<f64>| {
            let images = Arc::clone(&pixels);
            self.judge.figure(&photographs, move |counts| {
                of(&PixelSums::of(images.iter(), Some(counts), num_classes))
            })
        };
        let score = figure(PixelSums::mean_iou)?;
        let (pixel_accuracy, mean_accuracy) = (
            figure(PixelSums::pixel_accuracy)?,
            figure(PixelSums::mean_accuracy)?,
        );
        let sums = PixelSums::of(pixels.iter(), None, num_classes);
        let classes = self.set.subject.classes.iter().enumerate();
        let per_class = classes
            .zip(sums.per_class())
            .map(|((class, name), iou)| ClassScore {
                class: name.clone(),
                score: iou.map(|iou| 100.0 * iou),
                train_images: self.train_counts[class],
                test_images: self.test_counts[class],
                cost: None,
            });
        let mut warnings = Vec::new();
        let unseen = self.train_counts.iter().zip(&self.test_counts);
        let unseen = unseen
            .filter(|(train, test)| **train == 0 && **test > 0)
            .count();
        if unseen > 0 {
            warnings.push(format!(
                "classes of test images that no training image shows, and that count as 0: {unseen}"
            ));
        }
        let [best, worst] = self.cards(&pixels, pictures);
        Ok(Judged {
            scores: ProbeScores {
                units: segmented.num_units,
                score: score.unwrap_or_default(),
                pixel_accuracy,
                mean_accuracy,
                per_class: per_class.collect(),
                warnings,
                best,
                worst,
                ..ProbeScores::default()
            },
            chance: guessing(&sums),
            outcome: Arc::new(Outcome::Pixels(pixels, num_classes)),
            test_images: self.test.to_vec(),
            photographs: photographs.clone(),
        })
    }

    /// The images of the greatest and of the least share of right pixels. Few images are divided in the middle.
    fn cards(
        &self,
        pixels: &[ImagePixels],
        mut pictures: Vec<Result<Vec<u8>, String>>,
    ) -> BestAndWorst {
        let accuracies = pixels.iter().map(ImagePixels::accuracy).enumerate();
        let mut ranked: Vec<(usize, f64)> = accuracies
            .filter_map(|(place, accuracy)| Some((place, accuracy?)))
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let num_best = MAX_CARDS.min(ranked.len().div_ceil(2));
        let num_worst = MAX_CARDS.min(ranked.len() - num_best);
        let worst: Vec<_> = ranked.iter().rev().take(num_worst).copied().collect();
        ranked.truncate(num_best);
        let mut cards = |ranked: Vec<(usize, f64)>| {
            let cards = ranked.into_iter().map(|(place, accuracy)| ProbeCard {
                image: self.test[place],
                id: self.set.subject.name_of(self.test[place]),
                class: self.main_classes(&pixels[place]),
                answer: format!("{:.0} % of pixels right", 100.0 * accuracy),
                jpeg: std::mem::replace(&mut pictures[place], Ok(Vec::new())),
            });
            cards.collect()
        };
        [cards(ranked), cards(worst)]
    }

    /// The classes of most pixels: `sky, building, tree`.
    fn main_classes(&self, pixels: &ImagePixels) -> String {
        let mut classes = pixels.true_classes();
        classes.sort_by_key(|(_, num)| std::cmp::Reverse(*num));
        let names = classes.iter().take(NUM_NAMED);
        let names: Vec<&str> = names
            .map(|(class, _)| self.set.subject.classes[*class].as_str())
            .collect();
        names.join(", ")
    }
}

/// Mean intersection over union, percent, if every pixel is predicted as the most frequent class.
fn guessing(sums: &PixelSums) -> Option<f64> {
    let counts = sums.classes().into_iter().map(|class| class.num_true);
    let counts: Vec<u64> = counts.filter(|num| *num > 0).collect();
    let most = counts.iter().max()?;
    let all: u64 = counts.iter().sum();
    Some(100.0 * *most as f64 / all as f64 / counts.len() as f64)
}

#[cfg(test)]
mod tests {
    use crate::probe::segmentation::LabelCoding;

    use super::*;

    #[test]
    fn guessing_is_the_score_of_the_most_frequent_class_everywhere() {
        let labels = [0, 0, 0, 1, 255, 3];
        let compare = |predicted: &[u8]| {
            let coding = LabelCoding::FromZero;
            let image = ImagePixels::compare(&labels, predicted, coding, 5).unwrap();
            PixelSums::of([&image], None, 5)
        };
        let expected = compare(&[0; 6]).mean_iou().map(|iou| 100.0 * iou);
        assert_eq!(guessing(&compare(&[4, 1, 2, 3, 0, 0])), expected);
        assert_eq!(expected, Some(20.0));
        assert_eq!(guessing(&PixelSums::of([], None, 5)), None);
    }
}
