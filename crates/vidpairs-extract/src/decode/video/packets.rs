//! Reads the packets of a video stream: which are shown, in what order, and where decoding can start.

use std::ops::RangeInclusive;

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::packet::{Mut, Ref};
use xxhash_rust::xxh3::xxh3_64;

use super::bitstream::is_hidden;
use super::headers::Headers;
use super::input::VideoInput;
use crate::decode::error::DecodeError;

/// Largest distance of a packet's stored position from its shown position: no codec holds back more than 16 frames, and at
/// most one alternate reference frame per frame is hidden.
pub(super) const MAX_REORDER: usize = 32;

/// Least size of an MPEG-4 packet with a picture. A smaller packet is a placeholder of a packed bitstream, or a frame that the
/// encoder dropped; the decoder shows nothing for it.
const MIN_MPEG4_BYTES: usize = 16;

/// One packet of the stream, in 16 bytes: a day of video has millions.
#[derive(Debug, Clone, Copy)]
pub(super) struct PacketEntry {
    /// Presentation time, ticks.
    pub pts: i64,
    /// pts - dts; [`NO_DTS`] if the container states no usable dts.
    delay: i32,
    /// Hash of the bytes: after a seek, timestamps alone may match another packet.
    hash: u32,
}

const NO_DTS: i32 = i32::MIN;

impl PacketEntry {
    fn new(packet: &Packet, pts: i64) -> Self {
        let delay = packet
            .dts()
            .and_then(|dts| i32::try_from(pts.checked_sub(dts)?).ok());
        Self {
            pts,
            delay: delay.unwrap_or(NO_DTS),
            hash: hash_of(packet),
        }
    }

    /// Decoding time, ticks.
    pub fn dts(&self) -> Option<i64> {
        (self.delay != NO_DTS).then(|| self.pts - i64::from(self.delay))
    }

    /// Whether `packet` has the same bytes.
    pub fn is(&self, packet: &Packet) -> bool {
        self.hash == hash_of(packet)
    }
}

fn hash_of(packet: &Packet) -> u32 {
    xxh3_64(packet.data().unwrap_or(&[])) as u32 // the low half
}

/// All packets of a stream whose pts identify frames. A "place" is a position in stored order.
pub(super) struct Packets {
    /// Packets in stored order.
    pub stored: Vec<PacketEntry>,
    /// Places of the shown packets, in presentation order.
    shown: Vec<u32>,
    /// Places of the keyframes.
    pub keys: Vec<u32>,
    /// Places of the packets marked as damaged by the container, and of those after a gap.
    pub damaged: Vec<u32>,
    /// Number of packets, keyframes too, before which the demuxer skipped damaged bytes.
    num_gaps: usize,
    /// Configurations of the decoder.
    pub headers: Headers,
}

impl Packets {
    /// Reads all packets; `None` if they do not tell which frames are shown.
    pub fn read(input: &mut VideoInput) -> Result<Option<Self>, DecodeError> {
        let codec = input.codec();
        if input.may_be_field_coded() && matches!(codec, Id::H264 | Id::HEVC) {
            return Ok(None);
        }
        let mut packets = Self {
            stored: Vec::new(),
            shown: Vec::new(),
            keys: Vec::new(),
            damaged: Vec::new(),
            num_gaps: 0,
            headers: Headers::new(codec, input.extradata()),
        };
        while let Some(packet) = input.next_packet()? {
            let Some(pts) = packet.pts() else {
                return Ok(None);
            };
            if codec == Id::MPEG4 && packet.size() < MIN_MPEG4_BYTES {
                return Ok(None);
            }
            let Ok(place) = u32::try_from(packets.stored.len()) else {
                return Ok(None);
            };
            if !is_discarded(&packet) && !is_hidden(codec, packet.data().unwrap_or(&[])) {
                packets.shown.push(place);
            }
            packets.headers.note(place, &packet);
            packets.num_gaps += usize::from(input.has_gap());
            if packet.is_corrupt() || input.has_gap() && !packet.is_key() {
                packets.damaged.push(place);
            } else if packet.is_key() {
                packets.keys.push(place);
            }
            packets.stored.push(PacketEntry::new(&packet, pts));
        }
        packets.drop_truncated_tail(input.is_truncated());
        Ok(packets.sort_shown().then_some(packets))
    }

