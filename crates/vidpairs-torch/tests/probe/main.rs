//! The command `vidpairs probe` with encoders on labelled images.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod dilated;
#[path = "../common/formula.rs"]
mod formula;
#[path = "../common/narrow.rs"]
mod narrow;
mod segmentation;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use vidpairs_fixtures::extract::Extract;
use vidpairs_image::jpeg::compress;
use vidpairs_image::png::{PngEffort, encode};
use vidpairs_invariance::npz::NpzArchive;
use vidpairs_types::{RgbImage, SizePx};

/// Folder that the command runs in, with the weights `a.safetensors` and `b.safetensors`.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for (name, seed) in [("a.safetensors", 1), ("b.safetensors", 2)] {
            narrow::write_narrow(&bench.path(name), seed);
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// `vidpairs probe --out out --workers 2` at 32 px with `more`.
    fn probe(&self, more: &[&str]) -> Extract {
        let args = ["probe", "--out", "out", "--workers", "2"];
        let set = ["--set", "probe.size=32", "--set", "probe.resamples=100"];
        let args = args.iter().chain(&set).chain(more);
        Extract {
            dir: self.dir.path().to_owned(),
            args: args.map(|arg| (*arg).to_owned()).collect(),
            variables: Vec::new(),
        }
    }

    /// Images of three classes in folders: squares of one colour on noise.
    fn folders(&self) {
        for (split, num) in [("train", 12), ("val", 6)] {
            for (class, name) in ["blue", "green", "red"].into_iter().enumerate() {
                for image in 0..num {
                    let drawn = drawn(40, 32, &[(class, [8, 6, 20, 18])], image * 7 + num);
                    let png = encode(&drawn, PngEffort::Fast).unwrap();
                    self.write(&format!("set/{split}/{name}/{image}.PNG"), png);
                }
            }
        }
    }

    /// Pascal VOC: images with one or two squares, the second one of some difficult.
    fn voc(&self) {
        let names = ["blue", "green", "red"];
        for (split, num) in [("trainval", 24usize), ("test", 12)] {
            let mut list = String::new();
            for image in 0..num {
                let id = format!("{split}{image:03}");
                let (first, second) = (image % 3, (image + 1) % 3);
                let mut objects = vec![(first, [2, 2, 16, 16], false)];
                if image % 2 == 0 {
                    objects.push((second, [30, 10, 20, 20], image % 4 == 0));
                }
                let squares: Vec<_> = objects.iter().map(|(class, at, _)| (*class, *at)).collect();
                let jpeg = compress(&drawn(56, 40, &squares, image as u32), 92).unwrap();
                self.write(&format!("VOCdevkit/VOC2007/JPEGImages/{id}.jpg"), jpeg);
                let object = |(class, [x, y, w, h], difficult): &(usize, [u32; 4], bool)| {
                    format!(
                        "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>",
                        names[*class],
                        u8::from(*difficult),
                        x + 1,
                        y + 1,
                        x + w,
                        y + h
                    )
                };
                let objects: String = objects.iter().map(object).collect();
                let xml = format!(
                    "<annotation><filename>{id}.jpg</filename><size><width>56</width><height>40</height><depth>3</depth></size>{objects}</annotation>"
                );
                self.write(&format!("VOCdevkit/VOC2007/Annotations/{id}.xml"), xml);
                list += &format!("{id}\n");
            }
            self.write(
                &format!("VOCdevkit/VOC2007/ImageSets/Main/{split}.txt"),
                list,
            );
        }
    }
}

/// Squares, x, y, width, height, of the colour of their class on noise.
fn drawn(width: u32, height: u32, squares: &[(usize, [u32; 4])], seed: u32) -> RgbImage {
    let colors = [[30, 60, 220], [40, 190, 50], [210, 40, 40]];
    let pixel = |at: u32| -> [u8; 3] {
        let (px, py) = (at % width, at / width);
        let inside = |&&(_, [x, y, w, h]): &&(usize, [u32; 4])| {
            (x..x + w).contains(&px) && (y..y + h).contains(&py)
        };
        let noise = ((at + seed * 977).wrapping_mul(0x9e37_79b1) >> 26) as u8;
        match squares.iter().find(inside) {
            Some((class, _)) => colors[*class].map(|level: u8| level.saturating_add(noise / 4)),
            None => [100 + noise; 3],
        }
    };
    RgbImage {
        size: SizePx { width, height },
        pixels: (0..width * height).flat_map(pixel).collect(),
    }
}

fn value(scores: &Value) -> f64 {
    scores["score"]["value"].as_f64().unwrap()
}

