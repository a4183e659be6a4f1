use serde_json::json;
use vidpairs_invariance::run::probe::{ProbeProtocol, ProbeScores, ProbeSummary, ProbeTable};
use vidpairs_invariance::run::{Figure, MeasuredModel};
use vidpairs_run::Control;

use super::*;
use crate::experiment::{KnnMetrics, Measured, Part, StepMetrics};

/// A run of a method, whose loss falls from its chance level.
fn run(name: &str, seed: u64, method: &str, num_lines: u64) -> Part<TrainingRun> {
    let line = |line: u64| StepMetrics {
        step: 10 * line,
        epoch: Some(line as f64),
        loss: Some(5.0 / line as f64),
        chance: Some(5.0),
        images_per_second: Some(100.0),
        spread: Some(0.9),
        ..StepMetrics::default()
    };
    Part {
        name: name.to_owned(),
        path: format!("runs/{name}"),
        notes: Vec::new(),
        results: TrainingRun {
            program_version: "0.1.0".to_owned(),
            settings: json!({"seed": seed, "train": {"method": method, "batch": 64, "epochs": num_lines}}),
            dataset_xxh64: "00".to_owned(),
            steps: (1..=num_lines).map(line).collect(),
            ..TrainingRun::default()
        },
    }
}

fn experiment(runs: Vec<Part<TrainingRun>>) -> Experiment {
    Experiment {
        dirs: vec!["runs".into()],
        runs,
        ..Experiment::default()
    }
}

fn html(runs: Vec<Part<TrainingRun>>) -> String {
    render(&experiment(runs), None)
}

/// The rows of the overview, without their tags.
fn rows(html: &str) -> Vec<String> {
    let table = html
        .split("<table class=\"overview runs\">")
        .nth(1)
        .unwrap();
    let body = table
        .split("<tbody>")
        .nth(1)
        .unwrap()
        .split("</tbody>")
        .next()
        .unwrap();
    body.split("<tr>").skip(1).map(text).collect()
}