    /// Describes the damage found in the container.
    pub fn remark(&self, is_truncated: bool) -> Option<String> {
        let (num_damaged, num_stored) = (self.damaged.len(), self.stored.len());
        let damaged = format!("{num_damaged} of {num_stored} packets are damaged");
        let remarks = [
            is_truncated.then(|| breaks_off_after(self.shown.len())),
            (num_damaged > 0 && !is_truncated).then_some(damaged),
            skipped_before(self.num_gaps),
        ];
        joined(remarks)
    }

    /// Drops shown packets after the first one lost at the end of a truncated file. The last stored packets are not the last
    /// frames: frames between them were stored later and are lost. A lost packet is shown no earlier than its decoding time, so
    /// all frames before that time exist.
    fn drop_truncated_tail(&mut self, is_truncated: bool) {
        let num_stored = self.stored.len();
        let is_damaged = |place: usize| self.damaged.binary_search(&(place as u32)).is_ok();
        let num_intact = (0..num_stored)
            .rev()
            .find(|&place| !is_damaged(place))
            .map_or(0, |last| last + 1);
        let lost_dts = if num_intact < num_stored {
            self.stored[num_intact].dts()
        } else if is_truncated {
            self.stored
                .last()
                .and_then(PacketEntry::dts)
                .map(|last| last + 1)
        } else {
            None
        };
        let stored = &self.stored;
        self.shown.retain(|&place| {
            let is_before = |lost| stored[place as usize].pts < lost;
            (place as usize) < num_intact && lost_dts.is_none_or(is_before)
        });
    }

    /// Sorts the shown packets by pts. Returns `false` if pts do not give the order: some are equal, or they
    /// restart in the middle (joined files), which moves packets far from their places.
    fn sort_shown(&mut self) -> bool {
        let stored_order = self.shown.clone();
        let stored = &self.stored;
        let pts_of = |place: u32| stored[place as usize].pts;
        self.shown.sort_by_key(|&place| pts_of(place));
        let is_near = |(at, &place): (usize, &u32)| {
            let stored_at = stored_order.partition_point(|&other| other < place);
            at.abs_diff(stored_at) <= MAX_REORDER
        };
        let is_distinct = |pair: &[u32]| pts_of(pair[0]) != pts_of(pair[1]);
        self.shown.windows(2).all(is_distinct) && self.shown.iter().enumerate().all(is_near)
    }

    /// Whether packets are shown in stored order.
    pub fn is_shown_as_stored(&self) -> bool {
        self.shown.is_sorted()
    }

    pub fn num_shown(&self) -> usize {
        self.shown.len()
    }

    /// Place of the packet of frame `frame`.
    pub fn place_of(&self, frame: u64) -> Option<usize> {
        let place = self.shown.get(usize::try_from(frame).ok()?)?;
        Some(*place as usize)
    }

    /// Presentation time of frame `frame`, ticks.
    pub fn pts_of(&self, frame: u64) -> Option<i64> {
        Some(self.stored[self.place_of(frame)?].pts)
    }

    /// Removes shown frames for whose pts `keep` is false.
    pub fn retain_shown(&mut self, mut keep: impl FnMut(i64) -> bool) {
        let stored = &self.stored;
        self.shown.retain(|&place| keep(stored[place as usize].pts));
    }

    /// Index of the frame shown at `pts`.
    pub fn frame_at(&self, pts: i64) -> Option<u64> {
        let pts_of = |place: &u32| self.stored[*place as usize].pts;
        let at = self.shown.binary_search_by_key(&pts, pts_of).ok()?;
        Some(at as u64)
    }

