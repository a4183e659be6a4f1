use std::path::PathBuf;

use vidpairs_invariance::measure::Version;
use vidpairs_invariance::run::{
    Along, CardPicture, CurveLine, Figure, LeftOutGroup, MAX_TARGETS, MAX_UNITS, MeasuredPair,
    TargetCard, TargetScore, UnitCard, UnitCurve, VersionScore,
};

use super::*;

const JPEG: &[u8] = b"\xff\xd8jpeg";

fn picture(caption: &str, fires: Option<bool>) -> CardPicture {
    CardPicture {
        image: 0,
        jpeg: Ok(JPEG.to_vec()),
        caption: caption.to_owned(),
        place: None,
        fires,
    }
}

fn figure(value: f64) -> Figure {
    Figure {
        value,
        interval: Some([value - 1.5, value + 1.5]),
    }
}

fn score(version: Version, k: usize, value: f64) -> VersionScore {
    VersionScore {
        version,
        k,
        figure: figure(value),
        interval_over_sets: Some([value - 0.5, value + 0.5]),
        control_gaussian: Some(14.5),
        control_shuffled: Some(16.25),
        ceiling: 100.0,
        warnings: Vec::new(),
        firing_units: 2048,
        per_target: targets(5),
    }
}

fn targets(num: u32) -> Vec<TargetScore> {
    let target = |class: u32| TargetScore {
        class,
        target: format!("target {class}"),
        score: f64::from(class * 7 % 60),
    };
    (0..num).map(target).collect()
}

fn unit() -> UnitCard {
    UnitCard {
        unit: 413,
        target: "cup".to_owned(),
        fires_for_target: 75.0,
        fires_for_all: 0.1,
        num_sets: 14,
        pictures: vec![
            picture("0°", Some(true)),
            picture("90°", Some(false)),
            CardPicture {
                jpeg: Err("file is damaged".to_owned()),
                ..picture("180°", Some(true))
            },
        ],
        curve: Some(UnitCurve {
            along: Along::Azimuth(vec![0.0, 90.0, 180.0, 270.0]),
            threshold: 1.25,
            fires_above: true,
            lines: vec![CurveLine {
                name: "cup".to_owned(),
                values: vec![Some(2.0), Some(1.0), None, Some(1.5)],
            }],
        }),
    }
}

fn target(name: &str, score: f64) -> TargetCard {
    TargetCard {
        target: name.to_owned(),
        score,
        pictures: vec![picture("0°", None)],
    }
}

fn scores(value: f64) -> ModelScores {
    ModelScores {
        units: 2048,
        scores: vec![
            score(Version::Formula, 10, value),
            score(Version::PublishedCode, 25, value),
            score(Version::Goodfellow, 410, value),
        ],
        retrieval: Some(figure(91.0)),
        unit_cards: vec![unit()],
        most: vec![target("cup", 61.0)],
        least: vec![target("cat", 9.5)],
        ..ModelScores::default()
    }
}

fn pair() -> MeasuredPair {
    MeasuredPair {
        a: 0,
        b: 1,
        difference: figure(3.2),
        retrieval_difference: None,
    }
}

/// Two panels; the second model is compared with the first.
pub(super) fn summary(num_models: usize) -> InvarianceSummary {
    let model = |index: usize| MeasuredModel {
        name: format!("model {index}"),
        file: PathBuf::new(),
        note: String::new(),
    };
    let panel = |invariance: &str| MeasuredPanel {
        invariance: invariance.to_owned(),
        kind: "aloi-viewpoint".to_owned(),
        near: "the image itself".to_owned(),
        images: 72_000,
        sets: 1_000,
        targets: 1_000,
        is_target_object: true,
        retrieval_chance: Some(0.1),
        models: (0..num_models)
            .map(|index| Some(scores(30.0 + index as f64)))
            .collect(),
        pairs: (1..num_models).take(1).map(|_| pair()).collect(),
        ..MeasuredPanel::default()
    };
    InvarianceSummary {
        program_version: "1.2.3".to_owned(),
        settings: serde_json::Value::Null,
        models: (0..num_models).map(model).collect(),
        panels: vec![panel("viewpoint"), panel("light")],
        seconds: 0.0,
        out: PathBuf::new(),
    }
}

