//! Reads packets by their place in the stored order.

use std::path::Path;
use std::sync::Arc;

use ffmpeg_next::Packet;
use vidpairs_types::parallel::Heartbeat;

use super::input::VideoInput;
use super::packets::Packets;
use crate::decode::error::DecodeError;

/// Reads the packets of a file whose packets are known.
pub(super) struct PacketReader<'a> {
    path: &'a Path,
    packets: &'a Packets,
    heartbeat: &'a Arc<Heartbeat>,
    pub input: VideoInput,
    /// Place of the packet that the container gives next, if known.
    next_place: Option<usize>,
}

impl<'a> PacketReader<'a> {
    pub fn open(
        path: &'a Path,
        packets: &'a Packets,
        heartbeat: &'a Arc<Heartbeat>,
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            path,
            packets,
            heartbeat,
            input: VideoInput::open(path, heartbeat)?,
            next_place: Some(0),
        })
    }

    /// Reads the packet at `place`, from any position of the container.
    pub fn packet_at(&mut self, place: usize) -> Result<Option<Packet>, DecodeError> {
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
