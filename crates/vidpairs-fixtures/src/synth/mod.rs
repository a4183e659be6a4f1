//! Runs of `vidpairs synth`, with its objects and its output.

pub mod objects;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use vidpairs_synth::truth::Truth;

use super::extract::dataset::json_lines;
use super::extract::{Extract, files};

/// All kinds of `--kind`.
pub const KINDS: [&str; 6] = ["trackingnet", "got10k", "aloi", "pascal3d", "coco", "voc"];

/// Folder for runs, with sound objects in `objects` and thin ones in `sticks`.
pub struct Work {
    dir: tempfile::TempDir,
}

impl Work {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        objects::write_all(&dir.path().join("objects"));
        objects::write_sticks(&dir.path().join("sticks"));
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `vidpairs synth --kind KIND --objects objects --out OUT`, in this folder, with options for a small data set. ALOI uses
    /// sticks, because its images are large.
    pub fn synth(&self, kind: &str, out: &str) -> Extract {
        let small: &[[&str; 2]] = match kind {
            "trackingnet" | "got10k" => &[
                ["--size", "96x64"],
                ["--videos", "3"],
                ["--held-out-videos", "2"],
                ["--frames", "6"],
            ],
            "aloi" => &[["--num-objects", "2"], ["--objects", "sticks"]],
            "coco" | "voc" => &[
                ["--size", "96x64"],
                ["--images", "6"],
                ["--held-out-images", "3"],
                ["--objects-per-image", "2-6"],
            ],
            _ => &[
                ["--size", "96x64"],
                ["--azimuths", "4"],
                ["--elevations", "0,40"],
            ],
        };
        small
            .iter()
            .fold(self.bare(kind, out), |run, &[option, value]| {
                with(run, option, value)
            })
    }

    /// The same command without those options.
    pub fn bare(&self, kind: &str, out: &str) -> Extract {
        let args = [
            "synth",
            "--kind",
            kind,
            "--objects",
            "objects",
            "--out",
            out,
        ];
        Extract {
            dir: self.dir.path().to_owned(),
            args: args.map(str::to_owned).to_vec(),
            variables: Vec::new(),
        }
    }
}

/// Sets `option` to `value` in `run`.
pub fn with(mut run: Extract, option: &str, value: &str) -> Extract {
    match run.args.iter().position(|arg| arg == option) {
        Some(at) => value.clone_into(&mut run.args[at + 1]),
        None => run = run.arg(option).arg(value),
    }
    run
}

/// Lines of a JSONL file of `out`.
pub fn lines(out: &Path, name: &str) -> Vec<Value> {
    json_lines(&out.join(name))
}

/// Lines of `truth.jsonl`.
pub fn truths(out: &Path) -> Vec<Truth> {
    lines(out, "truth.jsonl")
        .into_iter()
        .map(|line| serde_json::from_value(line).unwrap())
        .collect()
}

/// Ids of the objects in `credits.jsonl`, which are in view.
pub fn objects_in_view(out: &Path) -> Vec<String> {
    lines(out, "credits.jsonl")
        .iter()
        .map(|line| line["object"].as_str().unwrap().to_owned())
        .collect()
}

/// Members of a zip, in their order.
pub fn members(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let count = zip.len();
    let member = |index| {
        let mut member = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        (member.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(member).collect()
}

/// Size of a picture. Asserts that it can be decoded completely.
#[track_caller]
pub fn decoded_size(name: &str, bytes: &[u8]) -> [u32; 2] {
    let decoded = image::load_from_memory(bytes);
    let picture = decoded.unwrap_or_else(|err| panic!("{name}: {err}"));
    [picture.width(), picture.height()]
}

/// Width, height and number of decoded frames of a video, by ffprobe.
#[track_caller]
pub fn probe(path: &Path) -> [u32; 3] {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v:0"])
        .args(["-show_entries", "stream=width,height,nb_read_frames"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}: {output:?}", path.display());
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u32> = text
        .trim()
        .split(',')
        .map(|number| number.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

/// Asserts that every picture, zip and video with a final name in `out` is complete.
#[track_caller]
pub fn assert_final_names_are_whole(out: &Path) {
    if !out.exists() {
        return; // stopped before it wrote anything
    }
    for (name, bytes) in files(out) {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if name.starts_with(".journal/") {
            continue;
        }
        match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" | "png" => _ = decoded_size(&name, &bytes),
            "zip" => {
                for (member, bytes) in members(&bytes) {
                    decoded_size(&member, &bytes);
                }
            }
            "mp4" => assert!(probe(&out.join(&name))[2] > 0, "{name}"),
            _ => {}
        }
    }
}
