//! A page of invariances with made-up numbers and drawn pictures: to see how it looks.
//!
//! ```text
//! cargo run --no-default-features --example invariance_page -- DIR [MODELS]
//! ```
//!
//! Writes `DIR/report.html` and `DIR/scores.csv`, and prints the table. Nothing in it was measured.

#![allow(clippy::print_stdout)] // its result

mod kinds;
mod picture;

use std::error::Error;
use std::f64::consts::TAU;
use std::fs::{self, File};
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vidpairs::report::invariance::{
    Along, Counts, Curve, CurveLine, Estimate, Fact, InvariancePage, LeftOutNote, ModelName,
    ModelResult, PairedPoint, PairedScores, Panel, Quantity, Score, ScoreKind, SetPicture, Side,
    TargetCard, UnitCard, render, render_table, write_scores_csv,
};
use vidpairs::report::write_page;

use kinds::{Kind, Places, captions, kinds, name};
use picture::picture;

const NAMES: [&str; 6] = [
    "untrained",
    "moco-images",
    "moco-temporal",
    "moco-regions",
    "pirl-temporal",
    "supervised",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let Some(dir) = args.next() else {
        return Err("usage: invariance_page DIR [MODELS]".into());
    };
    let num_models: usize = args.next().map_or(Ok(2), |it| it.parse())?;
    let dir = Path::new(&dir);
    fs::create_dir_all(dir)?;
    let page = made_up(num_models)?;
    write_page(&dir.join("report.html"), &render(&page))?;
    write_scores_csv(&page, File::create(dir.join("scores.csv"))?)?;
    print!("{}", render_table(&page));
    Ok(())
}

fn made_up(num_models: usize) -> Result<InvariancePage, Box<dyn Error>> {
    let mut draw = ChaCha8Rng::seed_from_u64(7);
    let models: Vec<ModelName> = (0..num_models).map(model_name).collect();
    let mut panels = Vec::new();
    for kind in kinds() {
        panels.push(panel(&kind, num_models, &mut draw)?);
    }
    let fact = |name, value: &str| Fact {
        name,
        value: value.to_owned(),
    };
    Ok(InvariancePage {
        title: "Invariances (made-up numbers)".to_owned(),
        headline: format!(
            "{} invariances of 3 data sets; models: {num_models}. Every number here is made up: the page shows how results \
             look, not what they are",
            panels.len()
        ),
        facts: vec![
            fact("Representation", "pooled output of stage 4, 512 units"),
            fact("Score", "RIS, formula; top 10 and top 25"),
            fact("Intervals", "95 %, 1,000 bootstrap draws over targets"),
            fact("Controls", "Gaussian and shuffled features, 5 draws each"),
        ],
        models,
        shown: ScoreKind::Formula { k: 10 },
        panels,
    })
}

fn model_name(index: usize) -> ModelName {
    let name = NAMES.get(index % NAMES.len()).copied().unwrap_or_default();
    let name = match index / NAMES.len() {
        0 => name.to_owned(),
        round => format!("{name}-{round}"),
    };
    ModelName {
        name,
        note: "ResNet-18, 512 units".to_owned(),
    }
}

fn panel(kind: &Kind, num_models: usize, draw: &mut ChaCha8Rng) -> Result<Panel, Box<dyn Error>> {
    let [images, sets, targets] = kind.counts;
    let hardness: Vec<f64> = (0..targets).map(|_| draw.random_range(-1.0..1.0)).collect();
    let mut models = Vec::new();
    let mut scores_of = Vec::new();
    for model in 0..num_models {
        let skill = [0.18, 0.55, 0.86, 0.93, 0.80, 0.70]
            .get(model % 6)
            .copied()
            .unwrap_or(0.5);
        let middle = kind.control + kind.gain * skill;
        let scores: Vec<f64> = hardness
            .iter()
            .map(|it| (middle + 13.0 * it + draw.random_range(-6.0..6.0_f64)).clamp(3.0, 100.0))
            .collect();
        models.push(Some(result(kind, skill, &scores, draw)?));
        scores_of.push(scores);
    }
    let pairs = (1..num_models).map(|b| pair(kind, b, &scores_of)).collect();
    let few = targets < 20;
    Ok(Panel {
        invariance: kind.invariance.to_owned(),
        data_set: kind.data_set.to_owned(),
        path: format!("data/{}", kind.data_set.to_lowercase()),
        about: kind.about.to_owned(),
        counts: Counts { images, sets, targets },
        target: kind.target,
        near: kind.near.to_owned(),
        retrieval_chance: Some(kind.chance),
        models,
        pairs,
        warnings: few.then(|| format!("only {targets} classes: intervals over classes are wide, and models that differ little cannot be told apart")).into_iter().collect(),
        left_out: match kind.places {
            Places::Covers => vec![LeftOutNote {
                count: 7_228, reason: "videos whose cover varies by less than 4 levels".to_owned(),
                first: (1..=6).map(|it| format!("GOT-10k_Train_{it:06}")).collect(),
            }],
            _ => Vec::new(),
        },
    })
}

fn estimate(value: f64, half: f64) -> Estimate {
    Estimate {
        value,
        interval: Some([(value - half).max(-100.0), (value + half).min(100.0)]),
    }
}

