//! Tests containers with damaged bytes that the demuxer skips: no frame after the gap is untrue, and the gap is told.

use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use vidpairs_extract::decode::{self, ClipIndex};
use vidpairs_fixtures::changed_clip;
use vidpairs_types::Media;
use vidpairs_types::parallel::Heartbeat;

use crate::damaged_media::small_clip;
use crate::frame_exactness::hash;

/// The index of the clip at `path`, and its frames: hashes of samples by pts, microseconds.
fn frames(path: &Path) -> (ClipIndex, HashMap<i64, u64>) {
    decode::set_ffmpeg_log(false);
    let heartbeat = Arc::new(Heartbeat::default());
    let media = Media::Video(path.to_owned());
    let index = decode::index(&media, &heartbeat).unwrap();
    let all: Vec<u64> = (0..index.num_frames()).collect();
    let mut frames = HashMap::new();
    decode::decode_wanted(&media, &index, &all, &heartbeat, &mut |frame| {
        let micros = (frame.pts_seconds.unwrap() * 1e6).round() as i64;
        assert_eq!(frames.insert(micros, hash(&frame.planes)), None);
        ControlFlow::Continue(())
    })
    .unwrap();
    (index, frames)
}

/// Places where the blocks of packets begin in a Matroska file, as far as they are simple blocks.
fn blocks(clip: &Path) -> Vec<Option<usize>> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=pos,size",
        ])
        .args(["-of", "csv=p=0"])
        .arg(clip)
        .output()
        .unwrap();
    let bytes = fs::read(clip).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let place = |line: &str| {
        let mut fields = line.split(',').map(|field| field.parse::<usize>().unwrap());
        let (size, pos) = (fields.next().unwrap(), fields.next().unwrap());
        // The identifier 0xa3, and the length in 1 to 8 bytes, whose highest set bit tells how many.
        (1..=8)
            .map(|len| (pos - len - 1, len))
            .find_map(|(at, len)| {
                let length = bytes[at + 1..pos]
                    .iter()
                    .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
                let is_block = bytes[at] == 0xa3 && length == (size + 4) | 1 << (7 * len);
                is_block.then_some(at)
            })
    };
    text.lines()
        .filter(|line| !line.is_empty())
        .map(place)
        .collect()
}

#[test]
fn packets_overwritten_where_the_container_is_read_ahead_give_no_untrue_frame() {
    for (extension, args) in [
        ("webm", "-c:v libvpx -g 20 -b:v 600k"),
        (
            "mkv",
            "-c:v libx264 -preset fast -bf 2 -g 20 -sc_threshold 0",
        ),
        ("mkv", "-c:v mpeg4 -g 20 -sc_threshold 1000000000 -q:v 3"),
    ] {
        // A short cluster: the demuxer goes on at the next one, in the middle of a group of pictures.
        let intact = small_clip(extension, &format!("{args} -cluster_time_limit 150"));
        let (index, expected) = frames(&intact);
        assert_eq!((index.remark(), expected.len()), (None, 40));
        let blocks = blocks(&intact);
        let mut num_gaps = 0;
        for first in 2..30 {
            let (Some(start), Some(end)) = (blocks[first], blocks[first + 2]) else {
                continue;
            };
            for filling in [0, 0xaa] {
                let name = format!("packets from {first} on filled with {filling}");
                let damaged = changed_clip(&intact, &name, |bytes| bytes[start..end].fill(filling));
                let (index, found) = frames(&damaged);
                let untrue: Vec<i64> = found
                    .iter()
                    .filter(|(pts, samples)| expected.get(pts) != Some(samples))
                    .map(|(pts, _)| *pts)
                    .collect();
                assert!(
                    untrue.is_empty(),
                    "{extension}, {name}: frames at {untrue:?}"
                );
                assert!(
                    found.len() >= 15,
                    "{extension}, {name}: {} frames",
                    found.len()
                );
                assert!(
                    index.num_frames() < 40,
                    "{extension}, {name}: no packet lost"
                );
                assert!(index.remark().is_some(), "{extension}, {name}: no remark");
                num_gaps += 1;
            }
        }
        assert!(num_gaps >= 20, "{extension}: only {num_gaps} clips");
    }
}

#[test]
fn a_gap_that_ends_at_a_keyframe_is_remarked_and_costs_no_frame_after_it() {
    // Each keyframe begins a cluster, where the demuxer goes on.
    let intact = small_clip(
        "mkv",
        "-c:v libx264 -preset fast -bf 0 -g 8 -sc_threshold 0",
    );
    let (_, expected) = frames(&intact);
    let [start, end] = [14, 15].map(|packet| blocks(&intact)[packet].unwrap());
    let damaged = changed_clip(&intact, "end of a cluster lost", |bytes| {
        bytes[start..end].fill(0)
    });
    let (index, found) = frames(&damaged);
    assert_eq!((index.num_frames(), found.len()), (38, 38));
    assert!(
        found
            .iter()
            .all(|(pts, samples)| expected.get(pts) == Some(samples))
    );
    let remark = "damaged bytes were skipped in 1 place; frames lost there are not counted, so the indices of the frames after \
                  them may be too low";
    assert_eq!(index.remark(), Some(remark));
}
