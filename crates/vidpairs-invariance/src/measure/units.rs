//! Scores blocks of units, independently of each other.

use std::ops::Range;

use super::firing::{self, Cut, Firing, Sign};
use super::pivots::{Side, WIDTH};
use super::plan::{Plan, ScoreError};
use super::rule::Rule;
use super::tails::{Tail, Tails};
use super::{Features, Version};

/// Units that are processed side by side. Block sizes should be multiples of it.
pub const NUM_UNITS_AT_ONCE: usize = WIDTH;

/// Memory that is reused from block to block. Each thread needs its own.
#[derive(Debug, Default)]
pub struct Scratch {
    tails: Tails,
    sampled: Vec<u32>,
    high: Vec<u32>,
    low: Vec<u32>,
    other: Vec<f64>,
}

/// Invariances of a block of consecutive units for every target.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredUnits {
    pub(super) first_unit: usize,
    pub(super) num_units: usize,
    /// One entry for each of the plan's versions.
    pub(super) versions: Vec<UnitRows>,
}

/// Invariances by one version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UnitRows {
    /// `units x targets`, row-major.
    pub invariance: Vec<f64>,
    /// One sign per unit.
    pub signs: Vec<Sign>,
}

impl Plan {
    /// Scores `units` of `features` by every version of the plan. The result of a unit depends only on its own values.
    ///
    /// - `units`: any range; multiples of [`NUM_UNITS_AT_ONCE`] are fastest.
    ///
    /// # Errors
    /// [`ScoreError`] if features and labels differ in their number of images, or if there are no such units.
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
            let (rule, rows) = (&self.rules()[version], &mut versions[version]);
            let cuts = (
                firing::cut(high, rule.rank, pools.0),
                firing::cut(low, rule.rank, pools.1),
            );
            pools = (cuts.0.pool(), cuts.1.pool());
            self.count(&cuts, high, low, scratch);
            scratch.other.resize(rule.num_targets(), 0.0);
            let start = place * rule.num_targets();
            let row = &mut rows.invariance[start..start + rule.num_targets()];
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

    /// The images and sets for which one unit fires, by a version of the plan.
    ///
    /// # Errors
    /// [`ScoreError`] if there is no such unit or version, or if features and labels differ in their number of images.
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
            Sign::PerSet => scratch.high[set] >= scratch.low[set],
        };
        let set_sizes: Vec<Option<f64>> = rule.sets().map(|set| Some(set?.1)).collect();
        let mut fires = vec![false; features.num_images()];
        for (cut, tail, is_high_tail) in [(&cuts.0, &high, true), (&cuts.1, &low, false)] {
            for image in cut.fired(tail) {
                let set = self.labels().set_of_image()[image] as usize;
                fires[image] |= set_sizes[set].is_some() && is_high(set) == is_high_tail;
            }
        }
        let share_of_set = set_sizes.iter().enumerate().map(|(set, size)| {
            let counts = match is_high(set) {
                true => &scratch.high,
                false => &scratch.low,
            };
            size.map(|size| f64::from(counts[set]) / size)
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
