//! Tests that only true pictures come out: of streams whose parameter sets change, that are damaged, that start in the middle.
//! The `ffmpeg` program decodes the same bytes, and the undamaged clip.

use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use vidpairs_extract::decode::{self, ClipIndex};
use vidpairs_fixtures::{NumberedClip, changed_clip, has_encoder, numbered_clip, remade_clip};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, SizePx};
use xxhash_rust::xxh3::xxh3_64;

use crate::frame_exactness::hash;

/// Index of a decoded frame, and the hash of its samples.
type Seen = (u64, u64);

struct Clip {
    media: Media,
    index: ClipIndex,
}

impl Clip {
    fn new(path: &Path) -> Self {
        decode::set_ffmpeg_log(false);
        let media = Media::Video(path.to_owned());
        let index = decode::index(&media, &Arc::new(Heartbeat::default()));
        let index = index.unwrap_or_else(|err| panic!("{}: {err}", path.display()));
        Self { media, index }
    }

    fn seen(&self, wanted: &[u64]) -> Vec<Seen> {
        let mut seen = Vec::new();
        let heartbeat = Arc::new(Heartbeat::default());
        decode::decode_wanted(&self.media, &self.index, wanted, &heartbeat, &mut |frame| {
            seen.push((frame.index, hash(&frame.planes)));
            ControlFlow::Continue(())
        })
        .unwrap();
        seen
    }

    fn all(&self) -> Vec<u64> {
        (0..self.index.num_frames()).collect()
    }

    /// All frames that come out when all are wanted, then each frame by itself.
    fn seen_in_both_ways(&self) -> [Vec<Seen>; 2] {
        let alone = self
            .all()
            .iter()
            .flat_map(|&frame| self.seen(&[frame]))
            .collect();
        [self.seen(&self.all()), alone]
    }
}

/// Hashes of the frames that `ffmpeg` decodes, in the stored pixel format.
fn ffmpeg_hashes(path: &Path) -> Vec<u64> {
    let output = Command::new("ffmpeg")
        .args(["-v", "quiet", "-nostdin", "-threads", "1", "-i"])
        .arg(path)
        .args([
            "-map",
            "0:v:0",
            "-vsync",
            "passthrough",
            "-f",
            "rawvideo",
            "-",
        ])
        .output()
        .unwrap();
    let probed = Command::new("ffprobe")
        .args([
            "-v",
            "quiet",
            "-select_streams",
            "v:0",
            "-show_entries",
            "frame=width",
        ])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let is_number = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
    let num_frames = String::from_utf8(probed.stdout)
        .unwrap()
        .lines()
        .filter(is_number)
        .count();
    let frame_bytes = output.stdout.len() / num_frames;
    assert_eq!(output.stdout.len() % num_frames, 0, "{}", path.display());
    output.stdout.chunks(frame_bytes).map(xxh3_64).collect()
}

fn spec<'a>(num_frames: u64, extension: &'a str, args: &'a str) -> NumberedClip<'a> {
    NumberedClip {
        num_frames,
        size: SizePx {
            width: 160,
            height: 96,
        },
        args,
        extension,
        ..NumberedClip::default()
    }
}

fn clip(num_frames: u64, extension: &str, args: &str) -> PathBuf {
    numbered_clip(spec(num_frames, extension, args))
}

/// Checks that every frame, reached in any way, is the one that `ffmpeg` decodes.
fn assert_all_frames(path: &Path) {
    let expected: Vec<Seen> = (0..).zip(ffmpeg_hashes(path)).collect();
    let clip = Clip::new(path);
    for seen in clip.seen_in_both_ways() {
        let wrong: Vec<u64> = expected
            .iter()
            .filter(|frame| !seen.contains(frame))
            .map(|(index, _)| *index)
            .collect();
        assert!(wrong.is_empty(), "frames {wrong:?} of {}", path.display());
        assert_eq!(seen.len(), expected.len());
    }
    // From the end to the beginning with one decoder each: a later configuration must not reach an earlier frame.
    let sparse: Vec<u64> = clip.all().into_iter().step_by(7).collect();
    let expected: Vec<Seen> = sparse
        .iter()
        .map(|&frame| expected[frame as usize])
        .collect();
    assert_eq!(clip.seen(&sparse), expected, "{}", path.display());
}

const PARTS: [&str; 3] = ["-qp 16", "-qp 40", "-qp 24 -x264-params cabac=0"];