/// The page after its style sheet.
fn body(html: &str) -> &str {
    html.split_once("</style>").unwrap().1
}

fn csv_of(summary: &InvarianceSummary) -> Vec<csv::StringRecord> {
    let bytes = scores_csv(summary);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes.as_slice());
    reader.records().map(Result::unwrap).collect()
}

#[test]
fn a_page_loads_no_other_file_and_escapes_all_text() {
    let mut page = summary(2);
    page.program_version = "<i>t</i>".to_owned();
    page.models[0].name = "<b>&\"A".to_owned();
    let panel = &mut page.panels[0];
    panel.warnings = vec!["<u>careful".to_owned()];
    panel.invariance = "<script>".to_owned();
    panel.left_out = vec![LeftOutGroup {
        count: 3,
        reason: "<p>".to_owned(),
        first: vec!["<img>".to_owned()],
    }];
    let first = panel.models[0].as_mut().unwrap();
    first.unit_cards[0].target = "<em>".to_owned();
    first.most[0].target = "<q>".to_owned();
    first.scores[1].per_target[0].target = "<s>".to_owned();
    let html = render(&page);
    for outside in [
        "http:", "https:", "url(", "@import", "<script", "<link", "href=", "<b>&amp;", "<u>",
        "<em>", "<s>", "<i>",
    ] {
        assert!(!body(&html).contains(outside), "{outside}");
    }
    for words in [
        "&lt;b&gt;&amp;&quot;A",
        "&lt;u&gt;careful",
        "&lt;script&gt;",
        "&lt;p&gt;",
        "&lt;img&gt;",
        "&lt;em&gt;",
        "&lt;q&gt;",
        "&lt;s&gt;",
    ] {
        assert!(body(&html).contains(words), "{words}");
    }
}

#[test]
fn each_invariance_has_a_panel_with_its_own_controls_and_ceiling() {
    let page = render(&summary(1));
    let html = body(&page);
    assert_eq!(html.matches("<article class=\"panel\">").count(), 2);
    assert!(html.contains("72,000 images, 1,000 sets, 1,000 objects"));
    // The shade ends at the higher control; the lower one is dashed.
    assert!(html.contains("<rect class=\"floor\" x=\"0\" y=\"0\" height=\"28\" width=\"16.25%\">"));
    assert!(html.contains("class=\"level dashes\" x1=\"14.50%\""));
    assert!(html.contains("class=\"ceiling\" x1=\"100.00%\""));
    assert!(html.contains("class=\"whisker\" x1=\"28.50%\" x2=\"31.50%\""));
    assert!(!html.contains("class=\"scatter\""), "one model has no pair");
}

#[test]
fn firing_and_silent_pictures_are_distinguished_without_colour() {
    let page = render(&summary(1));
    let html = body(&page);
    assert!(html.contains("<figure class=\"shot fires\"><div class=\"picture\"><img src=\"data:image/jpeg;base64,/9hqcGVn\""));
    assert!(html.contains("alt=\"cup 90°, does not fire\""));
    assert!(html.contains("cannot be shown: file is damaged"));
    assert!(html.contains("fires above 1.25"));
}

#[test]
fn six_models_are_distinguished_by_shape_and_colour() {
    let page = render(&summary(6));
    let html = body(&page);
    for index in 0..6 {
        assert!(html.contains(&format!("model {index}")));
        assert!(html.contains(mark::shade(index)));
    }
    // The details of two models are open; of six models only those of the first in each panel.
    assert_eq!(html.matches("<details class=\"model\" open>").count(), 2);
}

