//! Finds the headers in the packets of H.264, HEVC, MPEG-1, MPEG-2, MPEG-4 and VC-1.

use ffmpeg_next::codec::Id;

/// How the units of a packet are separated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Framing {
    /// Each begins with a start code, 0 0 1.
    StartCodes,
    /// Each begins with its length, of so many bytes.
    Lengths(usize),
}

impl Framing {
    /// `extradata` is the container's. A configuration record (ISO/IEC 14496-15) states lengths; parameter sets with start codes,
    /// or no extradata, mean start codes.
    pub fn of(codec: Id, extradata: &[u8]) -> Self {
        let size_at = match codec {
            Id::H264 => 4,
            Id::HEVC => 21,
            _ => return Self::StartCodes,
        };
        match (extradata, extradata.get(size_at)) {
            ([first, second, third, ..], Some(size)) if (*first, *second, *third) > (0, 0, 1) => {
                Self::Lengths(usize::from(size & 3) + 1)
            }
            _ => Self::StartCodes,
        }
    }

    /// Appends `unit` to the bytes of a packet.
    pub fn append(self, unit: &[u8], bytes: &mut Vec<u8>) {
        match self {
            Self::StartCodes => bytes.extend([0, 0, 0, 1]),
            Self::Lengths(size) => bytes.extend(&(unit.len() as u64).to_be_bytes()[8 - size..]),
        }
        bytes.extend(unit);
    }

    /// Splits the first unit off `bytes`; `None` at the end.
    fn split<'a>(self, bytes: &mut &'a [u8], is_enough: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        match self {
            Self::StartCodes => {
                let rest = &bytes[start_code(bytes)? + 3..];
                // The last unit of interest may be a whole picture: its end is not searched.
                let end = match rest.first() {
                    Some(&first) if !is_enough(first) => start_code(rest).unwrap_or(rest.len()),
                    _ => rest.len(),
                };
                *bytes = &rest[end..];
                let zeros = rest[..end].iter().rev().take_while(|&&byte| byte == 0);
                Some(&rest[..end - zeros.count()])
            }
            Self::Lengths(size) => {
                let (length, rest) = bytes.split_at_checked(size)?;
                let length = length
                    .iter()
                    .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
                let (unit, rest) = rest.split_at_checked(length)?;
                *bytes = rest;
                Some(unit)
            }
        }
    }
}

fn start_code(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|bytes| bytes == [0, 0, 1])
}

/// The headers before the first picture of a packet: their type and identifier, and their bytes.
///
/// For H.264 and HEVC, each parameter set is a header. For MPEG-1, MPEG-2, MPEG-4 and VC-1, all of them together are one.
///
/// # Source
/// ITU-T H.264, 7.3.1 and 7.3.2; ITU-T H.265, 7.3.1 and 7.3.2; ISO/IEC 13818-2, 6.2; ISO/IEC 14496-2, 6.2; SMPTE 421M,
/// annex E.
pub(super) fn headers(
    codec: Id,
    framing: Framing,
    bytes: &[u8],
) -> impl Iterator<Item = ((u8, u32), &[u8])> {
    let sequence = sequence_header(codec, bytes).map(|header| ((0, 0), header));
    let mut rest = match codec {
        Id::H264 | Id::HEVC => bytes,
        _ => &[],
    };
    let kind_of = move |first: u8| match codec {
        Id::H264 => first & 0x1f,
        _ => first >> 1 & 0x3f,
    };
    let is_picture = move |first: u8| match codec {
        Id::H264 => (1..=5).contains(&kind_of(first)),
        _ => kind_of(first) < 32,
    };
    let units = std::iter::from_fn(move || {
        loop {
            let unit = framing.split(&mut rest, is_picture)?;
            let first = *unit.first()?;
            if is_picture(first) {
                return None;
            }
            if let Some(identifier) = set_identifier(codec, kind_of(first), unit) {
                return Some(((kind_of(first), identifier), unit));
            }
        }
    });
    sequence.into_iter().chain(units)
}

