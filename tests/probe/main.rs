//! The command `vidpairs probe` on stored features.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vidpairs_fixtures::extract::Extract;
use vidpairs_invariance::npz::{ArrayValues, NamedArray, write_npz};

const NUM_IMAGES: usize = 120;
const NUM_UNITS: usize = 6;
const NUM_CLASSES: usize = 3;

/// Folder that the command runs in.
struct Bench {
    dir: tempfile::TempDir,
}

/// Labels of a features file.
struct Labels {
    /// Row-major, with one column for one class of each image.
    class: Vec<i64>,
    columns: usize,
    split: Vec<i64>,
}

impl Labels {
    fn one() -> Self {
        Self {
            class: (0..NUM_IMAGES)
                .map(|image| (image % NUM_CLASSES) as i64)
                .collect(),
            columns: 1,
            split: (0..NUM_IMAGES)
                .map(|image| i64::from(image >= 80))
                .collect(),
        }
    }

    /// Image `i` shows class `i mod 3`, and class 0 does not count for every tenth image.
    fn many() -> Self {
        let state = |image: usize, class: usize| match (image % NUM_CLASSES == class, class) {
            (true, _) => 1,
            (false, 0) if image.is_multiple_of(10) => 0,
            _ => -1,
        };
        let row = |image: usize| (0..NUM_CLASSES).map(move |class| state(image, class));
        Self {
            class: (0..NUM_IMAGES).flat_map(row).collect(),
            columns: NUM_CLASSES,
            ..Self::one()
        }
    }
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `vidpairs probe --out out --workers 2` with `more`.
    fn probe(&self, more: &[&str]) -> Extract {
        let args = [
            "probe",
            "--out",
            "out",
            "--workers",
            "2",
            "--set",
            "probe.resamples=200",
        ];
        let args = args.iter().chain(more);
        Extract {
            dir: self.dir.path().to_owned(),
            args: args.map(|arg| (*arg).to_owned()).collect(),
            variables: Vec::new(),
        }
    }

    /// Features in which unit `u` responds to class `u mod 3`, with noise, multiplied by `scale`.
    fn features(&self, name: &str, labels: &Labels, noise: f32, scale: f32) {
        let value = |image: usize, unit: usize| {
            let mixed = ((image * 31 + unit * 17) as u32).wrapping_mul(0x9e37_79b1);
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
            let wave = (mixed >> 16) as f32 / 65536.0;
            let signal = f32::from(u8::from(unit % NUM_CLASSES == image % NUM_CLASSES));
            scale * (signal + noise * wave)
        };
        let values =
            (0..NUM_IMAGES).flat_map(|image| (0..NUM_UNITS).map(move |unit| value(image, unit)));
        self.write(name, labels, &values.collect::<Vec<_>>());
    }

    fn write(&self, name: &str, labels: &Labels, values: &[f32]) {
        let shape = match labels.columns {
            1 => vec![NUM_IMAGES],
            columns => vec![NUM_IMAGES, columns],
        };
        let array = |name, shape, values| NamedArray {
            name,
            shape,
            values,
        };
        let arrays = [
            array(
                "feat",
                &[NUM_IMAGES, NUM_UNITS][..],
                ArrayValues::F32(values),
            ),
            array("class", &shape, ArrayValues::I64(&labels.class)),
            array("split", &[NUM_IMAGES], ArrayValues::I64(&labels.split)),
        ];
        let file = fs::File::create(self.path(name)).unwrap();
        write_npz(file, &arrays).unwrap();
    }
}

fn results(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("probe.json")).unwrap()).unwrap()
}

fn value(scores: &Value) -> f64 {
    scores["score"]["value"].as_f64().unwrap()
}

