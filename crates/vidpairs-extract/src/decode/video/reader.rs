//! Reaching the wanted frames: from keyframe to keyframe, leaving out what nothing needs.

use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::discard::Discard;
use ffmpeg_next::{Packet, decoder, frame};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Frame, Orientation};

use super::super::DecodeError;
use super::convert::to_planes;
use super::index::{MAX_REORDER, Packets, VideoIndex};
use super::input::VideoInput;

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
    for mut run in runs(packets, wanted) {
        // The container called a packet a keyframe, and the decoder may need more than that: a gradual
        // refresh, say, or a wrong mark. Then start one keyframe earlier, then at the beginning.
        let keys = packets.keys().iter().map(|&key| key as usize);
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
                AtGap::GoOn
            };
            let lost = reader.decode_run(&mut run, at_gap, index, each)?;
            reader.is_beginning_futile |= start == 0 && attempt > 0 && lost > 0;
            if run.wanted.is_empty() || reader.is_broken_off {
                break;
            }
        }
        if reader.is_broken_off {
            break;
        }
    }
    Ok(reader.num_decoded)
}

/// What to do when a frame comes out and one that was wanted before it did not.
#[derive(Clone, Copy, PartialEq)]
enum AtGap {
    /// Hand out no later frame: frames come in presentation order, and it may come yet.
    Stop,
    /// It is lost.
    GoOn,
}

/// Frames that are decoded in one go.
struct Run {
    /// Stored place of the packet where decoding starts.
    start: usize,
    /// Stored place of the last packet needed.
    end: usize,
    /// Indices of the wanted frames that have not come out, ascending.
    wanted: VecDeque<u64>,
    /// Stored places of all that were wanted.
    places: HashSet<usize>,
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
        if packets.is_suspect(place, packets.damaged()) {
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
    /// Stored place of the packet that the container gives next, where known.
    next_place: Option<usize>,
    skips_non_reference: bool,
    num_decoded: u64,
    is_broken_off: bool,
    /// Stored places of the packets that the decoder refused in this run, ascending.
    refused: Vec<u32>,
    /// Whether decoding from the beginning was tried and did not bring back what was missing.
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
            is_broken_off: false,
            refused: Vec::new(),
            is_beginning_futile: false,
        })
    }

    /// Decodes `run` and hands its wanted frames to `each`; what is left in `run.wanted` did not come
    /// out. Returns how many were given up for lost.
    fn decode_run(
        &mut self,
        run: &mut Run,
        at_gap: AtGap,
        index: &VideoIndex,
        each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
    ) -> Result<u64, DecodeError> {
        // H.264 has no need of a keyframe, and its decoder shows nothing before it has recovered.
        let mut has_key = run.start == 0 || self.input.codec() == Id::H264;
        let (mut num_lost, mut place, mut is_flushed) = (0, run.start, false);
        let mut received = frame::Video::empty();
        self.refused.clear();
        while !run.wanted.is_empty() && !self.is_broken_off {
            if let Err(err) = self.decoder.receive_frame(&mut received) {
                if is_refusal(err) && place > run.start {
                    self.refused.push(place as u32 - 1);
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
            let shown_place = self.packets.shown()[shown as usize] as usize;
            let is_sound = has_key
                && !has_errors(&received)
                && !self.packets.is_suspect(shown_place, &self.refused);
            if !is_sound {
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
                let pts_seconds = index.pts_seconds(shown);
                let frame = make_frame(taken, shown, pts_seconds, index.orientation())?;
                self.is_broken_off = each(frame).is_break();
            }
        }
        self.decoder.flush();
        Ok(num_lost + run.wanted.len() as u64)
    }

    /// Sends the packet at `place` and moves on; at the end of the run, asks for what the decoder holds
    /// back and returns `false`. A damaged packet is left out: its frame will be missing.
    fn send_next(&mut self, place: &mut usize, run: &Run) -> Result<bool, DecodeError> {
        // Asked for what it holds back, the decoder of H.264 keeps for itself the frames that it decoded
        // before it put out the one at which it recovered. It gives them out as more packets come.
        let num_behind = if self.input.codec() == Id::H264 {
            MAX_REORDER
        } else {
            0
        };
        let end = (run.end + num_behind).min(self.packets.stored().len() - 1);
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
        // After a seek, some demuxers count time from elsewhere; the bytes say which packet this is.
        packet.set_pts(Some(self.packets.stored()[*place].pts));
        if !packet.is_corrupt() && self.decoder.send_packet(&packet).is_err_and(is_refusal) {
            self.refused.push(*place as u32);
        }
        *place += 1;
        Ok(true)
    }

    /// The packet at stored place `place`, wherever the container stands.
    fn packet_at(&mut self, place: usize) -> Result<Option<Packet>, DecodeError> {
        let entry = self.packets.stored()[place];
        if self.next_place == Some(place) {
            let packet = self.next_packet()?;
            if packet.as_ref().is_some_and(|packet| entry.is(packet)) {
                return Ok(packet);
            }
        } else if place > 0 {
            // Some containers seek by pts, some by dts, some only nearby: try, and look where we are.
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

    /// Reads on after a seek until the packet at `place` comes; `None` if the seek went too far.
    fn read_up_to(&mut self, place: usize) -> Result<Option<Packet>, DecodeError> {
        let wanted = self.packets.stored()[place];
        self.next_place = None;
        while let Some(packet) = self.input.next_packet()? {
            if packet.pts() == Some(wanted.pts) && wanted.is(&packet) {
                self.next_place = Some(place + 1);
                return Ok(Some(packet));
            }
            let passed = match (packet.dts(), wanted.dts()) {
                (Some(dts), Some(wanted)) => dts > wanted,
                _ => packet.is_key() && packet.pts() > Some(wanted.pts),
            };
            if passed {
                break;
            }
        }
        Ok(None)
    }

    /// The packet that the container gives next.
    fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        let packet = self.input.next_packet()?;
        self.next_place = self
            .next_place
            .filter(|_| packet.is_some())
            .map(|next| next + 1);
        Ok(packet)
    }
}

/// Whether the decoder could not make anything of a packet; else it only wants to be fed or emptied.
pub(super) fn is_refusal(err: ffmpeg_next::Error) -> bool {
    use ffmpeg_next::Error::{Eof, Other};
    use ffmpeg_next::error::EAGAIN;
    !matches!(err, Eof | Other { errno: EAGAIN })
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
