//! Reaches wanted frames from keyframe to keyframe, skipping frames that nothing needs.

use std::collections::{HashSet, VecDeque};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::discard::Discard;
use ffmpeg_next::frame;
use vidpairs_types::parallel::Heartbeat;

use super::decoder::{Decoder, is_marked};
use super::linear::Deliver;
use super::packets::{MAX_REORDER, Packets, show_discarded, span_of};
use super::reader::PacketReader;
use super::verdict::{Candidate, Verdict};
use crate::decode::error::DecodeError;

/// Delivers the sound ones among the `wanted` frames, and those that come out on the way through `spans`. Returns the number of decoded
/// frames.
pub(super) fn decode(
    path: &Path,
    packets: &Packets,
    (wanted, spans): (&[u64], &[RangeInclusive<u64>]),
    heartbeat: &Arc<Heartbeat>,
    deliver: &mut Deliver<'_>,
) -> Result<u64, DecodeError> {
    let mut seeker = Seeker::open(path, packets, spans, heartbeat)?;
    let mut wanted: VecDeque<u64> = wanted.iter().copied().collect();
    while let Some(mut run) = seeker.next_run(&mut wanted) {
        seeker.decode_from_best_start(&mut run, deliver)?;
        if seeker.is_stopped {
            break;
        }
        // Frames after a damage may be reached from a later keyframe.
        run.wanted.append(&mut wanted);
        wanted = run.wanted;
    }
    Ok(seeker.num_decoded)
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

/// Result of decoding a run from one start.
struct Attempt {
    has_lost: bool,
    /// Place of the first damage that spreads to later frames.
    damage: Option<usize>,
    has_clean_start: bool,
}

struct Seeker<'a> {
    packets: &'a Packets,
    /// Spans that are decoded without a seek.
    spans: &'a [RangeInclusive<u64>],
    heartbeat: &'a Arc<Heartbeat>,
    reader: PacketReader<'a>,
    decoder: Decoder,
    codec: Id,
    skips_non_reference: bool,
    num_decoded: u64,
    /// Index of the last frame that was delivered.
    delivered_to: Option<u64>,
    /// Whether the receiver of frames stopped the decoding.
    is_stopped: bool,
    /// Places of damaged packets, ascending: those that the container marked, and those found so far.
    damaged: Vec<u32>,
    /// Whether decoding from the beginning was tried and missing frames stayed missing.
    is_beginning_futile: bool,
}

impl<'a> Seeker<'a> {
    fn open(
        path: &'a Path,
        packets: &'a Packets,
        spans: &'a [RangeInclusive<u64>],
        heartbeat: &'a Arc<Heartbeat>,
    ) -> Result<Self, DecodeError> {
        let reader = PacketReader::open(path, packets, heartbeat)?;
        let has_one_layer = packets.headers.has_one_layer();
        Ok(Self {
            packets,
            spans,
            heartbeat,
            decoder: Decoder::open(&reader.input)?,
            codec: reader.input.codec(),
            skips_non_reference: reader.input.can_skip_non_reference() && has_one_layer,
            reader,
            num_decoded: 0,
            delivered_to: None,
            is_stopped: false,
            damaged: packets.damaged.clone(),
            is_beginning_futile: false,
        })
    }

    /// Takes the frames of the next run off `wanted`: a frame whose start lies within the run joins it, and one in the same span as the
    /// frame before it. Leaves out frames that are damaged, or may refer to a damaged one.
    fn next_run(&self, wanted: &mut VecDeque<u64>) -> Option<Run> {
        let packets = self.packets;
        let mut run: Option<Run> = None;
        while let Some(&frame) = wanted.front() {
            let place = packets.place_of(frame).filter(|&place| {
                !packets.is_suspect(place, packets.start_for(place), &self.damaged)
            });
            if let Some(place) = place {
                let start = packets.start_for(place);
                let run = run.get_or_insert_with(|| Run {
                    start,
                    end: place,
                    wanted: VecDeque::new(),
                    places: HashSet::new(),
                });
                let before = run.wanted.back();
                let is_in_span = before.is_some_and(|&before| {
                    span_of(self.spans, before).is_some_and(|span| span.contains(&frame))
                });
                let is_apart = start > run.end && !is_in_span;
                if is_apart || packets.is_suspect(place, run.start, &self.damaged) {
                    break;
                }
                run.end = run.end.max(place);
                run.wanted.push_back(frame);
                run.places.insert(place);
            }
            wanted.pop_front();
        }
        run
    }

