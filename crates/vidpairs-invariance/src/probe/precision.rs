//! Computes average precision of a ranking of images, and its mean over classes.
//!
//! Images are ranked by decision value, greatest first. Ignored images are left out. Images of equal decision values enter the ranking
//! together, so that a figure never depends on the order of the images: precision and recall are taken where a group of equal values ends,
//! as scikit-learn takes them. Without equal values this is the definition of the VOC devkit.

use super::Truth;

/// How precision is averaged over recall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApKind {
    /// Area under the monotone envelope: at each recall the greatest precision at that recall or a greater one (VOC devkit from 2010 on,
    /// VISSL).
    Envelope,
    /// Mean of the precision at each positive, without an envelope (`average_precision_score` of scikit-learn). VISSL chooses the cost of an
    /// SVM by it.
    Steps,
}

/// Decision values that do not rank the images. Stop.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RankingError {
    /// A bug of the caller.
    #[error("{num_decisions} decision values for {num_images} images")]
    Lengths {
        /// Number of decision values.
        num_decisions: usize,
        /// Number of images.
        num_images: usize,
    },
    /// A decision value is NaN.
    #[error("the decision value of image {image_index} is NaN; expected a number")]
    Nan {
        /// First such image, from 0.
        image_index: usize,
    },
}

/// Images ranked for one class. Average precisions of the images and of any resample of them take one pass.
///
/// # Examples
/// ```
/// use vidpairs_invariance::probe::Truth::{Ignored, Negative, Positive};
/// use vidpairs_invariance::probe::precision::{ApKind, Ranking};
///
/// let ranking = Ranking::new(&[0.9, 0.1, 0.8, 0.7], &[Positive, Positive, Ignored, Negative])?;
/// // The positives have ranks 1 and 3: precision 1 up to recall 1/2, then 2/3.
/// let ap = ranking.average_precision(ApKind::Envelope).unwrap();
/// assert!((ap - 5.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), vidpairs_invariance::probe::precision::RankingError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Images that count, the lowest decision value first.
    images: Vec<u32>,
    is_positive: Vec<bool>,
    /// Whether the next image (of a greater value) has another value: the image ends its group.
    ends_group: Vec<bool>,
}

impl Ranking {
    /// Ranks the images.
    ///
    /// - `decisions`: decision value of each image; infinities are allowed.
    /// - `truths`: whether each image shows the class.
    ///
    /// # Errors
    /// [`RankingError`].
    pub fn new(decisions: &[f64], truths: &[Truth]) -> Result<Self, RankingError> {
        if decisions.len() != truths.len() {
            return Err(RankingError::Lengths {
                num_decisions: decisions.len(),
                num_images: truths.len(),
            });
        }
        if let Some(image_index) = decisions.iter().position(|value| value.is_nan()) {
            return Err(RankingError::Nan { image_index });
        }
        let mut images: Vec<u32> = (0u32..)
            .zip(truths)
            .filter_map(|(image, &truth)| (truth != Truth::Ignored).then_some(image))
            .collect();
        let value = |image: u32| decisions[image as usize];
        images.sort_unstable_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
        let next = images.iter().skip(1).map(|&image| Some(value(image)));
        let ends_group = images.iter().zip(next.chain([None]));
        Ok(Self {
            ends_group: ends_group
                .map(|(&image, next)| next != Some(value(image)))
                .collect(),
            is_positive: images
                .iter()
                .map(|&image| truths[image as usize] == Truth::Positive)
                .collect(),
            images,
        })
    }

    /// Average precision, 0 to 1; `None` without a positive.
    pub fn average_precision(&self, kind: ApKind) -> Option<f64> {
        self.averaged(kind, |_| 1)
    }

    /// Average precision if each image is there `counts[image]` times: of a resample of the images.
    ///
    /// - `counts`: one for each image that was ranked, ignored ones too; an image beyond its end is absent.
    pub fn average_precision_of(&self, kind: ApKind, counts: &[u32]) -> Option<f64> {
        self.averaged(kind, |image| {
            u64::from(counts.get(image as usize).copied().unwrap_or_default())
        })
    }

    fn averaged(&self, kind: ApKind, count: impl Fn(u32) -> u64) -> Option<f64> {
        let places = || self.images.iter().zip(&self.is_positive);
        let (mut num, mut num_positives) = (0, 0);
        for (&image, &is_positive) in places() {
            let count = count(image);
            num += count;
            num_positives += if is_positive { count } else { 0 };
        }
        if num_positives == 0 {
            return None;
        }
        let total = num_positives;
        // From the end of the ranking: the envelope at a recall is the greatest precision seen so far.
        let (mut sum, mut envelope) = (0.0, 0.0f64);
        let (mut in_group, mut positives_in_group) = (0, 0);
        for ((&image, &is_positive), &ends_group) in places().zip(&self.ends_group) {
            let count = count(image);
            in_group += count;
            positives_in_group += if is_positive { count } else { 0 };
            if !ends_group {
                continue;
            }
            // Negatives alone only lower the precision.
            if positives_in_group > 0 {
                let precision = num_positives as f64 / num as f64;
                envelope = envelope.max(precision);
                num_positives -= positives_in_group;
                match kind {
                    ApKind::Envelope => sum += positives_in_group as f64 * envelope,
                    ApKind::Steps => sum += positives_in_group as f64 * precision,
                }
            }
            num -= in_group;
            (in_group, positives_in_group) = (0, 0);
        }
        Some(sum / total as f64)
    }
}

