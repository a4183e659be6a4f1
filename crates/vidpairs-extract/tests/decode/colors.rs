//! Compares the colours of decoded frames with those of the `ffmpeg` program: every matrix is converted as zimg does, or refused.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use vidpairs_extract::crop::crop;
use vidpairs_extract::decode::{self, DecodeError};
use vidpairs_fixtures::{NumberedClip, changed_clip, numbered_clip, remade_clip};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, RgbImage, SizePx};

const SIZE: SizePx = SizePx {
    width: 160,
    height: 96,
};

/// A clip of saturated colours in every hue and brightness, encoded with `args`.
fn rainbow(args: &str, extension: &str) -> PathBuf {
    let any = numbered_clip(NumberedClip {
        num_frames: 2,
        size: SIZE,
        args: "-c:v ffv1",
        extension: "mkv",
        ..NumberedClip::default()
    });
    let colors = "-f lavfi -i nullsrc=s=160x96:r=30:d=0.1,format=gbrp,geq=\
                  r='mod(X*5,256)':g='mod(Y*3+N*40,256)':b='255*lt(mod(X+Y,80),40)'";
    remade_clip(&any, colors, &format!("-map 0:v {args}"), extension)
}

/// The first frame as decoded by vidpairs.
fn first_frame(path: &Path) -> Result<RgbImage, DecodeError> {
    let (media, heartbeat) = (
        Media::Video(path.to_owned()),
        Arc::new(Heartbeat::default()),
    );
    let index = decode::index(&media, &heartbeat)?;
    let mut image = None;
    decode::decode_wanted(&media, &index, &[0], &heartbeat, &mut |frame| {
        image = crop(&frame.planes, None, 10_000).ok();
        ControlFlow::Break(())
    })?;
    Ok(image.expect("the clip is intact"))
}

/// The first frame as decoded by `ffmpeg` with the filters `filters`.
fn expected(path: &Path, filters: &str) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "fatal", "-nostdin", "-i"])
        .arg(path)
        .args(["-frames:v", "1", "-vf", filters, "-f", "rawvideo"])
        .args(["-pix_fmt", "rgb24", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// Asserts that no sample differs by more than `tolerance`.
#[track_caller]
fn assert_colors(path: &Path, filters: &str, tolerance: u8) {
    let (ours, theirs) = (first_frame(path).unwrap().pixels, expected(path, filters));
    assert_eq!(ours.len(), theirs.len());
    let differences = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b));
    let worst = differences.max().unwrap();
    assert!(worst <= tolerance, "{}: off by {worst}", path.display());
}

fn mean_difference(ours: &[u8], theirs: &[u8]) -> f64 {
    let differences = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b));
    differences.map(f64::from).sum::<f64>() / ours.len() as f64
}

#[test]
fn every_matrix_of_weights_and_ycgco_give_the_colours_that_zimg_gives() {
    for (matrix, primaries) in [
        (1, 1),
        (4, 1),
        (5, 1),
        (6, 1),
        (7, 1),
        (8, 1),
        (9, 9),
        (12, 1),
        (12, 9),
    ] {
        for (range, name) in [("tv", "limited"), ("pc", "full")] {
            let args = format!(
                "-vf zscale=m={matrix}:p={primaries}:pin={primaries}:r={name},format=yuv444p -c:v ffv1 \
                 -colorspace {matrix} -color_primaries {primaries} -color_range {range}"
            );
            let clip = rainbow(&args, "mkv");
            let to_rgb = format!(
                "zscale=min={matrix}:pin={primaries}:p={primaries}:rin={name}:m=gbr:r=full,format=gbrp"
            );
            // Both round to 8 bits once; the coefficients have 13 bits here.
            assert_colors(&clip, &to_rgb, 2);
        }
    }
}