/// Three H.264 clips whose parameter sets differ, with keyframes every 10 frames.
fn h264_parts(extension: &str) -> Vec<PathBuf> {
    let part = |args: &&str| {
        clip(
            25,
            extension,
            &format!("-c:v libx264 -preset fast -bf 0 -g 10 -sc_threshold 0 {args}"),
        )
    };
    PARTS.iter().map(part).collect()
}

fn joined(name: &str, parts: &[PathBuf], join: impl FnOnce(Vec<Vec<u8>>) -> Vec<u8>) -> PathBuf {
    let bytes = parts.iter().map(|part| fs::read(part).unwrap()).collect();
    changed_clip(&parts[0], name, |first| *first = join(bytes))
}

#[test]
fn parameter_sets_that_change_in_flv_are_in_force_after_every_seek() {
    let path = joined("joined tags", &h264_parts("flv"), |parts| {
        let mut all = parts[0][..13].to_vec();
        for (number, part) in parts.iter().enumerate() {
            let mut at = 13;
            while at + 15 <= part.len() {
                let size =
                    u32::from_be_bytes([0, part[at + 1], part[at + 2], part[at + 3]]) as usize;
                let mut tag = part[at..at + 15 + size].to_vec();
                let ms =
                    u32::from_be_bytes([tag[7], tag[4], tag[5], tag[6]]) + number as u32 * 1000;
                let [high, rest @ ..] = ms.to_be_bytes();
                tag[4..7].copy_from_slice(&rest);
                tag[7] = high;
                if tag[0] == 9 && (number == 2 || tag[12] != 2) || number == 0 {
                    all.extend(tag);
                }
                at += 15 + size;
            }
        }
        all
    });
    assert_all_frames(&path);
}

/// Payloads of the boxes of `kind` along `path`, from `bytes` on: the place of the box and its length.
fn find_box(bytes: &[u8], path: &[&[u8; 4]]) -> (usize, usize) {
    let (mut at, mut end) = (0, bytes.len());
    for (depth, kind) in path.iter().enumerate() {
        loop {
            assert!(at + 8 <= end, "no box {kind:?}");
            let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            if bytes[at + 4..at + 8] == kind[..] {
                end = at + length;
                break;
            }
            at += length;
        }
        if depth + 1 < path.len() {
            at += 8;
        }
    }
    (at, end - at)
}

const STBL: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];

/// Joins MP4 files with one sample description each, all of the same sample table, into one file with several.
fn joined_mp4(parts: &[Vec<u8>]) -> Vec<u8> {
    let table = |part: &[u8], kind: &'static [u8; 4]| {
        let (at, length) = find_box(part, &[&STBL[..], &[kind]].concat());
        part[at..at + length].to_vec()
    };
    let boxed = |kind: &[u8; 4], payload: &[u8]| {
        let length = (payload.len() as u32 + 8).to_be_bytes();
        [&length[..], kind, payload].concat()
    };
    let words = |words: &[u32]| {
        words
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect::<Vec<u8>>()
    };
    let num_parts = parts.len() as u32;
    let num_frames = 25;
    let (mut samples, mut sizes, mut keys, mut offsets, mut entries) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let ftyp = parts[0][..find_box(&parts[0], &[b"ftyp"]).1].to_vec();
    for (number, part) in parts.iter().enumerate() {
        let (at, length) = find_box(part, &[b"mdat"]);
        offsets.push((ftyp.len() + 8 + samples.len()) as u32);
        samples.extend(&part[at + 8..at + length]);
        sizes.extend(&table(part, b"stsz")[20..]);
        entries.extend(&table(part, b"stsd")[16..]);
        for key in table(part, b"stss")[16..].chunks(4) {
            let key = u32::from_be_bytes(key.try_into().unwrap());
            keys.push(key + number as u32 * num_frames);
        }
    }
    let delta = u32::from_be_bytes(table(&parts[0], b"stts")[20..24].try_into().unwrap());
    let stsc: Vec<u32> = (1..=num_parts)
        .flat_map(|number| [number, num_frames, number])
        .collect();
    let total = num_parts * num_frames;
    let stbl = [
        boxed(b"stsd", &[words(&[0, num_parts]), entries].concat()),
        boxed(b"stts", &words(&[0, 1, total, delta])),
        boxed(
            b"stss",
            &[words(&[0, keys.len() as u32]), words(&keys)].concat(),
        ),
        boxed(b"stsz", &[words(&[0, 0, total]), sizes].concat()),
        boxed(b"stsc", &[words(&[0, num_parts]), words(&stsc)].concat()),
        boxed(b"stco", &[words(&[0, num_parts]), words(&offsets)].concat()),
    ]
    .concat();
    // Rebuild the boxes around the table, from the inside; an edit list would end the film after the first part.
    let first = &parts[0];
    let around = |path: &[&[u8; 4]], kind: &[u8; 4], inner: Vec<u8>| {
        let (at, length) = find_box(first, path);
        let mut payload = Vec::new();
        let mut child = at + 8;
        while child < at + length {
            let size = u32::from_be_bytes(first[child..child + 4].try_into().unwrap()) as usize;
            match &first[child + 4..child + 8] {
                b"edts" => {}
                name if name == kind => payload.extend(&inner),
                _ => payload.extend(&first[child..child + size]),
            }
            child += size;
        }
        boxed(path[path.len() - 1], &payload)
    };
    let mut moov = boxed(b"stbl", &stbl);
    for depth in (1..STBL.len()).rev() {
        moov = around(&STBL[..depth], STBL[depth], moov);
    }
    [ftyp, boxed(b"mdat", &samples), moov].concat()
}

