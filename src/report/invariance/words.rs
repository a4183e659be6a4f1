//! Words of the page and the tables: names of invariances, data sets and scores, and counts.

use vidpairs_invariance::measure::Version;
use vidpairs_invariance::run::{InvarianceSummary, MeasuredPanel, ModelScores, VersionScore};

use crate::report::models::number::counted;

/// Name of the transformation: `Viewpoint`.
pub(super) fn invariance(panel: &MeasuredPanel) -> String {
    let mut letters = panel.invariance.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Name of the data set, `ALOI`; empty for a user's own data.
pub(super) fn data_set(panel: &MeasuredPanel) -> &'static str {
    match panel.kind.split('-').next() {
        Some("got10k") => "GOT-10k",
        Some("pascal3d") => "PASCAL3D+",
        Some("aloi") => "ALOI",
        _ => "",
    }
}

/// Description of one set.
pub(super) fn about(panel: &MeasuredPanel) -> &'static str {
    match panel.kind.as_str() {
        "got10k-occlusion" => "an object in a video, one frame per cover level",
        "pascal3d-viewpoint" => "objects of a class, one from each range of azimuths",
        "pascal3d-instance" => "objects of a class, all seen from the same side",
        "aloi-viewpoint" => "an object on a turntable",
        "aloi-direction" => "an object in light from several directions",
        "aloi-color" => "an object in light of several colours",
        "folders" => "a folder of images",
        _ => "images of one instance",
    }
}

/// Word for a target, and its plural.
pub(super) fn targets(panel: &MeasuredPanel) -> [&'static str; 2] {
    match panel.is_target_object {
        true => ["object", "objects"],
        false => ["class", "classes"],
    }
}

/// `72,000 images of 128 px, 1,000 sets, 1,000 objects`; without the size for features of another program.
pub(in crate::report) fn counts(panel: &MeasuredPanel) -> String {
    let [one, many] = targets(panel);
    let images = counted(panel.images, "image", "images");
    let of_size = |side_px| format!("{images} of {side_px} px");
    [
        panel.side_px.map_or_else(|| images.clone(), of_size),
        counted(panel.sets, "set", "sets"),
        counted(panel.targets, one, many),
    ]
    .join(", ")
}

/// Origin of the images: the data set, `ALOI`; with its path, `ALOI, data/second`, if another panel has the same invariance and data set.
pub(super) fn origin(summary: &InvarianceSummary, panel: &MeasuredPanel) -> String {
    let data_set = data_set(panel);
    let path = panel.path.display().to_string();
    let twins = summary
        .panels
        .iter()
        .filter(|other| other.invariance == panel.invariance && self::data_set(other) == data_set);
    let is_repeated = twins.count() > 1;
    match (data_set, path.as_str()) {
        (_, "") => data_set.to_owned(),
        ("", _) if is_repeated => path,
        _ if is_repeated => format!("{data_set}, {path}"),
        _ => data_set.to_owned(),
    }
}

/// `Viewpoint (ALOI)`.
pub(in crate::report) fn title(summary: &InvarianceSummary, panel: &MeasuredPanel) -> String {
    match origin(summary, panel).as_str() {
        "" => invariance(panel),
        origin => format!("{} ({origin})", invariance(panel)),
    }
}

/// Name of a score.
pub(super) fn score(version: Version, k: usize) -> String {
    match version {
        Version::Formula => format!("RIS (formula), top {k}"),
        Version::PublishedCode => format!("RIS (published code), top {k}"),
        Version::Goodfellow => "Goodfellow et al. 2009".to_owned(),
    }
}

/// Name of the score that the plots and the overview show.
pub(in crate::report) fn shown_score(summary: &InvarianceSummary) -> String {
    let shown = shown(summary).map(|shown| score(shown.version, shown.k));
    shown.unwrap_or_else(|| "RIS".to_owned())
}

/// One of the scores that the plots and the overview show; all have the same version and K.
pub(super) fn shown(summary: &InvarianceSummary) -> Option<&VersionScore> {
    let models = summary.panels.iter().flat_map(|panel| &panel.models);
    models.flatten().find_map(ModelScores::shown)
}

#[cfg(test)]
mod tests {
    use super::super::tests::summary;
    use super::*;

    #[test]
    fn a_title_contains_the_path_only_if_it_would_occur_twice() {
        let panel = |kind: &str, path: &str| MeasuredPanel {
            invariance: "viewpoint".to_owned(),
            kind: kind.to_owned(),
            path: path.into(),
            ..MeasuredPanel::default()
        };
        let mut summary = summary(0);
        summary.panels = vec![
            panel("aloi-viewpoint", "a"),
            panel("features", "b"),
            panel("features", "c"),
        ];
        let titles = summary.panels.iter().map(|panel| title(&summary, panel));
        assert_eq!(
            titles.collect::<Vec<_>>(),
            ["Viewpoint (ALOI)", "Viewpoint (b)", "Viewpoint (c)"]
        );
    }

    #[test]
    fn the_size_of_the_measured_images_is_stated_where_it_is_known() {
        let mut panel = MeasuredPanel {
            images: 1440,
            sets: 20,
            targets: 20,
            is_target_object: true,
            ..MeasuredPanel::default()
        };
        assert_eq!(counts(&panel), "1,440 images, 20 sets, 20 objects");
        panel.side_px = Some(64);
        assert_eq!(counts(&panel), "1,440 images of 64 px, 20 sets, 20 objects");
    }
}
