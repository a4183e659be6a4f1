//! Tests damaged and unusual media: they are refused with a reason, or decoded as far as they are intact. No panic,
//! no hang, no frame with the index of another frame.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vidpairs_extract::crop::crop;
use vidpairs_extract::decode::{self, DecodeError};
use vidpairs_fixtures::{
    NumberedClip, changed_clip, has_encoder, numbered_clip, read_number, remade_clip,
};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, SizePx};

/// Index of a decoded frame, and the number in its picture.
pub type Numbered = (u64, Option<u64>);

/// Frames decoded from damaged media.
#[derive(Debug)]
pub struct Outcome {
    pub num_frames: u64,
    pub frames: Vec<Numbered>,
}

/// Indexes and decodes all frames, then one near the end by seeking.
pub(super) fn decode_all(media: &Media) -> Result<Outcome, DecodeError> {
    let heartbeat = Arc::new(Heartbeat::default());
    let started = Instant::now();
    let index = decode::index(media, &heartbeat)?;
    let num_frames = index.num_frames();
    assert!(num_frames < 100_000, "{num_frames} frames");
    let mut frames = Vec::new();
    let all: Vec<u64> = (0..num_frames).collect();
    for wanted in [&all[..], &all[all.len() * 3 / 4..][..1]] {
        let mut each = |frame: vidpairs_types::Frame| {
            assert!(frame.index < num_frames);
            let number = crop(&frame.planes, None, 128).ok();
            frames.push((frame.index, number.as_ref().and_then(read_number)));
            ControlFlow::Continue(())
        };
        let before = decode::decode_wanted(media, &index, wanted, &heartbeat, &mut each);
        before?;
    }
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "took {:?}",
        started.elapsed()
    );
    Ok(Outcome { num_frames, frames })
}

pub fn decode_video(path: &Path) -> Result<Outcome, DecodeError> {
    decode_all(&Media::Video(path.to_owned()))
}

pub fn refusal(path: &Path) -> String {
    match decode_video(path) {
        Err(err) => err.to_string(),
        Ok(outcome) => panic!("accepted: {outcome:?}"),
    }
}

pub fn small_clip(extension: &str, args: &str) -> PathBuf {
    numbered_clip(NumberedClip {
        num_frames: 40,
        size: SizePx {
            width: 160,
            height: 96,
        },
        args,
        extension,
        ..NumberedClip::default()
    })
}

pub const H264: &str = "-c:v libx264 -preset fast -bf 2 -g 10";

fn truncatable_clips() -> Vec<PathBuf> {
    vec![
        small_clip("mp4", &format!("{H264} -movflags faststart")),
        small_clip("mp4", &format!("{H264} -movflags frag_keyframe+empty_moov")),
        small_clip("mkv", H264),
        small_clip("ts", H264),
        small_clip("flv", H264),
        small_clip("avi", "-c:v mpeg4 -g 10 -q:v 3"),
        small_clip("avi", "-c:v mpeg4 -bf 2 -g 10 -q:v 3"),
        small_clip("mpg", "-c:v mpeg2video -bf 2 -g 10 -q:v 3"),
        small_clip("webm", "-c:v libvpx -g 10 -b:v 600k"),
        small_clip(
            "mkv",
            "-c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=10:bframes=2",
        ),
    ]
}

#[test]
fn an_empty_file_is_refused_as_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.mp4");
    fs::write(&path, b"").unwrap();
    assert_eq!(refusal(&path), "the file is empty (0 bytes)");
}

#[test]
fn text_noise_and_a_folder_with_the_name_of_a_video_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.mp4");
    fs::write(&path, "This is no video.\n".repeat(1000)).unwrap();
    assert_eq!(
        refusal(&path),
        "no video, but a text; download the video again"
    );
    let mut noise = vec![0; 100_000];
    ChaCha8Rng::seed_from_u64(7).fill(&mut noise[..]);
    fs::write(&path, noise).unwrap();
    refusal(&path);
    let path = folder.path().join("x.mp4");
    fs::create_dir(&path).unwrap();
    refusal(&path);
    let missing = refusal(&folder.path().join("missing.mp4"));
    assert_eq!(missing, "cannot read the file");
}