/// Text between tags.
fn text(html: &str) -> String {
    let parts = html
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    let parts: Vec<&str> = parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

#[test]
fn runs_that_differ_in_their_seed_alone_share_a_row_a_mark_and_a_column() {
    let html = html(vec![
        run("a-1", 1, "moco-v2", 30),
        run("b-1", 1, "simclr", 30),
        run("a-2", 2, "moco-v2", 30),
    ]);
    let rows = rows(&html);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(
        rows[0].starts_with("a 2 runs, seeds 1, 2 moco-v2"),
        "{}",
        rows[0]
    );
    assert!(rows[1].starts_with("b-1 simclr"), "{}", rows[1]);
    // A thin line for each seed of the group, and a thick one for each group, in one main chart.
    let chart = html.split("<figure class=\"chart").nth(1).unwrap();
    assert_eq!(chart.matches("class=\"seed ").count(), 2);
    assert_eq!(chart.matches("class=\"whole ").count(), 2);
}

#[test]
fn the_settings_that_differ_are_in_the_table_and_the_equal_ones_are_folded() {
    let html = html(vec![
        run("a-1", 1, "moco-v2", 30),
        run("b-1", 1, "simclr", 30),
    ]);
    let table = html.split("<table class=\"settings\">").nth(1).unwrap();
    let (table, rest) = table.split_once("</table>").unwrap();
    let body = table.split("<tbody>").nth(1).unwrap();
    assert_eq!(text(body), "train.method moco-v2 simclr");
    let equal = rest.split("</details>").next().unwrap();
    assert!(
        text(equal).contains("train.batch 64 train.epochs 30"),
        "{}",
        text(equal)
    );
    assert!(
        !html.contains(">seed<"),
        "the seed is no setting that differs"
    );
}

#[test]
fn names_and_values_from_files_are_escaped() {
    let mut evil = run("<script>a</script>", 1, "<b>moco", 3);
    evil.notes.push("<i>note".to_owned());
    evil.path = "<u>path".to_owned();
    let experiment = Experiment {
        notes: vec![("<u>other".to_owned(), "<s>why".to_owned())],
        ..experiment(vec![evil])
    };
    let html = render(&experiment, Some("<h1>title"));
    for tag in ["<script", "<b>moco", "<i>", "<u>", "<s>", "<h1>title"] {
        assert!(!html.contains(tag), "{tag}");
    }
    assert!(html.contains("&lt;i&gt;note") && html.contains("&lt;s&gt;why"));
}

#[test]
fn a_name_that_turns_the_direction_of_text_does_not_turn_what_follows_it() {
    let html = html(vec![
        run("\u{202e}a", 1, "moco-v2", 3),
        run("b", 1, "simclr", 3),
    ]);
    // In the overview, the settings and the legend; the names at the ends of lines stand alone.
    assert_eq!(html.matches("<bdi>\u{202e}a</bdi>").count(), 3);
}

#[test]
fn a_page_of_runs_names_no_other_file() {
    let html = html(vec![run("a-1", 1, "moco-v2", 30)]);
    for attribute in ["src=", "href=\"h", "url(", "@import", "<link", "<script"] {
        assert!(!html.contains(attribute), "{attribute}");
    }
}

#[test]
fn a_loss_that_is_not_finite_breaks_its_line_and_is_a_dash_in_the_table() {
    let mut broken = run("a-1", 1, "moco-v2", 5);
    broken.results.steps[2].loss = None;
    broken.results.steps[3].loss = Some(f64::INFINITY);
    let html = html(vec![broken]);
    let path = html.split("class=\"whole d0 m0\" d=\"").nth(2).unwrap();
    let path = path.split('"').next().unwrap();
    assert_eq!(path.matches('M').count(), 2, "{path}");
    assert!(!html.contains("NaN") && !html.contains("inf\""));
    assert!(rows(&html)[0].contains(" 50 – "), "{:?}", rows(&html));
}

#[test]
fn a_run_of_one_step_and_a_run_without_a_log_have_their_rows() {
    let mut silent = run("b", 1, "simclr", 1);
    silent.results.steps.clear();
    let html = html(vec![run("a", 1, "moco-v2", 1), silent]);
    let rows = rows(&html);
    assert!(rows[0].contains("1.000"), "{rows:?}");
    assert!(
        rows[1].contains("simclr") && rows[1].contains('–'),
        "{rows:?}"
    );
    assert!(html.contains("d=\"M"), "one point is drawn");
}

#[test]
fn knn_accuracies_have_a_column_and_a_chart_only_if_there_are_any() {
    let without = html(vec![run("a-1", 1, "moco-v2", 3)]);
    assert!(!without.contains("kNN"));
    let mut with = run("a-1", 1, "moco-v2", 3);
    let knn = |step, knn| KnnMetrics {
        step,
        knn: Some(knn),
        knn_chance: Some(0.125),
    };
    with.results.knn = vec![knn(0, 0.2), knn(30, 0.654)];
    let html = html(vec![with]);
    assert!(
        rows(&html)[0].contains("20.0 → 65.4 (12.5)"),
        "{:?}",
        rows(&html)
    );
    assert!(html.contains("kNN accuracy") && html.contains("chance 12.5"));
}

#[test]
fn twenty_runs_without_a_common_setting_have_different_marks_or_patterns_and_no_overlapping_names()
{
    let runs = (0..20).map(|n| run(&format!("run-{n}"), 1, &format!("method-{n}"), 40));
    let html = html(runs.collect());
    assert_eq!(rows(&html).len(), 20);
    assert!(!html.contains("class=\"ends\""), "the legend names them");
    let samples = html.split("<svg class=\"sample-line\"").skip(1);
    let mut samples: Vec<&str> = samples
        .map(|svg| svg.split("</svg></svg>").next().unwrap())
        .collect();
    samples.truncate(12);
    samples.sort_unstable();
    samples.dedup();
    assert_eq!(samples.len(), 12);
    assert!(html.len() < 2_000_000, "{} bytes", html.len());
}

#[test]
fn a_page_of_a_log_of_a_million_steps_stays_small() {
    let html = html(vec![run("a-1", 1, "moco-v2", 100_000)]);
    assert!(html.len() < 150_000, "{} bytes", html.len());
}

#[test]
fn the_same_folders_give_the_same_page_whatever_the_order_on_disk_and_the_number_of_workers() {
    let write = |root: &std::path::Path, n: usize| {
        let folder = root.join(format!("all/run-{n}"));
        std::fs::create_dir_all(&folder).unwrap();
        let run = json!({
            "program_version": "0.1.0", "dataset_xxh64": "0",
            "training": {"seed": n, "train": {"batch": 8, "learning_rate": n / 3, "epochs": 1}},
        });
        std::fs::write(folder.join("run.json"), run.to_string()).unwrap();
        let line = json!({"step": 5, "epoch": 1.0, "loss": 1.0 / n as f64, "chance": 2.0, "images_per_second": 9.0});
        std::fs::write(folder.join("metrics.jsonl"), format!("{line}\n")).unwrap();
        if n == 4 {
            std::fs::write(folder.join("probe.json"), "{").unwrap();
        }
    };
    let page = |order: &[usize], workers| {
        let dir = tempfile::tempdir().unwrap();
        order.iter().for_each(|&n| write(dir.path(), n));
        let experiment = Experiment::read(&[dir.path().join("all")], &Control::quiet(workers));
        let html = render(&experiment.unwrap(), None);
        html.replace(&dir.path().display().to_string(), "")
    };
    let first = page(&[1, 2, 3, 4, 5, 6, 7], 1);
    assert_eq!(rows(&first).len(), 3, "learning rates 0, 1 and 2");
    assert!(first.contains("probe.json is not JSON"));
    assert!(first == page(&[7, 3, 5, 1, 6, 2, 4], 4));
}

#[test]
fn a_run_with_the_seed_of_another_is_no_further_seed() {
    let html = html(vec![
        run("a-1", 1, "moco-v2", 30),
        run("a-2", 2, "moco-v2", 30),
        run("copy-of-a-1", 1, "moco-v2", 30),
    ]);
    let rows = rows(&html);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].starts_with("a 2 runs, seeds 1, 2"), "{}", rows[0]);
    assert!(
        rows[1].starts_with("copy-of-a-1 same settings and seed as a"),
        "{}",
        rows[1]
    );
}

