//! Writes the page of invariances with made-up numbers and drawn pictures, to see its layout.
//!
//! ```text
//! cargo run --no-default-features --example invariance_page -- DIR [MODELS]
//! ```
//!
//! Writes `DIR/report.html` and `DIR/scores.csv` and prints the table. None of the numbers was measured.

#![allow(clippy::print_stdout)] // The table is the output of this program.

mod kinds;
mod picture;

use std::error::Error;
use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vidpairs::report::invariance::{render, render_table, scores_csv};
use vidpairs::report::write_page;
use vidpairs_invariance::measure::Version;
use vidpairs_invariance::run::{
    Along, CardPicture, CurveLine, Figure, InvarianceSummary, LeftOutGroup, MeasuredModel,
    MeasuredPair, MeasuredPanel, ModelScores, TargetCard, TargetScore, UnitCard, UnitCurve,
    VersionScore,
};

use kinds::{Kind, Varied, captions, kinds, target_name};
use picture::picture;

const NAMES: [&str; 6] = [
    "untrained",
    "moco-images",
    "moco-temporal",
    "moco-regions",
    "pirl-temporal",
    "supervised",
];
/// How much better than the control each of [`NAMES`] is, 0 to 1.
const SKILLS: [f64; 6] = [0.18, 0.55, 0.86, 0.93, 0.80, 0.70];
const NUM_UNITS: usize = 512;
/// The units' threshold.
const THRESHOLD: f64 = 1.55;

type Made<T> = Result<T, Box<dyn Error>>;

fn main() -> Made<()> {
    let mut args = std::env::args().skip(1);
    let dir = args
        .next()
        .ok_or("usage: invariance_page DIR [MODELS]")
        .map(PathBuf::from)?;
    let num_models: usize = args.next().map_or(Ok(2), |number| number.parse())?;
    fs::create_dir_all(&dir)?;
    let summary = summary(num_models, &dir)?;
    write_page(&dir.join("report.html"), &render(&summary))?;
    fs::write(dir.join("scores.csv"), scores_csv(&summary))?;
    print!("{}", render_table(&summary));
    Ok(())
}

fn summary(num_models: usize, out: &Path) -> Made<InvarianceSummary> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut panels = Vec::new();
    for kind in kinds() {
        panels.push(panel(&kind, num_models, &mut rng)?);
    }
    Ok(InvarianceSummary {
        program_version: format!("{} (made-up numbers)", env!("CARGO_PKG_VERSION")),
        settings: serde_json::Value::Null,
        models: (0..num_models).map(model).collect(),
        panels,
        seconds: 0.0,
        out: out.to_owned(),
    })
}

fn model(index: usize) -> MeasuredModel {
    let name = NAMES[index % NAMES.len()];
    let name = match index / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}-{round}"),
    };
    MeasuredModel {
        file: format!("{name}.safetensors").into(),
        name,
        note: format!("ResNet-18, {NUM_UNITS} units"),
    }
}

fn panel(kind: &Kind, num_models: usize, rng: &mut ChaCha8Rng) -> Made<MeasuredPanel> {
    let [images, sets, targets] = kind.counts;
    let ease: Vec<f64> = (0..targets).map(|_| rng.random_range(-1.0..1.0)).collect();
    let mut models = Vec::new();
    for model in 0..num_models {
        let skill = SKILLS[model % SKILLS.len()];
        let middle = kind.control + kind.gain * skill;
        let scores: Vec<f64> = ease
            .iter()
            .map(|ease| (middle + 13.0 * ease + rng.random_range(-6.0..6.0_f64)).clamp(3.0, 100.0))
            .collect();
        models.push(model_scores(kind, skill, &scores, rng)?);
    }
    let pairs = (1..num_models).map(|b| pair(b, &models)).collect();
    let mut warnings = Vec::new();
    if targets < 20 {
        warnings.push(format!(
            "only {targets} classes: intervals over classes are wide, and models that differ little cannot be told apart"
        ));
    }
    let mut left_out = Vec::new();
    if let Varied::Covers = kind.varied {
        left_out.push(LeftOutGroup {
            count: 7_228,
            reason: "videos whose cover varies by less than 4 levels".to_owned(),
            first: (1..=6)
                .map(|video| format!("GOT-10k_Train_{video:06}"))
                .collect(),
        });
    }
    Ok(MeasuredPanel {
        invariance: kind.invariance.to_owned(),
        kind: kind.name.to_owned(),
        path: format!("data/{}", kind.name).into(),
        side_px: Some(128),
        near: kind.near.to_owned(),
        is_target_object: kind.is_target_object,
        images,
        sets,
        targets,
        retrieval_chance: Some(kind.chance),
        models: models.into_iter().map(Some).collect(),
        pairs,
        warnings,
        left_out,
    })
}

