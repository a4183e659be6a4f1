//! One invariance of one data set, put together from its models.

use std::path::Path;

use vidpairs_types::{Invariance, LeftOut, NearView};

use super::judge::{Judge, Judged, SHOWN};
use super::result::{Figure, LeftOutGroup, MeasuredPair, MeasuredPanel};
use super::subject::Subject;
use crate::measure::Version;
use crate::measure::interval::{ClassScores, Interval, paired_difference, paired_shares};

/// Names of what was left out that are told for each reason.
const NUM_NAMES: usize = 20;

/// A panel in the making.
pub(super) struct PanelMaker {
    panel: MeasuredPanel,
    /// With the model's place.
    judged: Vec<(usize, Judged)>,
}

impl PanelMaker {
    /// Of features that were made elsewhere.
    pub fn of_features(path: &Path, subject: &Subject) -> Self {
        let panel = panel((Invariance::Other, subject.near), "features", path, subject);
        Self::new(panel, subject)
    }

    /// Of images.
    pub fn of_sets(
        kind: &str,
        path: &Path,
        sets: &vidpairs_types::ImageSets,
        subject: &Subject,
    ) -> Self {
        let mut panel = panel((sets.invariance, sets.near), kind, path, subject);
        panel.side_px = Some(sets.side_px);
        panel.left_out.extend(grouped(&sets.left_out));
        Self::new(panel, subject)
    }

    fn new(mut panel: MeasuredPanel, subject: &Subject) -> Self {
        panel.left_out.extend(grouped(&small_sets(subject)));
        Self {
            panel,
            judged: Vec::new(),
        }
    }

    /// Adds what was left out besides.
    pub fn leave_out(&mut self, left_out: &[LeftOut]) {
        for group in grouped(left_out) {
            if !self.panel.left_out.contains(&group) {
                self.panel.left_out.push(group);
            }
        }
    }

    /// Adds a warning, once.
    pub fn warn(&mut self, warning: String) {
        if !self.panel.warnings.contains(&warning) {
            self.panel.warnings.push(warning);
        }
    }

    /// Adds what is said of the model at `place`.
    pub fn add(&mut self, place: usize, judged: Judged) {
        for warning in &judged.warnings {
            self.warn(warning.clone());
        }
        self.panel.retrieval_chance = self.panel.retrieval_chance.or(judged.retrieval_chance);
        self.judged.push((place, judged));
    }

    /// The panel of `num_models` models in all.
    pub fn finish(self, num_models: usize, judge: &Judge<'_>) -> MeasuredPanel {
        let mut panel = self.panel;
        let mut widths: Vec<usize> = self.judged.iter().map(|it| it.1.scores.units).collect();
        widths.sort_unstable();
        widths.dedup();
        if widths.len() > 1 {
            let widths: Vec<String> = widths.iter().map(ToString::to_string).collect();
            panel.warnings.push(format!(
                "models of {} units: scores of other widths cannot be compared, only retrieval",
                widths.join(", ")
            ));
        }
        for (at, a) in self.judged.iter().enumerate() {
            for b in self.judged.iter().skip(at + 1) {
                panel.pairs.extend(pair(a, b, judge));
            }
        }
        panel.models = (0..num_models).map(|_| None).collect();
        for (place, judged) in self.judged {
            if let Some(room) = panel.models.get_mut(place) {
                *room = Some(judged.scores);
            }
        }
        panel
    }
}

/// The sets that the published code leaves out, under their names.
fn small_sets(subject: &Subject) -> Vec<LeftOut> {
    let labels = &subject.labels;
    let small = labels
        .sets()
        .iter()
        .filter(|set| set.num_images < Version::PublishedCode.min_images());
    let names = small.map(|set| subject.set_names.get(set.instance));
    let mut left_out = labels.left_out(Version::PublishedCode);
    for (left_out, name) in left_out.iter_mut().zip(names) {
        if let Some(name) = name {
            left_out.what.clone_from(name);
        }
    }
    left_out
}

