use super::*;

const JPEG: &[u8] = b"\xff\xd8jpeg";

fn shot(caption: &str, fires: Option<bool>) -> SetPicture {
    let picture = Picture {
        media_type: "image/jpeg",
        bytes: JPEG.to_vec(),
    };
    SetPicture {
        picture: Ok(picture),
        caption: caption.to_owned(),
        place: None,
        fires,
    }
}

fn estimate(value: f64) -> Estimate {
    Estimate {
        value,
        interval: Some([value - 1.5, value + 1.5]),
    }
}

fn score(kind: ScoreKind, value: f64) -> Score {
    Score {
        kind,
        estimate: estimate(value),
        interval_over_sets: Some([value - 0.5, value + 0.5]),
        control_gaussian: Some(14.5),
        control_shuffled: Some(16.25),
        ceiling: Some(100.0),
    }
}

fn unit() -> UnitCard {
    let degrees = vec![0.0, 90.0, 180.0, 270.0];
    UnitCard {
        unit: 413,
        target: "cup".to_owned(),
        fires_for_target: 75.0,
        fires_for_all: 0.1,
        num_sets: 14,
        pictures: vec![
            shot("0°", Some(true)),
            shot("90°", Some(false)),
            SetPicture {
                picture: Err("file is damaged".to_owned()),
                ..shot("180°", Some(true))
            },
        ],
        curve: Some(Curve {
            along: Along::Azimuth(degrees),
            quantity: Quantity::Response {
                threshold: 1.25,
                fires: Side::Above,
            },
            lines: vec![CurveLine {
                name: "cup".to_owned(),
                values: vec![Some(2.0), Some(1.0), None, Some(1.5)],
            }],
        }),
    }
}

fn target(name: &str, score: f64) -> TargetCard {
    TargetCard {
        name: name.to_owned(),
        score,
        pictures: vec![shot("0°", None)],
    }
}

fn result(value: f64) -> ModelResult {
    let kinds = [
        ScoreKind::Formula { k: 10 },
        ScoreKind::PublishedCode { k: 25 },
        ScoreKind::Goodfellow,
    ];
    ModelResult {
        num_units: 2048,
        scores: kinds.map(|kind| score(kind, value)).into(),
        retrieval: Some(estimate(91.0)),
        target_scores: vec![20.0, 40.0],
        units: vec![unit()],
        most: vec![target("cup", 61.0)],
        least: vec![target("cat", 9.5)],
    }
}

fn pair(num_targets: usize) -> PairedScores {
    let point = |index: usize| PairedPoint {
        name: format!("target {index}"),
        a: index as f64 % 50.0,
        b: (index as f64 * 7.0) % 60.0,
    };
    PairedScores {
        a: 0,
        b: 1,
        points: (0..num_targets).map(point).collect(),
        difference: estimate(3.2),
        retrieval_difference: None,
    }
}

fn page(num_models: usize) -> InvariancePage {
    let model = |index: usize| ModelName {
        name: format!("model {index}"),
        note: String::new(),
    };
    let panel = |invariance: &str| Panel {
        invariance: invariance.to_owned(),
        data_set: "ALOI".to_owned(),
        counts: Counts {
            images: 72_000,
            sets: 1_000,
            targets: 1_000,
        },
        target: TargetWord::Object,
        retrieval_chance: Some(0.1),
        models: (0..num_models)
            .map(|it| Some(result(30.0 + it as f64)))
            .collect(),
        pairs: (1..num_models).take(1).map(|_| pair(5)).collect(),
        ..Panel::default()
    };
    InvariancePage {
        title: "Invariances".to_owned(),
        models: (0..num_models).map(model).collect(),
        panels: vec![panel("Viewpoint"), panel("Light")],
        ..InvariancePage::default()
    }
}

/// What stands after the styles.
fn body(html: &str) -> &str {
    html.split_once("</style>").unwrap().1
}

fn csv_of(page: &InvariancePage) -> Vec<csv::StringRecord> {
    let mut bytes = Vec::new();
    write_scores_csv(page, &mut bytes).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes.as_slice());
    reader.records().map(Result::unwrap).collect()
}