#[test]
fn audio_without_video_is_refused_with_and_without_a_cover() {
    let clip = small_clip("mp4", H264);
    let audio = "-f lavfi -i sine=d=1";
    let cover =
        "-map 0:a -map 1:v -c:a libmp3lame -c:v mjpeg -frames:v 1 -disposition:v attached_pic";
    for args in ["-map 0:a -c:a libmp3lame", cover] {
        let mp3 = refusal(&remade_clip(&clip, audio, args, "mp3"));
        assert!(mp3.starts_with("FFmpeg takes the file for mp3,"), "{mp3}");
    }
    let m4a = remade_clip(&clip, audio, "-map 0:a -c:a aac", "mp4");
    assert_eq!(refusal(&m4a), "no video stream among 1 streams");
    let m4a = remade_clip(&clip, audio, &cover.replace("libmp3lame", "aac"), "mp4");
    assert_eq!(refusal(&m4a), "no video stream among 2 streams");
}

#[test]
fn a_truncated_clip_gives_only_frames_that_show_their_index() {
    for clip in truncatable_clips() {
        let bytes = fs::read(&clip).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(clip.file_name().unwrap());
        let knows_its_end = clip.extension().is_some_and(|extension| extension == "mp4");
        let (mut wrong, mut num_right) = (Vec::new(), 0);
        for part in 1..24 {
            let length = bytes.len() * part / 24 + part;
            fs::write(&path, &bytes[..length.min(bytes.len())]).unwrap();
            let Ok(outcome) = decode_video(&path) else {
                continue;
            };
            for (index, number) in outcome.frames {
                // A container without a packet table may end anywhere. If the packets of two B
                // frames are lost, the reference shown after them takes their place.
                let num_skipped = number.map(|number| number.wrapping_sub(index));
                let may_skip = !knows_its_end && index + 3 >= outcome.num_frames;
                match num_skipped {
                    Some(0) => num_right += 1,
                    Some(1..=2) if may_skip => {}
                    _ => wrong.push(format!("cut to {length}: frame {index} shows {number:?}")),
                }
            }
        }
        assert!(wrong.is_empty(), "{}: {wrong:#?}", clip.display());
        assert!(
            num_right > 200,
            "{}: only {num_right} frames",
            clip.display()
        );
    }
}

#[test]
fn flipped_bits_give_frames_or_a_refusal() {
    for clip in truncatable_clips() {
        let intact = fs::read(&clip).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(clip.file_name().unwrap());
        for seed in 0..12 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut bytes = intact.clone();
            for _ in 0..1 << (seed % 6) {
                // Every other flip hits the head, where the container describes itself.
                let end = if rng.random() { bytes.len() } else { 2000 };
                let at = rng.random_range(0..end);
                bytes[at] ^= 1 << rng.random_range(0..8);
            }
            fs::write(&path, bytes).unwrap();
            let _ = decode_video(&path);
        }
    }
}

#[test]
fn bytes_lost_in_the_middle_of_a_stream_keep_the_frames_in_order() {
    for (extension, unit) in [("ts", 188), ("mkv", 1), ("mpg", 2048)] {
        let args = if extension == "mpg" {
            "-c:v mpeg2video -bf 2 -g 10 -q:v 3"
        } else {
            H264
        };
        let clip = small_clip(extension, args);
        let intact = fs::read(&clip).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(clip.file_name().unwrap());
        let mut num_numbered = 0;
        for seed in 0..8 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let at = rng.random_range(intact.len() / 4..intact.len() * 3 / 4) / unit * unit;
            let mut bytes = intact.clone();
            drop(bytes.drain(at..at + unit.max(64)));
            fs::write(&path, bytes).unwrap();
            let Ok(outcome) = decode_video(&path) else {
                continue;
            };
            // A lost packet shifts the frames after it; they must stay in order.
            let (mut last, mut is_shifted) = ((0, 0), false);
            for &(index, number) in outcome.frames.iter().filter(|(_, number)| number.is_some()) {
                let number = number.unwrap();
                num_numbered += 1;
                is_shifted |= number != index;
                assert!(
                    (index..index + 20).contains(&number),
                    "{extension}, seed {seed}: {index} shows {number}"
                );
                if index >= last.0 {
                    assert!(
                        number >= last.1,
                        "{extension}, seed {seed}: {:?}",
                        outcome.frames
                    );
                    last = (index, number);
                }
            }
            let media = Media::Video(path.clone());
            let index = decode::index(&media, &Arc::new(Heartbeat::default())).unwrap();
            // A program stream does not number its packets: nothing tells that one is lost.
            assert!(
                !is_shifted || index.remark().is_some() || extension == "mpg",
                "{extension}, seed {seed}: shifted without a remark"
            );
        }
        assert!(
            num_numbered > 8 * 20,
            "{extension}: only {num_numbered} frames of 8 clips"
        );
    }
}