#[test]
fn a_number_that_is_not_finite_is_neither_drawn_nor_written() {
    let mut page = summary(2);
    for panel in &mut page.panels {
        panel.retrieval_chance = Some(f64::NAN);
        panel.pairs[0].difference.value = f64::NAN;
        let scores = panel.models[0].as_mut().unwrap();
        scores.scores[1].per_target[0].score = f64::INFINITY;
        scores.scores[1].per_target[1].score = f64::NAN;
        scores.most[0].score = f64::NAN;
        scores.unit_cards[0].fires_for_all = f64::NAN;
        let curve = scores.unit_cards[0].curve.as_mut().unwrap();
        curve.along = Along::Azimuth(vec![f64::NAN, 0.0, f64::INFINITY, 90.0]);
        curve.lines[0].values[1] = Some(f64::NAN);
        curve.threshold = f64::NAN;
        for score in &mut scores.scores {
            score.figure.value = f64::NAN;
            score.figure.interval = Some([f64::NAN, 1.0]);
            score.control_gaussian = Some(f64::NEG_INFINITY);
            score.control_shuffled = Some(f64::NAN);
            score.ceiling = f64::NAN;
        }
        scores.retrieval = Some(Figure {
            value: f64::NAN,
            interval: Some([f64::INFINITY, f64::INFINITY]),
        });
    }
    let csv: Vec<String> = csv_of(&page)
        .iter()
        .map(|line| line.iter().collect::<Vec<_>>().join(","))
        .collect();
    for text in [body(&render(&page)), &render_table(&page), &csv.join("\n")] {
        for word in ["NaN", "inf%", "inf ", "inf,", ">inf"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}

#[test]
fn a_page_without_cards_or_retrieval_has_no_empty_frames() {
    let mut page = summary(2);
    for scores in page
        .panels
        .iter_mut()
        .flat_map(|panel| panel.models.iter_mut().flatten())
    {
        *scores = ModelScores {
            units: 8,
            scores: vec![VersionScore {
                per_target: Vec::new(),
                ..score(Version::PublishedCode, 10, 40.0)
            }],
            ..ModelScores::default()
        };
    }
    page.panels[0].models[1] = None;
    page.panels[0].pairs.clear();
    let page = render(&page);
    let html = body(&page);
    for absent in ["<figure", "class=\"shots\"", "class=\"model\"", "Retrieval"] {
        assert!(
            !html.replace("Retrieval accuracy is", "").contains(absent),
            "{absent}"
        );
    }
    assert!(html.contains("not scored"));
    let nothing = InvarianceSummary {
        panels: Vec::new(),
        ..summary(0)
    };
    assert!(render(&nothing).contains("Nothing was scored."));
}

#[test]
fn a_page_with_a_thousand_targets_and_long_names_stays_small() {
    let mut page = summary(6);
    let long = "a-name-".repeat(40);
    page.models[0].name = long.clone();
    for panel in &mut page.panels {
        panel.pairs = vec![pair(); 15];
        for scores in panel.models.iter_mut().flatten() {
            scores.scores[1].per_target = targets(1_000);
            scores.unit_cards = vec![unit(); 50];
            scores.unit_cards[0].target = long.clone();
            scores.unit_cards[0].pictures = vec![picture("5°", Some(true)); 72];
            scores.most = vec![target(&long, 50.0); 1_000];
        }
    }
    let shown = render(&page);
    let html = body(&shown);
    assert_eq!(html.matches("class=\"scatter\"").count(), 2 * MAX_PAIRS);
    assert_eq!(html.matches("<div class=\"unit\">").count(), 12 * MAX_UNITS);
    assert_eq!(
        html.matches("<div class=\"target\">").count(),
        12 * (MAX_TARGETS + 1)
    );
    assert!(html.contains("shown: 12 of 72 images"));
    assert!(html.contains("6 of 15 pairs of models"));
    assert!(shown.len() < 2_500_000, "{}", shown.len());
}

#[test]
fn the_table_is_aligned_and_at_most_100_columns_wide() {
    let mut page = summary(6);
    page.models[1].name = "runs/2031/temporal/checkpoints/epoch-0200.safetensors".repeat(2);
    page.models[2].name = "視点の不変性".to_owned();
    page.models[3].name = "a\u{1b}[2Jb".to_owned();
    page.panels[1].models[4] = None;
    page.panels[0].warnings = vec!["few classes ".repeat(20)];
    let table = render_table(&page);
    let width = |line: &str| unicode_width::UnicodeWidthStr::width(line);
    assert!(table.lines().all(|line| width(line) <= 100), "{table}");
    assert!(!table.contains('\u{1b}'));
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.contains("2048  "))
        .collect();
    assert_eq!(rows.len(), 11);
    assert!(
        rows.iter().all(|line| width(line) == width(rows[0])),
        "{table}"
    );
    assert!(rows[0].contains("30.0 [28.5, 31.5]") && rows[0].contains("91.0 [89.5, 92.5]"));
    assert!(rows[0].ends_with("0.10") && table.contains("not scored"));
    assert!(table.contains("published, top 25"), "{table}");
}

#[test]
fn the_csv_has_every_figure_and_quotes_fields_if_needed() {
    let mut page = summary(1);
    page.models[0].name = "a,\"b\"\nc".to_owned();
    let lines = csv_of(&page);
    assert_eq!(lines.len(), 1 + 2 * 4);
    let column = |name: &str| lines[0].iter().position(|heading| heading == name).unwrap();
    let value = |line: usize, name: &str| lines[line].get(column(name)).unwrap().to_owned();
    assert_eq!(value(1, "model"), "a,\"b\"\nc");
    assert_eq!(
        [value(1, "measure"), value(1, "version"), value(1, "k")],
        ["ris", "formula", "10"]
    );
    assert_eq!(
        [value(2, "version"), value(2, "k")],
        ["published-code", "25"]
    );
    assert_eq!(
        [value(3, "measure"), value(3, "version"), value(3, "k")],
        ["goodfellow", "", ""]
    );
    assert_eq!(
        [value(4, "measure"), value(4, "chance"), value(4, "ceiling")],
        ["retrieval", "0.1", ""]
    );
    assert_eq!(
        [value(1, "low"), value(1, "high_over_sets")],
        ["28.5", "30.5"]
    );
    assert_eq!(
        [value(1, "control_shuffled"), value(1, "units")],
        ["16.25", "2048"]
    );
}

#[test]
fn panels_of_the_same_title_are_distinguished_by_their_paths() {
    let mut page = summary(2);
    let mut twin = page.panels[0].clone();
    page.panels[0].path = "first/aloi".into();
    twin.path = "second/aloi".into();
    twin.warnings = vec!["few objects".to_owned()];
    page.panels.push(twin);
    page.panels[1].path = "third/aloi".into();
    let html = render(&page);
    for words in [
        "<span class=\"label\">ALOI, second/aloi</span>",
        "<strong>Viewpoint (ALOI, second/aloi)</strong><ul><li>few objects</li></ul>",
        "<span title=\"ALOI, first/aloi\">",
    ] {
        assert!(html.contains(words), "{words}");
    }
    let table = render_table(&page);
    assert!(table.contains("Viewpoint, ALOI, second/aloi: 72,000 images"));
    assert!(!table.contains("third/aloi"));
    let lines = csv_of(&page);
    assert_eq!(lines[0].get(3), Some("path"));
    assert!(lines.iter().any(|line| line.get(3) == Some("third/aloi")));
}

#[test]
fn pictures_that_are_not_spread_over_the_axis_have_a_row_of_their_own() {
    let mut page = summary(1);
    let turn = |step: f64| {
        let picture = |index: u8| CardPicture {
            place: Some(step * f64::from(index)),
            ..picture("", Some(true))
        };
        (0..6).map(picture).collect::<Vec<_>>()
    };
    let first = |page: &mut InvarianceSummary, pictures| {
        page.panels.truncate(1);
        let scores = page.panels[0].models[0].as_mut().unwrap();
        scores.unit_cards[0].pictures = pictures;
        body(&render(page)).to_owned()
    };
    let html = first(&mut page, turn(5.0));
    assert!(html.contains("<div class=\"shots row-of-its-own\">"));
    assert!(html.contains("the set in which it fires most, of 14"));
    assert!(html.contains("its own axis"));
    assert!(!first(&mut page, turn(60.0)).contains("of-its-own"));
    assert!(html.contains("units by the formula"));
}