#[test]
fn two_encoders_are_probed_on_folders_and_a_second_call_starts_from_cached_features() {
    let bench = Bench::new();
    bench.folders();
    bench.write("set/val/blue/broken.jpg", "no image");
    bench.write("set/val/violet/1.png", "");
    let first = bench.probe(&["--data", "folders=set", "--weights", "a.safetensors"]);
    let found = first.run_json();
    let table = &found["tables"][0];
    assert_eq!(
        (&table["protocol"]["probe"], &table["stage"]),
        (&"logistic".into(), &"layer4".into())
    );
    assert_eq!(
        (&table["train_images"], &table["test_images"]),
        (&36.into(), &18.into())
    );
    let left_out = table["left_out"].to_string();
    for text in ["broken.jpg", "violet", "without a training image"] {
        assert!(left_out.contains(text), "{text}: {left_out}");
    }
    let line = table["protocol"]["split"].as_str().unwrap();
    assert_eq!(line, "fitted on train, tested on val");
    assert!(value(&table["models"][0]) > 60.0, "{table}");
    assert!(table["models"][0]["images_per_second"].is_f64());

    let second = [
        "--weights",
        "a.safetensors",
        "--weights",
        "second=b.safetensors",
    ];
    let both = bench.probe(&[&["--data", "folders=set"][..], &second].concat());
    let again = both.run_json();
    let models = &again["tables"][0]["models"];
    assert!(models[0]["images_per_second"].is_null() && models[1]["images_per_second"].is_f64());
    assert_eq!(value(&models[0]), value(&table["models"][0]));
    assert_eq!(again["tables"][0]["pairs"][0]["b"], 1);
    let page = fs::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("data:image/jpeg;base64,"), "no picture");

    // Cached features are a file that --features reads.
    let cached = fs::read_dir(bench.path("out/features"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let cached = cached.path().display().to_string();
    let stored = bench
        .probe(&["--features", &cached])
        .replace("out", "stored")
        .run_json();
    let expected = models.as_array().unwrap().iter().map(value);
    let found = value(&stored["tables"][0]["models"][0]);
    assert!(
        expected
            .into_iter()
            .any(|expected| (expected - found).abs() < 1e-9),
        "{found}"
    );
}

#[test]
fn cached_features_have_the_split_of_the_last_call_and_are_not_computed_again() {
    let bench = Bench::new();
    bench.folders();
    fs::rename(bench.path("set/train"), bench.path("unsplit")).unwrap();
    let splits = |seed: &str| {
        let seed = format!("seed={seed}");
        let args = [
            "--data",
            "folders=unsplit",
            "--weights",
            "a.safetensors",
            "--set",
            &seed,
        ];
        let found = bench.probe(&args).run_json();
        let mut files = fs::read_dir(bench.path("out/features")).unwrap();
        let path = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none());
        let mut archive = NpzArchive::open(&path).unwrap();
        let split = archive.array("split").unwrap().into_integers().unwrap();
        (
            split,
            found["tables"][0]["models"][0]["images_per_second"].clone(),
        )
    };
    let (first, computed) = splits("0");
    let (second, cached) = splits("1");
    assert!(computed.is_f64() && cached.is_null());
    assert_ne!(first, second);
    assert_eq!(splits("0").0, first);
}

#[test]
fn pascal_voc_is_probed_at_every_stage_as_whole_images_and_as_boxes() {
    let bench = Bench::new();
    bench.voc();
    fs::remove_file(bench.path("VOCdevkit/VOC2007/JPEGImages/trainval003.jpg")).unwrap();
    let run = bench.probe(&[
        "--data",
        "voc07=VOCdevkit",
        "--data",
        "voc07-boxes=VOCdevkit",
        "--weights",
        "a.safetensors",
        "--set",
        "probe.box_scale=1.3",
    ]);
    let found = run.run_json();
    let tables = found["tables"].as_array().unwrap();
    let names: Vec<String> = tables
        .iter()
        .map(|table| {
            format!(
                "{} {} {}",
                table["kind"], table["stage"], table["protocol"]["probe"]
            )
        })
        .collect();
    assert_eq!(tables.len(), 4 + 4 * 3, "{names:?}");
    let whole = &tables[3];
    assert_eq!(
        (&whole["stage"], &whole["protocol"]["metric"]),
        (&"layer4".into(), &"mAP".into())
    );
    assert_eq!(
        (&whole["train_images"], &whole["test_images"]),
        (&23.into(), &12.into())
    );
    assert!(whole["left_out"].to_string().contains("trainval003"));
    assert_eq!(
        whole["classes"],
        serde_json::json!(["blue", "green", "red"])
    );
    // Test images 0 to 11, of which every third shows a class first; 2, 6 and 10 have a second object that counts.
    let positives = |class: usize| {
        whole["models"][0]["per_class"][class]["test_images"]
            .as_i64()
            .unwrap()
    };
    assert_eq!(
        (0..3).map(positives).collect::<Vec<_>>(),
        [4 + 1 + 1 - 1, 4 + 1, 4 + 1].map(i64::from)
    );
    assert!(
        value(&whole["models"][0]) > whole["chance"].as_f64().unwrap(),
        "{whole}"
    );
    let boxes = &tables[4];
    // 12 images with a first object, and three second ones that are not difficult.
    assert_eq!(boxes["test_images"], 15);
    let view = boxes["protocol"]["view"].as_str().unwrap();
    assert!(
        view.contains("scaled by 1.3") && view.contains("mean colour"),
        "{view}"
    );
    assert!(boxes["left_out"].to_string().contains("difficult objects"));
}