#[test]
fn settings_that_train_the_same_share_a_group_and_a_run_that_was_made_longer_has_its_own() {
    let mut often = run("a-2", 2, "moco-v2", 30);
    often.results.settings["train"]["log_steps"] = json!(1);
    often.results.settings["train"]["knn_epochs"] = json!(0);
    let mut longer = run("a-3", 3, "moco-v2", 30);
    longer.results.extended = vec![crate::experiment::Extension {
        epochs: 10,
        steps: 100,
    }];
    let html = html(vec![run("a-1", 1, "moco-v2", 30), often, longer]);
    let rows = rows(&html);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].starts_with("a 2 runs"), "{}", rows[0]);
    let table = html.split("<table class=\"settings\">").nth(1).unwrap();
    let table = text(table.split("</table>").next().unwrap());
    assert!(
        table.contains("extended – 10 epochs until step 100"),
        "{table}"
    );
}

#[test]
fn a_mean_at_the_end_is_of_finished_runs_with_a_finite_value_and_says_of_how_many() {
    let mut unfinished = run("a-2", 2, "moco-v2", 10);
    unfinished.results.is_unfinished = true;
    unfinished.results.settings["train"]["epochs"] = json!(30);
    let mut diverged = run("a-3", 3, "moco-v2", 30);
    diverged.results.steps.last_mut().unwrap().loss = None;
    let mean_of_one = rows(&html(vec![run("a-1", 1, "moco-v2", 30)]))[0].clone();
    let value = mean_of_one.split(" nats").next().unwrap();
    let value = value.rsplit(' ').nth(1).unwrap();
    let html = html(vec![
        run("a-1", 1, "moco-v2", 30),
        unfinished.clone(),
        diverged,
    ]);
    let row = &rows(&html)[0];
    assert!(row.contains(value) && row.contains("1 of 3 seeds"), "{row}");
    let alone = rows(&self::html(vec![unfinished]))[0].clone();
    assert!(alone.contains("so far"), "{alone}");
}

