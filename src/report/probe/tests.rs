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
    assert!(!html.contains("<h4>Confusion</h4>"));
    assert!(html.contains("&lt;class 0&gt;</b> taken for <b>&lt;class 1&gt;</b>: 2"));
    assert_eq!(
        html.matches("<div class=\"class\"").count(),
        2 * 2 * classes::MAX_CLASSES
    );
    assert!(html.contains("The best and the worst 30 of 1,000 classes."));
    assert!(html.len() < 1_000_000, "{}", html.len());
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
    let said = "1: 41.0 / 40.5, 30: diverged";
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
