//! What is shown of a model: a few units with the images that fire them, and the targets at both ends.

mod curve;
mod place;

use vidpairs_types::Condition;

use super::subject::Subject;
use crate::measure::{Features, Firing, Plan, Score, ScoreError, Sign, Version};

pub use curve::{CurveLine, UnitCurve};
pub use place::Along;
use place::{caption, order};

/// Units that are shown of a model.
const NUM_UNITS: usize = 3;
/// Pictures beside a unit.
const NUM_PICTURES: usize = 12;
/// Targets that are shown at each end.
const NUM_TARGETS: usize = 4;
/// Pictures of a target.
const NUM_TARGET_PICTURES: usize = 4;

/// A unit, and what fires it, by the formula.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitCard {
    /// Its place in the representation, from 0.
    pub unit: usize,
    /// The target it is most invariant for.
    pub target: String,
    /// Share of the target's images that fire it, percent.
    pub fires_for_target: f64,
    /// Share of all images that fire it, percent.
    pub fires_for_all: f64,
    /// Sets of the target.
    pub num_sets: usize,
    /// Images of the set of the target in which it fires most, in the order of what varies.
    pub pictures: Vec<CardPicture>,
    /// How it responds while the transformation runs, where that has an order.
    pub curve: Option<UnitCurve>,
}

/// A target, and how invariant the best units are for it.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetCard {
    /// Its name.
    pub target: String,
    /// Percent.
    pub score: f64,
    /// Some of its images.
    pub pictures: Vec<CardPicture>,
}

/// An image of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct CardPicture {
    /// Its place among the images that have features.
    pub image: usize,
    /// JPEG, as the encoder gets it; or why there is none.
    pub jpeg: Result<Vec<u8>, String>,
    /// What varies, in a word: `40°`, `l3c2`.
    pub caption: String,
    /// Where it lies along its unit's curve: degrees of azimuth, or which of the names; none where that is not known.
    pub place: Option<f64>,
    /// Whether it fires the unit; none where no unit is meant.
    pub fires: Option<bool>,
}

/// All that is shown of a model, without the pictures' bytes.
pub(super) struct Cards {
    pub units: Vec<UnitCard>,
    pub most: Vec<TargetCard>,
    pub least: Vec<TargetCard>,
}

impl Cards {
    /// Chooses from the `scores` of `features`. Units are chosen by the formula, targets by the published code's first K.
    ///
    /// # Errors
    /// [`ScoreError`] if something does not fit.
    pub fn of(
        subject: &Subject,
        features: &Features<'_>,
        plan: &Plan,
        scores: &[Score],
    ) -> Result<Self, ScoreError> {
        let of = |version| scores.iter().find(|score| score.version == version);
        let mut units = Vec::new();
        if let Some(score) = of(Version::Formula) {
            for (unit, class) in best_units(score) {
                let firing = plan.firing(features, unit, Version::Formula)?;
                units.push(unit_card(subject, features, (unit, class), &firing));
            }
        }
        let mut ranked: Vec<(u32, f64)> = of(Version::PublishedCode)
            .and_then(|score| Some((score, score.top.first()?)))
            .map(|(score, top)| {
                let targets = score.targets.iter().copied();
                targets.zip(top.per_target.iter().copied()).collect()
            })
            .unwrap_or_default();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        // Never the same target at both ends.
        let num = NUM_TARGETS.min(ranked.len() / 2);
        let card = |&(class, score): &(u32, f64)| TargetCard {
            target: subject.target_name(class).to_owned(),
            score,
            pictures: pictures(
                subject,
                images_of(subject, class),
                NUM_TARGET_PICTURES,
                None,
            ),
        };
        Ok(Self {
            units,
            most: ranked.iter().take(num).map(card).collect(),
            least: ranked.iter().rev().take(num).map(card).collect(),
        })
    }
}