    /// Whether the frame at `place`, decoded from `start` on, is damaged or may refer to a damaged one; `damaged` holds ascending
    /// places. The decoder would fill in the missing parts without an error. Frames shown before the start do not count: frames
    /// after a keyframe do not refer to them.
    pub fn is_suspect(&self, place: usize, start: usize, damaged: &[u32]) -> bool {
        let first = damaged.partition_point(|&damaged| (damaged as usize) < start);
        damaged[first..]
            .iter()
            .map(|&damaged| damaged as usize)
            .take_while(|&damaged| damaged <= place)
            .any(|damaged| self.stored[damaged].pts >= self.stored[start].pts)
    }

    /// Whether every packet is marked as a keyframe.
    pub fn is_intra(&self) -> bool {
        self.keys.len() == self.stored.len()
    }

    /// Whether the packet at `place` is marked as a keyframe.
    pub fn is_key(&self, place: usize) -> bool {
        self.keys
            .binary_search_by_key(&place, |&key| key as usize)
            .is_ok()
    }

    /// Place of the last keyframe stored up to `place`.
    pub fn last_key(&self, place: usize) -> Option<usize> {
        let before = self.keys.partition_point(|&key| key as usize <= place);
        self.keys[..before].last().map(|&key| key as usize)
    }

    /// Place where decoding must start for the packet at `place`: the last keyframe before it that is shown
    /// no later. A frame stored after a keyframe but shown before it (open group of pictures) may refer to frames before the
    /// keyframe, so decoding starts at an earlier one.
    pub fn start_for(&self, place: usize) -> usize {
        let before = self.keys.partition_point(|&key| key as usize <= place);
        let pts = self.stored[place].pts;
        let is_start = |key: &&u32| self.stored[**key as usize].pts <= pts;
        self.keys[..before]
            .iter()
            .rev()
            .find(is_start)
            .map_or(0, |&key| key as usize)
    }

    /// Places of the packets needed to decode frame `frame`.
    pub fn needed_for(&self, frame: u64) -> RangeInclusive<u64> {
        self.place_of(frame)
            .map_or(0..=0, |place| self.start_for(place) as u64..=place as u64)
    }
}

/// Describes damaged bytes that the demuxer skipped in `num_gaps` places.
pub(super) fn skipped_before(num_gaps: usize) -> Option<String> {
    let places = if num_gaps == 1 { "place" } else { "places" };
    (num_gaps > 0).then(|| {
        format!(
            "damaged bytes were skipped in {num_gaps} {places}; frames lost there are not counted, so the indices of the frames \
             after them may be too low"
        )
    })
}

/// One text of several remarks; `None` without any.
pub(super) fn joined<const N: usize>(remarks: [Option<String>; N]) -> Option<String> {
    let remarks: Vec<String> = remarks.into_iter().flatten().collect();
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

/// Describes a file that ends too early.
pub(super) fn breaks_off_after(num_frames: usize) -> String {
    format!("the file breaks off after {num_frames} frames")
}

/// Lets the decoder show the frame of a packet although an edit list removes it: the keyframe of a run tells that the frames after it
/// are sound.
pub(super) fn show_discarded(packet: &mut Packet) {
    // SAFETY: the packet is alive during this call.
    unsafe { (*packet.as_mut_ptr()).flags &= !ffmpeg_next::ffi::AV_PKT_FLAG_DISCARD };
}

/// Whether an edit list removes the packet's frame.
pub(super) fn is_discarded(packet: &Packet) -> bool {
    // SAFETY: the packet is alive during this call.
    unsafe { (*packet.as_ptr()).flags & ffmpeg_next::ffi::AV_PKT_FLAG_DISCARD != 0 }
}

/// The one of `spans`, which are in order, that contains `frame`.
pub(super) fn span_of(spans: &[RangeInclusive<u64>], frame: u64) -> Option<&RangeInclusive<u64>> {
    let at = spans.partition_point(|span| *span.end() < frame);
    spans.get(at).filter(|span| span.contains(&frame))
}
