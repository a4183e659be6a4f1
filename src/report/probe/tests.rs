use vidpairs_invariance::run::probe::{
    ClassScore, Confusion, ProbeCard, ProbePair, ProbeProtocol, ProbeScores, RateScore,
};
use vidpairs_invariance::run::{Figure, MeasuredModel};

use super::*;

fn figure(value: f64) -> Figure {
    Figure {
        value,
        interval: Some([value - 2.0, value + 2.0]),
    }
}

fn scores(value: f64, classes: &[String]) -> ProbeScores {
    let class = |class: &String| ClassScore {
        class: class.clone(),
        score: Some(value),
        train_images: 7,
        test_images: 3,
        cost: None,
    };
    let card = ProbeCard {
        image: 0,
        id: "<id>.jpg".to_owned(),
        class: "<cat>".to_owned(),
        answer: "<dog>: 80 %".to_owned(),
        jpeg: Ok(vec![1, 2, 3]),
    };
    ProbeScores {
        units: 512,
        score: figure(value),
        top5: Some(figure(value + 3.0)),
        cost: Some(10.0),
        per_class: classes.iter().map(class).collect(),
        confusion: Some(Confusion {
            counts: vec![(0, 0, 3), (0, 1, 2), (1, 1, 4)],
        }),
        worst: vec![card],
        ..ProbeScores::default()
    }
}

/// A summary of two models with odd names, and `num_classes` classes.
fn summary(num_classes: usize) -> ProbeSummary {
    let classes: Vec<String> = (0..num_classes).map(|n| format!("<class {n}>")).collect();
    let model = |name: &str| MeasuredModel {
        name: name.to_owned(),
        file: name.into(),
        note: String::new(),
    };
    let table = ProbeTable {
        kind: "folders".to_owned(),
        path: "data".into(),
        stage: Some("layer4".to_owned()),
        protocol: ProbeProtocol {
            probe: "logistic".to_owned(),
            classifier: "multinomial logistic regression".to_owned(),
            metric: "top-1".to_owned(),
            split: "fitted on train, tested on val".to_owned(),
            ..ProbeProtocol::default()
        },
        models: vec![Some(scores(60.0, &classes)), Some(scores(70.0, &classes))],
        classes,
        train_images: 70,
        test_images: 30,
        chance: Some(10.0),
        pairs: vec![ProbePair {
            a: 0,
            b: 1,
            difference: figure(10.0),
            top5_difference: None,
        }],
        warnings: vec!["<warned>".to_owned()],
        left_out: vec![LeftOutGroup {
            count: 2,
            reason: "<reason>".to_owned(),
            first: vec!["<gone>".to_owned()],
        }],
    };
    let svm = ProbeTable {
        protocol: ProbeProtocol {
            probe: "svm".to_owned(),
            metric: "mAP".to_owned(),
            ..ProbeProtocol::default()
        },
        ..table.clone()
    };
    ProbeSummary {
        program_version: "0".to_owned(),
        settings: serde_json::Value::Null,
        models: vec![model("<a>,\"b\""), model(&"long/".repeat(40))],
        tables: vec![table, svm],
        seconds: 1.0,
        out: "out".into(),
    }
}

#[test]
fn a_page_loads_no_other_file_and_escapes_all_text() {
    let html = render(&summary(4));
    for text in [
        "<script", "http", "src=\"/", "<class", "<cat>", "<warned>", "<gone>", "<a>",
    ] {
        assert!(!html.contains(text), "{text}");
    }
    for text in [
        "&lt;class 0&gt;",
        "&lt;warned&gt;",
        "2 left out: &lt;reason&gt;",
        "Confusion",
    ] {
        assert!(html.contains(text), "{text}");
    }
    // Both tables leave out the same, which is said once.
    assert_eq!(html.matches("2 left out").count(), 1);
}

#[test]
fn many_classes_have_a_list_of_mistakes_instead_of_a_matrix_and_not_all_bars() {
    let html = render(&summary(1000));
    assert!(!html.contains("<h4>Confusion</h4>") && !html.contains("<svg class=\"shades\""));
    assert!(html.contains("&lt;class 0&gt;</b> taken for <b>&lt;class 1&gt;</b>: 2"));
    assert_eq!(
        html.matches("<div class=\"class\"").count(),
        2 * 2 * classes::MAX_CLASSES
    );
    assert!(html.contains("The best and the worst 30 of 1,000 classes."));
    assert!(html.len() < 1_000_000, "{}", html.len());
}

