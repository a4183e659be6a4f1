//! Runs of `vidpairs train`, with its shards and its output.

mod shapes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;
use vidpairs_pipeline::Pipeline;
use vidpairs_weights::{ElementKind, Weights, read_weights};

use super::extract::dataset::json_lines;
pub use super::extract::{Extract as Train, Ran, files, signal};
pub use shapes::{Shapes, damage};

/// Settings with which a step takes milliseconds. Tests change them on the command line.
const COMMON: &str = r#"
[augment]
size = 16
[train]
network = "resnet18"
width = 4
stem = "small"
batch = 8
groups = 2
epochs = 4
log_steps = 1
checkpoint_steps = 3
keep = 100
knn_images = 24
knn_neighbours = 3
"#;

/// Settings of MoCo and PIRL only.
const CONTRAST: &str = "embedding = 16\n";

/// Training method and records of [`Work::new`].
#[derive(Debug, Clone, Copy)]
pub struct Experiment {
    /// Value of `train.method`.
    pub method: &'static str,
    pub shapes: Shapes,
}

/// MoCo v2 on 40 pairs of frames: 5 steps per epoch, 20 in all.
pub const MOCO: Experiment = Experiment {
    method: "moco-v2",
    shapes: Shapes::FRAMES,
};

/// Folder for runs, with `pipeline.toml` and the data set `shards`.
pub struct Work {
    dir: tempfile::TempDir,
}

impl Work {
    pub fn new(experiment: Experiment) -> Self {
        let work = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let method_settings = match experiment.method {
            "moco-v1" | "moco-v2" => format!("{CONTRAST}queue = 16\n"),
            "pirl" => format!("{CONTRAST}negatives = 24\n"),
            _ => String::new(),
        };
        let text = format!(
            "{}{COMMON}method = \"{}\"\n{method_settings}",
            experiment.shapes.pipeline(),
            experiment.method
        );
        fs::write(work.path("pipeline.toml"), &text).unwrap();
        work.write_shards("shards", &experiment.shapes);
        work
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the data set `name`.
    pub fn write_shards(&self, name: &str, shapes: &Shapes) {
        let pipeline = Pipeline::from_str(&shapes.pipeline(), "shapes", &[]).unwrap();
        fs::create_dir(self.path(name)).unwrap();
        let pipeline = serde_json::to_value(&pipeline).unwrap();
        shapes.write(&self.path(name), &pipeline);
    }

    /// Writes labelled images, 8 for each of three labels.
    pub fn write_labelled(&self, name: &str) {
        shapes::write_labelled(&self.path(name));
    }

    /// `vidpairs train pipeline.toml --shards shards --device cpu --workers 1 --out OUT`, in this folder.
    ///
    /// One thread: threads of libtorch wait for each other actively, so parallel tests would take minutes.
    pub fn train(&self, out: &str) -> Train {
        let args = "train pipeline.toml --shards shards --device cpu --workers 1 --out";
        Train {
            dir: self.dir.path().to_owned(),
            args: args.split(' ').chain([out]).map(str::to_owned).collect(),
            variables: Vec::new(),
        }
    }

    /// Result of the run in `out`.
    pub fn result(&self, out: &str) -> RunResult {
        RunResult::read(&self.path(out))
    }
}

/// Results of a finished run that depend on settings, seed and data only.
#[derive(PartialEq)]
pub struct RunResult {
    backbone: Vec<u8>,
    /// File name and bytes.
    last_checkpoint: (String, Vec<u8>),
    /// Step, and bits of the loss or of the kNN accuracy, of each line of `metrics.jsonl`.
    pub figures: Vec<(u64, u64)>,
}

impl RunResult {
    fn read(out: &Path) -> Self {
        let last = checkpoints(out).pop().unwrap();
        let last_path = out.join("checkpoints").join(&last);
        let figures = metrics(out).into_iter().map(|line| {
            let figure = line.get("loss").or_else(|| line.get("knn")).unwrap();
            let bits = figure.as_f64().unwrap().to_bits();
            (line["step"].as_u64().unwrap(), bits)
        });
        Self {
            backbone: fs::read(out.join("backbone.safetensors")).unwrap(),
            last_checkpoint: (last, fs::read(last_path).unwrap()),
            figures: figures.collect(),
        }
    }

    /// Asserts that a run has the same results as an undisturbed one.
    #[track_caller]
    pub fn assert_is(&self, expected: &Self, when: &str) {
        assert_eq!(self.figures, expected.figures, "metrics.jsonl, {when}");
        let name = |of: &Self| of.last_checkpoint.0.clone();
        assert_eq!(name(self), name(expected), "the last checkpoint, {when}");
        let is_same = self.last_checkpoint.1 == expected.last_checkpoint.1;
        assert!(is_same, "the last checkpoint differs, {when}");
        assert!(
            self.backbone == expected.backbone,
            "backbone.safetensors differs, {when}"
        );
    }
}

/// Lines of `metrics.jsonl`.
pub fn metrics(out: &Path) -> Vec<Value> {
    json_lines(&out.join("metrics.jsonl"))
}

/// File names of the checkpoints, ascending by step; none without their folder.
pub fn checkpoints(out: &Path) -> Vec<String> {
    let folder = out.join("checkpoints");
    if !folder.exists() {
        return Vec::new();
    }
    let is_checkpoint = |name: &String| name.starts_with("step-") && name.ends_with(".safetensors");
    files(&folder).into_keys().filter(is_checkpoint).collect()
}

/// Path of the checkpoint after `step` steps.
pub fn checkpoint(out: &Path, step: u64) -> PathBuf {
    out.join(format!("checkpoints/step-{step:010}.safetensors"))
}

/// Reads a file of weights and asserts that every number is finite.
#[track_caller]
pub fn finite_weights(path: &Path) -> Weights {
    let weights = read_weights(path).unwrap();
    for (name, tensor) in weights.iter() {
        if tensor.kind() == ElementKind::F32 {
            let (values, _) = tensor.bytes().as_chunks::<4>();
            let mut values = values.iter().map(|&bytes| f32::from_le_bytes(bytes));
            assert!(values.all(f32::is_finite), "{name} of {}", path.display());
        }
    }
    weights
}

/// Bytes of every file of a run.
pub fn snapshot(out: &Path) -> BTreeMap<String, Vec<u8>> {
    files(out)
}

/// Waits until `metrics.jsonl` has `num_lines` lines, but not longer than 30 seconds.
pub fn with_metrics(out: &Path, num_lines: usize) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        let text = fs::read(out.join("metrics.jsonl")).unwrap_or_default();
        if text.iter().filter(|&&byte| byte == b'\n').count() >= num_lines {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
