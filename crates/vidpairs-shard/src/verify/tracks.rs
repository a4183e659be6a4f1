//! Verifies `tracks.jsonl.zst`.

use std::io::{self, BufReader, Read};
use std::path::Path;

use vidpairs_types::{NextLine, TrackletLine, next_line, open_regular};

use super::{FileVerifier, ShardVerdict, unreadable};
use crate::damage::Fault;
use crate::tracks::{MAX_LINE_BYTES, TrackletCounts, TracksEntry};

/// So many times its size a file may expand to, beyond one line: a hundred times what tracklets do, far below what a few bytes of
/// repeated line feeds can.
const MAX_EXPANSION: u64 = 1000;

/// After so many faults the rest of a file is not read.
const MAX_FAULTS: u64 = 100_000;

/// Compressed size of a line, as a share of its length; for the progress only.
const COMPRESSED_SHARE: u64 = 5;

/// Checks the file of `entry` in `dir`: its length and xxh64, that every line is a tracklet, and the number of
/// tracklets by outcome.
///
/// `keep_going` is called with the number of bytes checked since the last call; the sum is about twice the size of the
/// file. Returns `None` as soon as it returns `false`.
pub fn verify_tracks(
    dir: &Path,
    entry: &TracksEntry,
    keep_going: &dyn Fn(u64) -> bool,
) -> Option<ShardVerdict> {
    let mut file = FileVerifier::new(dir, &entry.file, keep_going);
    if file.check_bytes(entry.bytes, entry.xxh64)? {
        match check_lines(&mut file, entry) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => file.report(unreadable(0, &error)),
        }
    }
    Some(ShardVerdict {
        file: entry.file.clone(),
        records: 0,
        damage: file.damage,
        clips: Vec::new(),
    })
}

/// Checks every line, up to one that cannot be decompressed. Returns `false` if `keep_going` does.
fn check_lines(file: &mut FileVerifier, entry: &TracksEntry) -> io::Result<bool> {
    let most = entry.bytes.saturating_mul(MAX_EXPANSION);
    let most = most.saturating_add(MAX_LINE_BYTES as u64);
    let decoder = zstd::Decoder::new(open_regular(&file.path)?)?;
    let mut lines = BufReader::new(decoder.take(most));
    let mut counts = TrackletCounts::default();
    let mut text = Vec::new();
    for line in 1.. {
        let fault = |reason: String| Fault::LineUnreadable { line, reason };
        let read = next_line(&mut lines, &mut text, MAX_LINE_BYTES);
        let problem = match read {
            Ok(_) if lines.get_ref().limit() == 0 => {
                format!("the file expands to more than {MAX_EXPANSION} times its size")
            }
            Ok(NextLine::End) => break,
            Ok(NextLine::Line) if text.ends_with(b"\n") => String::new(),
            Ok(NextLine::TooLong) => format!("it has more than {MAX_LINE_BYTES} bytes"),
            Ok(NextLine::Line) => "it does not end".to_owned(),
            Err(error) => error.to_string(),
        };
        if !problem.is_empty() {
            file.report(fault(problem));
            return Ok(true);
        }
        if file.damage.num() > MAX_FAULTS {
            file.report(fault(format!(
                "more than {MAX_FAULTS} lines before it cannot be read; this one and the rest were not read"
            )));
            return Ok(true);
        }
        match serde_json::from_slice::<TrackletLine>(&text) {
            Ok(line) => {
                let is_trusted = line.outcome == TrackletLine::TRUSTED;
                counts.count((!is_trusted).then_some(&line.outcome));
            }
            Err(error) => file.report(fault(error.to_string())),
        }
        if !(file.keep_going)(text.len() as u64 / COMPRESSED_SHARE) {
            return Ok(false);
        }
    }
    compare(&counts, &entry.counts, file);
    Ok(true)
}

fn compare(found: &TrackletCounts, manifest: &TrackletCounts, file: &mut FileVerifier) {
    let mut check = |outcome: &str, found: u64, manifest: u64| {
        if found != manifest {
            file.report(Fault::Tracklets {
                outcome: outcome.to_owned(),
                found,
                manifest,
            });
        }
    };
    let trusted = TrackletLine::TRUSTED;
    check(trusted, found.num_trusted(), manifest.num_trusted());
    // A reason that is not listed has no tracklet.
    let count = |of: &TrackletCounts, reason: &str| of.rejected.get(reason).copied().unwrap_or(0);
    let is_new = |reason: &&String| !manifest.rejected.contains_key(*reason);
    let new_reasons = found.rejected.keys().filter(is_new);
    for reason in manifest.rejected.keys().chain(new_reasons) {
        check(reason, count(found, reason), count(manifest, reason));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use vidpairs_types::{BoxXywh, TrackedBox};

    use super::*;
    use crate::damage::DamageList;
    use crate::tracks::{TRACKS_FILE, TracksWriter};

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
        verdict
            .damage
            .listed()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn counts(outcomes: &[&str]) -> TrackletCounts {
        let mut counts = TrackletCounts::default();
        for outcome in outcomes {
            counts.count((*outcome != "trusted").then_some(outcome));
        }
        counts
    }

    #[test]
    fn a_line_is_compact_json_with_a_row_for_each_box() {
        let expected = "{\"clip\":\"a.mp4\",\"key\":null,\"anchor\":3,\"k\":60,\"region\":1,\
                        \"tracker\":\"dcf\",\"outcome\":\"lost\",\"forward_backward_iou\":0.5,\
                        \"boxes\":[[3,1.5,2.0,30.0,40.0625,1.0,null]]}\n";
        assert_eq!(line("lost"), expected);
    }

    #[test]
    fn a_sound_file_has_no_damage_and_wrong_counts_are_reported() {
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
            "tracks.jsonl.zst: has 2 tracklets with outcome trusted; the manifest states 1",
            "tracks.jsonl.zst: has 1 tracklets with outcome lost; the manifest states 2",
            "tracks.jsonl.zst: has 0 tracklets with outcome too_small; the manifest states 1",
        ];
        assert_eq!(faults(dir.path(), &other), expected);
    }

    #[test]
    fn an_invalid_line_and_a_missing_file_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        let texts = [&line("lost"), "{}\n"];
        let entry = written(dir.path(), &texts, &counts(&["lost"]));
        let found = faults(dir.path(), &entry);
        assert!(
            found[0].contains("line 2 cannot be read: missing field"),
            "{found:?}"
        );
        fs::remove_file(dir.path().join(TRACKS_FILE)).unwrap();
        assert_eq!(
            faults(dir.path(), &entry),
            ["tracks.jsonl.zst: the file is missing"]
        );
    }

    #[test]
    fn a_few_bytes_that_expand_to_endless_lines_are_given_up_and_their_faults_counted() {
        let dir = tempfile::tempdir().unwrap();
        let line_feeds = "\n".repeat(200 << 20);
        let entry = written(dir.path(), &[&line_feeds], &counts(&[]));
        assert!(entry.bytes < 20_000, "{}", entry.bytes);
        let damage = verify_tracks(dir.path(), &entry, &|_| true).unwrap().damage;
        assert_eq!(damage.listed().len(), DamageList::MAX_LISTED);
        assert_eq!(damage.num(), MAX_FAULTS + 2);
        let zeros = "\0".repeat(200 << 20);
        let entry = written(dir.path(), &[&zeros], &counts(&[]));
        let faults = faults(dir.path(), &entry);
        assert!(
            faults[0].contains("expands to more than 1000 times"),
            "{faults:?}"
        );
    }

    #[test]
    fn a_flipped_bit_or_a_cut_anywhere_is_found() {
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
