//! Selects examples of a model for the page: units with images for which they fire, and the most and least invariant targets.

mod curve;

use super::subject::Subject;
use crate::measure::{Features, Firing, Plan, Score, ScoreError, Sign, Version};

pub use curve::{Along, CurveLine, UnitCurve};
use curve::{caption, order};

/// Maximum number of units shown of a model.
pub const MAX_UNITS: usize = 3;
/// Maximum number of pictures beside a unit.
pub const MAX_PICTURES: usize = 12;
/// Maximum number of most, and of least, invariant targets shown.
pub const MAX_TARGETS: usize = 4;
/// Maximum number of pictures of a target.
pub const MAX_TARGET_PICTURES: usize = 4;

/// A unit and the images for which it fires, by the formula.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnitCard {
    /// Index of the unit, from 0.
    pub unit: usize,
    /// Name of the target for which the unit is most invariant.
    pub target: String,
    /// Share of the target's images for which the unit fires, percent.
    pub fires_for_target: f64,
    /// Share of all images for which the unit fires, percent.
    pub fires_for_all: f64,
    /// Number of sets of the target.
    pub num_sets: usize,
    /// Images of the target's set in which the unit fires most, in the order of the transformation.
    pub pictures: Vec<CardPicture>,
    /// Response along the transformation; none if its positions are unknown.
    pub curve: Option<UnitCurve>,
}

/// A target and its score.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TargetCard {
    /// Name of the target.
    pub target: String,
    /// Score of the target, percent.
    pub score: f64,
    /// Some of its images.
    pub pictures: Vec<CardPicture>,
}

/// An image on a card.
#[derive(Debug, Clone, PartialEq)]
pub struct CardPicture {
    /// Index among the images with features.
    pub image: usize,
    /// The image as the encoder sees it, as a JPEG; or the reason why it cannot be shown.
    pub jpeg: Result<Vec<u8>, String>,
    /// Condition in short: `40°`, `l3c2`.
    pub caption: String,
    /// Position along the unit's curve: degrees of azimuth, or index of the name; none if unknown.
    pub place: Option<f64>,
    /// Whether the unit fires for the image; none on the card of a target.
    pub fires: Option<bool>,
}

/// Cards of a model, before the pictures are drawn.
pub(super) struct Cards {
    pub units: Vec<UnitCard>,
    pub most: Vec<TargetCard>,
    pub least: Vec<TargetCard>,
}

impl Cards {
    /// Selects from the `scores` of `features`: units by the formula, targets by the published code at the first K.
    ///
    /// # Errors
    /// [`ScoreError`] if the plan does not fit the features.
    pub fn of(
        subject: &Subject,
        features: &Features<'_>,
        plan: &Plan,
        scores: &[Score],
    ) -> Result<Self, ScoreError> {
        let by = |version| scores.iter().find(|score| score.version == version);
        let mut units = Vec::new();
        if let Some(score) = by(Version::Formula) {
            for (unit, class) in best_units(score) {
                let firing = plan.firing(features, unit, Version::Formula)?;
                units.push(unit_card(subject, features, (unit, class), &firing));
            }
        }
        let mut ranked: Vec<(u32, f64)> = Vec::new();
        if let Some(score) = by(Version::PublishedCode)
            && let Some(top) = score.top.first()
        {
            let targets = score.targets.iter().copied();
            ranked.extend(targets.zip(top.per_target.iter().copied()));
        }
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        // No target is shown at both ends.
        let num = MAX_TARGETS.min(ranked.len() / 2);
        let card = |&(class, score): &(u32, f64)| {
            let images = images_of(subject, class);
            TargetCard {
                target: subject.target_name(class).to_owned(),
                score,
                pictures: pictures(subject, images, MAX_TARGET_PICTURES, None),
            }
        };
        Ok(Self {
            units,
            most: ranked.iter().take(num).map(card).collect(),
            least: ranked.iter().rev().take(num).map(card).collect(),
        })
    }
}