    /// Decodes `run`. Frames left in `run.wanted` are to be reached from a later keyframe.
    ///
    /// The packet marked as a keyframe may not suffice: the stream may use gradual refresh, or the mark may be wrong. Then decoding
    /// starts one keyframe earlier, then at the beginning.
    fn decode_from_best_start(
        &mut self,
        run: &mut Run,
        deliver: &mut Deliver<'_>,
    ) -> Result<(), DecodeError> {
        let marked_start = run.start;
        let keys = self.packets.keys.iter().map(|&key| key as usize);
        let mut starts: Vec<usize> = keys
            .rev()
            .find(|&key| key < marked_start)
            .into_iter()
            .collect();
        starts.push(0);
        starts.dedup();
        starts.retain(|&start| start < marked_start);
        starts.reverse();
        loop {
            // What was damaged between an earlier start and the frame would spread to it.
            let first = run
                .wanted
                .front()
                .and_then(|&frame| self.packets.place_of(frame));
            starts.retain(|&start| {
                let is_futile = start == 0 && self.is_beginning_futile;
                let is_suspect = |place| self.packets.is_suspect(place, start, &self.damaged);
                !is_futile && !first.is_some_and(is_suspect)
            });
            let at_gap = match starts.is_empty() {
                true => AtGap::Continue,
                false => AtGap::Stop,
            };
            let attempt = self.decode_run(run, at_gap, deliver)?;
            let is_earlier = run.start < marked_start;
            self.is_beginning_futile |= run.start == 0 && is_earlier && attempt.has_lost;
            if self.is_stopped || run.wanted.is_empty() {
                return Ok(());
            }
            match starts.pop() {
                Some(start) if !attempt.has_clean_start => run.start = start,
                _ => {
                    run.wanted.retain(|&frame| {
                        let place = self.packets.place_of(frame);
                        let start = place.map(|place| self.packets.start_for(place));
                        attempt.damage.is_some() && start > Some(marked_start)
                    });
                    if let Some(damage) = attempt.damage {
                        let is_before = |&place: &u32| (place as usize) < damage;
                        let at = self.damaged.partition_point(is_before);
                        self.damaged.insert(at, damage as u32);
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Decodes `run` up to the first damage and delivers its wanted frames; frames left in `run.wanted` did not come out.
    fn decode_run(
        &mut self,
        run: &mut Run,
        at_gap: AtGap,
        deliver: &mut Deliver<'_>,
    ) -> Result<Attempt, DecodeError> {
        if self.packets.headers.change_within_stream() {
            self.decoder = Decoder::open(&self.reader.input)?;
        }
        let mut verdict = Verdict::new(self.packets, run.start, self.decoder.waits_for_recovery());
        let (mut next, mut num_awaited, mut num_lost) = (run.start, run.wanted.len(), 0);
        let (mut is_drained, mut is_end) = (false, false);
        let mut received = frame::Video::empty();
        while !is_end {
            let is_frame = self.decoder.receive(&mut received);
            if self.decoder.is_doubtful() && next > run.start {
                verdict.doubt(next - 1);
            }
            if is_frame {
                self.heartbeat.beat();
                self.num_decoded += 1;
                let is_wanted = self.judge(run, next, &mut verdict, &mut received);
                num_awaited = num_awaited.saturating_sub(usize::from(is_wanted));
            } else if is_drained {
                is_end = true;
            } else {
                let has_all = num_awaited == 0 && verdict.is_holding();
                is_drained = has_all
                    || verdict.first_damage().is_some()
                    || !self.send_next(&mut next, run)?;
                if is_drained {
                    self.decoder.send_eof();
                }
            }
            let is_patient = at_gap == AtGap::Stop && !verdict.has_clean_start();
            while let Some(candidate) = verdict.next_sound(is_end) {
                let num_skipped = run
                    .wanted
                    .partition_point(|&wanted| wanted < candidate.index);
                if run.wanted.get(num_skipped) == Some(&candidate.index) {
                    if num_skipped > 0 && is_patient {
                        is_end = true;
                        break;
                    }
                    num_lost += num_skipped as u64;
                    run.wanted.drain(..=num_skipped);
                } else if num_skipped > 0 || self.delivered_to >= Some(candidate.index) {
                    // Came out twice, or no wanted frame before it has: nothing that is only watched takes the place of that.
                    continue;
                }
                self.delivered_to = Some(candidate.index);
                self.is_stopped = deliver(candidate.frame, candidate.index)?.is_break();
                if self.is_stopped {
                    break;
                }
            }
            is_end |= self.is_stopped || run.wanted.is_empty();
        }
        self.decoder.flush();
        Ok(Attempt {
            has_lost: num_lost > 0 || !run.wanted.is_empty(),
            damage: verdict.first_damage(),
            has_clean_start: verdict.has_clean_start(),
        })
    }

    /// Notes a frame that came out, and holds it if it is wanted or in a span. Returns whether it is wanted. `next` is the place after the
    /// packet sent last.
    fn judge(
        &self,
        run: &Run,
        next: usize,
        verdict: &mut Verdict<'_>,
        received: &mut frame::Video,
    ) -> bool {
        let pts = received.pts();
        let index = pts.and_then(|pts| self.packets.frame_at(pts));
        let place = match index {
            Some(index) => self.packets.place_of(index),
            // A frame that an edit list removes.
            None => (run.start..next)
                .rev()
                .take(2 * MAX_REORDER)
                .find(|&place| Some(self.packets.stored[place].pts) == pts),
        };
        let Some(place) = place else {
            return false;
        };
        verdict.note(place, received.is_key());
        if is_marked(received) {
            verdict.doubt(place);
        }
        let is_wanted = |index: &u64| run.wanted.binary_search(index).is_ok();
        let wanted = index.filter(is_wanted);
        let held = index.filter(|&index| is_wanted(&index) || span_of(self.spans, index).is_some());
        // The H.264 decoder may change frames that it holds back when it conceals damage in a later one.
        let is_disturbed = self.codec == Id::H264 && verdict.first_damage().is_some();
        if let Some(index) = held.filter(|_| !is_disturbed) {
            let frame = std::mem::replace(received, frame::Video::empty());
            verdict.hold(Candidate {
                frame,
                index,
                place,
            });
        }
        wanted.is_some()
    }

    /// Sends the packet at `next` and advances it. Returns `false` at the end of the run. A packet that the container marked as
    /// damaged is skipped: its frame will be missing.
    fn send_next(&mut self, next: &mut usize, run: &Run) -> Result<bool, DecodeError> {
        // When flushed, the H.264 decoder keeps frames that it decoded before it showed the one at which it recovered. It shows
        // them when it gets more packets.
        let num_behind = match self.codec {
            Id::H264 => MAX_REORDER,
            _ => 0,
        };
        let place = *next;
        if place > (run.end + num_behind).min(self.packets.stored.len() - 1) {
            return Ok(false);
        }
        let Some(mut packet) = self.reader.packet_at(place)? else {
            return Ok(false);
        };
        if self.skips_non_reference {
            let is_wanted = run.places.contains(&place);
            self.decoder.skip(match is_wanted {
                true => Discard::Default,
                false => Discard::NonReference,
            });
        }
        // After a seek, some demuxers count time from another origin; the bytes identify the packet.
        packet.set_pts(Some(self.packets.stored[place].pts));
        show_discarded(&mut packet);
        if place == run.start {
            self.packets.headers.complete(place, &mut packet);
        }
        if !packet.is_corrupt() {
            self.decoder.send(&packet);
        }
        *next += 1;
        Ok(true)
    }
}
