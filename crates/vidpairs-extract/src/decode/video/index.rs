//! Indexes a video file and decodes its frames by index.

use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::frame;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Frame, Orientation, SizePx};

use super::convert::to_planes;
use super::file::FileVersion;
use super::input::VideoInput;
use super::linear::{Counted, Ended};
use super::packets::{Packets, breaks_off_after, joined, skipped_before};
use super::{head, linear, seek};
use crate::decode::error::DecodeError;

/// Frames of a video file.
pub(in crate::decode) struct VideoIndex {
    order: Order,
    /// Seconds per tick, as a fraction.
    tick: (i32, i32),
    /// Size of the first frame, upright.
    pub frame_size: SizePx,
    orientation: Orientation,
    /// Damage found in the container.
    pub remark: Option<String>,
    /// The indexed file.
    version: FileVersion,
}

/// How frames are identified.
enum Order {
    /// By the pts of their packets.
    Packets(Box<Packets>),
    /// By counting the frames that the decoder shows.
    Counted(Vec<Counted>),
}

/// Reads every packet of the file once. Decodes its head, or all of it, if the packets do not tell which frames are shown.
pub(in crate::decode) fn index(
    path: &Path,
    heartbeat: &Arc<Heartbeat>,
) -> Result<VideoIndex, DecodeError> {
    let mut input = VideoInput::open(path, heartbeat)?;
    let version = input.version();
    let orientation = input.orientation();
    let (tick, stored_size) = (input.seconds_per_tick(), input.stored_size());
    input.decoder()?; // refuses a codec without a decoder before the file is read
    // Where the head of the file does not tell the size, the parameter sets come late: nothing else is known either.
    let packets = match stored_size.area() {
        0 => None,
        _ => Packets::read(&mut input)?,
    };
    let packets = match packets {
        Some(packets) if head::is_in_order(path, &packets, input.delay(), heartbeat)? => {
            Some(packets)
        }
        _ => None,
    };
    let (order, stored_size, remark) = match packets {
        Some(packets) => {
            let remark = packets.remark(input.is_truncated());
            let packets = head::without_lost(path, packets, heartbeat)?;
            (Order::Packets(Box::new(packets)), stored_size, remark)
        }
        None => {
            let shown = linear::count(path, heartbeat)?;
            let Ended {
                is_truncated,
                num_gaps,
            } = shown.ended;
            let breaks_off = is_truncated.then(|| breaks_off_after(shown.frames.len()));
            let remark = joined([breaks_off, skipped_before(num_gaps)]);
            let size = shown.size.unwrap_or(stored_size);
            (Order::Counted(shown.frames), size, remark)
        }
    };
    let index = VideoIndex {
        order,
        tick,
        frame_size: orientation.applied_to(stored_size),
        orientation,
        remark,
        version,
    };
    version.check(path)?;
    if index.num_frames() == 0 {
        let num_packets = match &index.order {
            Order::Packets(packets) => packets.stored.len() as u64,
            Order::Counted(_) => 0,
        };
        return Err(input.without_frames(num_packets));
    }
    if !index.frame_size.is_accepted() {
        return Err(DecodeError::FrameSize(index.frame_size));
    }
    Ok(index)
}

impl VideoIndex {
    pub fn num_frames(&self) -> u64 {
        match &self.order {
            Order::Packets(packets) => packets.num_shown() as u64,
            Order::Counted(counted) => counted.len() as u64,
        }
    }

    pub fn pts_seconds(&self, frame: u64) -> Option<f64> {
        let pts = match &self.order {
            Order::Packets(packets) => packets.pts_of(frame)?,
            Order::Counted(counted) => counted.get(usize::try_from(frame).ok()?)?.pts?,
        };
        let (seconds, ticks) = self.tick;
        // A single rounding: the number prints like the fraction.
        Some((i128::from(pts) * i128::from(seconds)) as f64 / f64::from(ticks))
    }

    /// Stored positions of the packets needed to decode frame `frame`.
    pub fn packets_for(&self, frame: u64) -> RangeInclusive<u64> {
        match &self.order {
            Order::Packets(packets) => packets.needed_for(frame),
            Order::Counted(_) => 0..=frame,
        }
    }

    /// Whether every packet is a keyframe.
    pub fn is_intra(&self) -> bool {
        match &self.order {
            Order::Packets(packets) => packets.is_intra(),
            Order::Counted(_) => false,
        }
    }

    /// See [`crate::decode::decode_watched`]. Returns the number of decoded frames.
    pub fn decode_watched(
        &self,
        path: &Path,
        wanted: &[u64],
        spans: &[RangeInclusive<u64>],
        heartbeat: &Arc<Heartbeat>,
        each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
    ) -> Result<u64, DecodeError> {
        let mut deliver = |decoded: frame::Video, index: u64| {
            Ok(each(Frame {
                index,
                pts_seconds: self.pts_seconds(index),
                planes: to_planes(decoded, self.orientation)?,
            }))
        };
        self.version.check(path)?;
        let decoded = match &self.order {
            Order::Packets(packets) => {
                seek::decode(path, packets, (wanted, spans), heartbeat, &mut deliver)
            }
            Order::Counted(counted) => {
                linear::decode(path, counted, (wanted, spans), heartbeat, &mut deliver)
            }
        };
        match decoded {
            Err(DecodeError::Stopped) => {}
            _ => self.version.check(path)?,
        }
        decoded
    }
}