#[test]
fn several_sample_descriptions_in_mp4_are_in_force_after_every_seek() {
    let path = joined("sample descriptions", &h264_parts("mp4"), |parts| {
        joined_mp4(&parts)
    });
    assert_all_frames(&path);
    let parts: Vec<PathBuf> = [16, 32, 64]
        .iter()
        .map(|ctu| hevc_part("mp4", *ctu))
        .collect();
    let path = joined("sample descriptions", &parts, |parts| joined_mp4(&parts));
    assert_all_frames(&path);
}

fn hevc_part(extension: &str, ctu: u32) -> PathBuf {
    let x265 = format!("log-level=error:bframes=0:keyint=10:min-keyint=10:scenecut=0:ctu={ctu}");
    let tag = if extension == "mp4" {
        "-tag:v hvc1"
    } else {
        ""
    };
    clip(
        25,
        extension,
        &format!("-c:v libx265 -preset ultrafast {tag} -x265-params {x265}"),
    )
}

/// Removes headers of a byte stream that are in force already. `headers` are the types of headers; a changed one needs those after it
/// in the list anew.
fn without_repeated(stream: &[u8], type_of: impl Fn(u8) -> u8, headers: &[u8]) -> Vec<u8> {
    let mut starts: Vec<usize> = (0..stream.len() - 3)
        .filter(|&at| stream[at..at + 3] == [0, 0, 1])
        .collect();
    starts.dedup_by(|next, start| *next < *start + 4); // a code of zero is no part of the next start code
    let (mut kept, mut in_force) = (vec![0], vec![&[][..]; headers.len()]);
    for (number, &start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(stream.len());
        let unit = &stream[start..end];
        let kind = type_of(unit[3]);
        if let Some(at) = headers.iter().position(|&header| header == kind) {
            // The zero before the next start code belongs to it.
            let trimmed = unit.strip_suffix(&[0]).unwrap_or(unit);
            if in_force[at] == trimmed {
                continue;
            }
            in_force[at] = trimmed;
            in_force[at + 1..].fill(&[]);
        }
        kept.extend(unit);
    }
    kept
}

#[test]
fn parameter_sets_inside_packets_that_come_once_are_in_force_after_every_seek() {
    let raw = joined("each set once", &h264_parts("h264"), |parts| {
        without_repeated(&parts.concat(), |first| first & 31, &[7, 8])
    });
    for extension in ["avi", "mkv", "mp4"] {
        assert_all_frames(&remade_clip(&raw, "-r 30", "-c copy", extension));
    }
    let parts: Vec<PathBuf> = [16, 32, 64]
        .iter()
        .map(|ctu| hevc_part("hevc", *ctu))
        .collect();
    let raw = joined("each set once", &parts, |parts| {
        without_repeated(&parts.concat(), |first| first >> 1 & 63, &[32, 33, 34])
    });
    for extension in ["mkv", "mp4"] {
        assert_all_frames(&remade_clip(&raw, "-r 30", "-c copy", extension));
    }
}

#[test]
fn quantiser_matrices_and_layers_that_come_once_are_in_force_after_every_seek() {
    let part = |args: &str| {
        clip(
            25,
            "m4v",
            &format!("-c:v mpeg4 -g 10 -sc_threshold 1000000000 {args}"),
        )
    };
    let parts = ["-q:v 3", "-q:v 8 -mpeg_quant 1", "-q:v 5 -flags +qpel"].map(part);
    let raw = joined("each layer once", &parts, |parts| {
        without_repeated(&parts.concat(), |first| first, &[0xb0, 0xb5, 0x00, 0x20])
    });
    assert_all_frames(&remade_clip(&raw, "-r 30", "-c copy", "avi"));
}

