//! Scores of a block of units, which need nothing of other blocks.

use std::ops::Range;

use super::firing::{self, Cut, Firing, Sign};
use super::plan::{Plan, ScoreError};
use super::rule::Rule;
use super::tails::{Side, Tail, Tails, WIDTH};
use super::{Features, Version};

/// Units that are looked at side by side: blocks should be multiples of it.
pub const NUM_UNITS_AT_ONCE: usize = WIDTH;

/// Memory that is used again from block to block. Each thread needs one.
#[derive(Debug, Default)]
pub struct Scratch {
    tails: Tails,
    sampled: Vec<u32>,
    high: Vec<u32>,
    low: Vec<u32>,
    other: Vec<f64>,
}

/// What some neighbouring units are worth to every target.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredUnits {
    pub(super) first_unit: usize,
    pub(super) num_units: usize,
    /// In the order of the plan's versions.
    pub(super) versions: Vec<UnitRows>,
}

/// Of one version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UnitRows {
    /// `units x targets`.
    pub invariance: Vec<f64>,
    /// A sign per unit.
    pub signs: Vec<Sign>,
}

impl Plan {
    /// Scores `units` of `features`, for every version of the plan. The result of a unit depends on nothing but its own values.
    ///
    /// - `units`: any; blocks of a multiple of [`NUM_UNITS_AT_ONCE`] are fastest.
    ///
    /// # Errors
    /// [`ScoreError`] if the features have another number of images than the labels, or fewer units.
    pub fn score_units(
        &self,
        features: &Features<'_>,
        units: Range<usize>,
        scratch: &mut Scratch,
    ) -> Result<ScoredUnits, ScoreError> {
        self.check(features, &units)?;
        let empty = |rule: &Rule| UnitRows {
            invariance: vec![0.0; units.len() * rule.num_targets()],
            signs: Vec::with_capacity(units.len()),
        };
        let mut versions: Vec<UnitRows> = self.rules().iter().map(empty).collect();
        let mut sampled = std::mem::take(&mut scratch.sampled);
        let mut tails = std::mem::take(&mut scratch.tails);
        for first_unit in units.clone().step_by(WIDTH) {
            let num_units = WIDTH.min(units.end - first_unit);
            let sample = self.sample();
            let pivots = sample.pivots(features, first_unit, num_units, &mut sampled);
            tails.collect(features, first_unit, num_units, &pivots, self.max_rank());
            let places = first_unit - units.start..;
            for (place, (high, low)) in places.zip(tails.high.iter_mut().zip(&mut tails.low)) {
                self.score_unit(place, high, low, scratch, &mut versions);
            }
        }
        (scratch.sampled, scratch.tails) = (sampled, tails);
        Ok(ScoredUnits {
            first_unit: units.start,
            num_units: units.len(),
            versions,
        })
    }

    fn score_unit(
        &self,
        place: usize,
        high: &mut Tail,
        low: &mut Tail,
        scratch: &mut Scratch,
        versions: &mut [UnitRows],
    ) {
        let mut pools = (usize::MAX, usize::MAX);
        for &version in self.by_falling_rank() {
            let (Some(rule), Some(rows)) = (self.rules().get(version), versions.get_mut(version))
            else {
                continue;
            };
            let cuts = (
                firing::cut(high, rule.rank, pools.0),
                firing::cut(low, rule.rank, pools.1),
            );
            pools = (cuts.0.pool(), cuts.1.pool());
            self.count(&cuts, high, low, scratch);
            scratch.other.resize(rule.num_targets(), 0.0);
            let start = place * rule.num_targets();
            let end = start + rule.num_targets();
            let Some(row) = rows.invariance.get_mut(start..end) else {
                continue;
            };
            let sign = firing::invariance(
                rule,
                &scratch.high,
                &scratch.low,
                self.share(cuts.0.num_at_or_beyond),
                row,
                &mut scratch.other,
            );
            rows.signs.push(sign);
        }
    }

    fn count(&self, cuts: &(Cut, Cut), high: &Tail, low: &Tail, scratch: &mut Scratch) {
        let set_of_image = self.labels().set_of_image();
        let sides = [
            (&cuts.0, high, &mut scratch.high),
            (&cuts.1, low, &mut scratch.low),
        ];
        for (cut, tail, counts) in sides {
            counts.resize(self.labels().sets().len(), 0);
            firing::count(cut.fired(tail), set_of_image, counts);
        }
    }

    fn share(&self, num_images: usize) -> f64 {
        num_images as f64 / self.labels().num_images() as f64
    }

    /// For which images and sets one unit fires by `version`, one of the plan's.
    ///
    /// # Errors
    /// [`ScoreError`] if there is no such unit or version, or if the features have another number of images than the labels.
    pub fn firing(
        &self,
        features: &Features<'_>,
        unit_index: usize,
        version: Version,
    ) -> Result<Firing, ScoreError> {
        self.check(features, &(unit_index..unit_index + 1))?;
        let mut rules = self.rules().iter();
        let rule = rules.find(|rule| rule.version == version);
        let rule = rule.ok_or(ScoreError::Version { version })?;
        let (mut high, mut low) = (Tail::default(), Tail::default());
        high.whole(features, unit_index, Side::High);
        low.whole(features, unit_index, Side::Low);
        let cuts = (
            firing::cut(&mut high, rule.rank, usize::MAX),
            firing::cut(&mut low, rule.rank, usize::MAX),
        );
        let mut scratch = Scratch::default();
        self.count(&cuts, &high, &low, &mut scratch);
        let mut invariance = vec![0.0; rule.num_targets()];
        let mut other = invariance.clone();
        let share = self.share(cuts.0.num_at_or_beyond);
        let (counts, row) = ((&scratch.high, &scratch.low), &mut invariance);
        let sign = firing::invariance(rule, counts.0, counts.1, share, row, &mut other);
        let is_high = |set: usize| match sign {
            Sign::Positive => true,
            Sign::Negative => false,
            Sign::PerSet => scratch.high.get(set) >= scratch.low.get(set),
        };
        let sets: Vec<Option<f64>> = rule.sets().map(|set| set.map(|(_, size)| size)).collect();
        let mut fires = vec![false; features.num_images()];
        for (cut, tail, is_wanted) in [(&cuts.0, &high, true), (&cuts.1, &low, false)] {
            for image in cut.fired(tail) {
                let set = self.labels().set_of_image().get(image);
                let set = set.map_or(usize::MAX, |&set| set as usize);
                let is_used = sets.get(set).is_some_and(Option::is_some);
                if let Some(fires) = fires.get_mut(image).filter(|_| is_used) {
                    *fires |= is_high(set) == is_wanted;
                }
            }
        }
        let share_of_set = sets.iter().enumerate().map(|(set, size)| {
            let counts = if is_high(set) {
                &scratch.high
            } else {
                &scratch.low
            };
            let count = counts.get(set).copied().unwrap_or_default();
            size.map(|size| f64::from(count) / size)
        });
        let (high_threshold, low_threshold) = Cut::values(&cuts.0, &cuts.1);
        Ok(Firing {
            sign,
            high_threshold,
            low_threshold,
            share_of_set: share_of_set.collect(),
            fires,
            invariance,
        })
    }
}