#[test]
fn two_files_are_compared_by_every_classifier_and_each_table_has_its_protocol() {
    let bench = Bench::new();
    bench.features("good.npz", &Labels::one(), 0.5, 1.0);
    bench.features("bad.npz", &Labels::one(), 6.0, 1.0);
    let set = "probe.probes=[\"svm\", \"logistic\", \"knn\"]";
    let run = bench.probe(&[
        "--features",
        "good.npz",
        "--features",
        "second=bad.npz",
        "--set",
        set,
    ]);
    let ran = run.run_well();
    for text in [
        "Linear SVM (features): 3 classes, 80 training images, 40 test images",
        "3-fold cross-validation",
        "second minus good",
        "report.html",
    ] {
        assert!(ran.stdout.contains(text), "{text}: {}", ran.stdout);
    }
    let found = results(&bench.path("out"));
    let tables = found["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 3);
    for table in tables {
        let [good, bad] = [&table["models"][0], &table["models"][1]];
        assert!(value(good) > 99.0 && value(bad) < value(good), "{table}");
        let (low, high) = (&bad["score"]["interval"][0], &bad["score"]["interval"][1]);
        let (low, high) = (low.as_f64().unwrap(), high.as_f64().unwrap());
        assert!(low < value(bad) && value(bad) < high && high - low < 60.0);
        let pair = &table["pairs"][0];
        let difference = pair["difference"]["value"].as_f64().unwrap();
        assert!((difference - (value(bad) - value(good))).abs() < 1e-9);
        assert_eq!(bad["per_class"].as_array().unwrap().len(), 3);
        assert!(!table["protocol"]["classifier"].as_str().unwrap().is_empty());
        assert_eq!(table["protocol"]["split"], "splits of the file");
    }
    // A cost of each class, of all classes, none.
    assert!(tables[0]["models"][0]["per_class"][0]["cost"].is_f64());
    assert!(tables[1]["models"][0]["cost"].is_f64());
    assert!(tables[2]["models"][0]["cost"].is_null());
    let confusion = tables[2]["models"][0]["confusion"]["counts"]
        .as_array()
        .unwrap();
    let images: i64 = confusion.iter().map(|cell| cell[2].as_i64().unwrap()).sum();
    assert_eq!(images, 40);
    let csv = fs::read_to_string(bench.path("out/scores.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 3 * 2 * (1 + 3));
    let page = fs::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("Weighted kNN") && !page.contains("<script"));
}

#[test]
fn results_depend_neither_on_the_number_of_workers_nor_on_the_scale_of_the_features() {
    let bench = Bench::new();
    let set = "probe.probes=[\"svm\", \"logistic\", \"knn\"]";
    let scores = |workers: &str, scale: f32| {
        bench.features("a.npz", &Labels::one(), 3.0, scale);
        let run = bench.probe(&["--features", "a.npz", "--set", set]);
        run.replace("2", workers).run_well();
        results(&bench.path("out"))["tables"].clone()
    };
    let one = scores("1", 1.0);
    assert_eq!(one, scores("4", 1.0));
    // A power of two changes no digit; 100 changes the rounding.
    assert_eq!(one, scores("2", 128.0));
    for (table, scaled) in one
        .as_array()
        .unwrap()
        .iter()
        .zip(scores("2", 100.0).as_array().unwrap())
    {
        let (a, b) = (value(&table["models"][0]), value(&scaled["models"][0]));
        assert!(
            (a - b).abs() < 0.1,
            "{}: {a} and {b}",
            table["protocol"]["probe"]
        );
        assert!(a < 99.9, "too easy to tell");
    }
}

#[test]
fn images_of_several_classes_are_ranked_and_images_that_do_not_count_are_left_out() {
    let bench = Bench::new();
    let mut labels = Labels::many();
    bench.features("a.npz", &labels, 1.0, 1.0);
    let found = bench.probe(&["--features", "a.npz"]).run_json();
    let table = &found["tables"][0];
    assert_eq!(
        (
            found["tables"].as_array().unwrap().len(),
            &table["protocol"]["metric"]
        ),
        (1, &"mAP".into())
    );
    assert!(value(&table["models"][0]) > 95.0);
    let refused = bench.probe(&["--features", "a.npz", "--set", "probe.probes=[\"knn\"]"]);
    refused
        .run()
        .failed_with(2, &["probe.probes", "several classes"]);
    // A class without a positive test image is named and does not count.
    for image in 80..NUM_IMAGES {
        labels.class[image * NUM_CLASSES + 2] = -1;
    }
    bench.features("b.npz", &labels, 1.0, 1.0);
    let found = bench.probe(&["--features", "b.npz"]).run_json();
    let table = &found["tables"][0];
    let left_out = table["left_out"].to_string();
    assert!(
        left_out.contains("without a positive test image"),
        "{left_out}"
    );
    let per_class = &table["models"][0]["per_class"];
    assert!(per_class[2]["score"].is_null());
    let mean = (0..2)
        .map(|class| per_class[class]["score"].as_f64().unwrap())
        .sum::<f64>()
        / 2.0;
    assert!((value(&table["models"][0]) - mean).abs() < 1e-9);
}

#[test]
fn the_protocol_of_knn_has_the_number_of_neighbours_that_vote() {
    let bench = Bench::new();
    bench.features("a.npz", &Labels::one(), 3.0, 1.0);
    let classifier = |neighbours: u32| {
        let set = format!("probe.neighbours={neighbours}");
        let knn = "probe.probes=[\"knn\"]";
        let run = bench.probe(&["--features", "a.npz", "--set", knn, "--set", &set]);
        let table = run.run_json()["tables"][0].clone();
        (
            table["protocol"]["classifier"].clone(),
            table["models"].clone(),
        )
    };
    let (all, scores) = classifier(80);
    assert_eq!(all, "weighted kNN, 80 neighbours, temperature 0.07");
    let (fewer, same_scores) = classifier(500);
    assert_eq!(
        fewer,
        "weighted kNN, all 80 training images as neighbours (probe.neighbours is 500), temperature 0.07"
    );
    assert_eq!(scores, same_scores);
}

#[test]
fn logistic_regression_says_which_classes_cross_validation_cannot_recognise() {
    let bench = Bench::new();
    let found = |num_train: usize| {
        let is_test = |image| i64::from(image >= num_train);
        let labels = Labels {
            split: (0..NUM_IMAGES).map(is_test).collect(),
            ..Labels::one()
        };
        bench.features("few.npz", &labels, 0.1, 1.0);
        let logistic = "probe.probes=[\"logistic\"]";
        let run = bench.probe(&["--features", "few.npz", "--set", logistic]);
        let table = run.run_json()["tables"][0].clone();
        (table["warnings"].to_string(), table["models"].to_string())
    };
    // One image of each class: the C that is nearest to 1, not the smallest of the grid.
    let (warnings, models) = found(NUM_CLASSES);
    let words = "every class has a single training image, so C was not cross-validated";
    assert!(warnings.contains(words), "{warnings}");
    assert!(models.contains("\"cost\":1.0"), "{models}");
    let (warnings, _) = found(NUM_CLASSES + 1);
    let words =
        "classes with a single training image, which the cross-validation of C cannot recognise: 2";
    assert!(warnings.contains(words), "{warnings}");
    assert!(!found(80).0.contains("single training image"));
}

#[test]
fn machines_that_did_not_converge_are_one_warning_with_class_and_cost() {
    let bench = Bench::new();
    bench.features("a.npz", &Labels::one(), 12.0, 1.0);
    let costs = "probe.svm_costs=[1e-30, 1e12]";
    let run = bench.probe(&[
        "--features",
        "a.npz",
        "--set",
        "probe.probes=[\"svm\"]",
        "--set",
        costs,
    ]);
    let table = run.run_json()["tables"][0].clone();
    let choice = table["protocol"]["choice"].as_str().unwrap();
    assert!(
        choice.starts_with("C of each class from [1e-30, 1e12] by"),
        "{choice}"
    );
    let warnings: Vec<&str> = (table["warnings"].as_array().unwrap().iter())
        .map(|warning| warning.as_str().unwrap())
        .collect();
    let of = |start: &str| {
        let found: Vec<_> = (warnings.iter())
            .filter(|warning| warning.starts_with(start))
            .collect();
        assert_eq!(found.len(), 1, "{warnings:?}");
        (*found[0]).to_owned()
    };
    let validated = of(
        "a: 9 support vector machines of the cross-validation did not converge (C 1e12; classes 0, 1, 2). After 2000 passes",
    );
    assert!(
        validated.contains("instead of at most 0.0001"),
        "{validated}"
    );
    let fitted = of("a: 1 support vector machine did not converge (C 1e12; class 2). ");
    assert!(fitted.contains("probe.svm_costs"), "{fitted}");
}

#[test]
fn unusable_features_are_refused_with_the_file_and_the_reason() {
    let bench = Bench::new();
    let refused = |more: &[&str], words: &[&str]| {
        bench.probe(more).run().failed_with(2, words);
        assert!(!bench.path("out").exists());
    };
    refused(&[], &["--weights", "--features"]);
    refused(&["--features", "none.npz"], &["none.npz"]);
    let labels = Labels::one();
    let mut values = vec![1.0; NUM_IMAGES * NUM_UNITS];
    values[7] = f32::NAN;
    bench.write("nan.npz", &labels, &values);
    refused(
        &["--features", "nan.npz"],
        &["nan.npz", "NaN", "row 1, unit 1"],
    );
    let all_train = Labels {
        split: vec![0; NUM_IMAGES],
        ..Labels::one()
    };
    bench.features("train.npz", &all_train, 1.0, 1.0);
    refused(
        &["--features", "train.npz"],
        &["train.npz", "120 training images and 0 test images"],
    );
    let one_class = Labels {
        class: vec![4; NUM_IMAGES],
        ..Labels::one()
    };
    bench.features("single.npz", &one_class, 1.0, 1.0);
    refused(
        &["--features", "single.npz"],
        &["single.npz", "none of its 1 classes"],
    );
    let other_split = Labels {
        split: vec![2; NUM_IMAGES],
        ..Labels::one()
    };
    bench.features("split.npz", &other_split, 1.0, 1.0);
    refused(&["--features", "split.npz"], &["`split` is 2 in row 0"]);
    // Zeros for absent classes would leave no negative.
    let mut zeros = Labels::many();
    zeros
        .class
        .iter_mut()
        .for_each(|class| *class = (*class).max(0));
    bench.features("zeros.npz", &zeros, 1.0, 1.0);
    refused(
        &["--features", "zeros.npz"],
        &["zeros.npz", "without any -1", "2 * class - 1"],
    );
    bench.features("a.npz", &labels, 1.0, 1.0);
    refused(
        &["--features", "a.npz", "--set", "probe.svm_costs=[]"],
        &["probe.svm_costs is []"],
    );
    refused(
        &["--features", "x=a.npz", "--features", "x=a.npz"],
        &["both called x"],
    );
}

#[test]
fn an_image_whose_features_are_all_0_is_counted_and_the_rest_goes_on() {
    let bench = Bench::new();
    let labels = Labels::one();
    let mut values: Vec<f32> = (0..NUM_IMAGES * NUM_UNITS)
        .map(|at| (at as f32 * 0.7).sin())
        .collect();
    values[6 * NUM_UNITS..7 * NUM_UNITS].fill(0.0);
    bench.write("zero.npz", &labels, &values);
    let svm = ["--features", "zero.npz", "--set", "probe.probes=[\"svm\"]"];
    let found = bench.probe(&svm).run_json();
    let warnings = found["tables"][0]["warnings"].to_string();
    assert!(
        warnings.contains("all features are 0 in 1 image"),
        "{warnings}"
    );
}

#[test]
fn files_with_other_classes_have_tables_of_their_own() {
    let bench = Bench::new();
    bench.features("a.npz", &Labels::one(), 1.0, 1.0);
    let mut labels = Labels::one();
    labels
        .class
        .iter_mut()
        .for_each(|class| *class = 7 - *class);
    bench.features("renumbered.npz", &labels, 1.0, 1.0);
    let run = bench.probe(&["--features", "a.npz", "--features", "renumbered.npz"]);
    let found = run.run_json();
    assert_eq!(found["tables"].as_array().unwrap().len(), 4);
    let warnings = found["tables"][2]["warnings"].to_string();
    assert!(warnings.contains("not compared"), "{warnings}");
    assert!(found["tables"][0]["models"][1].is_null());
}
