//! Follows the decoder's configuration through a stream: extradata, palettes, and parameter sets inside packets.
//!
//! They may change in the middle, and the new ones may be present only once. A decoder that starts at a later keyframe must be
//! given what is in force there.

use std::collections::BTreeMap;
use std::sync::Arc;

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::ffi::{self, AVPacketSideDataType};
use ffmpeg_next::packet::{Mut, Ref};

use super::bitstream::has_one_layer;
use super::units::{Framing, headers};

/// Configurations of a stream, each with the place of the packet that brought it.
pub(super) struct Headers {
    codec: Id,
    framing: Framing,
    /// Ascending by place.
    configurations: Vec<Configuration>,
    has_one_layer: bool,
}

/// What the packets up to a place have told, beyond the container's header.
#[derive(Debug, Clone, Default)]
struct Configuration {
    place: u32,
    extradata: Option<Arc<[u8]>>,
    palette: Option<Arc<[u8]>>,
    /// Parameter sets inside packets since the extradata, by type and identifier, in the order in which decoders need them.
    units: BTreeMap<(u8, u32), Arc<[u8]>>,
}

impl Headers {
    /// `extradata` is the container's, empty if it has none.
    pub fn new(codec: Id, extradata: &[u8]) -> Self {
        Self {
            codec,
            framing: Framing::of(codec, extradata),
            configurations: Vec::new(),
            has_one_layer: true,
        }
    }

    /// Notes what the packet at `place` changes. Places ascend.
    pub fn note(&mut self, place: u32, packet: &Packet) {
        let (codec, framing) = (self.codec, self.framing);
        if let Some(extradata) = side_data(packet, EXTRADATA) {
            self.has_one_layer &= codec != Id::HEVC || has_one_layer(extradata);
            let is_new = |now: &Configuration| {
                now.extradata.as_deref() != Some(extradata) || !now.units.is_empty()
            };
            self.change(place, is_new, |now| {
                now.extradata = Some(extradata.into());
                now.units.clear();
            });
        }
        if let Some(palette) = side_data(packet, PALETTE) {
            let is_new = |now: &Configuration| now.palette.as_deref() != Some(palette);
            self.change(place, is_new, |now| now.palette = Some(palette.into()));
        }
        for (key, unit) in headers(codec, framing, packet.data().unwrap_or(&[])) {
            let is_new =
                |now: &Configuration| now.units.get(&key).map(|unit| &**unit) != Some(unit);
            let was_new = self.change(place, is_new, |now| {
                now.units.insert(key, unit.into());
            });
            if was_new && codec == Id::HEVC && key.0 == 32 {
                self.has_one_layer &= has_one_layer(&[&[0, 0, 1], unit].concat());
            }
        }
    }

    fn change(
        &mut self,
        place: u32,
        is_new: impl Fn(&Configuration) -> bool,
        change: impl FnOnce(&mut Configuration),
    ) -> bool {
        let mut next = match self.configurations.last() {
            Some(now) if !is_new(now) => return false,
            Some(now) => now.clone(),
            None => Configuration::default(),
        };
        if self
            .configurations
            .last()
            .is_some_and(|now| now.place == place)
        {
            self.configurations.pop();
        }
        next.place = place;
        change(&mut next);
        self.configurations.push(next);
        true
    }

    /// Whether no packet tells of a second temporal layer of HEVC.
    pub fn has_one_layer(&self) -> bool {
        self.has_one_layer
    }

    /// Whether a decoder may know a configuration that is not yet in force at an earlier place.
    pub fn change_within_stream(&self) -> bool {
        match &self.configurations[..] {
            [] => false,
            [only] => only.place > 0,
            _ => true,
        }
    }

    /// Adds to the packet at `place`, the first one of a run, the configuration in force that it does not bring itself.
    pub fn complete(&self, place: usize, packet: &mut Packet) {
        let num_before = self
            .configurations
            .partition_point(|configuration| configuration.place as usize <= place);
        let Some(in_force) = self.configurations[..num_before].last() else {
            return;
        };
        let bytes = packet.data().unwrap_or(&[]);
        let own: Vec<_> = headers(self.codec, self.framing, bytes)
            .map(|(key, _)| key)
            .collect();
        let mut missing = Vec::new();
        for (_, unit) in in_force.units.iter().filter(|(key, _)| !own.contains(key)) {
            self.framing.append(unit, &mut missing);
        }
        if !missing.is_empty() {
            let mut longer = Packet::copy(&[&missing, bytes].concat());
            copy_properties(packet, &mut longer);
            *packet = longer;
        }
        for (kind, bytes) in [
            (EXTRADATA, &in_force.extradata),
            (PALETTE, &in_force.palette),
        ] {
            if let Some(bytes) = bytes.as_ref().filter(|_| side_data(packet, kind).is_none()) {
                add_side_data(packet, kind, bytes);
            }
        }
    }
}