#[test]
fn a_wrong_duration_in_the_header_changes_no_frame() {
    let clip = small_clip("mp4", H264);
    for duration in [0, 1, u32::MAX] {
        let name = format!("durations {duration}");
        let changed = changed_clip(&clip, &name, |bytes| {
            for (kind, place) in [(b"mvhd", 16), (b"mdhd", 16), (b"tkhd", 20)] {
                let at = bytes.windows(4).position(|found| found == kind).unwrap() + 4;
                bytes[at + place..at + place + 4].copy_from_slice(&duration.to_be_bytes());
            }
        });
        let outcome = decode_video(&changed).unwrap();
        assert_eq!(outcome.num_frames, 40, "duration {duration}");
        assert!(
            outcome
                .frames
                .iter()
                .all(|&(index, number)| number == Some(index))
        );
    }
}

#[test]
fn a_wrong_number_of_samples_in_the_header_adds_no_frame() {
    let clip = small_clip("mp4", H264);
    for kind in [b"stts", b"stsz"] {
        let name = format!("{} of more", String::from_utf8_lossy(kind));
        let changed = changed_clip(&clip, &name, |bytes| {
            let at = bytes.windows(4).position(|found| found == kind).unwrap() + 12;
            bytes[at..at + 4].copy_from_slice(&90u32.to_be_bytes());
        });
        let Ok(outcome) = decode_video(&changed) else {
            continue;
        };
        for (index, number) in outcome.frames {
            assert!(
                number.is_none_or(|number| number == index),
                "{index} shows {number:?}"
            );
        }
    }
}

