//! Reaches wanted frames from keyframe to keyframe, skipping frames that nothing needs.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::discard::Discard;
use ffmpeg_next::{Packet, decoder, frame};
use vidpairs_types::parallel::Heartbeat;

use super::input::{VideoInput, has_errors, is_refusal};
use super::linear::Deliver;
use super::packets::{MAX_REORDER, Packets};
use crate::decode::error::DecodeError;

/// Delivers the intact ones among the `wanted` frames. Returns the number of decoded frames.
pub(super) fn decode(
    path: &Path,
    packets: &Packets,
    wanted: &[u64],
    heartbeat: &Arc<Heartbeat>,
    deliver: &mut Deliver<'_>,
) -> Result<u64, DecodeError> {
    let mut reader = Reader::open(path, packets, heartbeat)?;
    'runs: for mut run in runs(packets, wanted) {
        // The packet marked as a keyframe may not suffice: the stream may use gradual refresh, or the mark may be wrong. Then
        // decoding starts one keyframe earlier, then at the beginning.
        let keys = packets.keys.iter().map(|&key| key as usize);
        let earlier = keys.rev().find(|&key| key < run.start);
        let mut starts = vec![run.start];
        starts.extend(earlier);
        if starts.last() != Some(&0) && !reader.is_beginning_futile {
            starts.push(0);
        }
        let num_starts = starts.len();
        for (attempt, start) in starts.into_iter().enumerate() {
            run.start = start;
            let at_gap = if attempt + 1 < num_starts {
                AtGap::Stop
            } else {
                AtGap::Continue
            };
            let num_lost = reader.decode_run(&mut run, at_gap, deliver)?;
            reader.is_beginning_futile |= start == 0 && attempt > 0 && num_lost > 0;
            if reader.is_stopped {
                break 'runs;
            }
            if run.wanted.is_empty() {
                break;
            }
        }
    }
    Ok(reader.num_decoded)
}

/// Reaction to a frame that comes out before an earlier wanted one.
#[derive(Clone, Copy, PartialEq)]
enum AtGap {
    /// Deliver no later frame: another start may give the missing one, and frames are delivered in presentation order.
    Stop,
    /// The missing frame is lost.
    Continue,
}

/// Frames decoded without a seek between them.
struct Run {
    /// Place of the packet where decoding starts.
    start: usize,
    /// Place of the last packet needed.
    end: usize,
    /// Wanted frames not delivered yet, ascending.
    wanted: VecDeque<u64>,
    /// Places of all wanted frames.
    places: HashSet<usize>,
}