/// The headers at the start of a packet that begin with a sequence header (in MPEG-4: a video object layer), up to the first
/// picture or group of pictures, without the first start code.
fn sequence_header(codec: Id, bytes: &[u8]) -> Option<&[u8]> {
    if !matches!(codec, Id::MPEG1VIDEO | Id::MPEG2VIDEO | Id::MPEG4 | Id::VC1) {
        return None;
    }
    let (mut at, mut first, mut has_sequence) = (0, None, false);
    while let Some(next) = start_code(&bytes[at..]) {
        let code_at = at + next + 3;
        match code_of(codec, *bytes.get(code_at)?) {
            Code::Picture => return has_sequence.then_some(&bytes[first?..at + next]),
            Code::Header => first = first.or(Some(code_at)),
            Code::Sequence => {
                first = first.or(Some(code_at));
                has_sequence = true;
            }
            Code::Other => {}
        }
        at = code_at;
    }
    None
}

/// Meaning of the byte after a start code.
enum Code {
    /// The header that every picture needs.
    Sequence,
    /// A header before it.
    Header,
    /// A picture, a slice or a group of pictures.
    Picture,
    Other,
}

fn code_of(codec: Id, code: u8) -> Code {
    match (codec, code) {
        (Id::MPEG1VIDEO | Id::MPEG2VIDEO, 0xb3) | (Id::MPEG4, 0x20..=0x2f) | (Id::VC1, 0x0f) => {
            Code::Sequence
        }
        (Id::MPEG4, 0..=0x1f | 0xb0 | 0xb5) => Code::Header,
        (Id::MPEG1VIDEO | Id::MPEG2VIDEO, 0..=0xaf | 0xb8)
        | (Id::MPEG4, 0xb3 | 0xb6)
        | (Id::VC1, 0..=0x0d) => Code::Picture,
        _ => Code::Other,
    }
}

/// Identifier of a parameter set; `None` for other units, and for an identifier that the standards do not allow: decoders ignore
/// such a set.
fn set_identifier(codec: Id, kind: u8, unit: &[u8]) -> Option<u32> {
    let mut bits = Bits::new(unit);
    let identifier = match (codec, kind) {
        // The sequence parameter set and its subset: profile, constraints and level come first.
        (Id::H264, 7 | 15) => bits.skip(8 + 24).golomb(),
        (Id::H264, 8 | 13) => bits.skip(8).golomb(),
        (Id::HEVC, 32) => bits.skip(16).read(4),
        (Id::HEVC, 33) => {
            let num_higher_layers = bits.skip(16 + 4).read(3)?;
            bits.skip(1 + 96); // nesting; profile, tier and level
            if num_higher_layers > 0 {
                let flags = bits.read(16)?; // two a layer
                for layer in 0..num_higher_layers {
                    let has = |flag: u32| flags >> (15 - 2 * layer - flag) & 1;
                    bits.skip(88 * has(0) as usize + 8 * has(1) as usize);
                }
            }
            bits.golomb()
        }
        (Id::HEVC, 34) => bits.skip(16).golomb(),
        _ => None,
    };
    let num_allowed = match (codec, kind) {
        (Id::H264, 8) => 256,
        (Id::H264, _) => 32,
        (_, 34) => 64,
        _ => 16,
    };
    identifier.filter(|&identifier| identifier < num_allowed)
}