/// A figure with an interval that reaches `half` to both sides.
fn figure(value: f64, half: f64) -> Figure {
    Figure {
        value,
        interval: Some([(value - half).max(-100.0), (value + half).min(100.0)]),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn model_scores(
    kind: &Kind,
    skill: f64,
    scores: &[f64],
    rng: &mut ChaCha8Rng,
) -> Made<ModelScores> {
    let half = 16.0 / (scores.len() as f64).sqrt();
    let versions = [
        (Version::Formula, 10, 0.0),
        (Version::Formula, 25, -3.2),
        (Version::PublishedCode, 10, 1.4),
        (Version::PublishedCode, 25, -2.0),
    ];
    let score = |(version, k, shift): (Version, usize, f64)| {
        let value = mean(scores) + shift;
        VersionScore {
            version,
            k,
            figure: figure(value, half),
            interval_over_sets: Some([value - 0.7 * half, value + 0.7 * half]),
            control_gaussian: Some(kind.control + 0.9 * shift),
            control_shuffled: Some(kind.control + 0.9 * shift + 2.1),
            ceiling: 100.0,
            warnings: Vec::new(),
            firing_units: NUM_UNITS,
            per_target: (0..)
                .zip(scores)
                .map(|(class, &score)| TargetScore {
                    class,
                    target: target_name(kind, class as usize),
                    score,
                })
                .collect(),
        }
    };
    let mut ranked: Vec<usize> = (0..scores.len()).collect();
    ranked.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut unit_cards = Vec::new();
    for &target in ranked.iter().take(3) {
        unit_cards.push(unit_card(kind, skill, target, rng)?);
    }
    let card = |&target: &usize| -> Made<TargetCard> {
        Ok(TargetCard {
            target: target_name(kind, target),
            score: scores[target],
            pictures: pictures(kind, target, |_| None)?,
        })
    };
    Ok(ModelScores {
        units: NUM_UNITS,
        rank: NUM_UNITS,
        scores: versions.map(score).into(),
        retrieval: Some(figure((56.0 + 42.0 * skill).min(99.0), half / 2.0)),
        retrieval_queries: 10_000,
        retrieval_per_target: Vec::new(),
        images_per_second: None,
        waiting: None,
        unit_cards,
        most: ranked.iter().take(4).map(card).collect::<Made<_>>()?,
        least: ranked.iter().rev().take(4).map(card).collect::<Made<_>>()?,
    })
}

/// Model `b` less the first one.
fn pair(b: usize, models: &[ModelScores]) -> MeasuredPair {
    let scores = |model: usize| models[model].scores[0].per_target.iter();
    let differences: Vec<f64> = scores(0)
        .zip(scores(b))
        .map(|(first, second)| second.score - first.score)
        .collect();
    let (value, root) = (mean(&differences), (differences.len() as f64).sqrt());
    MeasuredPair {
        a: 0,
        b,
        difference: figure(value, 8.0 / root),
        retrieval_difference: Some(figure(0.8 * value, 11.0 / root)),
    }
}

fn unit_card(kind: &Kind, skill: f64, target: usize, rng: &mut ChaCha8Rng) -> Made<UnitCard> {
    let captions = captions(kind.varied);
    let count = captions.len();
    let phase = rng.random_range(0.0..TAU);
    let depth = 1.3 - skill;
    let response: Vec<f64> = (0..count)
        .map(|place| {
            let turn = TAU * place as f64 / count as f64;
            2.1 + depth * (turn + phase).cos() + rng.random_range(-0.12..0.12)
        })
        .collect();
    let num_firing = response.iter().filter(|&&value| value > THRESHOLD).count();
    let line = |name: String, values: Vec<f64>| CurveLine {
        name,
        values: values.into_iter().map(Some).collect(),
    };
    let others = (0..count).map(|_| rng.random_range(0.1..0.4)).collect();
    Ok(UnitCard {
        unit: rng.random_range(0..NUM_UNITS),
        target: target_name(kind, target),
        fires_for_target: 100.0 * num_firing as f64 / count as f64,
        fires_for_all: 0.1,
        num_sets: kind.counts[1] / kind.counts[2],
        pictures: pictures(kind, target, |place| Some(response[place] > THRESHOLD))?,
        curve: Some(UnitCurve {
            along: match kind.varied {
                Varied::Degrees(count) => {
                    Along::Azimuth((0..count).map(|place| degrees(place, count)).collect())
                }
                _ => Along::Named(captions),
            },
            threshold: THRESHOLD,
            fires_above: true,
            lines: vec![
                line(target_name(kind, target), response),
                line("other images".to_owned(), others),
            ],
        }),
    })
}

fn degrees(place: usize, count: usize) -> f64 {
    360.0 * place as f64 / count as f64
}

/// Pictures of a set of `target`; `fires` gives for each whether the unit of the card fires for it.
fn pictures(
    kind: &Kind,
    target: usize,
    fires: impl Fn(usize) -> Option<bool>,
) -> Made<Vec<CardPicture>> {
    let captions = captions(kind.varied);
    let count = captions.len();
    let picture = |(place, caption)| -> Made<CardPicture> {
        Ok(CardPicture {
            image: target * count + place,
            jpeg: Ok(picture(kind.varied, target, place, count)?),
            caption,
            place: Some(match kind.varied {
                Varied::Degrees(count) => degrees(place, count),
                _ => place as f64,
            }),
            fires: fires(place),
        })
    };
    captions.into_iter().enumerate().map(picture).collect()
}
