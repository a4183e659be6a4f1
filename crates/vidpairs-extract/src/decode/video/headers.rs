//! Follows the decoder's configuration through a stream: extradata, palettes, and parameter sets inside packets.
//!
//! They may change in the middle, and the new ones may be present only once. A decoder that starts at a later keyframe must be
//! given what is in force there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::ffi::{self, AVPacketSideDataType};
use ffmpeg_next::packet::{Mut, Ref};

use super::bitstream::has_one_layer;
use super::units::{Framing, headers};

/// Configurations of a stream. A stream may change them in every packet, so only the changes are kept.
pub(super) struct Headers {
    codec: Id,
    framing: Framing,
    /// Changes with the places of the packets that brought them, ascending.
    changes: Vec<(u32, Change)>,
    /// The configurations before the changes 0, [`Self::STRIDE`], 2 [`Self::STRIDE`] and so on.
    snapshots: Vec<Configuration>,
    /// The configuration after all changes.
    now: Configuration,
    has_one_layer: bool,
}

/// What the packets up to a place have told, beyond the container's header.
#[derive(Debug, Clone, Default)]
struct Configuration {
    extradata: Option<Arc<[u8]>>,
    palette: Option<Arc<[u8]>>,
    /// Parameter sets inside packets since the extradata, by type and identifier, in the order in which decoders need them.
    units: BTreeMap<(u8, u32), Arc<[u8]>>,
}

/// A change of the configuration.
#[derive(Debug, Clone)]
enum Change {
    /// New extradata. They replace the parameter sets inside packets.
    Extradata(Arc<[u8]>),
    Palette(Arc<[u8]>),
    /// A parameter set, by type and identifier.
    Unit((u8, u32), Arc<[u8]>),
}

impl Configuration {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Extradata(bytes) => {
                self.extradata = Some(Arc::clone(bytes));
                self.units.clear();
            }
            Change::Palette(bytes) => self.palette = Some(Arc::clone(bytes)),
            Change::Unit(key, bytes) => drop(self.units.insert(*key, Arc::clone(bytes))),
        }
    }
}

impl Headers {
    /// Changes between two snapshots: more than a configuration has parameter sets, so snapshots take no more memory than changes.
    const STRIDE: usize = 512;

    /// `extradata` is the container's, empty if it has none.
    pub fn new(codec: Id, extradata: &[u8]) -> Self {
        Self {
            codec,
            framing: Framing::of(codec, extradata),
            changes: Vec::new(),
            snapshots: Vec::new(),
            now: Configuration::default(),
            has_one_layer: true,
        }
    }

    /// Notes what the packet at `place` changes. Places ascend.
    pub fn note(&mut self, place: u32, packet: &Packet) {
        let (codec, framing) = (self.codec, self.framing);
        if let Some(extradata) = side_data(packet, EXTRADATA) {
            self.has_one_layer &= codec != Id::HEVC || has_one_layer(extradata);
            let now = &self.now;
            if now.extradata.as_deref() != Some(extradata) || !now.units.is_empty() {
                self.change(place, Change::Extradata(extradata.into()));
            }
        }
        if let Some(palette) = side_data(packet, PALETTE)
            && self.now.palette.as_deref() != Some(palette)
        {
            self.change(place, Change::Palette(palette.into()));
        }
        for (key, unit) in headers(codec, framing, packet.data().unwrap_or(&[])) {
            if self.now.units.get(&key).map(|unit| &**unit) == Some(unit) {
                continue;
            }
            self.change(place, Change::Unit(key, unit.into()));
            if codec == Id::HEVC && key.0 == 32 {
                self.has_one_layer &= has_one_layer(&[&[0, 0, 1], unit].concat());
            }
        }
    }

    fn change(&mut self, place: u32, change: Change) {
        if self.changes.len().is_multiple_of(Self::STRIDE) {
            self.snapshots.push(self.now.clone());
        }
        self.now.apply(&change);
        self.changes.push((place, change));
    }

