//! Decodes a stream from its first frame on, counting the frames that the decoder shows. Used for streams whose packets do not
//! tell which frames are shown.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::frame;
use vidpairs_types::parallel::Heartbeat;

use super::input::{VideoInput, has_errors, is_refusal};
use crate::decode::error::DecodeError;

/// Receives a decoded frame and its index; stops the decoding by a break.
pub(super) type Deliver<'a> =
    dyn FnMut(frame::Video, u64) -> Result<ControlFlow<()>, DecodeError> + 'a;

/// The pts of every frame that the decoder shows, in presentation order.
pub(super) fn count(
    path: &Path,
    heartbeat: &Arc<Heartbeat>,
) -> Result<Vec<Option<i64>>, DecodeError> {
    let mut pts = Vec::new();
    for_each_shown(path, heartbeat, usize::MAX, &mut |received, _| {
        pts.push(received.timestamp());
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(pts)
}

/// Delivers the intact ones among the `wanted` frames. Returns the number of decoded frames.
pub(super) fn decode(
    path: &Path,
    wanted: &[u64],
    heartbeat: &Arc<Heartbeat>,
    deliver: &mut Deliver<'_>,
) -> Result<u64, DecodeError> {
    let (mut num_shown, mut wanted) = (0, wanted.iter().copied().peekable());
    for_each_shown(path, heartbeat, usize::MAX, &mut |received, is_intact| {
        let index = num_shown;
        num_shown += 1;
        if wanted.next_if_eq(&index).is_some() && is_intact && deliver(received, index)?.is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        Ok(match wanted.peek() {
            Some(_) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        })
    })?;
    Ok(num_shown)
}

/// Decodes up to `max_packets` from the first one on. Passes each shown frame to `each`, and whether it is intact.
pub(super) fn for_each_shown(
    path: &Path,
    heartbeat: &Arc<Heartbeat>,
    max_packets: usize,
    each: &mut dyn FnMut(frame::Video, bool) -> Result<ControlFlow<()>, DecodeError>,
) -> Result<(), DecodeError> {
    let mut input = VideoInput::open(path, heartbeat)?;
    let mut decoder = input.decoder()?;
    // Frames after a damaged packet may refer to it, up to the next keyframe. Packets before the first shown frame do no harm.
    let (mut is_suspect, mut has_started) = (false, false);
    for _ in 0..max_packets {
        let packet = input.next_packet()?;
        let sent = match &packet {
            Some(packet) => decoder.send_packet(packet),
            None => decoder.send_eof(),
        };
        let is_corrupt = packet.as_ref().is_some_and(|packet| packet.is_corrupt());
        is_suspect |= is_corrupt || has_started && sent.is_err_and(is_refusal);
        loop {
            let mut received = frame::Video::empty();
            if let Err(err) = decoder.receive_frame(&mut received) {
                is_suspect |= has_started && is_refusal(err);
                break;
            }
            heartbeat.beat();
            has_started = true;
            is_suspect &= !received.is_key() || is_corrupt;
            let is_intact = !is_suspect && !has_errors(&received);
            if each(received, is_intact)?.is_break() {
                return Ok(());
            }
        }
        if packet.is_none() {
            break;
        }
    }
    Ok(())
}
