//! Finds the gaps before the packets that FFmpeg reads ahead when it opens a container.
//!
//! FFmpeg reads up to some seconds ahead and keeps the packets. Where it skips damaged bytes meanwhile, its report belongs to no packet.
//! So the head is read once more without reading ahead: then each report comes right before the packet after the gap.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::Packet;
use vidpairs_types::parallel::Heartbeat;
use xxhash_rust::xxh3::xxh3_64;

use super::container::{self, Opened, ReadAhead, place_of};
use super::file::MediaFile;
use super::log::reported_by;
use crate::decode::error::DecodeError;

/// Packets that come right after a gap, by the hash of their bytes.
#[derive(Default)]
pub(super) struct Gaps(HashSet<u64>);

impl Gaps {
    /// Gaps before the packets of `stream` in the head of `file`, up to the place `end`.
    pub fn in_head(
        path: &Path,
        file: &Arc<MediaFile>,
        heartbeat: &Arc<Heartbeat>,
        stream: usize,
        end: i64,
    ) -> Result<Self, DecodeError> {
        let Opened { mut input, .. } = container::open(path, file, heartbeat, ReadAhead::Nothing)?;
        let (mut gaps, mut is_gap) = (Self::default(), false);
        while place_of(&mut input) <= end {
            if heartbeat.should_stop() {
                return Err(DecodeError::Stopped);
            }
            heartbeat.beat();
            let mut packet = Packet::empty();
            let (read, reported) = reported_by(|| packet.read(&mut input));
            is_gap |= reported.container_errors > 0;
            if read.is_err() {
                break; // the end of the file: no packet comes after it
            }
            if packet.stream() == stream && packet.size() > 0 {
                if is_gap {
                    gaps.0.insert(hash_of(&packet));
                }
                is_gap = false;
            }
        }
        Ok(gaps)
    }

    /// Whether `packet` comes right after a gap.
    pub fn are_before(&self, packet: &Packet) -> bool {
        !self.0.is_empty() && self.0.contains(&hash_of(packet))
    }
}

fn hash_of(packet: &Packet) -> u64 {
    xxh3_64(packet.data().unwrap_or(&[]))
}