#[test]
fn the_records_are_those_that_a_run_was_told_to_train_on() {
    let mut few = run("a-1", 1, "moco-v2", 30);
    few.results.settings["train"]["records"] = json!(13_824);
    let row = &rows(&html(vec![few]))[0];
    assert!(row.contains(" 13,824 300"), "{row}");
}

#[test]
fn a_title_of_many_folders_names_a_few_and_counts_the_rest() {
    let mut experiment = experiment(Vec::new());
    experiment.dirs = ["x/a", "x/b", "c", "d", "e"].map(Into::into).into();
    assert_eq!(title_of(&experiment), "a, b, c and 2 more folders");
}

/// A probe of models with these names, networks and scores.
fn probe_of(models: &[(&str, &str, f64)]) -> ProbeSummary {
    let scores = |value| ProbeScores {
        score: Figure {
            value,
            interval: None,
        },
        ..ProbeScores::default()
    };
    ProbeSummary {
        program_version: "0.1.0".to_owned(),
        settings: json!({}),
        models: (models.iter())
            .map(|(name, note, _)| MeasuredModel {
                name: (*name).to_owned(),
                file: (*name).into(),
                note: (*note).to_owned(),
            })
            .collect(),
        tables: vec![ProbeTable {
            kind: "features".to_owned(),
            chance: Some(10.0),
            protocol: ProbeProtocol {
                metric: "top-1".to_owned(),
                ..ProbeProtocol::default()
            },
            models: models
                .iter()
                .map(|(.., value)| Some(scores(*value)))
                .collect(),
            ..ProbeTable::default()
        }],
        seconds: 2.0,
        out: "probe".into(),
    }
}

fn with_probe(models: &[(&str, &str, f64)], runs: Vec<Option<usize>>) -> Experiment {
    Experiment {
        probes: vec![Part {
            name: "probe".to_owned(),
            path: "all/probe".to_owned(),
            notes: Vec::new(),
            results: Measured {
                summary: probe_of(models),
                runs,
            },
        }],
        ..experiment(vec![
            run("a-1", 1, "moco-v2", 3),
            run("a-2", 2, "moco-v2", 3),
            run("b-1", 1, "simclr", 3),
        ])
    }
}

/// Rows of the table of means and differences, without their tags.
fn claim_rows(html: &str) -> Vec<String> {
    let table = html.split("<table class=\"claims\">").nth(1).unwrap();
    let body = table.split("<tbody>").nth(1).unwrap();
    let body = body.split("</tbody>").next().unwrap();
    body.split("<tr>").skip(1).map(text).collect()
}

#[test]
fn groups_of_seeds_have_students_interval_and_their_difference_to_the_first_over_equal_seeds() {
    let models = [
        ("a-1", "net", 40.0),
        ("a-2", "net", 44.0),
        ("a-3", "net", 45.0),
        ("b-2", "net", 46.0),
        ("b-3", "net", 48.0),
        ("b-4", "net", f64::NAN),
    ];
    let html = render(&with_probe(&models, vec![None; 6]), None);
    // Python 3.11 with the table of Student's t, as scripts/experiments/seeds.py: a 43 -+ 6.57; b 47 -+ 12.71; differences 2 and 3.
    assert_eq!(
        claim_rows(&html),
        [
            "a 3 43.0 [36.4, 49.6]",
            "b 2 of 3 47.0 [34.3, 59.7] +2.5 [\u{2212}3.9, +8.9] 2"
        ]
    );
    assert!(html.contains("not scored: <bdi>b-4"));
    assert!(!html.contains("compared with"), "no pairs of single models");
}

#[test]
fn seeds_of_training_runs_go_before_the_numbers_of_names() {
    // The runs of model a-1 and a-2 have the seeds 1 and 2, that of c-7 has seed 1.
    let models = [
        ("a-1", "net", 40.0),
        ("a-2", "net", 44.0),
        ("c-7", "net", 41.0),
    ];
    let html = render(&with_probe(&models, vec![Some(0), Some(1), Some(2)]), None);
    assert_eq!(claim_rows(&html)[1], "c-7 1 41.0 – +1.0 – 1");
}

