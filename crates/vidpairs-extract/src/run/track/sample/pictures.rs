//! Small pictures of some frames.

use std::ops::ControlFlow;
use std::sync::Arc;

use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, Planes, with_causes};

use super::SampledFrame;
use crate::codec::{self, Codec};
use crate::crop::Cropper;
use crate::decode;

/// Shorter side, px: eight beside each other fill a page.
const SHORT_SIDE_PX: u32 = 160;
const QUALITY: u8 = 80;

/// The pictures of `frames` (ascending), which are counted from frame `first_frame` of the media.
pub(super) fn read(
    media: &Media,
    first_frame: u64,
    frames: &[usize],
    heartbeat: &Arc<Heartbeat>,
) -> Vec<SampledFrame> {
    let wanted: Vec<u64> = frames.iter().map(|&it| first_frame + it as u64).collect();
    let mut cropper = Cropper::default();
    let mut found = Vec::new();
    let decoded = decode::index(media, heartbeat).and_then(|index| {
        decode::decode_wanted(media, &index, &wanted, heartbeat, &mut |frame| {
            found.push((frame.index, small(&mut cropper, &frame.planes)));
            ControlFlow::Continue(())
        })
    });
    let why = decoded
        .err()
        .map_or("the frame cannot be decoded".to_owned(), |err| {
            with_causes(&err)
        });
    let of_frame = |(&frame, index): (&usize, &u64)| {
        let place = found.iter().position(|(it, _)| it == index);
        SampledFrame {
            frame,
            jpeg: place.map_or_else(|| Err(why.clone()), |place| found.swap_remove(place).1),
        }
    };
    frames.iter().zip(&wanted).map(of_frame).collect()
}

fn small(cropper: &mut Cropper, planes: &Planes) -> Result<Vec<u8>, String> {
    let image = cropper
        .crop(planes, None, SHORT_SIDE_PX)
        .map_err(|err| with_causes(&err))?;
    codec::encode(&image, Codec::Jpeg { quality: QUALITY }).map_err(|err| with_causes(&err))
}