#[test]
fn a_matrix_names_its_columns_at_few_and_at_many_classes_and_long_names_are_cut() {
    let of = |num_classes: usize| {
        let mut summary = summary(num_classes);
        for table in &mut summary.tables {
            table.classes[1] = "a class with a very long name".to_owned();
        }
        render(&summary)
    };
    let few = of(20);
    let column = "<th class=\"column\" title=\"a class with a very long name\"><span>a class w…ong name</span></th>";
    assert_eq!(few.matches(column).count(), 4);
    assert_eq!(few.matches("<th class=\"column\"").count(), 4 * 20);
    let many = of(150);
    assert!(!many.contains("<th class=\"column\""));
    let name = "<title>a class with a very long name</title>a class w…ong name</text>";
    // Once for the row and once for the column of each matrix.
    assert_eq!(many.matches(name).count(), 4 * 2);
    // Of five images of the first class, three are answered right.
    assert_eq!(
        many.matches("d=\"M0 0h1v1h-1z\" fill-opacity=\"0.8\"")
            .count(),
        4
    );
    assert_eq!(
        many.matches("d=\"M1 0h1v1h-1z\" fill-opacity=\"0.6\"")
            .count(),
        4
    );
    assert!(many.len() < 500_000, "{}", many.len());
}

#[test]
fn the_overview_marks_the_best_model_of_each_table_and_leads_to_it() {
    let mut summary = summary(3);
    let mut early = summary.tables[1].clone();
    early.stage = Some("layer1".to_owned());
    early.models[0].as_mut().unwrap().score = figure(70.04);
    summary.tables.push(early);
    let html = render(&summary);
    let (_, overview) = html.split_once("<h2>Overview</h2>").unwrap();
    let (overview, rest) = overview.split_once("</table>").unwrap();
    // Stages of one classifier share a heading.
    assert!(
        overview.contains("<th class=\"group\" colspan=\"2\">Linear SVM<span>folders, mAP</span>")
    );
    for (index, stage) in [(0, "layer4"), (1, "layer4"), (2, "layer1")] {
        assert!(
            overview.contains(&format!("<a href=\"#table-{index}\">{stage}</a>")),
            "{overview}"
        );
        assert_eq!(rest.matches(&format!("id=\"table-{index}\"")).count(), 1);
    }
    // The second model is better in two tables, and both look equal in the third.
    let (_, body) = overview.split_once("<tbody>").unwrap();
    let rows: Vec<&str> = body.split("<tr>").skip(1).collect();
    let marked = |row: &str| row.matches("<b class=\"best\">").count();
    assert_eq!(
        rows.iter().map(|row| marked(row)).collect::<Vec<_>>(),
        [1, 3]
    );
    // Every table has a warning, which is below its scores.
    assert_eq!(overview.matches("title=\"1 warning\">⚠").count(), 3);
    assert_eq!(rest.matches("<li>&lt;warned&gt;</li>").count(), 3);
    summary.tables.truncate(1);
    assert!(!render(&summary).contains("<h2>Overview</h2>"));
}

#[test]
fn tiny_and_huge_numbers_are_written_in_scientific_notation() {
    let mut summary = summary(3);
    for scores in summary.tables[0].models.iter_mut().flatten() {
        scores.cost = Some(1e-30);
        scores.per_class[0].cost = Some(2.5e9);
    }
    let page = render(&summary);
    assert!(page.contains("C 1e-30") && page.contains("C 2.5e9"));
    assert!(render_tables(&summary).contains("1e-30"));
    assert!(!page.contains("0.00000") && !page.contains("500000"));
}

