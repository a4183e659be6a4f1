//! Combines the results of all models on one invariance of one data set.

use std::collections::BTreeMap;
use std::mem;
use std::path::Path;

use vidpairs_run::RunError;
use vidpairs_types::{ImageSets, Invariance, LeftOut, NearView};

use super::judge::{Judge, Judged};
use super::left_out::{add_left_out, grouped};
use super::result::{Figure, MeasuredPair, MeasuredPanel};
use super::set_interval::known;
use super::subject::Subject;
use crate::measure::Version;
use crate::measure::interval::{Interval, paired_difference, paired_shares};

/// A panel under construction.
pub(super) struct PanelMaker {
    panel: MeasuredPanel,
    /// Index and results of each model.
    judged: Vec<(usize, Judged)>,
}

impl PanelMaker {
    /// A panel of features of another program.
    pub fn of_features(path: &Path, subject: &Subject) -> Self {
        Self::new(Invariance::Other, "features", path, subject)
    }

    /// A panel of images.
    pub fn of_sets(kind: &str, path: &Path, sets: &ImageSets, subject: &Subject) -> Self {
        let mut maker = Self::new(sets.invariance, kind, path, subject);
        maker.panel.side_px = Some(sets.side_px);
        let small_sets = mem::take(&mut maker.panel.left_out);
        maker.panel.left_out = [grouped(&sets.left_out), small_sets].concat();
        maker
    }

    fn new(invariance: Invariance, kind: &str, path: &Path, subject: &Subject) -> Self {
        use Invariance::{IlluminationColor, IlluminationDirection, Viewpoint};
        let panel = MeasuredPanel {
            invariance: words(invariance).to_owned(),
            kind: kind.to_owned(),
            path: path.to_owned(),
            near: near_words(subject.near, invariance),
            is_target_object: matches!(
                invariance,
                Viewpoint | IlluminationDirection | IlluminationColor
            ),
            images: subject.labels.num_images(),
            sets: subject.labels.sets().len(),
            targets: subject.labels.classes().len(),
            left_out: grouped(&subject.labels.left_out(Version::PublishedCode, |set| {
                subject.set_names.get(set.instance).to_owned()
            })),
            ..MeasuredPanel::default()
        };
        Self {
            panel,
            judged: Vec::new(),
        }
    }

    /// Adds images that one model left out.
    pub fn leave_out(&mut self, left_out: &[LeftOut]) {
        add_left_out(&mut self.panel.left_out, left_out);
    }

    /// Adds a warning unless it is there already.
    pub fn warn(&mut self, warning: String) {
        if !self.panel.warnings.contains(&warning) {
            self.panel.warnings.push(warning);
        }
    }

    /// Adds the results of the model with this index.
    pub fn add(&mut self, model: usize, judged: Judged) {
        for warning in &judged.warnings {
            self.warn(warning.clone());
        }
        self.panel.retrieval_chance = self.panel.retrieval_chance.or(judged.retrieval_chance);
        self.judged.push((model, judged));
    }

    /// Compares the models and returns the panel, with an entry for each of `num_models` models.
    ///
    /// # Errors
    /// [`RunError::Lost`] if a difference cannot be computed.
    pub fn finish(self, num_models: usize, judge: &Judge<'_>) -> Result<MeasuredPanel, RunError> {
        let mut panel = self.panel;
        let mut widths: Vec<usize> = self
            .judged
            .iter()
            .map(|(_, judged)| judged.scores.units)
            .collect();
        widths.sort_unstable();
        widths.dedup();
        if widths.len() > 1 {
            let widths: Vec<String> = widths.iter().map(ToString::to_string).collect();
            panel.warnings.push(format!(
                "models of {} units: scores cannot be compared between different numbers of units, only retrieval",
                widths.join(", ")
            ));
        }
        for (index, a) in self.judged.iter().enumerate() {
            for b in self.judged.iter().skip(index + 1) {
                panel.pairs.extend(pair(a, b, judge)?);
            }
        }
        panel.models.resize(num_models, None);
        for (model, judged) in self.judged {
            panel.models[model] = Some(judged.scores);
        }
        Ok(panel)
    }
}

/// Name of the transformation within a set.
fn words(invariance: Invariance) -> &'static str {
    match invariance {
        Invariance::Occlusion => "occlusion",
        Invariance::ViewpointAndInstance => "viewpoint and instance",
        Invariance::Instance => "instance",
        Invariance::Viewpoint => "viewpoint",
        Invariance::IlluminationDirection => "illumination direction",
        Invariance::IlluminationColor => "illumination colour",
        Invariance::Other => "own sets",
    }
}

fn near_words(near: NearView, invariance: Invariance) -> String {
    match (near, invariance) {
        (NearView::Itself, _) => "the image itself".to_owned(),
        (NearView::Azimuth { under }, _) => {
            format!("images seen from less than {under}° of azimuth away")
        }
        (NearView::SameCondition, Invariance::Occlusion) => {
            "images of the same cover level".to_owned()
        }
        (NearView::SameCondition, Invariance::IlluminationColor) => {
            "images in light of the same colour".to_owned()
        }
        (NearView::SameCondition, _) => "images in the same light".to_owned(),
    }
}

/// The second model minus the first; none if they were measured on different targets, or on too few. Networks with different numbers of
/// units are not compared: the best of more units score higher by chance alone.
fn pair(
    (a, first): &(usize, Judged),
    (b, second): &(usize, Judged),
    judge: &Judge<'_>,
) -> Result<Option<MeasuredPair>, RunError> {
    if first.scores.units != second.scores.units {
        return Ok(None);
    }
    // The keys are texts because their order selects the resamples.
    let targets = |judged: &Judged| -> BTreeMap<String, f64> {
        let shown = judged.scores.shown();
        let targets = shown.into_iter().flat_map(|score| &score.per_target);
        targets
            .map(|target| (target.class.to_string(), target.score))
            .collect()
    };
    let (options, seed) = (judge.bootstrap(), judge.seed("pairs"));
    let difference = known(paired_difference(
        &targets(second),
        &targets(first),
        options,
        seed,
    ))?;
    let Some(difference) = difference else {
        return Ok(None);
    };
    let (of_first, of_second) = (&first.tally.targets, &second.tally.targets);
    let retrieval = known(paired_shares(of_second, of_first, options, seed))?;
    Ok(Some(MeasuredPair {
        a: *a,
        b: *b,
        difference: figure(difference, 1.0),
        retrieval_difference: retrieval.map(|interval| figure(interval, 100.0)),
    }))
}

fn figure(interval: Interval, factor: f64) -> Figure {
    Figure {
        value: factor * interval.estimate,
        interval: Some([factor * interval.low, factor * interval.high]),
    }
}