/// Groups the wanted frames into runs: a frame whose start lies within the previous run joins it. Leaves out suspect frames.
fn runs(packets: &Packets, wanted: &[u64]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &frame in wanted {
        let Some(place) = packets.place_of(frame) else {
            continue;
        };
        if packets.is_suspect(place, &packets.damaged) {
            continue;
        }
        let start = packets.start_for(place);
        match runs.last_mut() {
            Some(run) if start <= run.end => {
                run.end = run.end.max(place);
                run.wanted.push_back(frame);
                run.places.insert(place);
            }
            _ => runs.push(Run {
                start,
                end: place,
                wanted: VecDeque::from([frame]),
                places: HashSet::from([place]),
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
    /// Place of the packet that the container gives next, if known.
    next_place: Option<usize>,
    skips_non_reference: bool,
    num_decoded: u64,
    /// Whether the receiver of frames stopped the decoding.
    is_stopped: bool,
    /// Places of the packets that the decoder rejected in this run, ascending.
    rejected: Vec<u32>,
    /// Whether decoding from the beginning was tried and missing frames stayed missing.
    is_beginning_futile: bool,
}

impl<'a> Reader<'a> {
    fn open(
        path: &'a Path,
        packets: &'a Packets,
        heartbeat: &'a Arc<Heartbeat>,
    ) -> Result<Self, DecodeError> {
        let input = VideoInput::open(path, heartbeat)?;
        let decoder = input.decoder()?;
        let skips_non_reference = input.can_skip_non_reference();
        Ok(Self {
            path,
            packets,
            heartbeat,
            input,
            decoder,
            next_place: Some(0),
            skips_non_reference,
            num_decoded: 0,
            is_stopped: false,
            rejected: Vec::new(),
            is_beginning_futile: false,
        })
    }

    /// Decodes `run` and delivers its wanted frames; frames left in `run.wanted` did not come
    /// out. Returns the number of lost frames.
    fn decode_run(
        &mut self,
        run: &mut Run,
        at_gap: AtGap,
        deliver: &mut Deliver<'_>,
    ) -> Result<u64, DecodeError> {
        // H.264 can start without a keyframe: its decoder shows nothing before it has recovered.
        let mut has_key = run.start == 0 || self.input.codec() == Id::H264;
        let (mut num_lost, mut place, mut is_flushed) = (0, run.start, false);
        let mut received = frame::Video::empty();
        self.rejected.clear();
        while !run.wanted.is_empty() && !self.is_stopped {
            if let Err(err) = self.decoder.receive_frame(&mut received) {
                if is_refusal(err) && place > run.start {
                    self.rejected.push(place as u32 - 1);
                }
                if is_flushed {
                    break;
                }
                is_flushed = !self.send_next(&mut place, run)?;
                continue;
            }
            self.heartbeat.beat();
            self.num_decoded += 1;
            has_key |= received.is_key();
            let shown = received.pts().and_then(|pts| self.packets.frame_at(pts));
            let Some(shown) = shown else { continue };
            let is_suspect = self
                .packets
                .place_of(shown)
                .is_none_or(|place| self.packets.is_suspect(place, &self.rejected));
            if !has_key || has_errors(&received) || is_suspect {
                continue;
            }
            while run.wanted.front().is_some_and(|&next| next < shown) {
                if at_gap == AtGap::Stop {
                    self.decoder.flush();
                    return Ok(num_lost);
                }
                num_lost += 1;
                run.wanted.pop_front();
            }
            if run.wanted.front() == Some(&shown) {
                run.wanted.pop_front();
                let taken = std::mem::replace(&mut received, frame::Video::empty());
                self.is_stopped = deliver(taken, shown)?.is_break();
            }
        }
        self.decoder.flush();
        Ok(num_lost + run.wanted.len() as u64)
    }

    /// Sends the packet at `place` and advances it. At the end of the run, asks the decoder for the frames that it holds
    /// back and returns `false`. A damaged packet is skipped: its frame will be missing.
    fn send_next(&mut self, place: &mut usize, run: &Run) -> Result<bool, DecodeError> {
        // When flushed, the H.264 decoder keeps frames that it decoded before it showed the one at which it recovered. It shows
        // them when it gets more packets.
        let num_behind = if self.input.codec() == Id::H264 {
            MAX_REORDER
        } else {
            0
        };
        let end = (run.end + num_behind).min(self.packets.stored.len() - 1);
        let packet = if *place <= end {
            self.packet_at(*place)?
        } else {
            None
        };
        let Some(mut packet) = packet else {
            let _ = self.decoder.send_eof();
            return Ok(false);
        };
        if self.skips_non_reference {
            let is_wanted = run.places.contains(place);
            let skip = if is_wanted {
                Discard::Default
            } else {
                Discard::NonReference
            };
            self.decoder.skip_frame(skip);
        }
        // After a seek, some demuxers count time from another origin; the bytes identify the packet.
        packet.set_pts(Some(self.packets.stored[*place].pts));
        if !packet.is_corrupt() && self.decoder.send_packet(&packet).is_err_and(is_refusal) {
            self.rejected.push(*place as u32);
        }
        *place += 1;
        Ok(true)
    }

    /// Reads the packet at `place`, from any position of the container.
    fn packet_at(&mut self, place: usize) -> Result<Option<Packet>, DecodeError> {
        let entry = self.packets.stored[place];
        if self.next_place == Some(place) {
            let packet = self.next_packet()?;
            if packet.as_ref().is_some_and(|packet| entry.is(packet)) {
                return Ok(packet);
            }
        } else if place > 0 {
            // Some containers seek by pts, some by dts, some only nearby: the next packet tells where the seek ended.
            for timestamp in [Some(entry.pts), entry.dts()].into_iter().flatten() {
                let packet = match self.input.seek_back_to(timestamp) {
                    true => self.read_up_to(place)?,
                    false => None,
                };
                if packet.is_some() {
                    return Ok(packet);
                }
            }
        }
        self.input = VideoInput::open(self.path, self.heartbeat)?;
        self.next_place = Some(0);
        let mut packet = self.next_packet()?;
        while packet.is_some() && self.next_place.is_some_and(|next| next <= place) {
            packet = self.next_packet()?;
        }
        match packet {
            Some(packet) if !entry.is(&packet) => Err(DecodeError::ForeignIndex),
            packet => Ok(packet),
        }
    }

    /// Reads on after a seek until the packet at `place`; `None` if the seek went past it.
    fn read_up_to(&mut self, place: usize) -> Result<Option<Packet>, DecodeError> {
        let wanted = self.packets.stored[place];
        self.next_place = None;
        while let Some(packet) = self.input.next_packet()? {
            if packet.pts() == Some(wanted.pts) && wanted.is(&packet) {
                self.next_place = Some(place + 1);
                return Ok(Some(packet));
            }
            let is_past = match (packet.dts(), wanted.dts()) {
                (Some(dts), Some(wanted)) => dts > wanted,
                _ => packet.is_key() && packet.pts() > Some(wanted.pts),
            };
            if is_past {
                break;
            }
        }
        Ok(None)
    }

    /// Reads the packet at the current position of the container.
    fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        let packet = self.input.next_packet()?;
        self.next_place = self
            .next_place
            .filter(|_| packet.is_some())
            .map(|next| next + 1);
        Ok(packet)
    }
}
