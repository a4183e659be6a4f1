//! Measures segmentation: mean intersection over union, pixel accuracy, mean accuracy.
//!
//! Pixels are summed over all images before anything is divided, as MMSegmentation and the ADE20K benchmark do. The mean over classes takes
//! the classes that occur in the truth or in a prediction; a class that occurs nowhere has no intersection over union. (CSAILVision counts
//! such a class as 0. On the whole validation part of ADE20K every class occurs.)

/// Meaning of the labels in a label image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelCoding {
    /// Labels are classes, from 0; 255 is unlabelled.
    FromZero,
    /// 0 is unlabelled too, and label `c + 1` is class `c` (ADE20K).
    FromOne,
}

impl LabelCoding {
    fn class(self, label: u8) -> Option<u8> {
        match (self, label) {
            (_, 255) => None,
            (Self::FromZero, label) => Some(label),
            (Self::FromOne, label) => label.checked_sub(1),
        }
    }
}

/// Label images that cannot be compared. Leave the image out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentationError {
    /// Sizes differ.
    #[error("{num_predicted} predicted pixels for {num_pixels} labelled ones")]
    Lengths {
        /// Number of predicted pixels.
        num_predicted: usize,
        /// Number of pixels of the label image.
        num_pixels: usize,
    },
    /// A label is no class.
    #[error(
        "pixel {pixel_index} has label {label}; expected a label of {num_classes} classes or unlabelled"
    )]
    NoSuchLabel {
        /// First such pixel, row by row from 0.
        pixel_index: usize,
        /// The label.
        label: u8,
        /// Number of classes.
        num_classes: usize,
    },
    /// A predicted class is none of those that there are.
    #[error(
        "pixel {pixel_index} is predicted as class {class}; there are {num_classes} classes, from 0"
    )]
    NoSuchClass {
        /// First such pixel, row by row from 0.
        pixel_index: usize,
        /// The predicted class.
        class: u8,
        /// Number of classes.
        num_classes: usize,
    },
}

/// Pixels of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassPixels {
    /// Pixels that show the class.
    pub num_true: u64,
    /// Labelled pixels that are predicted as the class.
    pub num_predicted: u64,
    /// Pixels that are both.
    pub num_right: u64,
}

/// Labelled pixels of one image, by true and predicted class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImagePixels {
    /// True class, predicted class and number of pixels, for pairs that occur; ascending.
    pairs: Vec<(u8, u8, u64)>,
}

impl ImagePixels {
    /// Compares a prediction with the truth. Unlabelled pixels do not count, whatever is predicted there.
    ///
    /// - `labels`: label of each pixel. `predicted`: class of each pixel, from 0, in the same order.
    ///
    /// # Errors
    /// [`SegmentationError`].
    pub fn compare(
        labels: &[u8],
        predicted: &[u8],
        coding: LabelCoding,
        num_classes: usize,
    ) -> Result<Self, SegmentationError> {
        if labels.len() != predicted.len() {
            return Err(SegmentationError::Lengths {
                num_predicted: predicted.len(),
                num_pixels: labels.len(),
            });
        }
        // Pairs first: a pixel costs one addition.
        let mut pairs = vec![0u64; 256 * 256];
        for (&label, &class) in labels.iter().zip(predicted) {
            pairs[usize::from(label) * 256 + usize::from(class)] += 1;
        }
        let first = |label: u8, class: Option<u8>| {
            let pixels = labels.iter().zip(predicted);
            let mut pixels =
                pixels.map(|(&a, &b)| a == label && class.is_none_or(|class| class == b));
            pixels.position(|is_it| is_it).unwrap_or_default()
        };
        let mut occurring = Vec::new();
        for (label, pairs) in (0..=255).zip(pairs.chunks_exact(256)) {
            let Some(own) = coding
                .class(label)
                .filter(|_| pairs.iter().any(|&num| num > 0))
            else {
                continue;
            };
            if usize::from(own) >= num_classes {
                return Err(SegmentationError::NoSuchLabel {
                    pixel_index: first(label, None),
                    label,
                    num_classes,
                });
            }
            for (class, &num) in (0..=255).zip(pairs).filter(|(_, num)| **num > 0) {
                if usize::from(class) >= num_classes {
                    return Err(SegmentationError::NoSuchClass {
                        pixel_index: first(label, Some(class)),
                        class,
                        num_classes,
                    });
                }
                occurring.push((own, class, num));
            }
        }
        Ok(Self { pairs: occurring })
    }

    /// Number of pixels of each class that the image shows, ascending by class.
    pub fn true_classes(&self) -> Vec<(usize, u64)> {
        let mut classes: Vec<(usize, u64)> = Vec::new();
        for &(own, _, num) in &self.pairs {
            match classes.last_mut() {
                Some((class, sum)) if *class == usize::from(own) => *sum += num,
                _ => classes.push((own.into(), num)),
            }
        }
        classes
    }

    /// Number of labelled pixels.
    pub fn num_pixels(&self) -> u64 {
        self.pairs.iter().map(|(_, _, num)| num).sum()
    }

    /// Share of the labelled pixels that are predicted right, 0 to 1; `None` without one.
    pub fn accuracy(&self) -> Option<f64> {
        let right = self.pairs.iter().filter(|(own, class, _)| own == class);
        share(right.map(|(_, _, num)| num).sum(), self.num_pixels())
    }
}