#[test]
fn palettes_that_come_once_are_in_force_after_every_seek() {
    for extension in ["avi", "mov", "nut"] {
        let args = "-vf hue=h=90*t,split[a][b];[b]palettegen=stats_mode=single[p];[a][p]paletteuse=new=1 -c:v rawvideo -pix_fmt pal8";
        let path = clip(20, extension, args);
        let clip = Clip::new(&path);
        let [whole, alone] = clip.seen_in_both_ways();
        assert_eq!(whole.len(), 20, "{extension}");
        assert_eq!(whole, alone, "{extension}");
    }
}

/// Changes bytes in the middle of the packet number `number` so that `ffmpeg` notices.
fn with_damaged_packet(path: &Path, number: usize) -> PathBuf {
    let probed = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=pos,size",
        ])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(probed.stdout).unwrap();
    let line = text
        .lines()
        .filter(|line| !line.is_empty())
        .nth(number)
        .unwrap();
    let mut fields = line.split(',').map(|field| field.parse::<usize>().unwrap());
    let (size, pos) = (fields.next().unwrap(), fields.next().unwrap());
    (0..20)
        .map(|variant| {
            changed_clip(
                path,
                &format!("packet {number} damaged {variant}"),
                |bytes| {
                    for step in 0..8 {
                        bytes[pos + size * (8 + step) / 24 + variant] ^= 0x10 << (step % 3);
                    }
                },
            )
        })
        .find(|damaged| {
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg
                .args(["-v", "warning", "-nostdin", "-i"])
                .arg(damaged);
            let output = ffmpeg.args(["-f", "null", "-"]).output().unwrap();
            String::from_utf8_lossy(&output.stderr).contains(" @ ")
        })
        .unwrap_or_else(|| panic!("ffmpeg never notices damage of {}", path.display()))
}

/// Checks that all frames that come out are those of the undamaged clip, and that at least `least` do.
fn assert_only_true_frames(intact: &Path, damaged: &Path, least: usize) {
    let clip = Clip::new(intact);
    let expected: HashSet<Seen> = clip.seen(&clip.all()).into_iter().collect();
    assert_eq!(expected.len(), ffmpeg_hashes(intact).len());
    for seen in Clip::new(damaged).seen_in_both_ways() {
        let wrong: Vec<u64> = seen
            .iter()
            .filter(|seen| !expected.contains(seen))
            .map(|seen| seen.0)
            .collect();
        assert!(
            wrong.is_empty(),
            "untrue frames {wrong:?} of {}",
            damaged.display()
        );
        assert!(
            seen.len() >= least,
            "only {} frames of {}",
            seen.len(),
            damaged.display()
        );
    }
}

#[test]
fn damage_spreads_to_the_next_keyframe_and_no_further() {
    let cases = [
        (
            "libx264",
            "mp4",
            "-c:v libx264 -preset fast -g 20 -sc_threshold 0 -bf 3",
        ),
        (
            "libx264",
            "mp4",
            "-c:v libx264 -preset fast -g 20 -sc_threshold 0 -bf 3 -x264-params cabac=0",
        ),
        (
            "libx264",
            "mkv",
            "-c:v libx264 -preset fast -bf 3 -x264-params open-gop=1:keyint=20:min-keyint=1:scenecut=0",
        ),
        (
            "libx264",
            "h264",
            "-c:v libx264 -preset fast -g 20 -sc_threshold 0 -bf 3",
        ),
        ("mpeg4", "avi", "-c:v mpeg4 -g 20 -q:v 3 -bf 2"),
        ("mpeg4", "mp4", "-c:v mpeg4 -g 20 -q:v 3"),
        ("flv", "flv", "-c:v flv -g 20 -q:v 3"),
        ("mpeg2video", "mkv", "-c:v mpeg2video -g 20 -q:v 3 -bf 2"),
        ("mpeg1video", "mkv", "-c:v mpeg1video -g 20 -q:v 3 -bf 2"),
        ("msmpeg4", "avi", "-c:v msmpeg4 -g 20 -q:v 3"),
        ("wmv2", "avi", "-c:v wmv2 -g 20 -q:v 3"),
        ("libtheora", "mkv", "-c:v libtheora -g 20 -q:v 8"),
        (
            "ffv1",
            "mkv",
            "-c:v ffv1 -level 3 -slices 4 -slicecrc 1 -g 20",
        ),
    ];
    for (encoder, extension, args) in cases {
        if !has_encoder(encoder) {
            continue;
        }
        let intact = clip(60, extension, &format!("-vf noise=alls=30:allf=t {args}"));
        for number in [0, 20, 21] {
            let damaged = match extension {
                // A raw stream has no table of packets.
                "h264" => changed_clip(&intact, &format!("damage {number}"), |bytes| {
                    let at = bytes.len() * (number + 3) / 80;
                    bytes[at..at + 8].iter_mut().for_each(|byte| *byte ^= 0x20);
                }),
                _ => with_damaged_packet(&intact, number),
            };
            assert_only_true_frames(&intact, &damaged, 19);
        }
    }
}