#[test]
fn an_avi_that_marks_every_frame_as_a_keyframe_is_decoded_from_real_keyframes() {
    let clip = small_clip("avi", "-c:v mpeg4 -g 10 -q:v 3");
    let changed = changed_clip(&clip, "keyframes all", |bytes| {
        let index = bytes
            .windows(4)
            .rposition(|found| found == b"idx1")
            .unwrap()
            + 8;
        for entry in (index..bytes.len() - 15).step_by(16) {
            bytes[entry + 4] |= 0x10;
        }
    });
    let media = Media::Video(changed.clone());
    let heartbeat = Arc::new(Heartbeat::default());
    let index = decode::index(&media, &heartbeat).unwrap();
    for wanted in [vec![7], vec![19, 33], vec![38]] {
        let mut seen = Vec::new();
        decode::decode_wanted(&media, &index, &wanted, &heartbeat, &mut |frame| {
            let image = crop(&frame.planes, None, 128).unwrap();
            seen.push((frame.index, read_number(&image)));
            ControlFlow::Continue(())
        })
        .unwrap();
        let expected: Vec<Numbered> = wanted.iter().map(|&frame| (frame, Some(frame))).collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn joined_transport_streams_keep_the_order_of_their_frames() {
    let first = small_clip("ts", H264);
    let second = remade_clip(&first, "", "-c copy -output_ts_offset 0.015", "ts");
    let second = fs::read(second).unwrap();
    let joined = changed_clip(&first, "and once more", |bytes| bytes.extend(second));
    let outcome = decode_video(&joined).unwrap();
    assert_eq!(outcome.num_frames, 80);
    for (index, number) in &outcome.frames {
        assert_eq!(*number, Some(index % 40), "frame {index}");
    }
    // The join looks like a damaged packet, and other frames may depend on its frame.
    assert!(outcome.frames.len() > 72, "{}", outcome.frames.len());
}

#[test]
fn frames_too_large_and_too_small_are_refused_by_their_size() {
    let clip = small_clip("mp4", H264);
    let wide = "-frames:v 1 -vf scale=100000:10 -pix_fmt gray";
    for (args, extension) in [("-c:v rawvideo", "nut"), ("-c:v ffv1", "mkv")] {
        let path = remade_clip(&clip, "", &format!("{wide} {args}"), extension);
        let text = refusal(&path);
        let names_size = text.contains("100000 x 10 px") || text.contains("no frame");
        assert!(names_size, "{extension}: {text}");
    }
    let tiny = remade_clip(&clip, "", "-vf scale=14:64 -c:v ffv1", "mkv");
    assert!(
        refusal(&tiny).starts_with("frames of 14 x 64 px;"),
        "{}",
        refusal(&tiny)
    );
}

/// File names and bytes of JPEGs of the numbered frames.
pub(super) fn jpegs(count: usize) -> Vec<(String, Vec<u8>)> {
    let clip = small_clip("avi", "-c:v mjpeg -q:v 3");
    let folder = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(clip)
        .args(["-c", "copy", "-start_number", "0"])
        .arg(folder.path().join("%06d.jpg"))
        .status();
    assert!(status.unwrap().success());
    (0..count)
        .map(|number| {
            let name = format!("{number:06}.jpg");
            let bytes = fs::read(folder.path().join(&name)).unwrap();
            (name, bytes)
        })
        .collect()
}

pub(super) fn folder_of(jpegs: &[(String, Vec<u8>)]) -> (tempfile::TempDir, Media) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in jpegs {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let path = folder.path().to_owned();
    let media = Media::JpegFolder {
        path,
        fps: None,
        first_number: None,
    };
    (folder, media)
}

pub(super) fn zip_of(jpegs: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in jpegs {
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        archive.start_file(name.as_str(), stored).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub(super) fn decode_zip(bytes: &[u8]) -> Result<Outcome, DecodeError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.zip");
    fs::write(&path, bytes).unwrap();
    decode_all(&Media::JpegZip {
        path,
        fps: Some(25.0),
        first_number: None,
    })
}

#[test]
fn frames_of_a_folder_with_gaps_keep_their_numbers() {
    let mut jpegs = jpegs(20);
    jpegs.retain(|(name, _)| !["000003.jpg", "000010.jpg", "000011.jpg"].contains(&name.as_str()));
    jpegs[5].1.truncate(300);
    let (_folder, media) = folder_of(&jpegs);
    let outcome = decode_all(&media).unwrap();
    let expected: Vec<Numbered> = (0..20)
        .filter(|index| ![3, 6, 10, 11].contains(index))
        .chain([15])
        .map(|index| (index, Some(index)))
        .collect();
    assert_eq!((outcome.num_frames, outcome.frames), (20, expected));
}

#[test]
fn a_damaged_member_of_a_zip_is_one_missing_frame() {
    let jpegs = jpegs(12);
    let mut bytes = zip_of(&jpegs);
    let member = &jpegs[4].1;
    let at = bytes
        .windows(member.len())
        .position(|found| found == member)
        .unwrap();
    for byte in &mut bytes[at + 700..at + 720] {
        *byte ^= 0x55;
    }
    let outcome = decode_zip(&bytes).unwrap();
    let expected: Vec<Numbered> = (0..12)
        .filter(|&index| index != 4)
        .chain([9])
        .map(|index| (index, Some(index)))
        .collect();
    assert_eq!((outcome.num_frames, outcome.frames), (12, expected));
}

#[test]
fn a_truncated_or_damaged_zip_is_refused_or_gives_intact_frames() {
    let whole = zip_of(&jpegs(12));
    for part in 0..20 {
        let cut = &whole[..whole.len() * part / 20];
        assert!(decode_zip(cut).is_err(), "cut to {part} twentieths");
    }
    for seed in 0..100 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = whole.clone();
        let tail = bytes.len() - 1000; // where the directory lies
        let start = if seed % 2 == 0 { tail } else { 0 };
        let at = rng.random_range(start..bytes.len());
        bytes[at] ^= 1 << rng.random_range(0..8);
        let Ok(outcome) = decode_zip(&bytes) else {
            continue;
        };
        for (_, number) in outcome.frames {
            assert!(number.is_some(), "seed {seed}: a damaged picture");
        }
    }
}

#[test]
fn a_jpeg_with_a_side_above_the_limit_is_skipped() {
    let clip = small_clip("mp4", H264);
    let long = remade_clip(
        &clip,
        "",
        "-frames:v 1 -vf scale=100:65000 -c:v mjpeg -f image2",
        "jpg",
    );
    let long = fs::read(long).unwrap();
    let (_folder, media) = folder_of(&[("000000.jpg".to_owned(), long.clone())]);
    let err = decode_all(&media).unwrap_err();
    let cause = std::error::Error::source(&err).map(ToString::to_string);
    let text = format!("{err}: {cause:?}");
    assert!(text.contains("100 x 65000 px"), "{text}");
    let mut jpegs = jpegs(3);
    jpegs[1].1 = long;
    let (_folder, media) = folder_of(&jpegs);
    let frames = decode_all(&media).unwrap().frames;
    assert_eq!(frames, [(0, Some(0)), (2, Some(2)), (2, Some(2))]);
}

#[test]
fn the_encoders_of_these_tests_are_installed() {
    for encoder in [
        "libx264",
        "libx265",
        "libvpx",
        "mpeg4",
        "mpeg2video",
        "libmp3lame",
    ] {
        assert!(has_encoder(encoder));
    }
}
