//! Files, messages and refusals of the command `vidpairs invariance`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vidpairs_fixtures::extract::{Extract, files};
use vidpairs_image::png::{PngEffort, encode};
use vidpairs_invariance::npz::{ArrayValues, NamedArray, write_npz};
use vidpairs_types::{RgbImage, SizePx};

use crate::narrow::write_narrow;

/// Folder that the command runs in.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `vidpairs invariance --out out --workers 1` with `more`.
    pub fn invariance(&self, more: &[&str]) -> Extract {
        let args = ["invariance", "--out", "out", "--workers", "1"];
        Extract {
            dir: self.dir.path().to_owned(),
            args: args
                .iter()
                .chain(more)
                .map(|arg| (*arg).to_owned())
                .collect(),
            variables: Vec::new(),
        }
    }

    /// Twelve objects in ALOI's layout, 72 views of each: a moving square in the colour of the object.
    pub fn aloi(&self) {
        for object in 1..=12u32 {
            let folder = self.path("aloi").join(format!("png2/{object}"));
            fs::create_dir_all(&folder).unwrap();
            for view in 0..72u32 {
                let path = folder.join(format!("{object}_r{}.png", view * 5));
                fs::write(path, drawn(object, view)).unwrap();
            }
        }
    }

    /// Writes a narrow network with weights drawn from `seed`.
    pub fn weights(&self, name: &str, seed: u64) {
        write_narrow(&self.path(name), seed);
    }

    /// Writes features of 16 units.
    fn features(&self, name: &str, noise: f32) {
        self.features_of(name, 16, noise);
    }

    /// Writes features of 8 sets of 5 images, in which unit `u` responds to set `u mod 8`.
    fn features_of(&self, name: &str, num_units: usize, noise: f32) {
        self.features_in(name, num_units, noise, 5);
    }

    /// Writes features of 40 images, `per_set` of each set.
    fn features_in(&self, name: &str, num_units: usize, noise: f32, per_set: i64) {
        let num_images = 40usize;
        let mut values = Vec::new();
        for image in 0..num_images {
            for unit in 0..num_units {
                let wave = ((image * 31 + unit * 17) % 23) as f32 / 23.0;
                values.push(f32::from(u8::from(unit % 8 == image / 5)) + noise * wave);
            }
        }
        let instance: Vec<i64> = (0..40).map(|image| image / per_set).collect();
        let arrays = [
            NamedArray {
                name: "feat",
                shape: &[num_images, num_units],
                values: ArrayValues::F32(&values),
            },
            NamedArray {
                name: "instance",
                shape: &[num_images],
                values: ArrayValues::I64(&instance),
            },
        ];
        let file = fs::File::create(self.path(name)).unwrap();
        write_npz(file, &arrays).unwrap();
    }
}

fn drawn(object: u32, view: u32) -> Vec<u8> {
    let size = SizePx {
        width: 24,
        height: 18,
    };
    let color = [object * 20, 255 - object * 20, (object * 77) % 255].map(|level| level as u8);
    let left = 2 + view % 8;
    let pixels = (0..size.width * size.height).flat_map(|at| {
        let (x, y) = (at % size.width, at / size.width);
        let is_inside = x >= left && x < left + 8 + object % 3 && (4..14).contains(&y);
        if is_inside { color } else { [0; 3] }
    });
    let image = RgbImage {
        size,
        pixels: pixels.collect(),
    };
    encode(&image, PngEffort::Fast).unwrap()
}

pub(crate) fn results(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("invariance.json")).unwrap()).unwrap()
}

fn score<'a>(panel: &'a Value, model: usize, version: &str) -> &'a Value {
    let scores = panel["models"][model]["scores"].as_array().unwrap();
    scores
        .iter()
        .find(|score| score["version"] == version)
        .unwrap()
}

