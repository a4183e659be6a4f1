//! What only decoding the head of a stream can tell.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::frame;
use vidpairs_types::parallel::Heartbeat;

use super::super::DecodeError;
use super::index::Packets;
use super::input::VideoInput;

/// Packets decoded at the head of a stream, at most, to see which of its first frames are shown.
const MAX_HEAD: usize = 512;

/// Frames decoded at the head of a stream to see whether they come in the order of their pts.
const NUM_ORDERED: usize = 48;

/// Whether the frames of a stream come out of the decoder in the order of their packets' pts.
///
/// A decoder that holds frames back (`delay` of them) though every packet is shown as stored either
/// has no need to, or the container passes off dts as pts, as AVI files made into others do. Then the
/// first frames are decoded, and their order is looked at.
pub(super) fn is_in_order(
    path: &Path,
    packets: &Packets,
    delay: usize,
    heartbeat: &Arc<Heartbeat>,
) -> Result<bool, DecodeError> {
    if delay == 0 || !packets.is_shown_as_stored() {
        return Ok(true);
    }
    let mut seen = Vec::new();
    for_each_pts(path, MAX_HEAD, heartbeat, &mut |pts| {
        seen.push(pts);
        seen.len() >= NUM_ORDERED
    })?;
    Ok(seen.is_sorted())
}

/// Drops from the shown frames those at the head of the stream that no decoder can make: a stream
/// cut in the middle may start with frames that refer to what was cut away.
pub(super) fn without_lost(
    path: &Path,
    mut packets: Packets,
    heartbeat: &Arc<Heartbeat>,
) -> Result<Packets, DecodeError> {
    let Some(first_key) = packets.keys().first().map(|&key| key as usize) else {
        return Ok(packets);
    };
    let key_pts = packets.stored()[first_key].pts;
    let first_shown = packets
        .shown()
        .first()
        .map(|&place| packets.stored()[place as usize].pts);
    if first_key == 0 && first_shown.is_none_or(|pts| pts >= key_pts) {
        return Ok(packets);
    }
    let mut seen = BTreeSet::new();
    for_each_pts(path, first_key + MAX_HEAD, heartbeat, &mut |pts| {
        seen.insert(pts);
        pts > key_pts
    })?;
    let last = seen.last().copied().unwrap_or(i64::MIN);
    packets.retain_shown(|pts| pts > last || seen.contains(&pts));
    Ok(packets)
}

/// Decodes up to `max_packets` from the first, and hands over the pts of each frame that is shown
/// until `is_enough` says so.
fn for_each_pts(
    path: &Path,
    max_packets: usize,
    heartbeat: &Arc<Heartbeat>,
    is_enough: &mut dyn FnMut(i64) -> bool,
) -> Result<(), DecodeError> {
    let mut input = VideoInput::open(path, heartbeat)?;
    let mut decoder = input.decoder()?;
    let mut received = frame::Video::empty();
    for _ in 0..max_packets {
        let packet = input.next_packet()?;
        // A damaged packet is skipped, as FFmpeg's own programs do.
        match &packet {
            Some(packet) => drop(decoder.send_packet(packet)),
            None => drop(decoder.send_eof()),
        }
        while decoder.receive_frame(&mut received).is_ok() {
            if received.pts().is_some_and(&mut *is_enough) {
                return Ok(());
            }
        }
        if packet.is_none() {
            break;
        }
    }
    Ok(())
}