#[test]
fn the_table_has_its_protocol_and_is_at_most_100_columns_wide() {
    let text = render_tables(&summary(3));
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for part in [
        "Logistic regression (folders, layer4): 3 classes, 70 training images, 30 test images; 2 left out",
        "multinomial logistic regression; fitted on train, tested on val",
        "60.0 [58.0, 62.0]",
        "top-1 +10.0 [+8.0, +12.0]",
        "! <warned>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn every_learning_rate_of_a_linear_classifier_is_shown_with_its_accuracies() {
    let mut linear = summary(3);
    linear.tables.truncate(1);
    let table = &mut linear.tables[0];
    table.protocol.probe = "linear".to_owned();
    table.protocol.learning_rates = vec![1.0, 30.0];
    let scores = table.models[0].as_mut().unwrap();
    scores.cost = None;
    scores.learning_rate = Some(1.0);
    let rate = |learning_rate, validation, test| RateScore {
        learning_rate,
        validation,
        test,
    };
    scores.rates = vec![rate(1.0, Some(41.0), Some(40.5)), rate(30.0, None, None)];
    let said = "41.0 / 40.5 at learning rate 1, diverged at 30";
    let text = render_tables(&linear);
    assert!(text.contains(said) && text.contains("  rate\n"), "{text}");
    let html = render(&linear);
    assert!(html.contains(said) && html.contains("<th>rate</th>"));
    assert!(html.contains("learning rate 1"));
    let csv = String::from_utf8(scores_csv(&linear)).unwrap();
    assert!(csv.contains(",top-1 of rate,,40.5,,,,,1,"), "{csv}");
}

#[test]
fn the_csv_has_every_figure_and_quotes_fields_if_needed() {
    let csv = String::from_utf8(scores_csv(&summary(3))).unwrap();
    // Per model: top-1 or mAP, top-5, and three classes.
    assert_eq!(csv.matches("\r\n").count(), 1 + 2 * 2 * (2 + 3));
    assert!(csv.contains(
        "\"<a>,\"\"b\"\"\",folders,data,layer4,logistic,top-1,,60,58,62,10,10,,70,30,512,"
    ));
    assert!(csv.contains(",AP,<class 1>,60,"), "{csv}");
}

#[test]
fn segmentation_has_its_own_figures_and_pictures_in_every_form() {
    let mut summary = summary(3);
    summary.tables.truncate(1);
    let table = &mut summary.tables[0];
    table.kind = "ade20k".to_owned();
    table.protocol.probe = "segmentation".to_owned();
    table.protocol.metric = "mIoU".to_owned();
    for scores in table.models.iter_mut().flatten() {
        scores.top5 = None;
        scores.cost = None;
        scores.confusion = None;
        scores.pixel_accuracy = Some(figure(81.0));
        scores.mean_accuracy = Some(figure(45.0));
    }
    let html = render(&summary);
    for text in [
        "Segmentation head",
        "Mean intersection over union",
        "Pixel accuracy",
        "Mean accuracy",
        "Segmented worst: image, prediction, truth",
        "Intersection over union of each class",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("Top-5") && !html.contains("Confusion"));
    let text = render_tables(&summary);
    for part in [
        "mIoU",
        "pixel accuracy",
        "81.0 [79.0, 83.0]",
        "45.0 [43.0, 47.0]",
        "mIoU +10.0 [+8.0, +12.0]",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let csv = String::from_utf8(scores_csv(&summary)).unwrap();
    // Per model: three figures, and three classes.
    assert_eq!(csv.matches("\r\n").count(), 1 + 2 * (3 + 3));
    for part in [
        "layer4,segmentation,mIoU,,60,58,62,10,",
        "segmentation,pixel accuracy,,81,79,83,",
        "segmentation,mean accuracy,,45,43,47,",
        "segmentation,IoU,<class 1>,60,",
    ] {
        assert!(csv.contains(part), "{part} in {csv}");
    }
}

#[test]
fn a_number_that_is_not_finite_is_neither_drawn_nor_written() {
    let mut broken = summary(3);
    for scores in broken
        .tables
        .iter_mut()
        .flat_map(|table| &mut table.models)
        .flatten()
    {
        scores.score.value = f64::NAN;
        scores.per_class[0].score = Some(f64::INFINITY);
    }
    let html = render(&broken);
    assert!(!html.contains("NaN") && !html.contains("inf%"));
    let csv = String::from_utf8(scores_csv(&broken)).unwrap();
    assert!(!csv.contains("NaN") && !csv.contains("inf"));
}