#[test]
fn two_encoders_are_measured_and_compared_on_a_data_set() {
    let bench = Bench::new();
    bench.aloi();
    bench.weights("a.safetensors", 1);
    bench.weights("b.safetensors", 2);
    let run = bench.invariance(&[
        "--data",
        "aloi-viewpoint=aloi",
        "--weights",
        "a.safetensors",
        "--weights",
        "second=b.safetensors",
        "--set",
        "invariance.size=16",
        "--set",
        "invariance.top=[3,10]",
    ]);
    let ran = run.run_well();
    for word in [
        "Viewpoint, ALOI: 864 images of 16 px, 12 sets",
        "second",
        "report.html",
    ] {
        assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    let names = files(&bench.path("out"));
    let names: Vec<&str> = names.keys().map(String::as_str).collect();
    for name in ["invariance.json", "report.html", "scores.csv"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let found = results(&bench.path("out"));
    assert_eq!(found["models"][1]["name"], "second");
    let panel = &found["panels"][0];
    assert_eq!(panel["targets"], 12);
    let published = score(panel, 0, "published-code");
    assert_eq!(published["k"], 3);
    assert_eq!(published["per_target"].as_array().unwrap().len(), 12);
    let (low, high) = (&published["interval"][0], &published["interval"][1]);
    let value = published["value"].as_f64().unwrap();
    assert!(low.as_f64().unwrap() <= value && value <= high.as_f64().unwrap());
    assert!(value > published["control_gaussian"].as_f64().unwrap());
    assert!(panel["models"][0]["retrieval"]["value"].as_f64().unwrap() > 50.0);
    assert_eq!(panel["pairs"][0]["b"], 1);
    let page = fs::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("data:image/jpeg;base64,"), "no picture");

    // The second run gives the same figures from cached features.
    let cached = fs::metadata(bench.path("out/features")).unwrap();
    let before = cached.modified().unwrap();
    run.run_well();
    let mut again = results(&bench.path("out"));
    let kept = fs::metadata(bench.path("out/features")).unwrap();
    assert_eq!(kept.modified().unwrap(), before);
    assert_eq!(
        again["panels"][0]["models"][0]["images_per_second"],
        Value::Null
    );
    let mut found = found;
    for results in [&mut found, &mut again] {
        results["seconds"] = Value::Null;
        for model in results["panels"][0]["models"].as_array_mut().unwrap() {
            model["images_per_second"] = Value::Null;
            model["waiting"] = Value::Null;
        }
    }
    assert_eq!(found, again);
}

#[test]
fn features_of_another_program_are_measured_without_images() {
    let bench = Bench::new();
    bench.features("clean.npz", 0.1);
    bench.features("noisy.npz", 1.5);
    let run = bench.invariance(&[
        "--features",
        "clean.npz",
        "--features",
        "noisy.npz",
        "--set",
        "invariance.top=[2]",
    ]);
    let found = run.run_json();
    let panel = &found["panels"][0];
    assert_eq!((&panel["images"], &panel["sets"]), (&40.into(), &8.into()));
    let value = |model, version| score(panel, model, version)["value"].as_f64().unwrap();
    assert_eq!(value(0, "formula"), 100.0);
    assert!(value(1, "formula") < 100.0);
    assert_eq!(panel["models"][0]["retrieval"]["value"], 100.0);
    assert!(panel["pairs"][0]["difference"]["value"].as_f64().unwrap() < 0.0);
}

#[test]
fn feature_files_with_equivalent_labels_are_compared_and_others_are_not() {
    let bench = Bench::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/npz");
    let files = [
        "in_words",
        "in_numbers",
        "by_other_names",
        "of_other_classes",
    ];
    let paths = files.map(|file| {
        format!(
            "{file}={}",
            golden.join(format!("things_{file}.npz")).display()
        )
    });
    let mut args = vec!["--set", "invariance.top=[2]"];
    args.extend(paths.iter().flat_map(|path| ["--features", path]));
    let found = bench.invariance(&args).run_json();
    let panels = found["panels"].as_array().unwrap();
    let measured = |panel: &Value| -> Vec<usize> {
        let models = panel["models"].as_array().unwrap().iter().enumerate();
        models
            .filter(|(_, model)| !model.is_null())
            .map(|(index, _)| index)
            .collect()
    };
    let found: Vec<Vec<usize>> = panels.iter().map(measured).collect();
    assert_eq!(found, [vec![0, 1], vec![2], vec![3]]);
    assert_eq!(panels[0]["pairs"].as_array().unwrap().len(), 1);
    for (panel, file) in panels[1..].iter().zip(&files[2..]) {
        let warnings = panel["warnings"].to_string();
        let said = format!("{file} has other sets, classes or names than the files before it");
        assert!(warnings.contains(&said), "{warnings}");
    }
}

#[test]
fn the_difference_of_a_pair_is_that_of_its_scores() {
    let bench = Bench::new();
    bench.features("clean.npz", 0.1);
    bench.features("noisy.npz", 3.0);
    let files = ["--features", "clean.npz", "--features", "noisy.npz"];
    let found = bench.invariance(&files).run_json();
    let panel = &found["panels"][0];
    let pair = &panel["pairs"][0];
    let retrieval = |model: usize| {
        panel["models"][model]["retrieval"]["value"]
            .as_f64()
            .unwrap()
    };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} instead of {b}");
    assert!(retrieval(1) < retrieval(0));
    let difference = pair["retrieval_difference"]["value"].as_f64().unwrap();
    close(difference, retrieval(1) - retrieval(0));
    let published = |model| {
        score(panel, model, "published-code")["value"]
            .as_f64()
            .unwrap()
    };
    let difference = pair["difference"]["value"].as_f64().unwrap();
    close(difference, published(1) - published(0));
}

