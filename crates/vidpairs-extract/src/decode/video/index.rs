//! The frames of a video file: which packets are shown, in what order, and where decoding can start.

use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::packet::Ref;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Orientation, SizePx};
use xxhash_rust::xxh3::xxh3_64;

use super::super::DecodeError;
use super::super::index::Cost;
use super::input::VideoInput;
use super::shown::is_hidden;
use super::{counted, head};

/// What is known of a video file.
pub(in crate::decode) struct VideoIndex {
    order: Order,
    /// Seconds of a tick, as a fraction.
    tick: (i32, i32),
    frame_size: SizePx,
    orientation: Orientation,
    remark: Option<String>,
}

/// How frames are told apart.
pub(in crate::decode) enum Order {
    /// By the pts of their packets.
    Packets(Packets),
    /// By counting what the decoder shows: the pts of each, in order.
    Counted(Vec<Option<i64>>),
}

/// Packets are stored at most this many places from where they are shown: no codec holds back more
/// than 16 frames, and an alternate reference frame per frame is hidden at most.
pub(in crate::decode) const MAX_REORDER: usize = 32;

/// A packet of MPEG-4 below this size codes no picture: a placeholder of a packed bitstream, or a frame
/// that the encoder dropped. The decoder shows none for it.
const MIN_MPEG4_BYTES: usize = 16;

/// One packet of the stream, in 16 bytes: a day of video has millions.
#[derive(Debug, Clone, Copy)]
pub(in crate::decode) struct PacketEntry {
    pub pts: i64,
    /// pts - dts; [`NO_DTS`] where the container states no dts, or one from elsewhere.
    delay: i32,
    /// Hash of its bytes: after a seek, timestamps alone may name another packet.
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

    /// When the packet is to be decoded, in ticks.
    pub fn dts(&self) -> Option<i64> {
        (self.delay != NO_DTS).then(|| self.pts - i64::from(self.delay))
    }

    /// Whether `packet` has the bytes of this one.
    pub fn is(&self, packet: &Packet) -> bool {
        self.hash == hash_of(packet)
    }
}

/// All packets of a stream whose pts tell frames apart.
pub(in crate::decode) struct Packets {
    /// In stored order.
    stored: Vec<PacketEntry>,
    /// Places in `stored` of the packets that are shown, in presentation order.
    shown: Vec<u32>,
    /// Places in `stored` of the keyframes.
    keys: Vec<u32>,
    /// Places in `stored` of the packets that the container calls damaged.
    damaged: Vec<u32>,
}

/// Reads every packet of the file once, and decodes its head where only that can tell what is shown.
pub(in crate::decode) fn index(
    path: &Path,
    heartbeat: &Arc<Heartbeat>,
) -> Result<VideoIndex, DecodeError> {
    let mut input = VideoInput::open(path, heartbeat)?;
    let orientation = input.orientation();
    let (tick, codec) = (input.seconds_per_tick(), input.codec());
    let stored_size = input.stored_size();
    input.decoder()?; // a codec without a decoder is refused before the file is read
    let packets = Packets::read(&mut input, codec)?;
    let remark = packets
        .as_ref()
        .and_then(|packets| packets.remark(input.is_broken_off()));
    let order = match packets {
        Some(packets) if head::is_in_order(path, &packets, input.delay(), heartbeat)? => {
            Order::Packets(head::without_lost(path, packets, heartbeat)?)
        }
        _ => Order::Counted(counted::count(path, heartbeat)?),
    };
    let index = VideoIndex {
        order,
        tick,
        frame_size: orientation.applied_to(stored_size),
        orientation,
        remark,
    };
    if index.num_frames() == 0 {
        return Err(DecodeError::NoFrame {
            num_packets: index.num_packets(),
        });
    }
    if !index.frame_size.is_accepted() {
        return Err(DecodeError::FrameSize(index.frame_size));
    }
    Ok(index)
}

impl VideoIndex {
    pub fn order(&self) -> &Order {
        &self.order
    }

    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    pub fn frame_size(&self) -> SizePx {
        self.frame_size
    }

    /// What is wrong with the file, though frames come out of it.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    pub fn num_frames(&self) -> u64 {
        match &self.order {
            Order::Packets(packets) => packets.shown.len() as u64,
            Order::Counted(pts) => pts.len() as u64,
        }
    }

    fn num_packets(&self) -> u64 {
        match &self.order {
            Order::Packets(packets) => packets.stored.len() as u64,
            Order::Counted(_) => 0,
        }
    }

    pub fn pts_seconds(&self, frame: u64) -> Option<f64> {
        let frame = usize::try_from(frame).ok()?;
        let pts = match &self.order {
            Order::Packets(packets) => packets.stored.get(*packets.shown.get(frame)? as usize)?.pts,
            Order::Counted(pts) => (*pts.get(frame)?)?,
        };
        let (seconds, ticks) = self.tick;
        // One rounding only, so that the number prints as the fraction does.
        Some((i128::from(pts) * i128::from(seconds)) as f64 / f64::from(ticks))
    }

    pub fn cost(&self, frame: u64) -> Cost {
        match &self.order {
            Order::Packets(packets) => packets.cost(frame),
            Order::Counted(_) => Cost {
                start: 0,
                end: frame,
            },
        }
    }
}

