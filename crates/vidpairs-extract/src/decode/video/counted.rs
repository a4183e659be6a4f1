//! Streams whose packets don't tell what is shown: frames are counted as the decoder shows them.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::frame;
use vidpairs_types::Frame;
use vidpairs_types::parallel::Heartbeat;

use super::super::DecodeError;
use super::index::VideoIndex;
use super::input::VideoInput;
use super::reader::{has_errors, is_refusal, make_frame};

/// The pts of every frame that the decoder shows, from the first to the last.
pub(super) fn count(
    path: &Path,
    heartbeat: &Arc<Heartbeat>,
) -> Result<Vec<Option<i64>>, DecodeError> {
    let mut pts = Vec::new();
    for_each_shown(path, heartbeat, &mut |received, _| {
        pts.push(received.timestamp());
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(pts)
}

/// See [`crate::decode::decode_wanted`].
pub(super) fn decode(
    path: &Path,
    index: &VideoIndex,
    wanted: &[u64],
    heartbeat: &Arc<Heartbeat>,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<u64, DecodeError> {
    let (mut num_shown, mut wanted) = (0, wanted.iter().copied().peekable());
    for_each_shown(path, heartbeat, &mut |received, is_sound| {
        let shown = num_shown;
        num_shown += 1;
        if wanted.next_if_eq(&shown).is_some() && is_sound {
            let pts_seconds = index.pts_seconds(shown);
            let frame = make_frame(received, shown, pts_seconds, index.orientation())?;
            if each(frame).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let all_seen = wanted.peek().is_none();
        Ok(if all_seen {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })?;
    Ok(num_shown)
}

/// Hands over each frame that the decoder shows, and whether it is sound.
fn for_each_shown(
    path: &Path,
    heartbeat: &Arc<Heartbeat>,
    each: &mut dyn FnMut(frame::Video, bool) -> Result<ControlFlow<()>, DecodeError>,
) -> Result<(), DecodeError> {
    let mut input = VideoInput::open(path, heartbeat)?;
    let mut decoder = input.decoder()?;
    // What follows a damaged packet may refer to it, up to the next keyframe. What comes before the
    // first frame harms none.
    let (mut is_suspect, mut has_started) = (false, false);
    loop {
        let packet = input.next_packet()?;
        let sent = match &packet {
            Some(packet) => decoder.send_packet(packet),
            None => decoder.send_eof(),
        };
        let is_corrupt = packet.as_ref().is_some_and(|packet| packet.is_corrupt());
        is_suspect |= is_corrupt || has_started && sent.is_err_and(is_refusal);
        let mut received = frame::Video::empty();
        loop {
            if let Err(err) = decoder.receive_frame(&mut received) {
                is_suspect |= has_started && is_refusal(err);
                break;
            }
            heartbeat.beat();
            has_started = true;
            let taken = std::mem::replace(&mut received, frame::Video::empty());
            is_suspect &= !taken.is_key() || is_corrupt;
            let is_sound = !is_suspect && !has_errors(&taken);
            if each(taken, is_sound)?.is_break() {
                return Ok(());
            }
        }
        if packet.is_none() {
            return Ok(());
        }
    }
}
