//! Reaching the wanted frames: from keyframe to keyframe, leaving out what nothing needs.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::discard::Discard;
use ffmpeg_next::{Packet, decoder, frame};

use super::super::DecodeError;
use super::convert::to_planes;
use super::index::{Packets, VideoIndex};
use super::input::VideoInput;
use crate::parallel::Heartbeat;
use crate::types::{Frame, Orientation};

/// Packets decoded at the head of a stream, at most, to see which of its first frames are shown.
const MAX_HEAD: usize = 512;

/// See [`crate::decode::decode_wanted`].
pub(super) fn decode(
    path: &Path,
    index: &VideoIndex,
    packets: &Packets,
    wanted: &[u64],
    heartbeat: &Arc<Heartbeat>,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<u64, DecodeError> {
    let mut reader = Reader::open(path, packets, heartbeat)?;
    for run in runs(packets, wanted) {
        let mut missing = reader.decode_run(&run, index, each)?;
        // The container called a packet a keyframe, and the decoder needed more than that: a gradual
        // refresh, say. Start from one keyframe earlier, then from the beginning.
        let earlier = packets
            .keys()
            .iter()
            .map(|&key| key as usize)
            .rfind(|&key| key < run.start);
        for start in [earlier, Some(0)].into_iter().flatten() {
            if missing.is_empty() || reader.is_broken_off || start >= run.start {
                break;
            }
            let again = Run {
                start,
                wanted: missing,
                ..run
            };
            missing = reader.decode_run(&again, index, each)?;
        }
        if reader.is_broken_off {
            break;
        }
    }
    Ok(reader.num_decoded)
}

/// Drops from the shown frames those at the head of the stream that no decoder can make: a stream
/// cut in the middle may start with frames that refer to what was cut away.
pub(super) fn without_lost_head(
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
    let mut input = VideoInput::open(path, heartbeat)?;
    let mut decoder = input.decoder()?;
    let mut seen = BTreeSet::new();
    let mut received = frame::Video::empty();
    let mut at_end = false;
    for _ in 0..first_key + MAX_HEAD {
        match input.next_packet()? {
            Some(packet) => {
                let _ = decoder.send_packet(&packet);
            }
            None => {
                at_end = true;
                let _ = decoder.send_eof();
            }
        }
        while decoder.receive_frame(&mut received).is_ok() {
            seen.extend(received.pts());
        }
        if at_end || seen.last().is_some_and(|&last| last > key_pts) {
            break;
        }
    }
    let last = seen.last().copied().unwrap_or(i64::MIN);
    packets.retain_shown(|pts| pts > last || seen.contains(&pts));
    Ok(packets)
}

/// Frames that are decoded in one go.
struct Run {
    /// Stored place of the packet where decoding starts.
    start: usize,
    /// Stored place of the last packet needed.
    end: usize,
    /// Stored place of each wanted frame, and the frame's index; in presentation order.
    wanted: Vec<(usize, u64)>,
}

/// Cuts the wanted frames into runs: a frame whose start lies within the run before it joins that run.
fn runs(packets: &Packets, wanted: &[u64]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &frame in wanted {
        let place = usize::try_from(frame)
            .ok()
            .and_then(|frame| packets.shown().get(frame));
        let Some(&place) = place else { continue };
        let place = place as usize;
        let start = packets.start_for(place);
        match runs.last_mut() {
            Some(run) if start <= run.end => {
                run.end = run.end.max(place);
                run.wanted.push((place, frame));
            }
            _ => runs.push(Run {
                start,
                end: place,
                wanted: vec![(place, frame)],
            }),
        }
    }
    runs
}

struct Reader<'a> {
    path: &'a Path,
    packets: &'a Packets,
    heartbeat: &'a Arc<Heartbeat>,
    input: VideoInput,
    decoder: decoder::Video,
    /// Stored place of the packet that the container gives next, where known.
    next_place: Option<usize>,
    skips_non_reference: bool,
    num_decoded: u64,
    is_broken_off: bool,
}

impl<'a> Reader<'a> {
    fn open(
        path: &'a Path,
        packets: &'a Packets,
        heartbeat: &'a Arc<Heartbeat>,
    ) -> Result<Self, DecodeError> {
        let input = VideoInput::open(path, heartbeat)?;
        let decoder = input.decoder()?;
        // Codecs for which leaving out a frame that nothing refers to leaves all others as they are.
        let skips_non_reference = matches!(
            input.codec(),
            Id::H264 | Id::HEVC | Id::MPEG1VIDEO | Id::MPEG2VIDEO | Id::MPEG4
        );
        Ok(Self {
            path,
            packets,
            heartbeat,
            input,
            decoder,
            next_place: Some(0),
            skips_non_reference,
            num_decoded: 0,
            is_broken_off: false,
        })
    }

