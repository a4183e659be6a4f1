//! `vidpairs probe --data ade20k=PATH`: segmentation heads on images whose classes are colours.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vidpairs_fixtures::extract::{Extract, Ran};
use vidpairs_image::jpeg::compress;
use vidpairs_learn::model::from_host;
use vidpairs_weights::{HostTensor, read_weights};

use super::{Bench, drawn, value};

const SIZE: [u32; 2] = [56, 40];
const NUM_CLASSES: u8 = 4;

/// Writes labels as a PNG with a palette, whose colours are other numbers than its indices.
fn label_png(bench: &Bench, name: &str, labels: &[u8]) {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE[0], SIZE[1]);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette((0..256 * 3).map(|at| (at % 251) as u8).collect::<Vec<u8>>());
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(labels).unwrap();
    writer.finish().unwrap();
    bench.write(name, bytes);
}

impl Bench {
    /// ADE20K in small: two coloured rectangles on noise. The ground is class 1, a frame of 2 px is unlabelled.
    fn ade20k(&self) {
        for (split, num) in [("training", 24u32), ("validation", 10)] {
            for image in 0..num {
                let (first, second) = (image as usize % 3, (image as usize / 3) % 3);
                let at = |step: u32, room: u32| 2 + image * step % room;
                let squares = [
                    (first, [at(5, 12), at(7, 10), 20, 24]),
                    (second, [28 + at(3, 6), at(11, 12), 16, 20]),
                ];
                let jpeg = compress(&drawn(SIZE[0], SIZE[1], &squares, image * 3 + num), 92);
                let label = |px: u32| -> u8 {
                    let (x, y) = (px % SIZE[0], px / SIZE[0]);
                    let inside = |&&(_, [left, top, w, h]): &&(usize, [u32; 4])| {
                        (left..left + w).contains(&x) && (top..top + h).contains(&y)
                    };
                    match squares.iter().find(inside) {
                        _ if x < 2 || y < 2 || x >= SIZE[0] - 2 || y >= SIZE[1] - 2 => 0,
                        Some((class, _)) => *class as u8 + 2,
                        None => 1,
                    }
                };
                let labels: Vec<u8> = (0..SIZE[0] * SIZE[1]).map(label).collect();
                let name = |part: &str, end: &str| {
                    format!("ade/ADEChallengeData2016/{part}/{split}/{image:03}.{end}")
                };
                self.write(&name("images", "jpg"), jpeg.unwrap());
                label_png(self, &name("annotations", "png"), &labels);
            }
        }
        let names = ["ground", "sky, blue", "grass", "brick"];
        let lines = names.iter().enumerate();
        let lines = lines.map(|(index, name)| format!("{}\t0.1\t1\t1\t1\t{name}\n", index + 1));
        let text: String = lines.collect();
        self.write(
            "ade/ADEChallengeData2016/objectInfo150.txt",
            format!("Idx\tRatio\tTrain\tVal\tStuff\tName\n{text}"),
        );
    }

    fn segment(&self, more: &[&str]) -> Extract {
        let args = [
            &["--data", "ade20k=ade", "--weights", "a.safetensors"][..],
            &["--set", "probe.segmentation_epochs=6"],
            &["--set", "probe.segmentation_batch=4"],
            &["--set", "probe.segmentation_rate=0.5"],
            // At the stride of the image, where colours are not mixed.
            &["--set", "probe.stages=[\"layer1\"]"],
            more,
        ];
        self.probe(&args.concat())
    }

    /// File of the only state of a head in `out`.
    fn head(&self, out: &str) -> PathBuf {
        let heads = fs::read_dir(self.path(out).join("heads")).unwrap();
        let paths: Vec<PathBuf> = heads.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(paths.len(), 1, "{paths:?}");
        paths[0].clone()
    }
}

/// Greatest difference of two states of heads.
fn difference(a: &Path, b: &Path) -> f64 {
    let [a, b] = [a, b].map(|path| read_weights(path).unwrap());
    let difference = |(name, values): (&str, &HostTensor)| {
        let [values, other] = [values, b.get(name).unwrap()].map(from_host);
        (values - other).abs().max().double_value(&[])
    };
    a.iter().map(difference).fold(0.0, f64::max)
}

fn scores(found: &Value, model: usize) -> &Value {
    &found["tables"][0]["models"][model]
}