/// Pixels of many images.
///
/// # Examples
/// ```
/// use vidpairs_invariance::probe::segmentation::{ImagePixels, LabelCoding, PixelSums};
///
/// let image = ImagePixels::compare(&[1, 1, 2, 0], &[0, 1, 1, 1], LabelCoding::FromOne, 3)?;
/// let sums = PixelSums::of([&image], None, 3);
/// assert_eq!(sums.per_class(), [Some(0.5), Some(0.5), None]);
/// assert_eq!((sums.mean_iou(), sums.pixel_accuracy()), (Some(0.5), Some(2.0 / 3.0)));
/// # Ok::<(), vidpairs_invariance::probe::segmentation::SegmentationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelSums {
    /// `K x K`: true class by predicted class.
    confusion: Vec<u64>,
    num_classes: usize,
}

impl PixelSums {
    /// Adds up the pixels of images.
    ///
    /// - `counts`: how many times each image is there, for a resample; `None` for once each.
    /// - `num_classes`: number of classes that the images were compared with.
    pub fn of<'a>(
        images: impl IntoIterator<Item = &'a ImagePixels>,
        counts: Option<&[u32]>,
        num_classes: usize,
    ) -> Self {
        let mut confusion = vec![0; num_classes * num_classes];
        for (place, image) in images.into_iter().enumerate() {
            let count = match counts {
                Some(counts) => u64::from(counts.get(place).copied().unwrap_or_default()),
                None => 1,
            };
            if count == 0 {
                continue;
            }
            for &(own, class, num) in &image.pairs {
                let place = usize::from(own) * num_classes + usize::from(class);
                if let Some(sum) = confusion.get_mut(place) {
                    *sum += count * num;
                }
            }
        }
        Self {
            confusion,
            num_classes,
        }
    }

    /// Number of pixels of each true class (row) that are predicted as each class (column).
    pub fn confusion(&self) -> impl Iterator<Item = &[u64]> {
        self.confusion.chunks(self.num_classes.max(1))
    }

    /// Pixels of each class.
    pub fn classes(&self) -> Vec<ClassPixels> {
        let mut classes = vec![ClassPixels::default(); self.num_classes];
        for (own, row) in self.confusion().enumerate() {
            classes[own].num_true = row.iter().sum();
            classes[own].num_right = row[own];
            for (class, num) in classes.iter_mut().zip(row) {
                class.num_predicted += num;
            }
        }
        classes
    }

    /// Intersection over union of each class, 0 to 1; `None` for a class that occurs neither in the truth nor in a prediction.
    pub fn per_class(&self) -> Vec<Option<f64>> {
        let iou = |class: &ClassPixels| {
            share(
                class.num_right,
                class.num_true + class.num_predicted - class.num_right,
            )
        };
        self.classes().iter().map(iou).collect()
    }

    /// Mean intersection over union of the classes that occur, 0 to 1; `None` if none occurs.
    pub fn mean_iou(&self) -> Option<f64> {
        mean(self.per_class())
    }

    /// Share of the labelled pixels that are predicted right, 0 to 1.
    pub fn pixel_accuracy(&self) -> Option<f64> {
        let right = self.classes().iter().map(|class| class.num_right).sum();
        share(right, self.confusion.iter().sum())
    }

    /// Mean over the classes in the truth of the share of their pixels that are predicted right, 0 to 1.
    pub fn mean_accuracy(&self) -> Option<f64> {
        let classes = self.classes();
        let shares = (classes.iter()).map(|class| share(class.num_right, class.num_true));
        mean(shares)
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let (mut sum, mut num) = (0.0, 0);
    for value in values.into_iter().flatten() {
        sum += value;
        num += 1;
    }
    (num > 0).then(|| sum / f64::from(num))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlabelled_pixels_do_not_count_whatever_is_predicted_there() {
        let of = |coding, labels: &[u8], predicted: &[u8]| {
            ImagePixels::compare(labels, predicted, coding, 2).unwrap()
        };
        let from_zero = of(LabelCoding::FromZero, &[0, 255, 1], &[0, 200, 0]);
        assert_eq!(
            (from_zero.num_pixels(), from_zero.accuracy()),
            (2, Some(0.5))
        );
        let from_one = of(LabelCoding::FromOne, &[1, 0, 255, 2], &[0, 9, 9, 0]);
        assert_eq!(from_one, from_zero);
        assert_eq!(of(LabelCoding::FromOne, &[0], &[0]).accuracy(), None);
        let shown = of(LabelCoding::FromZero, &[1, 0, 255, 1], &[0, 0, 0, 1]);
        assert_eq!(shown.true_classes(), [(0, 1), (1, 2)]);
    }

    #[test]
    fn labels_and_predictions_of_no_class_are_refused_by_pixel() {
        let compare = |labels: &[u8], predicted: &[u8]| {
            let err = ImagePixels::compare(labels, predicted, LabelCoding::FromOne, 2);
            err.unwrap_err().to_string()
        };
        assert_eq!(
            compare(&[1, 3], &[0, 0]),
            "pixel 1 has label 3; expected a label of 2 classes or unlabelled"
        );
        assert_eq!(
            compare(&[1, 1, 2], &[0, 0, 2]),
            "pixel 2 is predicted as class 2; there are 2 classes, from 0"
        );
        assert_eq!(compare(&[1], &[]), "0 predicted pixels for 1 labelled ones");
    }

    #[test]
    fn a_resample_counts_each_image_as_often_as_it_was_drawn() {
        let of = |labels: &[u8]| {
            ImagePixels::compare(labels, &[0, 0], LabelCoding::FromZero, 2).unwrap()
        };
        let images = [of(&[0, 0]), of(&[0, 1])];
        let drawn = PixelSums::of(&images, Some(&[0, 2]), 2);
        assert_eq!(drawn, PixelSums::of([&images[1], &images[1]], None, 2));
        assert_eq!(drawn.mean_iou(), Some(0.25));
    }
}