/// Reads bits, the highest first, from the head of a unit.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    /// Longest head that holds an identifier: of a sequence parameter set of HEVC with all sub-layers.
    const MAX_BYTES: usize = 160;

    /// Removes the bytes that keep start codes out of the unit: 3 after two zeros.
    fn new(unit: &[u8]) -> Self {
        let mut bytes = Vec::new();
        for &byte in unit.iter().take(Self::MAX_BYTES) {
            if byte != 3 || !bytes.ends_with(&[0, 0]) {
                bytes.push(byte);
            }
        }
        Self { bytes, at: 0 }
    }

    fn skip(&mut self, count: usize) -> &mut Self {
        self.at += count;
        self
    }

    fn read(&mut self, count: usize) -> Option<u32> {
        (0..count).try_fold(0, |sum, _| {
            let bit = self.bytes.get(self.at / 8)? >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(sum << 1 | u32::from(bit))
        })
    }

    /// An Exp-Golomb number below 2^16.
    fn golomb(&mut self) -> Option<u32> {
        let num_zeros = (0..16).find_map(|zeros| match self.read(1) {
            Some(0) => None,
            Some(_) => Some(Some(zeros)),
            None => Some(None),
        })??;
        Some((1 << num_zeros) - 1 + self.read(num_zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(codec: Id, framing: Framing, bytes: &[u8]) -> Vec<(u8, u32)> {
        headers(codec, framing, bytes).map(|(key, _)| key).collect()
    }

    #[test]
    fn parameter_sets_before_the_first_picture_are_found_with_their_identifiers() {
        let stream = [
            &[0, 0, 0, 1, 0x09, 0xf0][..],              // delimiter
            &[0, 0, 0, 1, 0x67, 66, 0, 30, 0x40, 0x80], // sequence 1: 010
            &[0, 0, 1, 0x68, 0b0110_0000],              // parameters 2: 011
            &[0, 0, 1, 0x65, 1, 2],                     // picture
            &[0, 0, 1, 0x68, 0b1000_0000],
        ]
        .concat();
        let expected = [(7, 1), (8, 2)];
        assert_eq!(keys(Id::H264, Framing::StartCodes, &stream), expected);
        let lengths = [
            &[0, 5, 0x67, 66, 0, 30, 0x40][..],
            &[0, 2, 0x68, 0x60],
            &[0, 9, 0x65],
        ];
        let framing = Framing::of(Id::H264, &[1, 66, 0, 30, 0xfd]);
        assert_eq!(framing, Framing::Lengths(2));
        assert_eq!(keys(Id::H264, framing, &lengths.concat()), expected);
    }

    #[test]
    fn a_parameter_set_with_an_identifier_outside_the_standard_is_left_out() {
        // 31 and 32 in 11 bits, 255 and 256 in 17, 63 and 64 in 13.
        let cases: [(_, &[u8], _); 6] = [
            (Id::H264, &[0x67, 66, 0, 30, 0b0000_0100, 1], Some((7, 31))),
            (Id::H264, &[0x67, 66, 0, 30, 0b0000_0100, 0b0011_0000], None),
            (Id::H264, &[0x68, 0, 0b1000_0000, 1], Some((8, 255))),
            (Id::H264, &[0x68, 0, 0b1000_0000, 0b1100_0000], None),
            (Id::HEVC, &[0x44, 1, 0b0000_0010, 1], Some((34, 63))),
            (Id::HEVC, &[0x44, 1, 0b0000_0010, 0b0000_1100], None),
        ];
        for (codec, unit, expected) in cases {
            let stream = [&[0, 0, 1][..], unit].concat();
            let found = keys(codec, Framing::StartCodes, &stream);
            assert_eq!(found.first().copied(), expected, "{unit:?}");
        }
    }

    #[test]
    fn the_sequence_set_of_hevc_is_read_past_its_profile_and_the_bytes_between_zeros() {
        let profile = [1, 0x60, 0, 0, 3, 0, 0x90, 0, 0, 3, 0, 0, 3, 0, 30]; // 12 bytes and three 3s
        let set = [&[0, 0, 1, 0x42, 1, 0x01][..], &profile, &[0b0101_0000]].concat();
        assert_eq!(keys(Id::HEVC, Framing::StartCodes, &set), [(33, 1)]);
    }

    #[test]
    fn the_headers_of_mpeg_reach_to_the_first_picture_or_group() {
        let header = [0xb3, 1, 2, 3, 0, 0, 1, 0xb5, 4];
        let stream = [&[0, 0, 1][..], &header, &[0, 0, 1, 0xb8, 5, 0, 0, 1, 0]].concat();
        let found: Vec<_> = headers(Id::MPEG2VIDEO, Framing::StartCodes, &stream).collect();
        assert_eq!(found, [((0, 0), &header[..])]);
        assert_eq!(keys(Id::MPEG2VIDEO, Framing::StartCodes, &stream[12..]), []);
        let layer = [0, 0, 1, 0xb5, 9, 0, 0, 1, 0x20, 7, 0, 0, 1, 0xb6, 8];
        assert_eq!(keys(Id::MPEG4, Framing::StartCodes, &layer), [(0, 0)]);
        assert_eq!(keys(Id::MPEG4, Framing::StartCodes, &layer[10..]), []);
    }

    #[test]
    fn headers_cut_at_any_byte_are_left_out_without_a_panic() {
        let stream = [
            0, 0, 1, 0x67, 66, 0, 30, 0, 0, 1, 0x68, 0, 0, 0, 1, 0xb3, 0, 0, 1,
        ];
        for codec in [
            Id::H264,
            Id::HEVC,
            Id::MPEG2VIDEO,
            Id::MPEG4,
            Id::VC1,
            Id::VP9,
        ] {
            for end in 0..stream.len() {
                for framing in [Framing::StartCodes, Framing::Lengths(2)] {
                    let _ = keys(codec, framing, &stream[..end]);
                }
            }
        }
    }
}