fn panel(
    (invariance, near): (Invariance, NearView),
    kind: &str,
    path: &Path,
    subject: &Subject,
) -> MeasuredPanel {
    let is_target_object = matches!(
        invariance,
        Invariance::Viewpoint | Invariance::IlluminationDirection | Invariance::IlluminationColor
    );
    MeasuredPanel {
        invariance: words(invariance).to_owned(),
        kind: kind.to_owned(),
        path: path.to_owned(),
        side_px: None,
        near: near_words(near, invariance),
        is_target_object,
        images: subject.labels.num_images(),
        sets: subject.labels.sets().len(),
        targets: subject.labels.classes().len(),
        retrieval_chance: None,
        models: Vec::new(),
        pairs: Vec::new(),
        warnings: Vec::new(),
        left_out: Vec::new(),
    }
}

/// What changes in a set.
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

/// Numbers of targets as keys, and their scores.
type Keyed = (Vec<String>, Vec<f64>);

/// The second model less the first; none where they were measured on different targets, or on too few. The scores of networks of other
/// widths are no pair: the best of more units are better by luck alone.
fn pair(
    (a, first): &(usize, Judged),
    (b, second): &(usize, Judged),
    judge: &Judge<'_>,
) -> Option<MeasuredPair> {
    if first.scores.units != second.scores.units {
        return None;
    }
    let shown = |judged: &Judged| {
        let mut scores = judged.scores.scores.iter();
        let found = scores.find(|score| score.version == SHOWN.name())?;
        let targets = found.per_target.iter();
        Some(targets.map(|it| (it.class.to_string(), it.score)).unzip())
    };
    let (of_first, of_second): (Keyed, Keyed) = (shown(first)?, shown(second)?);
    let (options, seed) = (judge.bootstrap(), judge.seed("pairs"));
    let difference = paired_difference(
        class_scores(&of_second),
        class_scores(&of_first),
        options,
        seed,
    );
    let difference = difference.ok()?;
    let (found, of) = (&second.tally.targets, &first.tally.targets);
    let retrieval = paired_shares(found, of, options, seed).ok();
    Some(MeasuredPair {
        a: *a,
        b: *b,
        difference: figure(difference.interval, 1.0),
        retrieval_difference: retrieval.map(|it| figure(it, 100.0)),
    })
}

fn class_scores((names, scores): &Keyed) -> ClassScores<'_, String> {
    ClassScores { names, scores }
}

fn figure(interval: Interval, factor: f64) -> Figure {
    Figure {
        value: factor * interval.estimate,
        interval: Some([factor * interval.low, factor * interval.high]),
    }
}

/// By reason, in the order in which reasons come up.
fn grouped(left_out: &[LeftOut]) -> Vec<LeftOutGroup> {
    let mut groups: Vec<LeftOutGroup> = Vec::new();
    for LeftOut { what, reason } in left_out {
        let group = match groups.iter_mut().find(|group| group.reason == *reason) {
            Some(group) => group,
            None => {
                groups.push(LeftOutGroup {
                    count: 0,
                    reason: reason.clone(),
                    first: Vec::new(),
                });
                let Some(group) = groups.last_mut() else {
                    continue;
                };
                group
            }
        };
        group.count += 1;
        if group.first.len() < NUM_NAMES {
            group.first.push(what.clone());
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_counted_by_reason_and_the_first_are_named() {
        let left_out = |what: &str, reason: &str| LeftOut {
            what: what.to_owned(),
            reason: reason.to_owned(),
        };
        let all = [
            left_out("a", "no such file"),
            left_out("b", "no box"),
            left_out("c", "no such file"),
        ];
        let groups = grouped(&all);
        assert_eq!(groups.len(), 2);
        assert_eq!((groups[0].count, groups[0].first.len()), (2, 2));
        assert_eq!(groups[1].first, ["b"]);
    }
}