/// Average precision of each class, and its mean.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanAp {
    /// Average precision of each class, 0 to 1; `None` for a class without a positive or without a classifier.
    pub per_class: Vec<Option<f64>>,
    /// Mean over the classes that have one; `None` if none has.
    pub mean: Option<f64>,
}

impl MeanAp {
    /// Computes the average precision of each class.
    ///
    /// - `rankings`: of each class; `None` for a class without a classifier.
    /// - `counts`: how many times each image is there, for a resample; `None` for once each.
    pub fn of(rankings: &[Option<Ranking>], kind: ApKind, counts: Option<&[u32]>) -> Self {
        let average = |ranking: &Ranking| match counts {
            Some(counts) => ranking.average_precision_of(kind, counts),
            None => ranking.average_precision(kind),
        };
        let per_class: Vec<Option<f64>> = rankings
            .iter()
            .map(|ranking| ranking.as_ref().and_then(average))
            .collect();
        let found = || per_class.iter().flatten();
        let num = found().count();
        Self {
            mean: (num > 0).then(|| found().sum::<f64>() / num as f64),
            per_class,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::drawn;
    use super::*;
    use Truth::{Ignored, Negative, Positive};

    const KINDS: [ApKind; 2] = [ApKind::Envelope, ApKind::Steps];

    fn sample(num: usize) -> (Vec<f64>, Vec<Truth>) {
        // A third of the values occur several times.
        let values = drawn(num, 7).into_iter().enumerate();
        let values = values.map(|(at, value)| match at % 3 {
            0 => f64::from((value * 8.0).round()) / 8.0,
            _ => f64::from(value),
        });
        let truths = drawn(num, 90_000).into_iter().map(|noise| match noise {
            noise if noise > 0.5 => Positive,
            noise if noise < -0.9 => Ignored,
            _ => Negative,
        });
        (values.collect(), truths.collect())
    }

    #[test]
    fn the_order_of_images_does_not_change_an_average_precision_even_with_equal_values() {
        let (values, truths) = sample(200);
        let order: Vec<usize> = (0..200).map(|at| at * 77 % 200).collect();
        let moved = Ranking::new(
            &order.iter().map(|&at| values[at]).collect::<Vec<_>>(),
            &order.iter().map(|&at| truths[at]).collect::<Vec<_>>(),
        );
        let (ranking, moved) = (Ranking::new(&values, &truths).unwrap(), moved.unwrap());
        for kind in KINDS {
            assert_eq!(
                ranking.average_precision(kind),
                moved.average_precision(kind)
            );
        }
    }

    #[test]
    fn a_resample_has_the_average_precision_of_its_images_written_out() {
        let (values, truths) = sample(150);
        let counts: Vec<u32> = (0..150).map(|at| [0, 1, 3, 1, 0][at * at % 5]).collect();
        let images = || (0..150).flat_map(|at| (0..counts[at]).map(move |_| at));
        let written = Ranking::new(
            &images().map(|at| values[at]).collect::<Vec<_>>(),
            &images().map(|at| truths[at]).collect::<Vec<_>>(),
        );
        let (ranking, written) = (Ranking::new(&values, &truths).unwrap(), written.unwrap());
        for kind in KINDS {
            let found = ranking.average_precision_of(kind, &counts).unwrap();
            assert!((found - written.average_precision(kind).unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn equal_values_enter_the_ranking_together() {
        let ranking = Ranking::new(&[0.5; 4], &[Positive, Negative, Negative, Positive]).unwrap();
        for kind in KINDS {
            assert!(
                (ranking.average_precision(kind).unwrap() - 0.5).abs() < 1e-12,
                "{kind:?}"
            );
        }
        let zeros = Ranking::new(&[0.0, -0.0], &[Positive, Negative]).unwrap();
        assert_eq!(zeros.average_precision(ApKind::Envelope), Some(0.5));
    }

    #[test]
    fn a_class_without_a_positive_has_no_average_precision_and_is_not_in_the_mean() {
        let ranking = |truths: &[Truth]| Some(Ranking::new(&[0.1, 0.2], truths).unwrap());
        let rankings = [
            ranking(&[Negative, Positive]),
            ranking(&[Negative, Ignored]),
            ranking(&[Positive, Negative]),
            None,
        ];
        let all = MeanAp::of(&rankings, ApKind::Envelope, None);
        assert_eq!(all.per_class, [Some(1.0), None, Some(0.5), None]);
        assert_eq!(all.mean, Some(0.75));
        let resample = MeanAp::of(&rankings, ApKind::Envelope, Some(&[0, 2]));
        assert_eq!(resample.mean, Some(1.0));
        assert_eq!(
            MeanAp::of(&rankings[3..], ApKind::Envelope, None).mean,
            None
        );
    }

    #[test]
    fn decision_values_that_rank_nothing_are_refused() {
        let err = Ranking::new(&[0.0, f64::NAN], &[Positive, Negative]).unwrap_err();
        let text = "the decision value of image 1 is NaN; expected a number";
        assert_eq!(err.to_string(), text);
        let err = Ranking::new(&[0.0], &[Positive, Negative]).unwrap_err();
        assert_eq!(err.to_string(), "1 decision values for 2 images");
    }
}