/// Rows of the plots of seeds, without their tags.
fn seed_rows(html: &str) -> Vec<String> {
    let plots = html
        .split("<article class=\"panel seeds\">")
        .nth(1)
        .unwrap_or_default();
    let plots = plots.split("</article>").next().unwrap();
    let rows = plots.split("<div class=\"name\"").skip(1);
    rows.map(|row| text(row.split("class=\"axis\"").next().unwrap()))
        .collect()
}

#[test]
fn measured_models_that_differ_in_their_seed_share_a_row_with_the_mark_of_their_training_runs() {
    let models = [
        ("b-1", "net", 30.0),
        ("a-1", "net", 40.0),
        ("a-2", "net", 44.0),
    ];
    let html = render(&with_probe(&models, vec![Some(2), Some(0), Some(1)]), None);
    let rows = seed_rows(&html);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[1].contains("42.0 40.0 to 44.0"), "{rows:?}");
    let plot = html.split("panel seeds").nth(1).unwrap();
    let of_a = plot.split("title=\"a\"").nth(1).unwrap();
    assert!(
        of_a.contains("mark full m0"),
        "group a is the first of the training runs: {of_a}"
    );
    assert!(
        html.contains("all/probe/report.html"),
        "the pictures are elsewhere"
    );
}

#[test]
fn models_are_seeds_of_one_group_though_only_some_of_their_runs_are_on_the_page() {
    let models = [
        ("x-1", "net", 40.0),
        ("x-2", "net", 42.0),
        ("x-3", "net", 44.0),
    ];
    let html = render(&with_probe(&models, vec![None, Some(2), None]), None);
    assert_eq!(seed_rows(&html).len(), 1);
    let plot = html.split("panel seeds").nth(1).unwrap();
    let of_x = plot.split("title=\"x\"").nth(1).unwrap();
    assert!(
        of_x.contains("mark hollow m1"),
        "the mark of group b: {of_x}"
    );
}

#[test]
fn models_of_other_networks_or_of_one_run_are_not_taken_for_seeds() {
    let other_network = [("vit-16", "ViT-S/16", 30.0), ("vit-32", "ViT-S/32", 40.0)];
    assert!(seed_rows(&render(&with_probe(&other_network, vec![None, None]), None)).is_empty());
    let checkpoints = [("step-1", "net", 30.0), ("step-2", "net", 40.0)];
    assert!(
        seed_rows(&render(
            &with_probe(&checkpoints, vec![Some(0), Some(0)]),
            None
        ))
        .is_empty()
    );
    let same_twice = [
        ("m-1", "net", 30.0),
        ("m-2", "net", 40.0),
        ("m-3", "net", 40.0),
    ];
    let runs = vec![Some(0), Some(1), Some(1)];
    assert!(seed_rows(&render(&with_probe(&same_twice, runs), None)).is_empty());
    let other_settings = [("m-1", "net", 30.0), ("m-2", "net", 40.0)];
    assert!(
        seed_rows(&render(
            &with_probe(&other_settings, vec![Some(0), Some(2)]),
            None
        ))
        .is_empty()
    );
}

#[test]
fn every_link_of_a_page_leads_to_a_place_on_it_and_no_address_occurs_twice() {
    let models = [("b-1", "net", 30.0), ("a-1", "net", f64::NAN)];
    let mut experiment = with_probe(&models, vec![None, None]);
    let table = experiment.probes[0].results.summary.tables[0].clone();
    experiment.probes[0].results.summary.tables.push(table);
    experiment.probes.push(experiment.probes[0].clone());
    let html = render(&experiment, None);
    let mut ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    for link in html.split("href=\"#").skip(1) {
        let link = link.split('"').next().unwrap();
        assert!(ids.contains(&link), "{link} in {ids:?}");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
    assert!(!html.contains("NaN"));
}
