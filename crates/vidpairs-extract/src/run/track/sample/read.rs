//! Reads back result files, and decodes small pictures of some frames.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use vidpairs_run::{RunError, failed};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{BoxXywh, Media, Planes, read_regular, with_causes};

use super::SampledFrame;
use crate::codec::{self, Codec};
use crate::crop::Cropper;
use crate::decode;

/// Largest result file, bytes: of a million frames.
const MAX_BYTES: u64 = 64 << 20;
/// Short side of a picture, px: eight beside each other fill a page.
const SHORT_SIDE_PX: u32 = 160;
/// JPEG quality of a picture.
const QUALITY: u8 = 80;

/// Reads boxes: a line `x,y,w,h` per frame.
pub(super) fn read_boxes(path: &Path) -> Result<Vec<BoxXywh>, RunError> {
    read_lines(path, |line| {
        let numbers = line.split(',').map(|number| number.trim().parse());
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().ok()?;
        Some(<[f64; 4]>::try_from(numbers).ok()?.into())
    })
}

/// Reads a column: a number or `nan` per frame.
pub(super) fn read_column(path: &Path) -> Result<Vec<Option<f64>>, RunError> {
    read_lines(path, |line| {
        let number: f64 = line.trim().parse().ok()?;
        Some(Some(number).filter(|number| number.is_finite()))
    })
}

fn read_lines<T>(path: &Path, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, RunError> {
    let text = read_regular(path, MAX_BYTES).map_err(failed("read", path))?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().zip(1..).map(|(line, number)| {
        parse(line).ok_or_else(|| {
            let damage = format!("line {number} is damaged: {line:?}");
            failed("read", path)(io::Error::other(damage))
        })
    });
    lines.collect()
}

/// Decodes pictures of `frames` (ascending), which count from frame `first_frame` of the media.
pub(super) fn read_pictures(
    media: &Media,
    first_frame: u64,
    frames: &[usize],
    heartbeat: &Arc<Heartbeat>,
) -> Vec<SampledFrame> {
    let in_media = |frame: usize| first_frame + frame as u64;
    let wanted: Vec<u64> = frames.iter().map(|&frame| in_media(frame)).collect();
    let mut cropper = Cropper::default();
    let mut decoded = Vec::new();
    let result = decode::index(media, heartbeat).and_then(|index| {
        decode::decode_wanted(media, &index, &wanted, heartbeat, &mut |frame| {
            decoded.push((frame.index, small_jpeg(&mut cropper, &frame.planes)));
            ControlFlow::Continue(())
        })
    });
    let reason = match result {
        Err(err) => with_causes(&err),
        Ok(_) => "the frame cannot be decoded".to_owned(),
    };
    let picture = |&frame: &usize| {
        let place = decoded
            .iter()
            .position(|(index, _)| *index == in_media(frame));
        SampledFrame {
            frame,
            jpeg: match place {
                Some(place) => decoded.swap_remove(place).1,
                None => Err(reason.clone()),
            },
        }
    };
    frames.iter().map(picture).collect()
}

fn small_jpeg(cropper: &mut Cropper, planes: &Planes) -> Result<Vec<u8>, String> {
    let image = cropper
        .crop(planes, None, SHORT_SIDE_PX)
        .map_err(|err| with_causes(&err))?;
    codec::encode(&image, Codec::Jpeg { quality: QUALITY }).map_err(|err| with_causes(&err))
}