fn result(
    kind: &Kind,
    skill: f64,
    scores: &[f64],
    draw: &mut ChaCha8Rng,
) -> Result<ModelResult, Box<dyn Error>> {
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let half = 16.0 / (scores.len() as f64).sqrt();
    let score = |kind_of, shift: f64| Score {
        kind: kind_of,
        estimate: estimate(mean + shift, half),
        interval_over_sets: Some([mean + shift - 0.7 * half, mean + shift + 0.7 * half]),
        control_gaussian: Some(kind.control + 0.9 * shift),
        control_shuffled: Some(kind.control + 0.9 * shift + 2.1),
        ceiling: Some(100.0),
    };
    let kinds = [
        (ScoreKind::Formula { k: 10 }, 0.0),
        (ScoreKind::Formula { k: 25 }, -3.2),
        (ScoreKind::PublishedCode { k: 10 }, 1.4),
        (ScoreKind::PublishedCode { k: 25 }, -2.0),
    ];
    let mut ranked: Vec<usize> = (0..scores.len()).collect();
    ranked.sort_by(|a, b| {
        scores
            .get(*b)
            .partial_cmp(&scores.get(*a))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut units = Vec::new();
    for target in ranked.iter().take(3) {
        units.push(unit(kind, skill, *target, draw)?);
    }
    let card = |target: &usize| target_card(kind, *target, scores);
    Ok(ModelResult {
        num_units: 512,
        scores: kinds.map(|(kind, shift)| score(kind, shift)).into(),
        retrieval: Some(estimate((56.0 + 42.0 * skill).min(99.0), half / 2.0)),
        target_scores: scores.to_vec(),
        units,
        most: ranked.iter().take(4).map(card).collect::<Result<_, _>>()?,
        least: ranked
            .iter()
            .rev()
            .take(4)
            .map(card)
            .collect::<Result<_, _>>()?,
    })
}

fn pair(kind: &Kind, b: usize, scores: &[Vec<f64>]) -> PairedScores {
    let none = Vec::new();
    let (of_a, of_b) = (
        scores.first().unwrap_or(&none),
        scores.get(b).unwrap_or(&none),
    );
    let points = of_a.iter().zip(of_b).enumerate();
    let points: Vec<PairedPoint> = points
        .map(|(index, (a, b))| PairedPoint {
            name: name(kind, index),
            a: *a,
            b: *b,
        })
        .collect();
    let count = points.len().max(1) as f64;
    let value = points.iter().map(|it| it.b - it.a).sum::<f64>() / count;
    PairedScores {
        a: 0,
        b,
        points,
        difference: estimate(value, 8.0 / count.sqrt()),
        retrieval_difference: Some(estimate(0.8 * value, 11.0 / count.sqrt())),
    }
}

fn unit(
    kind: &Kind,
    skill: f64,
    target: usize,
    draw: &mut ChaCha8Rng,
) -> Result<UnitCard, Box<dyn Error>> {
    let captions = captions(kind.places);
    let count = captions.len();
    let phase = draw.random_range(0.0..TAU);
    let depth = 1.3 - skill;
    let response: Vec<f64> = (0..count)
        .map(|it| {
            2.1 + depth * (TAU * it as f64 / count as f64 + phase).cos()
                + draw.random_range(-0.12..0.12)
        })
        .collect();
    let threshold = 1.55;
    let fires = |it: usize| response.get(it).is_some_and(|it| *it > threshold);
    let mut pictures = Vec::new();
    for (place, caption) in captions.iter().enumerate() {
        pictures.push(SetPicture {
            picture: Ok(picture(kind.places, target, place, count)?),
            caption: caption.clone(),
            place: Some(match kind.places {
                Places::Degrees(count) => 360.0 * place as f64 / count as f64,
                _ => place as f64,
            }),
            fires: Some(fires(place)),
        });
    }
    let share = (0..count).filter(|it| fires(*it)).count() as f64 / count as f64;
    let along = match kind.places {
        Places::Degrees(count) => Along::Azimuth(
            (0..count)
                .map(|it| 360.0 * it as f64 / count as f64)
                .collect(),
        ),
        _ => Along::Named(captions),
    };
    let is_share = target.is_multiple_of(3);
    let others: Vec<f64> = (0..count).map(|_| draw.random_range(0.1..0.4)).collect();
    let squashed = |it: &f64| match is_share {
        true => Some((0.5 + 0.45 * (it - threshold)).clamp(0.0, 1.0)),
        false => Some(*it),
    };
    let line = |name: &str, values: Vec<Option<f64>>| CurveLine {
        name: name.to_owned(),
        values,
    };
    Ok(UnitCard {
        unit: draw.random_range(0..512),
        target: name(kind, target),
        fires_for_target: 100.0 * share,
        fires_for_all: 0.1,
        num_sets: kind.counts[1] / kind.counts[2],
        pictures,
        curve: Some(Curve {
            along,
            quantity: match is_share {
                true => Quantity::Share,
                false => Quantity::Response {
                    threshold,
                    fires: Side::Above,
                },
            },
            lines: vec![
                line(&name(kind, target), response.iter().map(squashed).collect()),
                line(
                    "all others",
                    others
                        .iter()
                        .map(|it| Some(if is_share { it * 0.1 } else { *it }))
                        .collect(),
                ),
            ],
        }),
    })
}

fn target_card(kind: &Kind, target: usize, scores: &[f64]) -> Result<TargetCard, Box<dyn Error>> {
    let captions = captions(kind.places);
    let mut pictures = Vec::new();
    for (place, caption) in captions.iter().enumerate() {
        pictures.push(SetPicture {
            picture: Ok(picture(kind.places, target, place, captions.len())?),
            caption: caption.clone(),
            place: None,
            fires: None,
        });
    }
    Ok(TargetCard {
        name: name(kind, target),
        score: scores.get(target).copied().unwrap_or(f64::NAN),
        pictures,
    })
}