impl Packets {
    /// Reads the packets; `None` if they don't tell what is shown.
    fn read(input: &mut VideoInput, codec: Id) -> Result<Option<Self>, DecodeError> {
        if input.may_be_field_coded() && matches!(codec, Id::H264 | Id::HEVC) {
            return Ok(None);
        }
        let mut packets = Self {
            stored: Vec::new(),
            shown: Vec::new(),
            keys: Vec::new(),
            damaged: Vec::new(),
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
            if packet.is_key() && !packet.is_corrupt() {
                packets.keys.push(place);
            }
            if packet.is_corrupt() {
                packets.damaged.push(place);
            }
            packets.stored.push(PacketEntry::new(&packet, pts));
        }
        packets.drop_cut_tail(input.is_broken_off());
        Ok(packets.sort_shown().then_some(packets))
    }

    /// What the container says of its own damage.
    fn remark(&self, is_broken_off: bool) -> Option<String> {
        let (num_damaged, num_stored) = (self.damaged.len(), self.stored.len());
        if is_broken_off {
            Some(format!(
                "the file breaks off after {} frames",
                self.shown.len()
            ))
        } else if num_damaged > 0 {
            Some(format!("{num_damaged} of {num_stored} packets are damaged"))
        } else {
            None
        }
    }

    /// Where the file was cut, the frames of the last packets are not the last frames: those between
    /// them were stored later and are gone. A packet that is gone is shown no earlier than it would have
    /// been decoded, so all frames before that are there.
    fn drop_cut_tail(&mut self, is_broken_off: bool) {
        let num_stored = self.stored.len();
        let is_damaged = |place: usize| self.damaged.binary_search(&(place as u32)).is_ok();
        let num_whole = (0..num_stored)
            .rev()
            .find(|&place| !is_damaged(place))
            .map_or(0, |last| last + 1);
        let lost_dts = if num_whole < num_stored {
            self.stored[num_whole].dts()
        } else if is_broken_off {
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
            (place as usize) < num_whole && lost_dts.is_none_or(is_before)
        });
    }

    /// Orders the shown packets by pts; `false` if pts don't tell their order: some are equal, or they
    /// start anew in the middle (files that were joined), which puts packets far from their places.
    fn sort_shown(&mut self) -> bool {
        let stored_order = self.shown.clone();
        let stored = &self.stored;
        let pts_of = |place: u32| stored[place as usize].pts;
        self.shown.sort_by_key(|&place| pts_of(place));
        let is_near = |(at, &place): (usize, &u32)| {
            let stored_at = stored_order.partition_point(|&other| other < place);
            at.abs_diff(stored_at) <= MAX_REORDER
        };
        let is_told_apart = |pair: &[u32]| pts_of(pair[0]) != pts_of(pair[1]);
        self.shown.windows(2).all(is_told_apart) && self.shown.iter().enumerate().all(is_near)
    }

    /// Whether every shown packet is shown after those stored before it.
    pub fn is_shown_as_stored(&self) -> bool {
        self.shown.is_sorted()
    }

    pub fn stored(&self) -> &[PacketEntry] {
        &self.stored
    }

    pub fn shown(&self) -> &[u32] {
        &self.shown
    }

    pub fn damaged(&self) -> &[u32] {
        &self.damaged
    }

    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// Leaves out of the shown frames those for which `keep` says no.
    pub fn retain_shown(&mut self, mut keep: impl FnMut(i64) -> bool) {
        let stored = &self.stored;
        self.shown.retain(|&place| keep(stored[place as usize].pts));
    }

    /// The index of the frame that is shown at `pts`.
    pub fn frame_at(&self, pts: i64) -> Option<u64> {
        let pts_of = |place: &u32| self.stored[*place as usize].pts;
        let at = self.shown.binary_search_by_key(&pts, pts_of).ok()?;
        Some(at as u64)
    }

    /// Whether the frame of the packet at `place` is that of one of the ascending places `damaged`, or
    /// may refer to it: the decoder would fill in what is missing, and call the result whole. A frame
    /// shown before the keyframe is no harm: what comes after the keyframe refers to neither.
    pub fn is_suspect(&self, place: usize, damaged: &[u32]) -> bool {
        let start = self.start_for(place);
        let first = damaged.partition_point(|&damaged| (damaged as usize) < start);
        damaged[first..]
            .iter()
            .map(|&damaged| damaged as usize)
            .take_while(|&damaged| damaged <= place)
            .any(|damaged| self.stored[damaged].pts >= self.stored[start].pts)
    }

    /// Where decoding must start for the packet at `place`: the last keyframe before it that is shown
    /// no later. A frame shown before a keyframe but stored after it may refer to what came before
    /// that keyframe (an open group of pictures), so it needs the one before.
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

    fn cost(&self, frame: u64) -> Cost {
        let Some(&place) = usize::try_from(frame)
            .ok()
            .and_then(|frame| self.shown.get(frame))
        else {
            return Cost { start: 0, end: 0 };
        };
        Cost {
            start: self.start_for(place as usize) as u64,
            end: u64::from(place),
        }
    }
}

fn hash_of(packet: &Packet) -> u32 {
    xxh3_64(packet.data().unwrap_or(&[])) as u32 // the low half
}

/// Whether an edit list cuts the packet's frame away.
fn is_discarded(packet: &Packet) -> bool {
    // SAFETY: the packet lives for the length of this call.
    unsafe { (*packet.as_ptr()).flags & ffmpeg_next::ffi::AV_PKT_FLAG_DISCARD != 0 }
}