#[test]
fn damage_that_only_the_log_of_the_decoder_tells_costs_the_frame() {
    let cases = [
        (
            "ffv1",
            "mkv",
            "-c:v ffv1 -level 3 -slices 4 -slicecrc 1 -g 1",
        ),
        ("mjpeg", "avi", "-c:v mjpeg -q:v 2"),
        ("jpeg2000", "mov", "-c:v jpeg2000 -q:v 2"),
        ("png", "mov", "-c:v png"),
        ("tiff", "mov", "-c:v tiff -compression_algo deflate"),
    ];
    for (encoder, extension, args) in cases {
        if has_encoder(encoder) {
            let intact = clip(12, extension, args);
            let damaged = with_damaged_packet(&intact, 7);
            assert_only_true_frames(&intact, &damaged, 11);
        }
    }
}

#[test]
fn notes_beside_the_pictures_that_cannot_be_read_cost_no_frame() {
    // Supplemental information of type 5 that states 200 bytes and has 4, before each picture.
    let sei = [0, 0, 1, 6, 5, 200, 9, 9, 9, 0x80];
    let h264 = clip(20, "h264", "-c:v libx264 -preset fast -bf 2 -g 10 -aud 1");
    let delimiter = [0, 0, 0, 1, 9];
    let truncated = with_inserted(&h264, "truncated notes", &delimiter, 1, &sei);
    let mjpeg = clip(12, "mjpeg", "-c:v mjpeg -q:v 3");
    let segments: [(&str, &[u8], &str); 4] = [
        (
            "no Exif",
            b"\xff\xe1\0\x12Exif\0\0XXXXXXXXXX",
            "invalid TIFF header",
        ),
        (
            "no directory",
            b"\xff\xe1\0\x12Exif\0\0II*\0\x08\0\0\0\x09\0",
            "error decoding EXIF data",
        ),
        (
            "too short",
            b"\xff\xe0\0\x04AB",
            "unable to decode APP fields",
        ),
        (
            "no polarity",
            b"\xff\xe0\0\x06AVI1",
            "parser read over the end",
        ),
    ];
    let segments = segments.map(|(name, segment, message)| {
        let clip = with_inserted(&mjpeg, name, &[0xff, 0xd8], 0, segment);
        (clip, "avi", message)
    });
    for (stream, extension, message) in [(truncated, "mp4", "SEI type 5")]
        .into_iter()
        .chain(segments)
    {
        let clip = remade_clip(&stream, "-r 30", "-c copy", extension);
        let ffmpeg = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-i"])
            .arg(&clip)
            .args(["-f", "null", "-"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&ffmpeg.stderr);
        assert!(text.contains(message), "{message}: {text}");
        assert_all_frames(&clip);
    }
}

/// Inserts `inserted` so many bytes behind each `mark`.
fn with_inserted(
    stream: &Path,
    name: &str,
    mark: &[u8],
    behind: usize,
    inserted: &[u8],
) -> PathBuf {
    changed_clip(stream, name, |bytes| {
        let mut longer = Vec::new();
        let mut num_marks = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            longer.push(byte);
            if bytes[..=at.saturating_sub(behind)].ends_with(mark) {
                longer.extend(inserted);
                num_marks += 1;
            }
        }
        assert!(num_marks >= 12, "{num_marks} marks");
        *bytes = longer;
    })
}

