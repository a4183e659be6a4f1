//! Decodes a stream from its first frame on, counting the frames that the decoder shows. Used for streams whose packets do not
//! tell which frames are shown.

use std::collections::VecDeque;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::{Packet, frame, picture};
use vidpairs_types::SizePx;
use vidpairs_types::parallel::Heartbeat;

use super::decoder::{Decoder, is_marked};
use super::input::VideoInput;
use super::packets::{MAX_REORDER, is_discarded, span_of};
use crate::decode::error::DecodeError;

/// Receives a decoded frame and its index; stops the decoding by a break.
pub(super) type Deliver<'a> =
    dyn FnMut(frame::Video, u64) -> Result<ControlFlow<()>, DecodeError> + 'a;

/// A frame that the decoder shows.
pub(super) struct Counted {
    /// Presentation time, ticks.
    pub pts: Option<i64>,
    /// Whether neither the frame nor one that it may refer to is damaged.
    pub is_sound: bool,
}

/// Result of decoding a whole stream.
pub(super) struct Shown {
    /// In presentation order.
    pub frames: Vec<Counted>,
    /// Size of the first frame as stored.
    pub size: Option<SizePx>,
    pub ended: Ended,
}

/// What the container told until the decoding ended.
#[derive(Default)]
pub(super) struct Ended {
    /// Whether the container breaks off.
    pub is_truncated: bool,
    /// Number of packets before which the demuxer skipped damaged bytes.
    pub num_gaps: usize,
}

/// Counts the frames that the decoder shows.
pub(super) fn count(path: &Path, heartbeat: &Arc<Heartbeat>) -> Result<Shown, DecodeError> {
    let mut frames: Vec<Counted> = Vec::new();
    let (mut size, mut num_b_before) = (None, 0);
    let ended = for_each_shown(path, heartbeat, usize::MAX, &mut |received, is_sound| {
        size.get_or_insert_with(|| SizePx::from([received.width(), received.height()]));
        // The B-frames shown just before a frame may refer to it. Its mark arrives after them.
        if is_marked(&received) {
            let from = frames.len() - num_b_before;
            frames[from..]
                .iter_mut()
                .for_each(|frame| frame.is_sound = false);
        }
        let is_b = matches!(received.kind(), picture::Type::B | picture::Type::BI);
        num_b_before = if is_b { num_b_before + 1 } else { 0 };
        let pts = received.timestamp();
        frames.push(Counted { pts, is_sound });
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(Shown {
        frames,
        size,
        ended,
    })
}

/// Delivers the sound ones among the `wanted` frames, and those of `spans`. Returns the number of decoded frames.
pub(super) fn decode(
    path: &Path,
    counted: &[Counted],
    (wanted, spans): (&[u64], &[RangeInclusive<u64>]),
    heartbeat: &Arc<Heartbeat>,
    deliver: &mut Deliver<'_>,
) -> Result<u64, DecodeError> {
    let is_counted_sound = |index: &u64| {
        counted
            .get(*index as usize)
            .is_some_and(|frame| frame.is_sound)
    };
    let mut wanted = wanted.iter().copied().filter(is_counted_sound).peekable();
    let mut num_shown = 0;
    if wanted.peek().is_none() {
        return Ok(num_shown);
    }
    for_each_shown(path, heartbeat, usize::MAX, &mut |received, is_sound| {
        let index = num_shown;
        num_shown += 1;
        let is_asked = wanted.next_if_eq(&index).is_some()
            || span_of(spans, index).is_some() && is_counted_sound(&index);
        if is_asked && is_sound && deliver(received, index)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        Ok(match wanted.peek() {
            Some(_) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        })
    })?;
    Ok(num_shown)
}

/// Decodes up to `max_packets` from the first one on. Passes each shown frame to `each`, and whether it is sound, as far as
/// the frames before it tell.
pub(super) fn for_each_shown(
    path: &Path,
    heartbeat: &Arc<Heartbeat>,
    max_packets: usize,
    each: &mut dyn FnMut(frame::Video, bool) -> Result<ControlFlow<()>, DecodeError>,
) -> Result<Ended, DecodeError> {
    let mut ended = Ended::default();
    let mut input = VideoInput::open(path, heartbeat)?;
    let mut decoder = Decoder::open(&input)?;
    let mut trust = Trust::default();
    for _ in 0..max_packets {
        let packet = input.next_packet()?;
        match &packet {
            Some(packet) => {
                trust.note_packet(packet);
                decoder.send(packet);
            }
            None => decoder.send_eof(),
        }
        let mut has_doubt = packet.is_some() && input.has_gap();
        ended.num_gaps += usize::from(has_doubt);
        loop {
            let mut received = frame::Video::empty();
            let is_frame = decoder.receive(&mut received);
            has_doubt |= decoder.is_doubtful();
            if has_doubt {
                trust.note_damage();
            }
            if !is_frame {
                break;
            }
            heartbeat.beat();
            let is_sound = trust.judge(&received, decoder.waits_for_recovery());
            if !trust.has_key && !decoder.waits_for_recovery() {
                continue;
            }
            if each(received, is_sound)?.is_break() {
                return Ok(ended);
            }
        }
        if packet.is_none() {
            ended.is_truncated = input.is_truncated();
            break;
        }
    }
    Ok(ended)
}

/// Tells which frames of a linear decoding are sound. Damage spreads up to the next keyframe that was stored after it.
#[derive(Default)]
struct Trust {
    num_packets: u64,
    /// Numbers of the packets marked as keyframes whose frames did not come out yet.
    keys: VecDeque<u64>,
    last_key: u64,
    /// Number of the last damaged packet.
    damaged: Option<u64>,
    is_sound: bool,
    has_started: bool,
    /// Whether the stream starts with a keyframe, or one came out: before that, most decoders invent the references.
    has_key: bool,
}

impl Trust {
    fn note_packet(&mut self, packet: &Packet) {
        self.has_key |= self.num_packets == 0 && packet.is_key();
        self.num_packets += 1;
        if packet.is_key() && is_discarded(packet) {
            // An edit list removes the keyframe: it does not come out.
            self.is_sound = self.damaged.is_none();
            self.has_key = true;
        } else if packet.is_key() {
            self.keys.push_back(self.num_packets);
            self.last_key = self.num_packets;
        }
        // The frame of such a packet does not come out any more.
        let oldest = self.num_packets.saturating_sub(MAX_REORDER as u64);
        self.keys.retain(|&key| key >= oldest);
    }

    /// Notes that the last packet is damaged.
    fn note_damage(&mut self) {
        self.damaged = Some(self.num_packets);
        self.is_sound = false;
    }

    /// Whether the frame that came out is sound.
    fn judge(&mut self, received: &frame::Video, waits_for_recovery: bool) -> bool {
        let is_intra = received.is_key() || received.kind() == picture::Type::I;
        if received.is_key() || is_intra && !self.keys.is_empty() {
            let oldest = self.num_packets.saturating_sub(MAX_REORDER as u64);
            let key = self.keys.pop_front().unwrap_or(oldest);
            self.is_sound = self.damaged.is_none_or(|damaged| damaged < key);
            self.has_key = true;
        } else if waits_for_recovery && !self.has_started {
            // What was damaged before the decoder recovered is not shown.
            self.is_sound = self.damaged.is_none_or(|damaged| damaged < self.last_key);
        }
        self.has_started = true;
        if is_marked(received) {
            self.is_sound = false;
        }
        self.is_sound
    }
}