#[test]
fn ycgco_stated_by_h264_in_every_subsampling_is_converted() {
    for format in ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"] {
        let args = format!(
            "-vf zscale=m=8:r=limited,format={format} -c:v libx264 -qp 0 -colorspace ycgco"
        );
        let clip = rainbow(&args, "mp4");
        let ours = first_frame(&clip).unwrap().pixels;
        let theirs = expected(&clip, "zscale=m=gbr:r=full,format=gbrp");
        let apart = mean_difference(&ours, &theirs);
        // Another filter scales chroma, so edges differ where it is subsampled. As BT.601, the clip is off by 80.
        let limit = if format == "yuv444p" { 0.6 } else { 12.0 };
        assert!(apart < limit, "{format}: off by {apart} on average");
    }
}

#[test]
fn a_matrix_that_is_not_converted_is_refused_by_its_name_and_number() {
    for (matrix, name) in [
        (0, "gbr"),
        (3, "reserved"),
        (10, "bt2020c"),
        (11, "smpte2085"),
        (12, "chroma-derived-nc"),
        (13, "chroma-derived-c"),
        (14, "ictcp"),
        (200, "unknown"),
    ] {
        for (encoder, extension) in [("ffv1", "mkv"), ("mpeg2video", "mpg")] {
            let format = if encoder == "ffv1" {
                "yuv444p"
            } else {
                "yuv420p"
            };
            if encoder == "ffv1" && [3, 200].contains(&matrix) {
                continue; // FFmpeg does not write or read them in Matroska
            }
            let clip = rainbow(
                &format!("-vf format={format} -c:v {encoder} -colorspace {matrix}"),
                extension,
            );
            let text = match first_frame(&clip) {
                Err(err) => err.to_string(),
                Ok(_) => panic!("{encoder} with matrix {matrix} is accepted"),
            };
            let expected =
                format!("colours by the matrix {name} ({matrix}) in the pixel format {format}");
            assert!(text.starts_with(&expected), "{text}");
        }
    }
}

#[test]
fn gray_and_rgb_pictures_need_no_matrix() {
    for (format, matrix) in [
        ("gray", 10),
        ("gbrp", 10),
        ("gbrp", 0),
        ("bgr0", 2),
        ("gray16le", 14),
    ] {
        let clip = rainbow(
            &format!("-vf format={format} -c:v ffv1 -colorspace {matrix} -color_range pc"),
            "mkv",
        );
        let gray = first_frame(&clip).unwrap().pixels;
        let theirs = expected(&clip, "null");
        let apart = gray.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(apart <= Some(1), "{format}: off by {apart:?}");
    }
}

#[test]
fn a_format_that_implies_full_range_keeps_its_range_when_it_is_copied_to_another() {
    let stored = rainbow("-c:v mjpeg -q:v 2 -pix_fmt yuvj422p", "avi");
    // Chroma sampled 2 x 1 instead of 1 x 2: 4:4:0, which a rotated 4:2:2 picture has.
    let turned = changed_clip(&stored, "440", |bytes| {
        let heads = bytes.windows(2).enumerate();
        let heads = heads.filter(|(_, marker)| *marker == [0xff, 0xc0]);
        let places: Vec<usize> = heads.map(|(at, _)| at).collect();
        for place in places.iter().flat_map(|at| [at + 14, at + 17]) {
            assert_eq!(bytes[place], 0x12);
            bytes[place] = 0x21;
        }
    });
    let (ours, theirs) = (
        first_frame(&turned).unwrap().pixels,
        expected(&turned, "null"),
    );
    let extremes = |pixels: &[u8]| (pixels.iter().min().copied(), pixels.iter().max().copied());
    assert_eq!(extremes(&ours), extremes(&theirs));
    let apart = mean_difference(&ours, &theirs);
    // Another filter scales chroma, so edges differ.
    assert!(apart < 12.0, "off by {apart} on average");
}

#[test]
fn xyz_pictures_are_converted_to_rgb_whatever_their_size() {
    for height in [96, 600] {
        let clip = rainbow(
            &format!("-vf scale=160:{height} -c:v rawvideo -pix_fmt xyz12le"),
            "nut",
        );
        assert_colors(&clip, "format=gbrp", 2);
    }
}
