//! True classes of images.

use vidpairs_types::ProbeLabel;

use super::inputs::InputsError;

/// Whether an image shows a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It does.
    Positive,
    /// It does not.
    Negative,
    /// It does not count: all its objects of the class are difficult.
    Ignored,
}

/// Truth of `N` images for each of `K` classes; both at least 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truths {
    /// `K x N`.
    truths: Vec<Truth>,
    num_images: usize,
}

/// Labels from which no truth follows. Stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TruthsError {
    /// No image.
    #[error("no labelled images")]
    NoImage,
    /// No class.
    #[error("no classes")]
    NoClass,
    /// A label names a class that is not there.
    #[error(transparent)]
    Class(#[from] InputsError),
    /// The image is labelled pixel by pixel.
    #[error("image {image_index} has a class for each pixel; expected classes of the whole image")]
    Pixels {
        /// First such image, from 0.
        image_index: usize,
    },
}

impl Truths {
    /// Reads the truth of each image from its label. An image of one class is a negative of all others.
    ///
    /// # Errors
    /// [`TruthsError`].
    pub fn new<'a>(
        labels: impl IntoIterator<Item = &'a ProbeLabel>,
        num_classes: usize,
    ) -> Result<Self, TruthsError> {
        let labels: Vec<&ProbeLabel> = labels.into_iter().collect();
        let num_images = labels.len();
        if num_classes == 0 {
            return Err(TruthsError::NoClass);
        }
        if num_images == 0 {
            return Err(TruthsError::NoImage);
        }
        let mut truths = vec![Truth::Negative; num_classes * num_images];
        for (image_index, label) in labels.into_iter().enumerate() {
            let (positive, ignored): (&[usize], &[usize]) = match label {
                ProbeLabel::One(class) => (std::slice::from_ref(class), &[]),
                ProbeLabel::Many { positive, ignored } => (positive, ignored),
                ProbeLabel::Pixels(_) => return Err(TruthsError::Pixels { image_index }),
            };
            // Positives last: an object that is not difficult makes the image a positive.
            let ignored = ignored.iter().map(|class| (class, Truth::Ignored));
            let positive = positive.iter().map(|class| (class, Truth::Positive));
            for (&class, truth) in ignored.chain(positive) {
                if class >= num_classes {
                    return Err(TruthsError::Class(InputsError::NoSuchClass {
                        image_index,
                        class,
                        num_classes,
                    }));
                }
                truths[class * num_images + image_index] = truth;
            }
        }
        Ok(Self { truths, num_images })
    }

    /// Truth of images that show one class each, `classes[image]`.
    ///
    /// # Errors
    /// [`TruthsError`].
    pub fn of_single(classes: &[usize], num_classes: usize) -> Result<Self, TruthsError> {
        let labels: Vec<ProbeLabel> = classes.iter().copied().map(ProbeLabel::One).collect();
        Self::new(&labels, num_classes)
    }

    /// Number of images `N`.
    pub fn num_images(&self) -> usize {
        self.num_images
    }

    /// Number of classes `K`.
    pub fn num_classes(&self) -> usize {
        self.truths.len() / self.num_images
    }

    /// Truth of each image for one class, `0..num_classes()`; empty for any other class.
    pub fn of_class(&self, class: usize) -> &[Truth] {
        let mut classes = self.truths.chunks_exact(self.num_images);
        classes.nth(class).unwrap_or_default()
    }

    /// Truth of each image, class by class.
    pub fn classes(&self) -> std::slice::ChunksExact<'_, Truth> {
        self.truths.chunks_exact(self.num_images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Truth::{Ignored, Negative, Positive};

    #[test]
    fn an_image_is_a_negative_of_each_class_that_its_label_does_not_name() {
        let many = |positive: &[usize], ignored: &[usize]| ProbeLabel::Many {
            positive: positive.to_vec(),
            ignored: ignored.to_vec(),
        };
        let labels = [many(&[0, 2], &[1]), many(&[], &[]), ProbeLabel::One(1)];
        let truths = Truths::new(&labels, 3).unwrap();
        assert_eq!(truths.of_class(0), [Positive, Negative, Negative]);
        assert_eq!(truths.of_class(1), [Ignored, Negative, Positive]);
        assert_eq!(truths.of_class(2), [Positive, Negative, Negative]);
        assert_eq!((truths.num_images(), truths.num_classes()), (3, 3));
        assert!(truths.of_class(3).is_empty());
    }

    #[test]
    fn labels_without_a_class_of_the_list_are_refused_by_image() {
        let err = Truths::of_single(&[0, 3], 3).unwrap_err();
        assert_eq!(
            err.to_string(),
            "image 1 has class 3; there are 3 classes, from 0"
        );
        let pixels = [ProbeLabel::One(0), ProbeLabel::Pixels("a.png".into())];
        let err = Truths::new(&pixels, 1).unwrap_err();
        assert_eq!(err, TruthsError::Pixels { image_index: 1 });
        assert_eq!(Truths::of_single(&[], 3), Err(TruthsError::NoImage));
        assert_eq!(Truths::of_single(&[0], 0), Err(TruthsError::NoClass));
    }
}