const EXTRADATA: AVPacketSideDataType = AVPacketSideDataType::AV_PKT_DATA_NEW_EXTRADATA;
const PALETTE: AVPacketSideDataType = AVPacketSideDataType::AV_PKT_DATA_PALETTE;

fn side_data(packet: &Packet, kind: AVPacketSideDataType) -> Option<&[u8]> {
    let mut size = 0;
    // SAFETY: the data are `size` bytes and live as long as the packet.
    unsafe {
        let data = ffi::av_packet_get_side_data(packet.as_ptr(), kind, &mut size);
        (!data.is_null() && size > 0).then(|| std::slice::from_raw_parts(data, size))
    }
}

fn add_side_data(packet: &mut Packet, kind: AVPacketSideDataType, bytes: &[u8]) {
    // SAFETY: FFmpeg allocates `bytes.len()` bytes, or returns null when memory is short.
    unsafe {
        let data = ffi::av_packet_new_side_data(packet.as_mut_ptr(), kind, bytes.len());
        if !data.is_null() {
            data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
    }
}

/// Copies times, flags and side data.
fn copy_properties(from: &Packet, to: &mut Packet) {
    // SAFETY: both packets are alive. On failure, for lack of memory, side data are missing.
    unsafe { ffi::av_packet_copy_props(to.as_mut_ptr(), from.as_ptr()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURE: [u8; 4] = [0x65, 1, 2, 3];
    const SEQUENCE: [u8; 6] = [0x67, 66, 0, 30, 0b1010_0000, 1];
    const OTHER_SEQUENCE: [u8; 6] = [0x67, 66, 0, 30, 0b1010_0000, 2];
    const PARAMETERS: [u8; 3] = [0x68, 0b1100_0000, 7];

    fn stream(units: &[&[u8]]) -> Packet {
        let mut bytes = Vec::new();
        units
            .iter()
            .for_each(|unit| Framing::StartCodes.append(unit, &mut bytes));
        Packet::copy(&bytes)
    }

    fn completed(headers: &Headers, place: usize) -> Vec<u8> {
        let mut packet = stream(&[&PICTURE]);
        headers.complete(place, &mut packet);
        packet.data().unwrap().to_vec()
    }

    #[test]
    fn a_picture_gets_the_parameter_sets_that_came_last_before_it() {
        let mut headers = Headers::new(Id::H264, &[]);
        headers.note(3, &stream(&[&PARAMETERS, &SEQUENCE, &PICTURE]));
        headers.note(5, &stream(&[&SEQUENCE, &PICTURE]));
        headers.note(8, &stream(&[&OTHER_SEQUENCE, &PICTURE]));
        let expected = |units: &[&[u8]]| stream(units).data().unwrap().to_vec();
        assert_eq!(completed(&headers, 2), expected(&[&PICTURE]));
        for place in [3, 7] {
            let sets: [&[u8]; 3] = [&SEQUENCE, &PARAMETERS, &PICTURE];
            assert_eq!(completed(&headers, place), expected(&sets), "place {place}");
        }
        let sets: [&[u8]; 3] = [&OTHER_SEQUENCE, &PARAMETERS, &PICTURE];
        assert_eq!(completed(&headers, 9), expected(&sets));
    }

    #[test]
    fn new_extradata_replaces_the_sets_before_it_and_reaches_a_later_start() {
        let mut headers = Headers::new(Id::H264, &[1, 0, 0, 0, 0xff]);
        let mut packet = Packet::copy(&PICTURE);
        add_side_data(&mut packet, EXTRADATA, &[1, 2, 3]);
        headers.note(4, &packet);
        assert!(headers.change_within_stream());
        for (place, expected) in [(3, None), (4, Some([1, 2, 3])), (9, Some([1, 2, 3]))] {
            let mut packet = Packet::copy(&PICTURE);
            headers.complete(place, &mut packet);
            assert_eq!(
                side_data(&packet, EXTRADATA),
                expected.as_ref().map(|bytes| &bytes[..])
            );
        }
    }
}
