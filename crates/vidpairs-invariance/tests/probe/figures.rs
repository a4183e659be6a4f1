//! Average precision and segmentation.

use vidpairs_invariance::probe::Truth;
use vidpairs_invariance::probe::precision::{ApKind, Ranking};
use vidpairs_invariance::probe::segmentation::{ImagePixels, LabelCoding, PixelSums};

use super::samples::{assert_close, drawn, golden};

#[test]
fn average_precisions_are_those_of_the_voc_devkit_and_scikit_learn() {
    for case in golden("rankings").as_array().unwrap() {
        let truths = case["truths"].as_str().unwrap().chars();
        let truths: Vec<Truth> = truths
            .map(|sign| match sign {
                '+' => Truth::Positive,
                '-' => Truth::Negative,
                _ => Truth::Ignored,
            })
            .collect();
        let mut values = drawn(truths.len(), case["start"].as_u64().unwrap() as u32);
        if let Some(digits) = case["digits"].as_u64() {
            let step = f64::from(1 << (3 * digits));
            values
                .iter_mut()
                .for_each(|value| *value = (*value * step).floor() / step);
        }
        let ranking = Ranking::new(&values, &truths).unwrap();
        for (kind, key) in [(ApKind::Envelope, "envelope"), (ApKind::Steps, "steps")] {
            let found = ranking.average_precision(kind).unwrap();
            let what = format!("{}, {kind:?}", case["name"]);
            assert_close(&what, &[found], &[case[key].as_f64().unwrap()], 1e-11);
        }
    }
}

#[test]
fn intersections_over_unions_and_accuracies_are_those_of_scikit_learn() {
    let golden = golden("segmentation");
    let num_classes = golden["num_classes"].as_u64().unwrap() as usize;
    let rows = |key: &str| -> Vec<Vec<u8>> {
        let rows = golden[key].as_array().unwrap().iter();
        let digits =
            |row: &serde_json::Value| row.as_str().unwrap().bytes().map(|it| it - b'0').collect();
        rows.map(digits).collect()
    };
    let mut labels = rows("labels");
    for label in labels.iter_mut().flatten().filter(|label| **label == 8) {
        *label = 255;
    }
    let images: Vec<ImagePixels> = labels
        .iter()
        .zip(rows("predicted"))
        .map(|(labels, predicted)| {
            ImagePixels::compare(labels, &predicted, LabelCoding::FromOne, num_classes).unwrap()
        })
        .collect();
    let sums = PixelSums::of(&images, None, num_classes);
    let confusion: Vec<Vec<u64>> = serde_json::from_value(golden["confusion"].clone()).unwrap();
    assert!(sums.confusion().eq(&confusion));
    let expected: Vec<Option<f64>> = serde_json::from_value(golden["per_class"].clone()).unwrap();
    assert!(expected.contains(&None));
    for (class, (found, expected)) in sums.per_class().into_iter().zip(expected).enumerate() {
        assert_eq!(found.is_some(), expected.is_some(), "class {class}");
        let pair = (found.unwrap_or_default(), expected.unwrap_or_default());
        assert_close(&format!("class {class}"), &[pair.0], &[pair.1], 1e-11);
    }
    let found = [sums.mean_iou(), sums.pixel_accuracy(), sums.mean_accuracy()].map(Option::unwrap);
    let keys = ["mean_iou", "pixel_accuracy", "mean_accuracy"];
    let expected = keys.map(|key| golden[key].as_f64().unwrap());
    assert_close(
        "mIoU, pixel accuracy, mean accuracy",
        &found,
        &expected,
        1e-11,
    );
}