#[test]
fn a_head_learns_colours_and_is_the_same_for_any_number_of_workers() {
    let bench = Bench::new();
    bench.ade20k();
    let release = "ade/ADEChallengeData2016";
    fs::remove_file(bench.path(&format!("{release}/annotations/training/005.png"))).unwrap();
    bench.write(
        &format!("{release}/annotations/training/006.png"),
        "no label",
    );
    let beyond = vec![NUM_CLASSES + 1; (SIZE[0] * SIZE[1]) as usize];
    label_png(
        &bench,
        &format!("{release}/annotations/validation/003.png"),
        &beyond,
    );
    let both = ["--weights", "second=b.safetensors"];
    let found = bench.segment(&both).run_json();
    let table = &found["tables"][0];
    assert_eq!(table["protocol"]["metric"], "mIoU");
    assert_eq!(table["protocol"]["probe"], "segmentation");
    assert_eq!(
        (&table["train_images"], &table["test_images"]),
        (&22.into(), &9.into())
    );
    assert_eq!(table["classes"][1], "sky");
    let left_out = table["left_out"].to_string();
    for text in [
        "005.jpg",
        "no label of that name",
        "006.jpg",
        "damaged PNG",
        "the class 5",
    ] {
        assert!(left_out.contains(text), "{text}: {left_out}");
    }
    let (chance, score) = (table["chance"].as_f64().unwrap(), value(scores(&found, 0)));
    assert!(chance < 25.0 && score > 45.0, "{score}, guessing {chance}");
    for figure in ["pixel_accuracy", "mean_accuracy"] {
        let figure = &scores(&found, 0)[figure];
        let ends = [0, 1].map(|end| figure["interval"][end].as_f64().unwrap());
        let value = figure["value"].as_f64().unwrap();
        assert!(
            value > 60.0 && ends[0] <= value && value <= ends[1],
            "{figure}"
        );
    }
    let per_class = scores(&found, 0)["per_class"].as_array().unwrap();
    let counts: Vec<_> = per_class
        .iter()
        .map(|class| class["test_images"].as_u64())
        .collect();
    assert_eq!(counts[0], Some(9));
    assert_eq!(table["pairs"][0]["b"], 1);
    let line = table["protocol"]["choice"].as_str().unwrap();
    assert!(
        line.contains("learning rate 0.5") && line.contains("6 epochs"),
        "{line}"
    );
    let pooling = table["protocol"]["pooling"].as_str().unwrap();
    assert_eq!(pooling, "layer1, map of output stride 1");
    let page = fs::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("image, prediction, truth") && page.contains("data:image/jpeg;base64,"));

    for workers in ["1", "3"] {
        let run = bench.segment(&[]).replace("2", workers);
        let other = run.replace("out", workers).run_json();
        assert_eq!(scores(&other, 0)["score"], scores(&found, 0)["score"]);
    }
    // libtorch adds in another order with another number of threads; crops and order are the same.
    let difference = difference(&bench.head("1"), &bench.head("3"));
    assert!(difference < 1e-3, "{difference}");
    // A finished head is read, not trained again.
    let changed = || fs::metadata(bench.head("3")).unwrap().modified().unwrap();
    let before = changed();
    let run = bench.segment(&[]).replace("2", "1");
    let again = run.replace("out", "3").run_json();
    assert_eq!(scores(&again, 0)["score"], scores(&found, 0)["score"]);
    assert_eq!(changed(), before);
}

#[test]
fn a_head_that_was_stopped_continues_to_the_same_bytes() {
    let bench = Bench::new();
    bench.ade20k();
    let long = ["--set", "probe.segmentation_epochs=40"];
    // The state is written when the run is stopped.
    let stopped = Ran::interrupted_at(bench.segment(&long).arg("-v").spawn(), "head: step ");
    stopped.failed_with(130, &["of 240 steps of the segmentation head"]);
    let bytes = || fs::read(bench.head("out")).unwrap();
    let partly = bytes();
    bench.segment(&long).run_json();
    assert!(
        bytes() != partly,
        "the run was not stopped during the training"
    );
    bench.segment(&long).replace("out", "whole").run_json();
    assert!(bytes() == fs::read(bench.head("whole")).unwrap());
}

#[test]
fn the_trunk_of_a_resnet_can_be_trained_too_and_its_weights_stay_those_of_the_file() {
    let bench = Bench::new();
    bench.ade20k();
    let finetune = [
        "--set",
        "probe.finetune=true",
        "--set",
        "probe.segmentation_epochs=3",
        "--set",
        "probe.stages=[\"layer4\"]",
    ];
    let found = bench.segment(&finetune).run_json();
    let classifier = found["tables"][0]["protocol"]["classifier"].to_string();
    assert!(classifier.contains("fine-tuned"), "{classifier}");
    let pooling = &found["tables"][0]["protocol"]["pooling"];
    assert_eq!(pooling, "layer4, map of output stride 8");
    let frozen = [&finetune[..], &["--set", "probe.finetune=false"]].concat();
    let frozen = bench.segment(&frozen).replace("out", "frozen").run_json();
    assert_ne!(value(scores(&frozen, 0)), value(scores(&found, 0)));
    // The encoder of the second table is that of the file again.
    let stages = ["--set", "probe.stages=[\"layer3\", \"layer4\"]"];
    let both = [&finetune[..], &stages].concat();
    let both = bench.segment(&both).replace("out", "both").run_json();
    let second = &both["tables"][1];
    assert_eq!(second["stage"], "layer4");
    assert_eq!(value(&second["models"][0]), value(scores(&found, 0)));
}

#[test]
fn what_cannot_be_segmented_is_refused_before_any_work() {
    let bench = Bench::new();
    bench.ade20k();
    bench.folders();
    let refused = |run: Extract, words: &[&str]| {
        run.run().failed_with(2, words);
        assert!(!bench.path("out/heads").exists() && !bench.path("out/features").exists());
    };
    let probes = |probes: &str| format!("probe.probes=[\"{probes}\"]");
    let ade20k = ["--data", "ade20k=ade", "--weights", "a.safetensors"];
    refused(
        bench.probe(&[&ade20k[..], &["--set", &probes("svm")]].concat()),
        &["\"svm\"", "a class for each pixel", "[\"segmentation\"]"],
    );
    let folders = ["--data", "folders=set", "--weights", "a.safetensors"];
    refused(
        bench.probe(&[&folders[..], &["--set", &probes("segmentation")]].concat()),
        &["\"segmentation\"", "one class each", "\"logistic\""],
    );
    let validation = bench.path("ade/ADEChallengeData2016/annotations/validation");
    fs::rename(&validation, bench.path("gone")).unwrap();
    refused(
        bench.segment(&[]),
        &["no split `validation`", "annotations", "found: training"],
    );
    fs::create_dir(&validation).unwrap();
    refused(
        bench.segment(&[]),
        &["annotations/validation/<image>.png", "left out: 10"],
    );
}