/// The units that are most invariant for any target, with the class of this target. No unit occurs twice.
fn best_units(score: &Score) -> Vec<(usize, u32)> {
    let mut best: Vec<(f64, usize, u32)> = Vec::new();
    for (target, &class) in score.targets.iter().enumerate() {
        let units = score.units.of_target(target).enumerate();
        let first = units.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.extend(
            first
                .filter(|&(_, invariance)| invariance > 0.0)
                .map(|(unit, invariance)| (invariance, unit, class)),
        );
    }
    best.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut chosen: Vec<(usize, u32)> = Vec::new();
    for (_, unit, class) in best {
        if chosen.len() < MAX_UNITS && chosen.iter().all(|&(other, _)| other != unit) {
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
    let percent = |num_firing: usize, num: usize| 100.0 * num_firing as f64 / num as f64;
    let of_target = images_of(subject, class);
    let num_firing = of_target
        .iter()
        .filter(|&&image| firing.fires[image])
        .count();
    let num_firing_all = firing.fires.iter().filter(|&&fires| fires).count();
    // The set in which the unit fires for the largest share of images; the first of equal ones.
    let labels = &subject.labels;
    let sets = labels.sets().iter().enumerate();
    let sets: Vec<usize> = sets
        .filter(|(_, set)| labels.classes()[set.class_index] == class)
        .map(|(index, _)| index)
        .collect();
    let shown = sets.iter().copied().reduce(|best, set| {
        match firing.share_of_set[set] > firing.share_of_set[best] {
            true => set,
            false => best,
        }
    });
    let is_shown = |image: &usize| Some(labels.set_of_image()[*image] as usize) == shown;
    let of_set: Vec<usize> = of_target.iter().copied().filter(is_shown).collect();
    let values: Vec<f32> = features.unit(unit).collect();
    let threshold = match firing.sign {
        Sign::Negative => (firing.low_threshold, false),
        Sign::Positive | Sign::PerSet => (firing.high_threshold, true),
    };
    let target = subject.target_name(class);
    let curve = UnitCurve::of(&subject.conditions, &values, &of_target, target, threshold);
    let mut pictures = pictures(subject, of_set, MAX_PICTURES, Some(&firing.fires));
    if let Some(curve) = &curve {
        for picture in &mut pictures {
            picture.place = curve.along.place_of(subject.conditions[picture.image]);
        }
    }
    UnitCard {
        unit,
        target: target.to_owned(),
        fires_for_target: percent(num_firing, of_target.len()),
        fires_for_all: percent(num_firing_all, firing.fires.len()),
        num_sets: sets.len(),
        pictures,
        curve,
    }
}

/// The images of a class, in the order of the transformation.
fn images_of(subject: &Subject, class: u32) -> Vec<usize> {
    let labels = &subject.labels;
    let sets = labels.set_of_image().iter().enumerate();
    let mut images: Vec<usize> = sets
        .filter(|&(_, &set)| labels.classes()[labels.sets()[set as usize].class_index] == class)
        .map(|(image, _)| image)
        .collect();
    images.sort_by_key(|&image| order(subject.conditions[image]));
    images
}

/// At most `max` of `images`, evenly spaced, not yet drawn; none if the subject has no image files.
fn pictures(
    subject: &Subject,
    images: Vec<usize>,
    max: usize,
    fires: Option<&[bool]>,
) -> Vec<CardPicture> {
    if subject.pictures.is_empty() {
        return Vec::new();
    }
    let num = max.min(images.len());
    (0..num)
        .map(|place| {
            let image = images[place * images.len() / num];
            CardPicture {
                image,
                jpeg: Err("not drawn".to_owned()),
                caption: caption(subject.conditions[image]),
                place: None,
                fires: fires.map(|fires| fires[image]),
            }
        })
        .collect()
}
