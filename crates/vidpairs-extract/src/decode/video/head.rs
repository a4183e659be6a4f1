//! Decodes the head of a stream, to learn what its packets do not tell.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use vidpairs_types::parallel::Heartbeat;

use super::linear::for_each_shown;
use super::packets::Packets;
use crate::decode::error::DecodeError;

/// Most packets decoded to see which of the first frames are shown.
const MAX_HEAD: usize = 512;

/// Frames decoded to see whether they come in the order of their pts.
const NUM_ORDERED: usize = 48;

/// Whether the decoder shows frames in the order of their packets' pts.
///
/// A decoder may hold frames back (`delay` of them) although every packet is shown in stored order. Then either the delay is
/// unnecessary, or the container states dts as pts, as AVI files converted to other containers do. The order of the first decoded
/// frames decides.
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

/// Removes the shown frames at the head of the stream that cannot be decoded: a stream
/// cut in the middle may start with frames that refer to removed ones.
pub(super) fn without_lost(
    path: &Path,
    mut packets: Packets,
    heartbeat: &Arc<Heartbeat>,
) -> Result<Packets, DecodeError> {
    let Some(first_key) = packets.keys.first().map(|&key| key as usize) else {
        return Ok(packets);
    };
    let key_pts = packets.stored[first_key].pts;
    if first_key == 0 && packets.pts_of(0).is_none_or(|pts| pts >= key_pts) {
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

/// Decodes up to `max_packets` from the first one on, and passes the pts of each shown frame to `is_enough` until it returns
/// true. Damaged packets are skipped, as in FFmpeg's own programs.
fn for_each_pts(
    path: &Path,
    max_packets: usize,
    heartbeat: &Arc<Heartbeat>,
    is_enough: &mut dyn FnMut(i64) -> bool,
) -> Result<(), DecodeError> {
    for_each_shown(path, heartbeat, max_packets, &mut |received, _| {
        Ok(match received.pts().is_some_and(&mut *is_enough) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    })?;
    Ok(())
}