    /// The configuration after the packet at `place`; `None` if it is the container's.
    fn in_force(&self, place: usize) -> Option<Configuration> {
        let num_before = self
            .changes
            .partition_point(|change| change.0 as usize <= place);
        let snapshot = num_before.checked_sub(1)? / Self::STRIDE;
        let mut in_force = self.snapshots.get(snapshot)?.clone();
        for (_, change) in &self.changes[snapshot * Self::STRIDE..num_before] {
            in_force.apply(change);
        }
        Some(in_force)
    }

    /// Whether no packet tells of a second temporal layer of HEVC.
    pub fn has_one_layer(&self) -> bool {
        self.has_one_layer
    }

    /// Whether a decoder may know a configuration that is not yet in force at an earlier place.
    pub fn change_within_stream(&self) -> bool {
        match (self.changes.first(), self.changes.last()) {
            (Some((first, _)), Some((last, _))) => *first > 0 || first != last,
            _ => false,
        }
    }

    /// Adds to the packet at `place`, the first one of a run, the configuration in force unless it brings all of it. Its own
    /// parameter sets are repeated then: one of the others may have to come between them.
    pub fn complete(&self, place: usize, packet: &mut Packet) {
        let Some(in_force) = self.in_force(place) else {
            return;
        };
        let bytes = packet.data().unwrap_or(&[]);
        let own: BTreeSet<_> = headers(self.codec, self.framing, bytes)
            .map(|(key, _)| key)
            .collect();
        let mut missing = Vec::new();
        if !in_force.units.keys().all(|key| own.contains(key)) {
            for unit in in_force.units.values() {
                self.framing.append(unit, &mut missing);
            }
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
    fn a_packet_with_its_own_sequence_set_gets_the_picture_sets_behind_it() {
        let mut headers = Headers::new(Id::H264, &[]);
        headers.note(0, &stream(&[&SEQUENCE, &PARAMETERS, &PICTURE]));
        let mut packet = stream(&[&OTHER_SEQUENCE, &PICTURE]);
        headers.note(1, &packet);
        headers.complete(1, &mut packet);
        let found = super::headers(Id::H264, Framing::StartCodes, packet.data().unwrap());
        let found: Vec<_> = found.map(|(_, unit)| unit.to_vec()).collect();
        assert_eq!(found[..2], [OTHER_SEQUENCE.to_vec(), PARAMETERS.to_vec()]);
        // The decoder may take the second copy for a new sequence, but it is the same one.
        assert_eq!(found[2..], [OTHER_SEQUENCE.to_vec()]);
    }

    #[test]
    fn thousands_of_changes_are_in_force_where_they_were_made_and_kept_once() {
        let mut headers = Headers::new(Id::H264, &[]);
        let set = |number: u32| {
            // An Exp-Golomb number of 13 bits: six zeros and seven bits, the first of them set.
            let identifier = (0x40 | (number % 64) as u16) << 3;
            let [high, low] = identifier.to_be_bytes();
            let [hundreds, rest] = [number / 100, number % 100].map(|part| part as u8 + 1);
            vec![0x68, high, low | 4, hundreds, rest]
        };
        for number in 0..5000 {
            headers.note(number, &stream(&[&set(number), &PICTURE]));
        }
        assert_eq!(headers.changes.len(), 5000);
        let num_held: usize = headers.snapshots.iter().map(|held| held.units.len()).sum();
        assert!(num_held < 5000, "{num_held} sets in snapshots");
        for place in [0, 1, 511, 512, 513, 1024, 4999] {
            let units = headers.in_force(place).unwrap().units;
            let newest = units.values().any(|unit| **unit == set(place as u32)[..]);
            assert!(newest, "place {place}");
            assert!(
                units
                    .values()
                    .all(|unit| unit[3..] <= set(place as u32)[3..]),
                "place {place}"
            );
        }
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
