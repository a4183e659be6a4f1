//! Reads videos written by `codec::video` with `decode` and with the `ffprobe` program.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use vidpairs_extract::codec::video::{KEYFRAME_INTERVAL, VideoEncoder, VideoOptions, VideoWriter};
use vidpairs_extract::crop::crop;
use vidpairs_extract::decode;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, RgbImage, SizePx};

const NUM_FRAMES: u64 = 2 * KEYFRAME_INTERVAL as u64 + 4;
const FPS: u32 = 25;

/// Least PSNR, dB. A smooth picture at crf 18 has more than 40; a wrong colour matrix or range gives less than 30.
const MIN_PSNR: f64 = 35.0;

#[test]
fn every_frame_is_read_back_with_its_index_time_and_colours() {
    decode::set_ffmpeg_log(false);
    // One size on either side of the height limit between BT.601 and BT.709.
    for size in [[160, 90], [128, 720]].map(SizePx::from) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mp4");
        write(&path, size);
        let media = Media::Video(path.clone());
        let heartbeat = Arc::new(Heartbeat::default());
        let index = decode::index(&media, &heartbeat).unwrap();
        assert_eq!(index.num_frames(), NUM_FRAMES);
        let wanted: Vec<u64> = (0..NUM_FRAMES).collect();
        let mut num_seen = 0;
        decode::decode_wanted(&media, &index, &wanted, &heartbeat, &mut |frame| {
            assert_eq!(frame.index, num_seen);
            let pts = frame.pts_seconds.unwrap();
            let expected = num_seen as f64 / f64::from(FPS);
            assert!((pts - expected).abs() < 1e-9, "frame {num_seen} at {pts} s");
            assert_eq!(frame.planes.size(), size);
            let seen = crop(&frame.planes, None, size.short_side()).unwrap();
            let psnr = psnr(&image(size, num_seen), &seen);
            assert!(psnr > MIN_PSNR, "frame {num_seen} of {size}: {psnr} dB");
            num_seen += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(num_seen, NUM_FRAMES);
        check_with_ffprobe(&path, size);
    }
}

/// Checks the stream as other programs see it: H.264 with B-frames, several keyframes, marked colours.
fn check_with_ffprobe(path: &Path, size: SizePx) {
    let stream = "stream=width,height,pix_fmt,r_frame_rate,nb_read_frames,color_range,color_space";
    let stream = ffprobe(path, &["-count_frames", "-show_entries", stream]);
    let (SizePx { width, height }, matrix) = (
        size,
        if size.height > 576 {
            "bt709"
        } else {
            "smpte170m"
        },
    );
    assert_eq!(
        stream.trim(),
        format!("{width},{height},yuv420p,tv,{matrix},{FPS}/1,{NUM_FRAMES}")
    );
    let kinds = ffprobe(path, &["-show_entries", "frame=pict_type"]);
    let count = |kind: &str| kinds.lines().filter(|line| line.starts_with(kind)).count();
    assert!(count("I") >= 3 && count("B") >= 8, "{kinds}");
    assert!(!ffprobe(path, &["-show_entries", "format_tags"]).contains("creation_time"));
}

fn ffprobe(path: &Path, args: &[&str]) -> String {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-select_streams", "v", "-of", "csv=p=0"]);
    let output = command.args(args).arg(path).output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn write(path: &Path, size: SizePx) {
    let options = VideoOptions {
        size,
        fps: FPS,
        crf: 18,
    };
    let mut writer = VideoWriter::create(path, options).unwrap();
    assert_eq!(writer.encoder(), VideoEncoder::X264);
    for number in 0..NUM_FRAMES {
        writer.push(&image(size, number)).unwrap();
    }
    writer.finish().unwrap();
}

/// Moving gradients of saturated colours: smooth, so that subsampled chroma loses next to nothing.
fn image(size: SizePx, number: u64) -> RgbImage {
    let SizePx { width, height } = size;
    let wave = |at: f64| (127.5 + 110.0 * at.sin()) as u8;
    let pixel = |x: u32, y: u32| {
        let (x, y) = (
            f64::from(x) / f64::from(width),
            f64::from(y) / f64::from(height),
        );
        let turn = number as f64 / 40.0;
        [
            wave(4.0 * x + turn),
            wave(5.0 * y - turn),
            wave(3.0 * (x + y) + 2.0),
        ]
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    RgbImage {
        size,
        pixels: places.flat_map(|(x, y)| pixel(x, y)).collect(),
    }
}

fn psnr(expected: &RgbImage, seen: &RgbImage) -> f64 {
    assert_eq!(expected.size, seen.size);
    let squares = expected.pixels.iter().zip(&seen.pixels);
    let squares = squares.map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean = squares.sum::<f64>() / expected.pixels.len() as f64;
    10.0 * (255.0 * 255.0 / mean).log10()
}
