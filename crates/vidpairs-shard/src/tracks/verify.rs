//! Every byte and every line of `tracks.jsonl.zst` against what `dataset.json` says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use vidpairs_types::TrackletLine;
use xxhash_rust::xxh64::Xxh64;

use super::super::reader::open_regular;
use super::super::{Damage, Fault, ShardVerdict, checksum};
use super::{TrackletCounts, TracksEntry};

/// The longest line that is read: a tracklet over the greatest k has a tenth of it.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// Checks the file of `entry` in `dir`: its length and xxh64, that every line is a tracklet, and how many
/// there are of each outcome.
///
/// `keep_going` hears how many bytes were looked at since it was last asked; they add up to about twice the
/// size of the file. `None` once it says no.
pub fn verify_tracks(
    dir: &Path,
    entry: &TracksEntry,
    keep_going: &dyn Fn(u64) -> bool,
) -> Option<ShardVerdict> {
    let path = dir.join(&entry.file);
    let mut faults = Vec::new();
    let checked = check_bytes(&path, entry, &mut faults, keep_going);
    let checked = match checked {
        Ok(true) => check_lines(&path, entry, &mut faults, keep_going),
        checked => checked,
    };
    match checked {
        Ok(false) => return None,
        Ok(true) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => faults.push(Fault::TarMissing),
        Err(error) => faults.push(Fault::Unreadable {
            offset: 0,
            reason: error.to_string(),
        }),
    }
    let damage = faults.into_iter();
    let damage = damage.map(|fault| Damage::of_file(&entry.file, fault));
    Some(ShardVerdict {
        file: entry.file.clone(),
        records: 0,
        damage: damage.collect(),
        clips: Vec::new(),
    })
}

/// Length and checksum. `false` when told to stop.
fn check_bytes(
    path: &Path,
    entry: &TracksEntry,
    faults: &mut Vec<Fault>,
    keep_going: &dyn Fn(u64) -> bool,
) -> io::Result<bool> {
    let mut file = open_regular(path)?;
    let mut hash = Xxh64::new(0);
    let taken = checksum::update_from(&mut file, u64::MAX, &mut hash, keep_going)?;
    if taken.stopped {
        return Ok(false);
    }
    let (found, manifest) = (taken.bytes, entry.bytes);
    if found != manifest {
        faults.push(Fault::Bytes { found, manifest });
    }
    let (found, manifest) = (hash.digest(), entry.xxh64);
    if found != manifest {
        faults.push(Fault::Xxh64 { found, manifest });
    }
    Ok(true)
}

/// Every line. What comes after one that is not even text cannot be had. `false` when told to stop.
fn check_lines(
    path: &Path,
    entry: &TracksEntry,
    faults: &mut Vec<Fault>,
    keep_going: &dyn Fn(u64) -> bool,
) -> io::Result<bool> {
    let decoder = zstd::Decoder::new(File::open(path)?)?;
    let (mut lines, mut found) = (BufReader::new(decoder), TrackletCounts::default());
    let (mut text, mut number) = (Vec::new(), 0);
    loop {
        text.clear();
        number += 1;
        let unreadable = |reason: String| Fault::LineUnreadable {
            line: number,
            reason,
        };
        match (&mut lines)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut text)
        {
            Ok(0) => break,
            Ok(_) if !text.ends_with(b"\n") => {
                faults.push(unreadable("it does not end".to_owned()));
                return Ok(true);
            }
            Ok(_) => {}
            Err(error) => {
                faults.push(unreadable(error.to_string()));
                return Ok(true);
            }
        }
        match serde_json::from_slice::<TrackletLine>(&text) {
            Ok(line) => {
                let is_trusted = line.outcome == TrackletLine::TRUSTED;
                found.count((!is_trusted).then_some(&line.outcome));
            }
            Err(error) => faults.push(unreadable(error.to_string())),
        }
        // Compressed it had about a fifth of that.
        if !keep_going(text.len() as u64 / 5) {
            return Ok(false);
        }
    }
    compare(&found, &entry.counts, faults);
    Ok(true)
}

