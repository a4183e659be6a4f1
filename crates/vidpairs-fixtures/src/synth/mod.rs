//! Driving `vidpairs synth` from outside: objects to feed it, the program, and what it wrote.

pub mod objects;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use vidpairs_synth::truth::Truth;

use super::extract::{Extract, files};

/// All four kinds.
pub const KINDS: [&str; 4] = ["trackingnet", "got10k", "aloi", "pascal3d"];

/// A folder to run in, with sound objects in `objects`, and thin ones in `sticks`.
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

    /// `vidpairs synth --kind KIND --objects objects --out OUT`, run in this folder, with options that make a
    /// small set; of sticks for ALOI, whose images are large.
    pub fn synth(&self, kind: &str, out: &str) -> Extract {
        let small: &[[&str; 2]] = match kind {
            "trackingnet" | "got10k" => &[
                ["--size", "96x64"],
                ["--videos", "3"],
                ["--held-out-videos", "2"],
                ["--frames", "6"],
            ],
            "aloi" => &[["--num-objects", "2"], ["--objects", "sticks"]],
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

    /// The same without those options.
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
        }
    }
}

/// `run` with `option` set to `value`, whatever it was.
pub fn with(mut run: Extract, option: &str, value: &str) -> Extract {
    match run.args.iter().position(|arg| arg == option) {
        Some(at) => value.clone_into(&mut run.args[at + 1]),
        None => run = run.arg(option).arg(value),
    }
    run
}

/// The lines of a JSONL file of `out`.
pub fn lines(out: &Path, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(out.join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What `truth.jsonl` says.
pub fn truths(out: &Path) -> Vec<Truth> {
    let lines = lines(out, "truth.jsonl").into_iter();
    lines
        .map(|line| serde_json::from_value(line).unwrap())
        .collect()
}

/// Ids in `credits.jsonl`: the objects in view.
pub fn objects_in_view(out: &Path) -> Vec<String> {
    let lines = lines(out, "credits.jsonl").into_iter();
    lines
        .map(|line| line["object"].as_str().unwrap().to_owned())
        .collect()
}

/// The members of a zip, in its order.
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

/// Width and height of a picture that decodes to its end.
#[track_caller]
pub fn decoded_size(name: &str, bytes: &[u8]) -> [u32; 2] {
    let decoded = image::load_from_memory(bytes);
    let picture = decoded.unwrap_or_else(|err| panic!("{name}: {err}"));
    [picture.width(), picture.height()]
}

/// Width, height and number of frames that ffprobe decodes of a video.
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
        .map(|it| it.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

/// Asserts that every picture, zip and video that has its final name in `out` is whole.
#[track_caller]
pub fn assert_final_names_are_whole(out: &Path) {
    if !out.exists() {
        return; // stopped before it made anything
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
