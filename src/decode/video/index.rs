//! The frames of a video file: which packets are shown, in what order, and where decoding can start.

use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::codec::Id;
use ffmpeg_next::packet::{Flags, Ref};

use super::super::DecodeError;
use super::super::index::Cost;
use super::counted;
use super::input::VideoInput;
use super::reader;
use super::shown::is_hidden;
use crate::parallel::Heartbeat;
use crate::types::{Orientation, SizePx};

/// What is known of a video file.
pub(in crate::decode) struct VideoIndex {
    order: Order,
    /// Seconds of a tick, as a fraction.
    tick: (i32, i32),
    frame_size: SizePx,
    orientation: Orientation,
}

/// How frames are told apart.
pub(in crate::decode) enum Order {
    /// By the pts of their packets.
    Packets(Packets),
    /// By counting what the decoder shows: the pts of each, in order.
    Counted(Vec<Option<i64>>),
}

/// One packet of the stream.
#[derive(Debug, Clone, Copy)]
pub(in crate::decode) struct PacketEntry {
    pub pts: i64,
    pub dts: Option<i64>,
    pub is_key: bool,
}

/// All packets of a stream whose pts tell frames apart.
pub(in crate::decode) struct Packets {
    /// In stored order.
    stored: Vec<PacketEntry>,
    /// Places in `stored` of the packets that are shown, in presentation order.
    shown: Vec<u32>,
    /// Places in `stored` of the keyframes.
    keys: Vec<u32>,
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
    let order = match Packets::read(&mut input, codec)? {
        Some(packets) => Order::Packets(reader::without_lost_head(path, packets, heartbeat)?),
        None => Order::Counted(counted::count(path, heartbeat)?),
    };
    let index = VideoIndex {
        order,
        tick,
        frame_size: orientation.applied_to(stored_size),
        orientation,
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
        let (mut stored, mut shown) = (Vec::new(), Vec::new());
        while let Some(packet) = input.next_packet()? {
            let flags = packet.flags();
            // A packet cut short ends a file that was cut: nothing can be trusted in it.
            if packet.size() == 0 || flags.contains(Flags::CORRUPT) {
                continue;
            }
            let Some(pts) = packet.pts() else {
                return Ok(None);
            };
            let is_shown =
                !is_discarded(&packet) && !is_hidden(codec, packet.data().unwrap_or(&[]));
            let place = u32::try_from(stored.len());
            let Ok(place) = place else { return Ok(None) };
            if is_shown {
                shown.push(place);
            }
            stored.push(PacketEntry {
                pts,
                dts: packet.dts(),
                is_key: packet.is_key(),
            });
        }
        let pts_of = |place: u32| stored[place as usize].pts;
        shown.sort_by_key(|&place| pts_of(place));
        if shown
            .windows(2)
            .any(|pair| pts_of(pair[0]) == pts_of(pair[1]))
        {
            return Ok(None);
        }
        let is_key = |place: &u32| stored[*place as usize].is_key;
        let keys = (0..stored.len() as u32).filter(is_key).collect();
        Ok(Some(Self {
            stored,
            shown,
            keys,
        }))
    }

    pub fn stored(&self) -> &[PacketEntry] {
        &self.stored
    }

    pub fn shown(&self) -> &[u32] {
        &self.shown
    }

    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// Leaves out of the shown frames those for which `keep` says no.
    pub fn retain_shown(&mut self, mut keep: impl FnMut(i64) -> bool) {
        let stored = &self.stored;
        self.shown.retain(|&place| keep(stored[place as usize].pts));
    }

    /// The place in stored order of the packet that is shown at `pts`.
    pub fn place_at(&self, pts: i64) -> Option<usize> {
        let pts_of = |place: &u32| self.stored[*place as usize].pts;
        let at = self.shown.binary_search_by_key(&pts, pts_of).ok()?;
        Some(self.shown[at] as usize)
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

/// Whether an edit list cuts the packet's frame away.
fn is_discarded(packet: &ffmpeg_next::Packet) -> bool {
    // SAFETY: the packet lives for the length of this call.
    unsafe { (*packet.as_ptr()).flags & ffmpeg_next::ffi::AV_PKT_FLAG_DISCARD != 0 }
}