#[test]
fn before_the_first_keyframe_of_a_cut_stream_no_frame_comes_out() {
    let x265 = "log-level=error:keyint=40:min-keyint=40:scenecut=0:bframes=2";
    let hevc = format!("-c:v libx265 -preset ultrafast -x265-params {x265}");
    let cases = [
        ("ts", &hevc[..]),
        ("ts", "-c:v mpeg4 -g 40 -sc_threshold 1000000000 -q:v 3"),
        (
            "ts",
            "-c:v mpeg4 -g 40 -sc_threshold 1000000000 -q:v 3 -bf 2",
        ),
        (
            "ts",
            "-c:v libx264 -preset fast -g 40 -sc_threshold 0 -bf 2",
        ),
        (
            "ts",
            "-c:v mpeg2video -g 40 -sc_threshold 1000000000 -q:v 3 -bf 2",
        ),
    ];
    for (extension, args) in cases {
        let intact = clip(160, extension, args);
        let cut = changed_clip(&intact, "first ninth cut off", |bytes| {
            drop(bytes.drain(..bytes.len() / 9 / 188 * 188));
        });
        let (intact, of_cut) = (ffmpeg_hashes(&intact), ffmpeg_hashes(&cut));
        let clip = Clip::new(&cut);
        for seen in clip.seen_in_both_ways() {
            let hashes: Vec<u64> = seen.iter().map(|seen| seen.1).collect();
            assert!(
                of_cut.ends_with(&hashes),
                "not the last frames of {}",
                cut.display()
            );
            assert!(
                intact.ends_with(&hashes),
                "untrue frames of {}",
                cut.display()
            );
            assert_eq!(
                seen.len() as u64,
                clip.index.num_frames(),
                "{}",
                cut.display()
            );
            assert!(
                seen.len() >= 115,
                "only {} frames of {}",
                seen.len(),
                cut.display()
            );
        }
    }
}

#[test]
fn a_stream_whose_parameter_sets_come_late_has_the_frames_that_ffmpeg_decodes() {
    for extension in ["ts", "h264"] {
        let noisy = "-vf noise=alls=90:allf=t -c:v libx264 -preset ultrafast -qp 2 -bf 0 -g 250 -sc_threshold 0";
        let whole = numbered_clip(NumberedClip {
            num_frames: 300,
            args: noisy,
            extension,
            ..NumberedClip::default()
        });
        let late = changed_clip(&whole, "cut in its group", |bytes| {
            drop(bytes.drain(..188 * 500))
        });
        assert!(
            fs::metadata(&late).unwrap().len() > 8 << 20,
            "the head is read whole"
        );
        let expected: Vec<Seen> = (0..).zip(ffmpeg_hashes(&late)).collect();
        let clip = Clip::new(&late);
        assert_eq!(
            clip.index.frame_size(),
            SizePx {
                width: 320,
                height: 180
            }
        );
        assert_eq!(clip.seen(&clip.all()), expected, "{extension}");
    }
}

#[test]
fn a_file_that_breaks_off_is_remarked() {
    let h264 = "-c:v libx264 -preset fast -bf 2 -g 10";
    let cases = [
        ("mp4", format!("{h264} -movflags faststart")),
        ("mp4", format!("{h264} -movflags frag_keyframe+empty_moov")),
        ("mkv", h264.to_owned()),
        ("webm", "-c:v libvpx -g 10 -b:v 600k".to_owned()),
        ("flv", h264.to_owned()),
        ("avi", "-c:v mpeg4 -g 10 -q:v 3".to_owned()),
        ("avi", "-c:v mjpeg -q:v 3".to_owned()),
        ("ogv", "-c:v libtheora -g 10 -q:v 6".to_owned()),
    ];
    for (extension, args) in cases {
        let whole = clip(40, extension, &args);
        assert_eq!(Clip::new(&whole).index.remark(), None, "{extension}");
        let mut num_opened = 0;
        for part in 5..10 {
            let cut = changed_clip(&whole, &format!("cut at {part} tenths"), |bytes| {
                bytes.truncate(bytes.len() * part / 10 + 3);
                // A cut before a chunk of AVI is the hardest to see.
                let chunk = bytes.windows(4).rposition(|bytes| bytes == b"00dc");
                bytes.truncate(chunk.unwrap_or(bytes.len()));
            });
            let media = Media::Video(cut.clone());
            let Ok(index) = decode::index(&media, &Arc::new(Heartbeat::default())) else {
                continue;
            };
            num_opened += 1;
            assert!(
                index.remark().is_some(),
                "{extension} cut at {part} tenths: {}",
                cut.display()
            );
        }
        assert!(
            num_opened >= 3,
            "{extension}: only {num_opened} of 5 are opened"
        );
    }
}
