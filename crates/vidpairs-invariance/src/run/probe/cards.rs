//! Selects test images that a classifier recognises best and worst.

use super::result::ProbeCard;
use super::subject::Subject;
use crate::probe::{Answers, Truth};

/// Best and worst images.
pub(super) type BestAndWorst = [Vec<ProbeCard>; 2];

/// Maximum number of images of a model at each end.
pub const MAX_CARDS: usize = 12;

/// Images among which the best and the worst are selected.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    best: Vec<Candidate>,
    worst: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    /// Index among the test images.
    image: usize,
    class: usize,
    kind: Kind,
    /// Decision value.
    value: f64,
}

#[derive(Debug)]
enum Kind {
    /// A positive of a great value.
    Recognised,
    /// A positive of a small value.
    Missed,
    /// A negative of a great value.
    FalseAlarm,
}

impl Candidates {
    /// Takes the images at the ends of one class: the positive of the greatest value, the positive of the smallest, the negative of the
    /// greatest.
    pub fn take_class(&mut self, class: usize, decisions: &[f64], truths: &[Truth]) {
        let of = |truth: Truth| {
            let images = decisions.iter().copied().enumerate().zip(truths);
            images
                .filter(move |(_, is)| **is == truth)
                .map(|(candidate, _)| candidate)
        };
        let by_value = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        let ends = [
            (of(Truth::Positive).max_by(by_value), Kind::Recognised),
            (of(Truth::Positive).min_by(by_value), Kind::Missed),
            (of(Truth::Negative).max_by(by_value), Kind::FalseAlarm),
        ];
        for (found, kind) in ends {
            let Some((image, value)) = found else {
                continue;
            };
            // Only what the machine decides rightly is recognised, and only what it decides wrongly is a mistake.
            let to = match kind {
                Kind::Recognised if value > 0.0 => &mut self.best,
                Kind::Missed if value <= 0.0 => &mut self.worst,
                Kind::FalseAlarm if value > 0.0 => &mut self.worst,
                _ => continue,
            };
            to.push(Candidate {
                image,
                class,
                kind,
                value,
            });
        }
    }

    /// The cards, the clearest decisions first, without their pictures. No image occurs twice at one end.
    ///
    /// - `images`: test images, as indices in the subject.
    pub fn finish(self, subject: &Subject, images: &[usize]) -> BestAndWorst {
        [self.best, self.worst].map(|mut candidates| {
            candidates.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
            let mut seen = Vec::new();
            candidates.retain(|candidate| {
                let is_new = !seen.contains(&candidate.image);
                seen.push(candidate.image);
                is_new
            });
            candidates.truncate(MAX_CARDS);
            let drawn = |candidate: Candidate| {
                let image = images[candidate.image];
                let class = &subject.classes[candidate.class];
                let value = candidate.value;
                let answer = match candidate.kind {
                    Kind::Recognised => format!("{class} ({value:.2})"),
                    Kind::Missed => format!("{class} missed ({value:.2})"),
                    Kind::FalseAlarm => format!("taken for {class} ({value:.2})"),
                };
                card(subject, image, answer)
            };
            candidates.into_iter().map(drawn).collect()
        })
    }
}

/// A card without its picture.
fn card(subject: &Subject, image: usize, answer: String) -> ProbeCard {
    ProbeCard {
        image,
        id: subject.name_of(image),
        class: subject.class_text(image),
        answer,
        jpeg: Err("features without images".to_owned()),
    }
}

/// Images that are answered right and wrong, of every class in turn: the most certain first, or those whose class is farthest from the first
/// answer where answers have no probability.
///
/// - `certainty`: probability of the first answer for each image; empty if there is none.
/// - `images`: test images, as indices in the subject.
pub(super) fn cards_of_answers(
    answers: &Answers,
    certainty: &[f64],
    subject: &Subject,
    images: &[usize],
) -> BestAndWorst {
    let of_all = answers.answers().iter().zip(answers.classes()).enumerate();
    let mut order: Vec<(usize, usize, bool, f64)> = of_all
        .map(|(image, (answer, &class))| {
            let is_right = answer.rank == Some(0);
            let distance = answer.rank.map_or(f64::INFINITY, |rank| rank as f64);
            let weight = certainty.get(image).copied().unwrap_or(distance);
            (image, class, is_right, weight)
        })
        .collect();
    order.sort_by(|a, b| b.3.total_cmp(&a.3));
    let at_end = |wants_right: bool| {
        // The n-th image of each class comes before the (n + 1)-th of any.
        let mut num_of_class = vec![0usize; subject.classes.len()];
        let mut turns: Vec<(usize, usize)> = Vec::new();
        for &(image, class, ..) in order
            .iter()
            .filter(|(.., is_right, _)| *is_right == wants_right)
        {
            turns.push((num_of_class[class], image));
            num_of_class[class] += 1;
        }
        turns.sort_by_key(|(turn, _)| *turn);
        let cards = turns.into_iter().take(MAX_CARDS).map(|(_, image)| {
            let predicted = &subject.classes[answers.answers()[image].predicted];
            let answer = match certainty.get(image) {
                Some(probability) => format!("{predicted} ({:.0} %)", 100.0 * probability),
                None => predicted.clone(),
            };
            card(subject, images[image], answer)
        });
        cards.collect()
    };
    [at_end(true), at_end(false)]
}

#[cfg(test)]
mod tests {
    use vidpairs_types::{ProbeLabel, Split};

    use super::*;

    #[test]
    fn mistakes_are_the_worst_images_and_no_image_is_shown_twice() {
        use Truth::{Ignored, Negative, Positive};
        let subject = Subject {
            classes: ["cat", "dog"].map(str::to_owned).to_vec(),
            labels: vec![ProbeLabel::One(0); 4],
            splits: vec![Split::Test; 4],
            ids: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            parts: Vec::new(),
        };
        let mut candidates = Candidates::default();
        candidates.take_class(
            0,
            &[2.0, -0.5, 0.25, 9.0],
            &[Positive, Positive, Negative, Ignored],
        );
        candidates.take_class(
            1,
            &[1.0, -3.0, -2.0, -1.0],
            &[Positive, Negative, Positive, Negative],
        );
        let [best, worst] = candidates.finish(&subject, &[0, 1, 2, 3]);
        let text = |cards: &[ProbeCard]| -> Vec<String> {
            cards
                .iter()
                .map(|card| format!("{} {}", card.id, card.answer))
                .collect()
        };
        assert_eq!(text(&best), ["a cat (2.00)"]);
        assert_eq!(
            text(&worst),
            ["c dog missed (-2.00)", "b cat missed (-0.50)"]
        );
    }
}
