//! Answers of a classifier on test images: accuracy among the first answers, by class, and confusion.

use super::inputs::{InputsError, check_classes, check_length};

/// Answer for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// First answer.
    pub predicted: usize,
    /// Place of the true class among the answers, 0 for the first; `None` if it is no answer at all.
    pub rank: Option<usize>,
}

impl Answer {
    /// Ranks the classes by score, greatest first; of equal scores, the class that comes first. A class of score negative infinity is no
    /// answer.
    ///
    /// - `scores`: of each class, numbers; at least one. `class`: the true class; a class that has no score is no answer.
    pub fn of_scores(scores: &[f64], class: usize) -> Self {
        let places = (0..scores.len()).rev();
        let best = places.max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let own = scores.get(class).copied().unwrap_or(f64::NEG_INFINITY);
        let is_before =
            |(other, &score): (usize, &f64)| score > own || (score == own && other < class);
        let num_before = || {
            scores
                .iter()
                .enumerate()
                .filter(|&other| is_before(other))
                .count()
        };
        Self {
            predicted: best.unwrap_or_default(),
            rank: (own > f64::NEG_INFINITY).then(num_before),
        }
    }
}

/// Answers of a classifier, one for each test image.
///
/// # Examples
/// ```
/// use vidpairs_invariance::probe::{Answer, Answers};
///
/// let scores = [[0.9, 0.3, 0.1], [0.2, 0.4, 0.5]];
/// let answers = scores.iter().map(|scores| Answer::of_scores(scores, 1)).collect();
/// let answers = Answers::new(answers, &[1, 1], 3)?;
/// assert_eq!((answers.top(1, None), answers.top(2, None)), (Some(0.0), Some(1.0)));
/// assert_eq!(answers.confusion()[1], [1, 0, 1]);
/// # Ok::<(), vidpairs_invariance::probe::InputsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    answers: Vec<Answer>,
    classes: Vec<usize>,
    num_classes: usize,
}

impl Answers {
    /// Checks the classes.
    ///
    /// - `answers`, `classes`: answer for each image, and its true class.
    ///
    /// # Errors
    /// [`InputsError`].
    pub fn new(
        answers: Vec<Answer>,
        classes: &[usize],
        num_classes: usize,
    ) -> Result<Self, InputsError> {
        check_length("labels", classes.len(), answers.len())?;
        let known = answers.iter().zip(classes);
        check_classes(
            known.map(|(answer, &class)| answer.predicted.max(class)),
            num_classes,
        )?;
        Ok(Self {
            answers,
            classes: classes.to_vec(),
            num_classes,
        })
    }

    /// Answer for each image.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// True class of each image.
    pub fn classes(&self) -> &[usize] {
        &self.classes
    }

    /// Share of the images whose class is among the first `k` answers, 0 to 1; `None` without images.
    ///
    /// - `counts`: how many times each image is there, for a resample; `None` for once each.
    pub fn top(&self, k: usize, counts: Option<&[u32]>) -> Option<f64> {
        let count = |image: usize| match counts {
            Some(counts) => u64::from(counts.get(image).copied().unwrap_or_default()),
            None => 1,
        };
        let (mut num_right, mut num) = (0, 0);
        for (image, answer) in self.answers.iter().enumerate() {
            num += count(image);
            if answer.rank.is_some_and(|rank| rank < k) {
                num_right += count(image);
            }
        }
        (num > 0).then(|| num_right as f64 / num as f64)
    }

    /// Share of the images of each class that are answered right, 0 to 1; `None` for a class without images.
    pub fn per_class(&self) -> Vec<Option<f64>> {
        let share = |(class, row): (usize, Vec<u64>)| {
            let num: u64 = row.iter().sum();
            (num > 0).then(|| row[class] as f64 / num as f64)
        };
        self.confusion()
            .into_iter()
            .enumerate()
            .map(share)
            .collect()
    }

    /// Number of images of each true class (row) with each first answer (column), `K x K`.
    pub fn confusion(&self) -> Vec<Vec<u64>> {
        let mut confusion = vec![vec![0; self.num_classes]; self.num_classes];
        for (answer, &class) in self.answers.iter().zip(&self.classes) {
            confusion[class][answer.predicted] += 1;
        }
        confusion
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_scores_the_class_that_comes_first_is_before() {
        let rank = |class| Answer::of_scores(&[0.5, 0.7, 0.5, 0.7], class);
        assert_eq!(
            rank(1),
            Answer {
                predicted: 1,
                rank: Some(0)
            }
        );
        assert_eq!(rank(3).rank, Some(1));
        assert_eq!((rank(0).rank, rank(2).rank), (Some(2), Some(3)));
    }

    #[test]
    fn a_class_that_is_no_answer_is_a_miss_for_any_k() {
        let answer = Answer::of_scores(&[0.1, f64::NEG_INFINITY], 1);
        assert_eq!(
            answer,
            Answer {
                predicted: 0,
                rank: None
            }
        );
        let answers = Answers::new(vec![answer], &[1], 2).unwrap();
        assert_eq!(answers.top(5, None), Some(0.0));
    }

    #[test]
    fn a_resample_counts_each_image_as_often_as_it_was_drawn() {
        let answers = [(0, 0), (1, 0), (1, 1)].map(|(predicted, class)| {
            let scores = [f64::from(predicted == 0), f64::from(predicted == 1)];
            Answer::of_scores(&scores, class)
        });
        let answers = Answers::new(answers.to_vec(), &[0, 0, 1], 2).unwrap();
        assert_eq!(answers.top(1, None), Some(2.0 / 3.0));
        assert_eq!(answers.top(1, Some(&[0, 2, 1])), Some(1.0 / 3.0));
        assert_eq!(answers.top(1, Some(&[0, 0, 0])), None);
        assert_eq!(answers.per_class(), [Some(0.5), Some(1.0)]);
    }

    #[test]
    fn a_class_out_of_range_is_refused_and_its_image_is_named() {
        let answer = Answer {
            predicted: 0,
            rank: None,
        };
        let err = Answers::new(vec![answer, answer], &[0, 2], 2).unwrap_err();
        let text = "image 1 has class 2; there are 2 classes, from 0";
        assert_eq!(err.to_string(), text);
        let err = Answers::new(vec![answer], &[0, 1], 2).unwrap_err();
        assert_eq!(err.to_string(), "2 labels; expected 1");
    }
}