/// The units that are most invariant for any target, with it; each of another target.
fn best_units(score: &Score) -> Vec<(usize, u32)> {
    let mut best: Vec<(f64, usize, u32)> = Vec::new();
    for (place, &class) in score.targets.iter().enumerate() {
        let units = score.units.of_target(place).enumerate();
        let found = units.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.extend(
            found
                .filter(|it| it.1 > 0.0)
                .map(|(unit, worth)| (worth, unit, class)),
        );
    }
    best.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut chosen: Vec<(usize, u32)> = Vec::new();
    for (_, unit, class) in best {
        if chosen.len() < NUM_UNITS && chosen.iter().all(|&(other, _)| other != unit) {
            chosen.push((unit, class));
        }
    }
    chosen
}

fn unit_card(
    subject: &Subject,
    features: &Features<'_>,
    (unit, class): (usize, u32),
    firing: &Firing,
) -> UnitCard {
    let fires = |image: usize| firing.fires.get(image).copied().unwrap_or(false);
    let percent = |images: &mut dyn Iterator<Item = usize>| {
        let (mut num, mut firing) = (0usize, 0usize);
        images.for_each(|image| {
            num += 1;
            firing += usize::from(fires(image));
        });
        100.0 * firing as f64 / num.max(1) as f64
    };
    let of_target = images_of(subject, class);
    // Of several sets the one that shows most of it.
    let labels = &subject.labels;
    let mut sets = labels.sets().iter().enumerate().filter(|(_, set)| {
        let of = labels.classes().get(set.class_index);
        of == Some(&class)
    });
    let num_sets = sets.clone().count();
    let first = sets.next().map(|(place, _)| place);
    let share = |place: usize| firing.share_of_set.get(place).copied().flatten();
    let shown = sets.map(|(place, _)| place).fold(first, |best, place| {
        let is_better = best.is_none_or(|best| share(place) > share(best));
        if is_better { Some(place) } else { best }
    });
    let of_set: Vec<usize> = of_target
        .iter()
        .copied()
        .filter(|&image| {
            let set = labels.set_of_image().get(image);
            set.map(|&set| set as usize) == shown
        })
        .collect();
    let is_high = firing.sign != Sign::Negative;
    let values: Vec<f32> = features.unit(unit).collect();
    let curve = UnitCurve::of(
        &subject.conditions,
        &values,
        &of_target,
        subject.target_name(class),
        match is_high {
            true => (firing.high_threshold, true),
            false => (firing.low_threshold, false),
        },
    );
    let mut pictures = pictures(subject, of_set, NUM_PICTURES, Some(&firing.fires));
    for picture in &mut pictures {
        let condition = subject.conditions.get(picture.image);
        let along = curve.as_ref().map(|it| &it.along);
        picture.place = along.and_then(|it| it.place_of(*condition?));
    }
    UnitCard {
        unit,
        target: subject.target_name(class).to_owned(),
        fires_for_target: percent(&mut of_target.iter().copied()),
        fires_for_all: percent(&mut (0..features.num_images())),
        num_sets,
        pictures,
        curve,
    }
}

/// The images of a class, in the order of what varies.
fn images_of(subject: &Subject, class: u32) -> Vec<usize> {
    let labels = &subject.labels;
    let is_of = |&(_, &set): &(usize, &u32)| {
        let set = labels.sets().get(set as usize);
        set.and_then(|set| labels.classes().get(set.class_index)) == Some(&class)
    };
    let images = labels.set_of_image().iter().enumerate().filter(is_of);
    let mut images: Vec<usize> = images.map(|(image, _)| image).collect();
    let condition = |image: usize| subject.conditions.get(image).copied();
    images.sort_by_key(|&image| order(condition(image).unwrap_or(Condition::Unknown)));
    images
}

/// At most `num` of `images`, evenly; their bytes come later.
fn pictures(
    subject: &Subject,
    images: Vec<usize>,
    num: usize,
    fires: Option<&[bool]>,
) -> Vec<CardPicture> {
    if subject.pictures.is_empty() {
        return Vec::new();
    }
    let len = images.len();
    let num = num.min(len);
    let chosen = (0..num).filter_map(|place| images.get(place * len / num.max(1)).copied());
    chosen
        .map(|image| CardPicture {
            image,
            jpeg: Err("not drawn".to_owned()),
            caption: (subject.conditions.get(image))
                .map(|&it| caption(it))
                .unwrap_or_default(),
            place: None,
            fires: fires.and_then(|fires| fires.get(image).copied()),
        })
        .collect()
}