#[test]
fn a_page_asks_for_no_other_file_and_shows_words_as_they_are() {
    let mut page = page(2);
    page.title = "<i>t</i>".to_owned();
    page.models[0].name = "<b>&\"A".to_owned();
    let panel = &mut page.panels[0];
    panel.warnings = vec!["<u>careful".to_owned()];
    panel.invariance = "<script>".to_owned();
    panel.left_out = vec![LeftOutNote {
        count: 3,
        reason: "<p>".to_owned(),
        first: vec!["<img>".to_owned()],
    }];
    let first = panel.models[0].as_mut().unwrap();
    first.units[0].target = "<em>".to_owned();
    first.most[0].name = "<q>".to_owned();
    panel.pairs[0].points[0].name = "<s>".to_owned();
    let html = render(&page);
    for outside in [
        "http:", "https:", "url(", "@import", "<script", "<link", "href=", "<b>&amp;", "<u>",
        "<em>", "<s>",
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
fn each_invariance_has_a_panel_with_its_own_levels() {
    let page = render(&page(1));
    let html = body(&page);
    assert_eq!(html.matches("<article class=\"panel\">").count(), 2);
    assert!(html.contains("72,000 images, 1,000 sets, 1,000 objects"));
    // The shade ends at the higher of the two controls; the other is dashed.
    assert!(html.contains("<rect class=\"floor\" x=\"0\" y=\"0\" height=\"28\" width=\"16.25%\">"));
    assert!(html.contains("class=\"level dashes\" x1=\"14.50%\""));
    assert!(html.contains("class=\"ceiling\" x1=\"100.00%\""));
    assert!(html.contains("class=\"whisker\" x1=\"28.50%\" x2=\"31.50%\""));
    assert!(
        !html.contains("class=\"scatter\""),
        "one model has nothing to be paired with"
    );
}

#[test]
fn pictures_that_fire_are_told_from_those_that_do_not_without_colour_too() {
    let page = render(&page(1));
    let html = body(&page);
    assert!(html.contains("<figure class=\"shot fires\"><div class=\"picture\"><img src=\"data:image/jpeg;base64,/9hqcGVn\""));
    assert!(html.contains("alt=\"cup 90°, does not fire\""));
    assert!(html.contains("cannot be shown: file is damaged"));
    assert!(html.contains("fires above 1.25"));
}

#[test]
fn six_models_are_told_apart_by_shape_and_shade() {
    let page = render(&page(6));
    let html = body(&page);
    for index in 0..6 {
        assert!(html.contains(&format!("model {index}")));
        assert!(html.contains(mark::shade(index)));
    }
    // Two models stand open to be compared; of six only the first of each panel does.
    assert_eq!(html.matches("<details class=\"model\" open>").count(), 2);
}

#[test]
fn a_number_that_is_none_is_never_drawn_nor_written() {
    let mut page = page(2);
    for panel in &mut page.panels {
        panel.retrieval_chance = Some(f64::NAN);
        panel.pairs[0].difference.value = f64::NAN;
        panel.pairs[0].points[0].a = f64::INFINITY;
        let result = panel.models[0].as_mut().unwrap();
        result.target_scores.push(f64::NAN);
        result.most[0].score = f64::NAN;
        result.units[0].fires_for_all = f64::NAN;
        let curve = result.units[0].curve.as_mut().unwrap();
        curve.along = Along::Azimuth(vec![f64::NAN, 0.0, f64::INFINITY, 90.0]);
        curve.lines[0].values[1] = Some(f64::NAN);
        curve.quantity = Quantity::Response {
            threshold: f64::NAN,
            fires: Side::Below,
        };
        for score in &mut result.scores {
            score.estimate.value = f64::NAN;
            score.estimate.interval = Some([f64::NAN, 1.0]);
            score.control_gaussian = Some(f64::NEG_INFINITY);
            score.control_shuffled = Some(f64::NAN);
            score.ceiling = Some(f64::NAN);
        }
        result.retrieval = Some(Estimate {
            value: f64::NAN,
            interval: Some([f64::INFINITY, f64::INFINITY]),
        });
    }
    let csv: Vec<String> = csv_of(&page)
        .iter()
        .map(|it| it.iter().collect::<Vec<_>>().join(","))
        .collect();
    for text in [body(&render(&page)), &render_table(&page), &csv.join("\n")] {
        for word in ["NaN", "inf%", "inf ", "inf,", ">inf"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}

#[test]
fn a_page_without_pictures_units_or_retrieval_has_no_empty_frames() {
    let mut page = page(2);
    for result in page
        .panels
        .iter_mut()
        .flat_map(|it| it.models.iter_mut().flatten())
    {
        *result = ModelResult {
            num_units: 8,
            scores: vec![score(ScoreKind::Formula { k: 10 }, 40.0)],
            ..ModelResult::default()
        };
    }
    page.panels[0].models[1] = None;
    page.panels[0].pairs.clear();
    let page = render(&page);
    let html = body(&page);
    for absent in ["<figure", "class=\"shots\"", "class=\"model\"", "Retrieval"] {
        assert!(
            !html.replace("Retrieval: share", "").contains(absent),
            "{absent}"
        );
    }
    assert!(html.contains("not scored"));
    assert!(render(&InvariancePage::default()).contains("Nothing was scored."));
}

#[test]
fn a_thousand_targets_and_long_names_stay_within_bounds() {
    let mut page = page(6);
    let long = "a-name-".repeat(40);
    page.models[0].name = long.clone();
    for panel in &mut page.panels {
        panel.pairs = vec![pair(1_000); 15];
        for result in panel.models.iter_mut().flatten() {
            result.target_scores = vec![33.0; 1_000];
            result.units = vec![unit(); 50];
            result.units[0].target = long.clone();
            result.units[0].pictures = vec![shot("5°", Some(true)); 72];
            result.most = vec![target(&long, 50.0); 1_000];
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
    assert!(html.contains("12 of 72 pictures of a set"));
    assert!(html.contains("6 of 15 pairs of models"));
    assert!(shown.len() < 2_500_000, "{}", shown.len());
}

#[test]
fn the_table_of_a_terminal_is_aligned_and_never_wider_than_it() {
    let mut page = page(6);
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
    page.shown = ScoreKind::PublishedCode { k: 25 };
    let table = render_table(&page);
    assert!(table.contains("published, top 25") && table.lines().all(|line| width(line) <= 100));
}

#[test]
fn the_csv_holds_every_figure_and_quotes_what_must_be() {
    let mut page = page(1);
    page.models[0].name = "a,\"b\"\nc".to_owned();
    let lines = csv_of(&page);
    assert_eq!(lines.len(), 1 + 2 * 4);
    let column = |name: &str| lines[0].iter().position(|it| it == name).unwrap();
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
fn panels_of_one_title_are_told_apart_by_where_their_images_are() {
    let mut page = page(2);
    let mut twin = page.panels[0].clone();
    page.panels[0].path = "first/aloi".to_owned();
    twin.path = "second/aloi".to_owned();
    twin.warnings = vec!["few objects".to_owned()];
    page.panels.push(twin);
    page.panels[1].path = "third/aloi".to_owned();
    let html = render(&page);
    for words in [
        "<span class=\"label\">ALOI, second/aloi</span>",
        "<strong>Viewpoint (ALOI, second/aloi)</strong>: few objects",
        "<span title=\"ALOI, first/aloi\">",
    ] {
        assert!(html.contains(words), "{words}");
    }
    let table = render_table(&page);
    assert!(table.contains("Viewpoint, ALOI, second/aloi: 72,000 images"));
    assert!(!table.contains("third/aloi"));
    let lines = csv_of(&page);
    assert_eq!(lines[0].get(3), Some("path"));
    assert!(lines.iter().any(|it| it.get(3) == Some("third/aloi")));
}

#[test]
fn pictures_that_are_not_spread_over_the_axis_stand_in_a_row_of_their_own() {
    let mut page = page(1);
    let turn = |step: f64| {
        let shot = |it: u8| SetPicture {
            place: Some(step * f64::from(it)),
            ..shot("", Some(true))
        };
        (0..6).map(shot).collect::<Vec<_>>()
    };
    let first = |page: &mut InvariancePage, pictures| {
        page.panels.truncate(1);
        page.panels[0].models[0].as_mut().unwrap().units[0].pictures = pictures;
        body(&render(page)).to_owned()
    };
    let html = first(&mut page, turn(5.0));
    assert!(html.contains("<div class=\"shots row-of-its-own\">"));
    assert!(html.contains("of its 14 sets the one in which it fires most"));
    assert!(html.contains("axis of its own"));
    assert!(!first(&mut page, turn(60.0)).contains("of-its-own"));
    assert!(!html.contains("chosen by the formula"));
    page.shown = ScoreKind::PublishedCode { k: 25 };
    assert!(render(&page).contains("chosen by the formula"));
}