    /// Decodes `run` and hands its wanted frames to `each`. Returns those that did not come out.
    fn decode_run(
        &mut self,
        run: &Run,
        index: &VideoIndex,
        each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
    ) -> Result<Vec<(usize, u64)>, DecodeError> {
        let mut missing: Vec<(usize, u64)> = run.wanted.clone();
        let mut next = self.packet_at(run.start)?;
        for place in run.start..=run.end {
            let Some(packet) = next.take() else { break };
            let is_wanted = run.wanted.iter().any(|&(wanted, _)| wanted == place);
            self.send(&packet, is_wanted);
            self.receive(&mut missing, index, each)?;
            if self.is_broken_off {
                return Ok(missing);
            }
            if place < run.end {
                next = self.following_packet()?;
            }
        }
        let _ = self.decoder.send_eof(); // gives up what the decoder holds back
        self.receive(&mut missing, index, each)?;
        self.decoder.flush();
        Ok(missing)
    }

    /// A damaged packet is skipped, as FFmpeg's own programs do: its frame will be missing.
    fn send(&mut self, packet: &Packet, is_wanted: bool) {
        if self.skips_non_reference {
            let skip = if is_wanted {
                Discard::Default
            } else {
                Discard::NonReference
            };
            self.decoder.skip_frame(skip);
        }
        let _ = self.decoder.send_packet(packet);
    }

    fn receive(
        &mut self,
        missing: &mut Vec<(usize, u64)>,
        index: &VideoIndex,
        each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
    ) -> Result<(), DecodeError> {
        let mut received = frame::Video::empty();
        while !self.is_broken_off && self.decoder.receive_frame(&mut received).is_ok() {
            self.heartbeat.beat();
            self.num_decoded += 1;
            let place = received.pts().and_then(|pts| self.packets.place_at(pts));
            let at = missing
                .iter()
                .position(|&(wanted, _)| Some(wanted) == place);
            let (Some(at), false) = (at, has_errors(&received)) else {
                continue;
            };
            let (_, frame) = missing.remove(at);
            let taken = std::mem::replace(&mut received, frame::Video::empty());
            let frame = make_frame(taken, frame, index.pts_seconds(frame), index.orientation())?;
            self.is_broken_off = each(frame).is_break();
        }
        Ok(())
    }

    /// The packet at stored place `start`, wherever the container stands.
    fn packet_at(&mut self, start: usize) -> Result<Option<Packet>, DecodeError> {
        if self.next_place == Some(start) {
            return self.following_packet();
        }
        let entry = self.packets.stored()[start];
        // Some containers seek by pts, some by dts, some only nearby: try, and look where we are.
        for timestamp in [Some(entry.pts), entry.dts].into_iter().flatten() {
            if start > 0 && self.input.seek_back_to(timestamp) {
                if let Some(packet) = self.read_up_to(start)? {
                    return Ok(Some(packet));
                }
            }
        }
        self.input = VideoInput::open(self.path, self.heartbeat)?;
        self.next_place = Some(0);
        let mut packet = self.following_packet()?;
        while packet.is_some() && self.next_place.is_some_and(|next| next <= start) {
            packet = self.following_packet()?;
        }
        Ok(packet)
    }

    /// Reads on after a seek until the packet at place `start` comes; `None` if the seek went too far.
    fn read_up_to(&mut self, start: usize) -> Result<Option<Packet>, DecodeError> {
        let wanted = self.packets.stored()[start];
        while let Some(packet) = self.input.next_packet()? {
            let is_wanted = packet.pts() == Some(wanted.pts) && packet.dts() == wanted.dts;
            if is_wanted && packet.is_key() {
                self.next_place = Some(start + 1);
                return Ok(Some(packet));
            }
            let place = packet.pts().and_then(|pts| self.packets.place_at(pts));
            if place.is_some_and(|place| place > start) {
                break;
            }
        }
        self.next_place = None;
        Ok(None)
    }

    /// The packet that the container gives next, of those that are in the index.
    fn following_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        loop {
            let packet = self.input.next_packet()?;
            let Some(packet) = packet else {
                return Ok(None);
            };
            if packet.size() > 0 && !packet.is_corrupt() {
                self.next_place = self.next_place.map(|place| place + 1);
                return Ok(Some(packet));
            }
        }
    }
}

/// Whether the decoder says that it made up a part of the frame.
pub(super) fn has_errors(received: &frame::Video) -> bool {
    received.is_corrupt() || received.has_decode_errors()
}

/// A decoder's frame as ours.
pub(super) fn make_frame(
    decoded: frame::Video,
    index: u64,
    pts_seconds: Option<f64>,
    orientation: Orientation,
) -> Result<Frame, DecodeError> {
    Ok(Frame {
        index,
        pts_seconds,
        planes: to_planes(decoded, orientation)?,
    })
}