#[test]
fn retrieval_is_the_share_of_the_queries_of_all_targets_that_find_theirs() {
    let bench = Bench::new();
    bench.features("noisy.npz", 3.0);
    let found = bench.invariance(&["--features", "noisy.npz"]).run_json();
    let model = &found["panels"][0]["models"][0];
    let targets = model["retrieval_per_target"].as_array().unwrap();
    assert_eq!(targets.len(), 8);
    let sum = |key: &str| -> u64 { targets.iter().map(|of| of[key].as_u64().unwrap()).sum() };
    assert_eq!(sum("queries"), model["retrieval_queries"]);
    let share = 100.0 * sum("found") as f64 / sum("queries") as f64;
    assert!((model["retrieval"]["value"].as_f64().unwrap() - share).abs() < 1e-9);
    let names: std::collections::BTreeSet<&str> = (targets.iter())
        .map(|of| of["target"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 8);
}

#[test]
fn models_with_different_numbers_of_units_are_not_compared() {
    let bench = Bench::new();
    bench.features_of("narrow.npz", 16, 0.1);
    bench.features_of("wide.npz", 32, 0.1);
    let files = ["--features", "narrow.npz", "--features", "wide.npz"];
    let found = bench.invariance(&files).run_json();
    let panel = &found["panels"][0];
    assert_eq!(panel["pairs"], serde_json::json!([]));
    let warnings = panel["warnings"].to_string();
    assert!(warnings.contains("models of 16, 32 units"), "{warnings}");
}

#[test]
fn a_folder_of_results_can_be_reused_and_that_of_another_command_is_left_unchanged() {
    let bench = Bench::new();
    bench.features("a.npz", 0.1);
    let run = bench.invariance(&["--features", "a.npz"]);
    run.run_well();
    assert!(!bench.path("out/.journal").exists());
    run.run_well();
    // The state after a stopped `extract`.
    let theirs = bench.path("theirs/.journal");
    fs::create_dir_all(&theirs).unwrap();
    fs::write(theirs.join("progress.jsonl"), "{}").unwrap();
    let ran = run.replace("out", "theirs").run();
    ran.failed_with(2, &["theirs", "choose an empty or a new"]);
    assert!(theirs.join("progress.jsonl").exists());
}

#[test]
fn an_unreadable_image_is_left_out_and_named() {
    let bench = Bench::new();
    bench.aloi();
    bench.weights("a.safetensors", 1);
    fs::write(bench.path("aloi/png2/3/3_r25.png"), "no image").unwrap();
    fs::remove_file(bench.path("aloi/png2/5/5_r100.png")).unwrap();
    let found = bench
        .invariance(&[
            "--data",
            "aloi-viewpoint=aloi",
            "--weights",
            "a.safetensors",
            "--set",
            "invariance.size=16",
        ])
        .run_json();
    let panel = &found["panels"][0];
    assert_eq!(panel["images"], 862);
    let left_out = panel["left_out"].to_string();
    assert!(left_out.contains("3_r25.png"), "{left_out}");
    assert!(left_out.contains("5_r100.png"), "{left_out}");
}

#[test]
fn invalid_arguments_are_refused_with_the_reason() {
    let bench = Bench::new();
    bench.features("a.npz", 0.1);
    bench.weights("a.safetensors", 1);
    fs::create_dir(bench.path("empty")).unwrap();
    let refused = |more: &[&str], words: &[&str]| {
        bench.invariance(more).run().failed_with(2, words);
    };
    refused(
        &["--data", "aloi-view=empty", "--weights", "a.safetensors"],
        &["aloi-view", "aloi-viewpoint"],
    );
    refused(
        &[
            "--data",
            "aloi-viewpoint=empty",
            "--weights",
            "a.safetensors",
        ],
        &["empty", "png2/<id>"],
    );
    refused(
        &["--data", "aloi-viewpoint=empty", "--weights", "none.pth"],
        &["empty"],
    );
    refused(&["--features", "none.npz"], &["none.npz"]);
    refused(
        &["--features", "name="],
        &["--features is name=", "FILE or NAME=FILE"],
    );
    bench.features_in("single.npz", 16, 0.1, 1);
    refused(
        &["--features", "single.npz"],
        &["single.npz", "none of the 40 sets has 3 images"],
    );
    refused(
        &["--features", "x=a.npz", "--features", "x=a.npz"],
        &["both called x", "NAME=FILE"],
    );
    refused(
        &["--features", "a.npz", "--set", "invariance.top=[]"],
        &["invariance.top"],
    );
    refused(&["--weights", "a.safetensors"], &["--data"]);
    fs::create_dir(bench.path("out")).ok();
    fs::write(bench.path("out/notes.txt"), "mine").unwrap();
    refused(&["--features", "a.npz"], &["out", "notes.txt"]);
}