fn compare(found: &TrackletCounts, manifest: &TrackletCounts, faults: &mut Vec<Fault>) {
    let mut check = |outcome: &str, found: u64, manifest: u64| {
        if found != manifest {
            faults.push(Fault::Tracklets {
                outcome: outcome.to_owned(),
                found,
                manifest,
            });
        }
    };
    check(
        TrackletLine::TRUSTED,
        found.num_trusted(),
        manifest.num_trusted(),
    );
    let of = |counts: &TrackletCounts, reason: &str| counts.rejected.get(reason).copied();
    let unknown = found.rejected.keys();
    let unknown = unknown.filter(|reason| !manifest.rejected.contains_key(*reason));
    for reason in manifest.rejected.keys().chain(unknown) {
        let (found, manifest) = (of(found, reason), of(manifest, reason));
        check(reason, found.unwrap_or(0), manifest.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use vidpairs_types::{BoxXywh, TrackedBox};

    use super::super::{TRACKS_FILE, TracksWriter};
    use super::*;

    fn line(outcome: &str) -> String {
        let bbox = BoxXywh {
            x: 1.5,
            y: 2.0,
            w: 30.0,
            h: 40.0625,
        };
        let line = TrackletLine {
            clip: "a.mp4".to_owned(),
            key: None,
            anchor: 3,
            k: 60,
            region: 1,
            tracker: "dcf".to_owned(),
            outcome: outcome.to_owned(),
            forward_backward_iou: Some(0.5),
            boxes: vec![TrackedBox {
                frame: 3,
                bbox,
                confidence: 1.0,
                psr: None,
            }],
        };
        serde_json::to_string(&line).unwrap() + "\n"
    }

    fn written(dir: &Path, texts: &[&str], counts: &TrackletCounts) -> TracksEntry {
        let mut writer = TracksWriter::create(dir).unwrap();
        for text in texts {
            let frame = zstd::bulk::compress(text.as_bytes(), 3).unwrap();
            writer.append(&frame).unwrap();
        }
        writer.finish(dir, counts, None).unwrap()
    }

    fn faults(dir: &Path, entry: &TracksEntry) -> Vec<String> {
        let verdict = verify_tracks(dir, entry, &|_| true).unwrap();
        verdict.damage.iter().map(ToString::to_string).collect()
    }

    fn counts(outcomes: &[&str]) -> TrackletCounts {
        let mut counts = TrackletCounts::default();
        for outcome in outcomes {
            counts.count((*outcome != "trusted").then_some(outcome));
        }
        counts
    }

    #[test]
    fn a_line_is_compact_and_a_row_a_box() {
        let expected = "{\"clip\":\"a.mp4\",\"key\":null,\"anchor\":3,\"k\":60,\"region\":1,\
                        \"tracker\":\"dcf\",\"outcome\":\"lost\",\"forward_backward_iou\":0.5,\
                        \"boxes\":[[3,1.5,2.0,30.0,40.0625,1.0,null]]}\n";
        assert_eq!(line("lost"), expected);
    }

    #[test]
    fn a_sound_file_has_no_fault_and_another_count_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let (trusted, lost) = (line("trusted"), line("lost"));
        let texts = [trusted.as_str(), &(trusted.clone() + &lost)];
        let sound = written(dir.path(), &texts, &counts(&["trusted", "trusted", "lost"]));
        assert_eq!(faults(dir.path(), &sound), [""; 0]);
        assert!(verify_tracks(dir.path(), &sound, &|_| false).is_none());
        let other = TracksEntry {
            counts: counts(&["trusted", "lost", "lost", "too_small"]),
            ..sound
        };
        let expected = [
            "tracks.jsonl.zst: holds 2 tracklets that are trusted, the manifest says 1",
            "tracks.jsonl.zst: holds 1 tracklets that are lost, the manifest says 2",
            "tracks.jsonl.zst: holds 0 tracklets that are too_small, the manifest says 1",
        ];
        assert_eq!(faults(dir.path(), &other), expected);
    }

    #[test]
    fn a_line_that_is_no_tracklet_is_named_and_so_is_a_missing_file() {
        let dir = tempfile::tempdir().unwrap();
        let texts = [&line("lost"), "{}\n"];
        let entry = written(dir.path(), &texts, &counts(&["lost"]));
        let found = faults(dir.path(), &entry);
        assert!(
            found[0].contains("line 2 cannot be understood: missing field"),
            "{found:?}"
        );
        fs::remove_file(dir.path().join(TRACKS_FILE)).unwrap();
        assert_eq!(
            faults(dir.path(), &entry),
            ["tracks.jsonl.zst: the file is missing"]
        );
    }

    #[test]
    fn a_flipped_or_a_cut_byte_anywhere_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let entry = written(
            dir.path(),
            &[&line("lost"), &line("trusted")],
            &counts(&["lost", "trusted"]),
        );
        let path = dir.path().join(TRACKS_FILE);
        let sound = fs::read(&path).unwrap();
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).unwrap();
            assert!(!faults(dir.path(), &entry).is_empty(), "flipped at {at}");
            fs::write(&path, &sound[..at]).unwrap();
            assert!(!faults(dir.path(), &entry).is_empty(), "cut at {at}");
        }
    }
}
