//! Verifies `cuts.jsonl`.

use std::io::{self, BufReader};
use std::path::Path;

use vidpairs_types::{NextLine, next_line, open_regular};

use super::{FileVerifier, ShardVerdict, unreadable};
use crate::cuts::{ClipCuts, CutCounts, CutsEntry, MAX_LINE_BYTES};
use crate::damage::Fault;

/// Checks the file of `entry` in `dir`: its length and xxh64, that every line is a clip with its cuts in order, and the sums over them.
///
/// `keep_going` is called with the number of bytes checked since the last call; the sum is about twice the size of the file. Returns
/// `None` as soon as it returns `false`.
pub fn verify_cuts(
    dir: &Path,
    entry: &CutsEntry,
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

/// Checks every line. Returns `false` if `keep_going` does.
fn check_lines(file: &mut FileVerifier<'_>, entry: &CutsEntry) -> io::Result<bool> {
    let mut lines = BufReader::new(open_regular(&file.path)?);
    let (mut counts, mut text) = (CutCounts::default(), Vec::new());
    for line in 1.. {
        let clip = match next_line(&mut lines, &mut text, MAX_LINE_BYTES)? {
            NextLine::End => break,
            NextLine::TooLong => Err(format!("it has more than {MAX_LINE_BYTES} bytes")),
            NextLine::Line => parsed(&text),
        };
        match clip {
            Ok(clip) => counts.add_clip(&clip),
            Err(reason) => file.report(Fault::LineUnreadable { line, reason }),
        }
        if !(file.keep_going)(text.len() as u64) {
            return Ok(false);
        }
    }
    let stated = &entry.counts;
    for (what, found, manifest) in [
        ("clips", counts.clips, stated.clips),
        ("cuts", counts.cuts, stated.cuts),
        ("moved pairs", counts.moved, stated.moved),
        ("left out pairs", counts.left_out, stated.left_out),
    ] {
        if found != manifest {
            file.report(Fault::Cuts {
                what,
                found,
                manifest,
            });
        }
    }
    Ok(true)
}

fn parsed(text: &[u8]) -> Result<ClipCuts, String> {
    let clip: ClipCuts = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let is_in_order = clip.cuts.iter().all(|cut| cut.before < cut.after)
        && clip.cuts.is_sorted_by(|a, b| a.after <= b.before);
    match is_in_order {
        true => Ok(clip),
        false => Err("its cuts are not in order".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cuts::{CUTS_FILE, StoredCut, read_cuts};

    fn clip(id: &str, cuts: &[(u64, u64)]) -> ClipCuts {
        let cut = |&(before, after): &(u64, u64)| StoredCut {
            before,
            after,
            kind: "hard".to_owned(),
            seconds: Some(1.5),
        };
        ClipCuts {
            id: id.to_owned(),
            moved: 2,
            left_out: 1,
            cuts: cuts.iter().map(cut).collect(),
        }
    }

    fn faults(dir: &Path, entry: &CutsEntry) -> Vec<String> {
        let verdict = verify_cuts(dir, entry, &|_| true).unwrap();
        let damage = verdict.damage.listed().iter();
        damage.map(ToString::to_string).collect()
    }

    #[test]
    fn a_sound_file_is_read_as_written_and_has_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let clips = [
            clip("a.mp4", &[(9, 10), (20, 31)]),
            clip("b.mp4", &[(3, 4)]),
        ];
        let (text, entry) = CutsEntry::of(&clips);
        fs::write(dir.path().join(CUTS_FILE), &text).unwrap();
        let expected = "{\"id\":\"b.mp4\",\"moved\":2,\"left_out\":1,\"cuts\":[{\"before\":3,\"after\":4,\"kind\":\"hard\",\
                        \"seconds\":1.5}]}\n";
        assert!(text.ends_with(expected.as_bytes()));
        assert_eq!(read_cuts(dir.path()).unwrap(), clips);
        assert_eq!(faults(dir.path(), &entry), Vec::<String>::new());
        let counts = entry.counts;
        let sums = (counts.clips, counts.cuts, counts.moved, counts.left_out);
        assert_eq!(sums, (2, 3, 4, 2));
    }

    #[test]
    fn changed_bytes_broken_lines_cuts_out_of_order_and_other_counts_are_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CUTS_FILE);
        let (text, entry) = CutsEntry::of(&[clip("a.mp4", &[(9, 10), (20, 31)])]);
        let changed = String::from_utf8(text).unwrap().replace("31", "32");
        fs::write(&path, &changed).unwrap();
        let found = faults(dir.path(), &entry);
        assert!(found.len() == 1 && found[0].contains("xxh64"), "{found:?}");
        for (clips, expected) in [
            (vec![clip("a.mp4", &[(9, 10), (9, 11)])], "line 1"),
            (vec![clip("a.mp4", &[(10, 10)])], "line 1"),
            (
                vec![clip("a.mp4", &[(9, 10)])],
                "has 1 cuts; the manifest states 2",
            ),
        ] {
            let (text, mut other) = CutsEntry::of(&clips);
            fs::write(&path, &text).unwrap();
            other.counts = entry.counts;
            let found = faults(dir.path(), &other);
            assert!(found[0].contains(expected), "{found:?}");
        }
        fs::remove_file(&path).unwrap();
        assert!(faults(dir.path(), &entry)[0].contains("missing"));
    }
}
