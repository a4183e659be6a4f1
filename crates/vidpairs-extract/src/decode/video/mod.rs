//! Decodes video files through FFmpeg.
//!
//! The index of a frame is the rank of its packet's pts among all shown packets. Reading every packet once
//! costs a fraction of decoding them; afterwards a frame can be reached from the
//! keyframe before it ([`seek`]). Some streams do not tell which packets are shown: pts are missing, restart or
//! are dts, fields have packets of their own, packets are placeholders. Their frames are counted by decoding once ([`linear`]).

mod bitstream;
mod container;
mod convert;
mod decoder;
mod extent;
mod file;
mod gaps;
mod head;
mod headers;
mod index;
mod input;
mod isobmff;
mod linear;
mod log;
mod lookalike;
mod packets;
mod reader;
mod seek;
mod units;
mod verdict;

pub(super) use index::{VideoIndex, index};
