//! What was measured, as the page and the tables show it.

use indicatif::HumanCount;
use vidpairs_invariance::run::{
    self, CardPicture, Figure, InvarianceSummary, MeasuredPair, MeasuredPanel, ModelScores,
    UnitCurve, VersionScore,
};

use crate::report::invariance::{
    Along, Counts, Curve, CurveLine, Estimate, Fact, InvariancePage, LeftOutNote, ModelName,
    ModelResult, PairedPoint, PairedScores, Panel, Picture, Quantity, Score, ScoreKind, SetPicture,
    Side, TargetCard, TargetWord, UnitCard,
};

/// The page of `summary`.
pub(super) fn page(summary: &InvarianceSummary) -> InvariancePage {
    let shown = shown(summary);
    InvariancePage {
        title: "Invariances".to_owned(),
        headline: format!(
            "{} on {}",
            counted(summary.models.len(), "model"),
            counted(summary.panels.len(), "invariance")
        ),
        facts: vec![fact(
            "program",
            &format!("vidpairs {}", summary.program_version),
        )],
        models: summary
            .models
            .iter()
            .map(|model| ModelName {
                name: model.name.clone(),
                note: model.note.clone(),
            })
            .collect(),
        shown,
        panels: summary.panels.iter().map(|it| panel(it, shown)).collect(),
    }
}

/// The published code's first K, since that is what the paper prints.
fn shown(summary: &InvarianceSummary) -> ScoreKind {
    let models = summary.panels.iter().flat_map(|panel| &panel.models);
    let scores = models.flatten().flat_map(|model| &model.scores);
    let mut kinds = scores.map(kind);
    kinds
        .find(|kind| matches!(kind, ScoreKind::PublishedCode { .. }))
        .unwrap_or_default()
}

fn kind(score: &VersionScore) -> ScoreKind {
    match score.version.as_str() {
        "formula" => ScoreKind::Formula { k: score.k },
        "published-code" => ScoreKind::PublishedCode { k: score.k },
        _ => ScoreKind::Goodfellow,
    }
}

fn fact(name: &'static str, value: &str) -> Fact {
    Fact {
        name,
        value: value.to_owned(),
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count as u64))
}

fn panel(measured: &MeasuredPanel, shown: ScoreKind) -> Panel {
    Panel {
        invariance: capital(&measured.invariance),
        data_set: data_set(&measured.kind).to_owned(),
        path: measured.path.display().to_string(),
        about: about(&measured.kind).to_owned(),
        counts: Counts {
            images: measured.images,
            sets: measured.sets,
            targets: measured.targets,
        },
        target: match measured.is_target_object {
            true => TargetWord::Object,
            false => TargetWord::Class,
        },
        near: measured.near.clone(),
        retrieval_chance: measured.retrieval_chance,
        models: measured
            .models
            .iter()
            .map(|it| it.as_ref().map(|it| model(it, shown)))
            .collect(),
        pairs: measured
            .pairs
            .iter()
            .map(|it| pair(it, measured, shown))
            .collect(),
        warnings: measured.warnings.clone(),
        left_out: measured
            .left_out
            .iter()
            .map(|group| LeftOutNote {
                count: group.count,
                reason: group.reason.clone(),
                first: group.first.clone(),
            })
            .collect(),
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn data_set(kind: &str) -> &'static str {
    match kind.split('-').next() {
        Some("got10k") => "GOT-10k",
        Some("pascal3d") => "PASCAL3D+",
        Some("aloi") => "ALOI",
        _ => "",
    }
}

/// What a set is.
fn about(kind: &str) -> &'static str {
    match kind {
        "got10k-occlusion" => "An object of a video, a frame for each share of it that is seen",
        "pascal3d-viewpoint" => "Objects of a class, one from each azimuth",
        "pascal3d-instance" => "Objects of a class, all from one side",
        "aloi-viewpoint" => "An object on a turntable",
        "aloi-direction" => "An object in light from several directions",
        "aloi-color" => "An object in light of several colours",
        "folders" => "A folder of images",
        _ => "Images of one instance",
    }
}

fn model(scores: &ModelScores, shown: ScoreKind) -> ModelResult {
    let of_targets = scores.scores.iter().find(|it| kind(it) == shown);
    ModelResult {
        num_units: scores.units,
        scores: scores.scores.iter().map(score).collect(),
        retrieval: scores.retrieval.map(estimate),
        target_scores: of_targets
            .map(|it| it.per_target.iter().map(|it| it.score).collect())
            .unwrap_or_default(),
        units: scores.unit_cards.iter().map(unit).collect(),
        most: scores.most.iter().map(target).collect(),
        least: scores.least.iter().map(target).collect(),
    }
}

fn estimate(figure: Figure) -> Estimate {
    Estimate {
        value: figure.value,
        interval: figure.interval,
    }
}

fn score(of: &VersionScore) -> Score {
    Score {
        kind: kind(of),
        estimate: estimate(of.figure),
        interval_over_sets: of.interval_over_sets,
        control_gaussian: of.control_gaussian,
        control_shuffled: of.control_shuffled,
        ceiling: Some(of.ceiling),
    }
}

fn unit(card: &run::UnitCard) -> UnitCard {
    UnitCard {
        unit: card.unit,
        target: card.target.clone(),
        fires_for_target: card.fires_for_target,
        fires_for_all: card.fires_for_all,
        num_sets: card.num_sets,
        pictures: card.pictures.iter().map(picture).collect(),
        curve: card.curve.as_ref().map(curve),
    }
}

fn target(card: &run::TargetCard) -> TargetCard {
    TargetCard {
        name: card.target.clone(),
        score: card.score,
        pictures: card.pictures.iter().map(picture).collect(),
    }
}

fn picture(of: &CardPicture) -> SetPicture {
    SetPicture {
        picture: of.jpeg.clone().map(|bytes| Picture {
            media_type: "image/jpeg",
            bytes,
        }),
        caption: of.caption.clone(),
        place: of.place,
        fires: of.fires,
    }
}

fn curve(of: &UnitCurve) -> Curve {
    Curve {
        along: match &of.along {
            run::Along::Azimuth(degrees) => Along::Azimuth(degrees.clone()),
            run::Along::Named(names) => Along::Named(names.clone()),
        },
        quantity: Quantity::Response {
            threshold: of.threshold,
            fires: match of.fires_above {
                true => Side::Above,
                false => Side::Below,
            },
        },
        lines: of
            .lines
            .iter()
            .map(|line| CurveLine {
                name: line.name.clone(),
                values: line.values.clone(),
            })
            .collect(),
    }
}

fn pair(of: &MeasuredPair, panel: &MeasuredPanel, shown: ScoreKind) -> PairedScores {
    let targets = |place: usize| {
        let model = panel.models.get(place).and_then(Option::as_ref);
        let score = model.and_then(|it| it.scores.iter().find(|it| kind(it) == shown));
        score.map(|it| it.per_target.as_slice()).unwrap_or_default()
    };
    let points = targets(of.a).iter().zip(targets(of.b));
    PairedScores {
        a: of.a,
        b: of.b,
        points: points
            .map(|(a, b)| PairedPoint {
                name: a.target.clone(),
                a: a.score,
                b: b.score,
            })
            .collect(),
        difference: estimate(of.difference),
        retrieval_difference: of.retrieval_difference.map(estimate),
    }
}