#[test]
fn linear_classifiers_are_trained_once_at_all_learning_rates_and_held_out_images_choose_one() {
    let bench = Bench::new();
    bench.folders();
    let linear = |out: &str, workers: &str| {
        let set = [
            "--data",
            "folders=set",
            "--weights",
            "a.safetensors",
            "--set",
            "probe.probes=[\"linear\"]",
            "--set",
            "probe.stages=[\"layer3\", \"layer4\"]",
            "--set",
            "probe.linear_epochs=12",
            "--set",
            "probe.linear_batch=8",
            "--set",
            "probe.linear_rates=[0.001, 3, 1e39]",
        ];
        let run = bench.probe(&set).replace("out", out);
        run.replace("2", workers).run_json()
    };
    let found = linear("out", "2");
    let tables = found["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 2);
    for table in tables {
        let scores = &table["models"][0];
        assert_eq!(scores["learning_rate"], 3.0, "{scores}");
        assert!(value(scores) > 60.0, "{scores}");
        let rates = scores["rates"].as_array().unwrap();
        assert_eq!(rates.len(), 3);
        assert!(rates[2]["test"].is_null(), "{rates:?}");
        let choice = table["protocol"]["choice"].as_str().unwrap();
        assert!(choice.contains("held out"), "{choice}");
    }
    let file = |out: &str| {
        let mut files = fs::read_dir(bench.path(out).join("heads")).unwrap();
        let path = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "{out} has several states");
        (
            fs::read(&path).unwrap(),
            fs::metadata(&path).unwrap().modified().unwrap(),
        )
    };
    let first = file("out");
    let again = linear("out", "2");
    assert_eq!(file("out"), first);
    assert_eq!(
        again["tables"][0]["models"][0]["rates"],
        tables[0]["models"][0]["rates"]
    );
    let alone = linear("other", "1");
    assert_eq!(
        alone["tables"][0]["models"][0]["rates"], tables[0]["models"][0]["rates"],
        "one worker trains otherwise than two"
    );

    // Boxes are cut out before they are augmented.
    bench.voc();
    let boxes = bench.probe(&[
        "--data",
        "voc07-boxes=VOCdevkit",
        "--weights",
        "a.safetensors",
        "--set",
        "probe.probes=[\"linear\"]",
        "--set",
        "probe.stages=[\"layer4\"]",
        "--set",
        "probe.linear_epochs=10",
        "--set",
        "probe.linear_batch=8",
        "--set",
        "probe.linear_rates=[1, 3]",
    ]);
    let boxes = boxes.replace("out", "boxes").run_json();
    assert!(value(&boxes["tables"][0]["models"][0]) > 50.0, "{boxes}");
    let features = fs::read_dir(bench.path("boxes/features")).unwrap();
    let features = features.map(|entry| entry.unwrap().path().display().to_string());
    for path in features {
        let run = bench.probe(&["--features", &path, "--set", "probe.probes=[\"linear\"]"]);
        run.replace("out", "none")
            .run()
            .failed_with(2, &["linear", "augmented images", "logistic"]);
    }
}

#[test]
fn unusable_data_and_weights_are_refused_before_any_work() {
    let bench = Bench::new();
    bench.folders();
    bench.write("none.pth", "no network");
    let refused = |more: &[&str], words: &[&str]| {
        bench.probe(more).run().failed_with(2, words);
        assert!(!bench.path("out/features").exists());
    };
    let weights = ["--weights", "a.safetensors"];
    let with = |data| [&["--data", data][..], &weights].concat();
    refused(&with("folder=set"), &["folder", "folders"]);
    refused(
        &with("imagenet=set"),
        &["set", "training images of 0 classes"],
    );
    refused(&with("voc07=set"), &["set", "VOC"]);
    refused(
        &["--data", "folders=set", "--weights", "none.pth"],
        &["none.pth"],
    );
    fs::rename(bench.path("set/val"), bench.path("val")).unwrap();
    refused(&with("folders=set"), &["no split `val`", "found: train"]);
    fs::create_dir(bench.path("out")).unwrap();
    bench.write("out/notes.txt", "mine");
    refused(&with("folders=set"), &["out", "notes.txt"]);
}
