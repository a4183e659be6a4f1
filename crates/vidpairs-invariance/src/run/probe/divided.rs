//! Divides the features of a model into those of training and of test images.

use std::path::Path;
use std::sync::Arc;

use vidpairs_types::{ProbeLabel, Split};

use super::error::ProbeError;
use super::subject::Subject;
use crate::measure::Features;
use crate::probe::unit_rows;
use crate::run::ImageFeatures;
use crate::run::image_interval::Photographs;

/// Features of a model, divided into training and test images.
pub(super) struct Divided {
    pub train: Part,
    pub test: Part,
    /// Photographs that the test images come from.
    pub photographs: Photographs,
    /// Number of units.
    pub units: usize,
    /// Number of training images of each class.
    pub train_counts: Vec<usize>,
    /// Number of test images of each class.
    pub test_counts: Vec<usize>,
}

/// Features of one split.
pub(super) struct Part {
    pub features: Arc<Features<'static>>,
    pub labels: Vec<ProbeLabel>,
    /// Indices in the subject.
    pub images: Vec<usize>,
}

impl Part {
    /// The features with rows scaled to length 1, and the number of images whose features are all 0.
    pub fn unit(&self) -> (Arc<Features<'static>>, usize) {
        let (unit, num_zero) = unit_rows(Features::clone(&self.features));
        (Arc::new(unit), num_zero)
    }
}

impl Divided {
    /// Divides `extracted`, without a second copy of the training images' features.
    ///
    /// # Errors
    /// [`ProbeError::Unfit`] if a split has no features.
    pub fn of(
        subject: &Subject,
        extracted: ImageFeatures,
        path: &Path,
    ) -> Result<Self, ProbeError> {
        let ImageFeatures {
            mut values,
            num_units,
            images,
            ..
        } = extracted;
        let (train_counts, test_counts) = (
            subject.counts(&images, Split::Train),
            subject.counts(&images, Split::Test),
        );
        let is_train = |image: usize| subject.splits[image] == Split::Train;
        let mut tested = Vec::new();
        // Rows of the training images move to the front.
        let mut end = 0;
        for (place, &image) in images.iter().enumerate() {
            let row = place * num_units..(place + 1) * num_units;
            if is_train(image) {
                values.copy_within(row, end);
                end += num_units;
            } else {
                tested.extend_from_slice(&values[row]);
            }
        }
        values.truncate(end);
        values.shrink_to_fit();
        let (train, test): (Vec<usize>, Vec<usize>) =
            images.iter().partition(|&&image| is_train(image));
        let part = |values, images: Vec<usize>| -> Result<Part, ProbeError> {
            let features = Features::new(values, num_units);
            let features = features.map_err(|err| ProbeError::Unfit {
                path: path.to_owned(),
                reason: err.to_string(),
            })?;
            Ok(Part {
                features: Arc::new(features),
                labels: (images.iter())
                    .map(|&image| subject.labels[image].clone())
                    .collect(),
                images,
            })
        };
        let (train, test) = (part(values, train)?, part(tested, test)?);
        let photographs = match subject.parts.is_empty() {
            true => Photographs::each(test.images.len()),
            false => {
                let images = test.images.iter();
                Photographs::of_paths(images.map(|&image| subject.parts[image].path.as_path()))
            }
        };
        Ok(Self {
            train,
            test,
            photographs,
            units: num_units,
            train_counts,
            test_counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_mixed_splits_keep_their_order_their_labels_and_their_images() {
        use Split::{Test, Train};
        let splits = [Test, Train, Test, Train, Train, Test];
        let subject = Subject {
            classes: ["a", "b"].map(str::to_owned).to_vec(),
            labels: (0..6).map(|image| ProbeLabel::One(image % 2)).collect(),
            splits: splits.to_vec(),
            ids: Vec::new(),
            parts: Vec::new(),
        };
        // Image 3 could not be read.
        let images = vec![0, 1, 2, 4, 5];
        let extracted = ImageFeatures {
            values: images
                .iter()
                .flat_map(|&image| [image as f32, 10.0])
                .collect(),
            num_units: 2,
            images,
            left_out: Vec::new(),
            speed: None,
            file: None,
        };
        let divided = Divided::of(&subject, extracted, Path::new("data")).unwrap();
        let of = |part: &Part| (part.features.values().to_vec(), part.images.clone());
        assert_eq!(of(&divided.train), (vec![1.0, 10.0, 4.0, 10.0], vec![1, 4]));
        let tested = vec![0.0, 10.0, 2.0, 10.0, 5.0, 10.0];
        assert_eq!(of(&divided.test), (tested, vec![0, 2, 5]));
        let labels = [1, 0].map(ProbeLabel::One);
        assert_eq!(divided.train.labels, labels);
        assert_eq!(divided.train_counts, [1, 1]);
        assert_eq!(divided.test_counts, [2, 1]);
    }
}
