//! `vidpairs report`: the page of an experiment, made of folders that the commands wrote.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use vidpairs_fixtures::SLIDING;
use vidpairs_fixtures::browser::assert_page_is_sound;
use vidpairs_fixtures::extract::media::ffmpeg;
use vidpairs_fixtures::extract::{Extract, Ran, Work};
use vidpairs_fixtures::program;
use vidpairs_invariance::npz::{ArrayValues, NamedArray, write_npz};
use xxhash_rust::xxh64::xxh64;

const PIPELINE: &str = r#"
[source]
kind = "videos"
[pairs]
kind = "regions"
k = 12
per_video = 3
regions_per_frame = 3
min_box_px = 16
with_frames = true
[proposals]
kind = "grid"
[tracker]
min_confidence_mean = 0.3
min_confidence_last = 0.3
[images]
short_side = 32
[extract]
max_refused = "100%"
"#;

const NUM_IMAGES: usize = 60;
const NUM_UNITS: usize = 8;

/// A folder with an experiment in `all`: shards, three runs of two methods, an invariance and a probe.
struct Bench(Work);

impl Bench {
    fn new() -> Self {
        let bench = Self(Work::new(PIPELINE));
        let clip = bench.0.clips().join("a <clip>.mp4");
        // Gray after 40 frames, so that later tracklets are rejected.
        let source = format!("{SLIDING},drawbox=c=gray:t=fill:enable='gte(n,40)'");
        let mut args = vec![
            "-f",
            "lavfi",
            "-i",
            &source,
            "-frames:v",
            "60",
            "-c:v",
            "libx264",
        ];
        args.extend([
            "-preset",
            "veryfast",
            "-g",
            "10",
            "-pix_fmt",
            "yuv420p",
            clip.to_str().unwrap(),
        ]);
        ffmpeg(&args);
        fs::write(bench.0.clips().join("broken.mp4"), "no video").unwrap();
        bench.0.extract("all/shards").run_well();
        for (name, seed, method) in [
            ("moco-1", 1, "moco-v2"),
            ("moco-2", 2, "moco-v2"),
            ("simclr-1", 1, "simclr"),
        ] {
            bench.train(name, seed, method);
        }
        for (name, shift) in [("moco-1", 0), ("moco-2", 5), ("simclr-1", 9)] {
            bench.features(&format!("{name}.npz"), shift);
        }
        bench.measure("invariance", "invariance.resamples=100");
        bench.measure("probe", "probe.resamples=100");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// The files of a run on the shards, as `vidpairs train` writes them.
    fn train(&self, name: &str, seed: u64, method: &str) {
        let folder = self.path(&format!("all/{name}"));
        fs::create_dir_all(&folder).unwrap();
        let manifest = fs::read(self.path("all/shards/dataset.json")).unwrap();
        let run = json!({
            "program_version": "0.1.0",
            "training": {
                "seed": seed,
                "augment": {"views": "moco-v2", "size": 32},
                "train": {"method": method, "batch": 8, "accumulate": 1, "epochs": 20, "learning_rate": 0.06},
            },
            "dataset_xxh64": format!("{:016x}", xxh64(&manifest, 0)),
        });
        fs::write(folder.join("run.json"), run.to_string()).unwrap();
        let step = |step: u64| {
            json!({
                "step": step, "epoch": step as f64 / 5.0, "loss": 4.2 - 0.02 * step as f64, "chance": 4.2,
                "positive_similarity": 0.7, "negative_similarity": 0.1, "alignment": 0.6, "uniformity": -2.0, "spread": 0.9,
                "effective_dimensions": 12.0, "gradient_norm": 1.0, "learning_rate": 0.06, "images_per_second": 200.0,
                "waiting": 0.01, "damaged_records": 0,
            })
        };
        let knn = |step: u64| json!({"step": step, "knn": 0.2 + 0.004 * step as f64, "knn_nearest": 0.2, "knn_chance": 0.2});
        let lines = (1..=10).flat_map(|line| [step(10 * line), knn(10 * line)]);
        let lines: String = [knn(0)]
            .into_iter()
            .chain(lines)
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write(folder.join("metrics.jsonl"), lines).unwrap();
    }

    /// Features of three classes in twelve sets.
    fn features(&self, name: &str, shift: usize) {
        let value = |image: usize, unit: usize| {
            let signal = f32::from(u8::from(unit % 3 == image % 3));
            let wave = ((image * 31 + unit * 17 + shift) % 97) as f32 / 97.0;
            signal + 2.0 * wave
        };
        let values =
            (0..NUM_IMAGES).flat_map(|image| (0..NUM_UNITS).map(move |unit| value(image, unit)));
        let values: Vec<f32> = values.collect();
        let column = |of: fn(usize) -> i64| (0..NUM_IMAGES).map(of).collect::<Vec<_>>();
        let class = column(|image| (image % 3) as i64);
        let instance = column(|image| (image % 12) as i64);
        let split = column(|image| i64::from(image >= 36));
        let labels = [
            ("class", &class),
            ("instance", &instance),
            ("split", &split),
        ];
        let labels = labels.map(|(name, values)| NamedArray {
            name,
            shape: &[NUM_IMAGES],
            values: ArrayValues::I64(values),
        });
        let features = NamedArray {
            name: "feat",
            shape: &[NUM_IMAGES, NUM_UNITS],
            values: ArrayValues::F32(&values),
        };
        let file = fs::File::create(self.path(name)).unwrap();
        write_npz(file, &[&[features][..], &labels].concat()).unwrap();
    }

    /// Runs a measuring command on all features.
    fn measure(&self, command: &str, set: &str) {
        let mut run = Command::new(program("probe"));
        run.current_dir(self.path("")).arg(command);
        for name in ["moco-1.npz", "moco-2.npz", "simclr-1.npz"] {
            run.args(["--features", name]);
        }
        let out = format!("all/measured/{command}");
        let output = run.args(["--out", &out, "--set", set]).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn report(&self, args: &[&str]) -> Extract {
        let args = ["report"].iter().chain(args);
        Extract {
            dir: self.path(""),
            args: args.map(|arg| (*arg).to_owned()).collect(),
            variables: Vec::new(),
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn page(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

#[test]
fn one_page_tells_a_whole_experiment_and_is_sound_in_a_browser() {
    let bench = Bench::new();
    let ran = bench.report(&["all", "--out", "page.html"]).run_well();
    let headline = "1 data set, 3 training runs, 1 invariance, 1 probe";
    assert!(
        ran.stdout
            .starts_with(&format!("wrote page.html: {headline}, ")),
        "{}",
        ran.stdout
    );
    let page = bench.page("page.html");
    for text in [
        headline,
        "2 runs, seeds 1, 2",
        "1 refused at ",
        "a &lt;clip&gt;.mp4",
        "rejected: ",
        "kNN accuracy",
        "measured/invariance/report.html",
        "measured/probe/report.html",
    ] {
        assert!(page.contains(text), "{text}");
    }
    for other in ["<script", "<link", "src=\"h", "href=\"h", "url("] {
        assert!(!page.contains(other), "{other}");
    }
    // Each run is linked to the shards by the checksum of their manifest.
    assert!(
        !page.contains("Name the folders of the shards"),
        "the data are known"
    );
    if let Some(seen) = assert_page_is_sound(&bench.path("page.html")) {
        assert_eq!(seen.images, page.matches("<img ").count());
        assert!(
            seen.images > 8,
            "pairs and rejected tracklets have pictures: {seen:?}"
        );
    }
    let again = bench
        .report(&[
            "all",
            "--out",
            "again.html",
            "--workers",
            "1",
            "--title",
            "",
            "--json",
        ])
        .run_well()
        .json();
    assert_eq!(again["training_runs"], 3);
    assert_eq!(again["notes"], 0);
    assert!(
        bench.page("again.html") == page,
        "the same folders give the same bytes"
    );

    let gallery = bench.report(&[]).replace("report", "inspect");
    gallery
        .arg("all/shards")
        .arg("--gallery")
        .arg("gallery.html")
        .run_well();
    for page in ["gallery.html", "all/measured/invariance/report.html"] {
        assert_page_is_sound(&bench.path(page));
    }
}

#[test]
fn what_is_damaged_is_noted_and_what_is_named_twice_counts_once() {
    let bench = Bench::new();
    let cut = |name: &str, length: usize| {
        let path = bench.path(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(path, &bytes[..bytes.len() - length]).unwrap();
    };
    cut("all/simclr-1/run.json", 9);
    cut("all/moco-2/metrics.jsonl", 400);
    cut("all/measured/probe/probe.json", 30);
    cut("all/shards/pairs-000000.tar", 12_000);
    fs::write(bench.path("all/shards/tracks.jsonl.zst"), "no zstd").unwrap();
    let args = [
        "all/moco-1",
        "all/moco-1/",
        "all",
        "--title",
        "<T>",
        "--out",
        "page.html",
        "--json",
    ];
    let found = bench.report(&args).run_well().json();
    let counts =
        ["data_sets", "training_runs", "invariances", "probes"].map(|key| found[key].as_u64());
    assert_eq!(counts, [1, 2, 1, 0].map(Some), "{found}");
    let page = bench.page("page.html");
    for text in [
        "<h1>&lt;T&gt;</h1>",
        "simclr-1/run.json is not JSON",
        "unfinished: step 90 of 100",
        "probe.json is not JSON",
        "pairs-000000.tar",
        "rejected tracklets cannot be shown: ",
    ] {
        assert!(page.contains(text), "{text}: {found}");
    }
}

#[test]
fn a_page_that_cannot_be_made_is_an_error_that_says_what_to_do() {
    let bench = Bench(Work::new(PIPELINE));
    let failed = |args: &[&str], words: &[&str]| {
        let ran: Ran = bench.report(args).run();
        ran.failed_with(2, words);
        assert!(!bench.path("page.html").exists());
    };
    let out = ["--out", "page.html"];
    failed(&["typo", out[0], out[1]], &["there is no folder typo"]);
    failed(&["pipeline.toml", out[0], out[1]], &["is not a folder"]);
    failed(
        &["clips", out[0], out[1]],
        &["no results in clips", "dataset.json, run.json"],
    );
    failed(&["clips", "--out", "page.txt"], &["does not end in .html"]);
    bench.write("shards/dataset.json", "{}");
    bench.write("shards/report.html", "a page of a command");
    let ran: Ran = bench
        .report(&["clips", "--out", "shards/report.html"])
        .run();
    ran.failed_with(
        2,
        &["cannot replace shards/report.html", "name another file"],
    );
    assert_eq!(bench.page("shards/report.html"), "a page of a command");
    failed(
        &["clips", "--out", "typo/page.html"],
        &["there is no folder typo"],
    );
    failed(&out, &["<RUN>"]);
}
