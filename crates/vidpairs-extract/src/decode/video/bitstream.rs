//! Reads single facts from the bitstreams of HEVC, VP8 and VP9.

use ffmpeg_next::codec::Id;

/// Start of an HEVC video parameter set in a byte stream: start code, NAL unit type 32, layer 0.
const PARAMETER_SET: [u8; 5] = [0, 0, 1, 0x40, 1];

/// Whether `extradata` states that an HEVC stream has one temporal layer.
///
/// No picture of the same layer refers to a "sub-layer non-reference picture", but a picture of a higher layer may. It can be
/// skipped only if there is one layer.
///
/// # Source
/// ITU-T H.265, 7.4.2.2 (NAL unit types) and 7.3.2.1 (`vps_max_sub_layers_minus1`); ISO/IEC 14496-15,
/// 8.3.3.1 (`numTemporalLayers`).
pub(super) fn has_one_layer(extradata: &[u8]) -> bool {
    if extradata.first() == Some(&1) {
        return extradata.get(21).is_some_and(|byte| byte >> 3 & 7 == 1);
    }
    let at = extradata
        .windows(PARAMETER_SET.len())
        .position(|bytes| bytes == PARAMETER_SET);
    let second_byte = at.and_then(|at| extradata.get(at + PARAMETER_SET.len() + 1));
    second_byte.is_some_and(|byte| byte >> 1 & 7 == 0)
}

/// Whether a packet's frame is decoded but never shown: an alternate reference frame of VP8 or VP9 in a packet of its own. All
/// other codecs show one frame per packet.
pub(super) fn is_hidden(codec: Id, bytes: &[u8]) -> bool {
    match codec {
        // RFC 6386, 9.1: bit 4 of the first byte is show_frame.
        Id::VP8 => bytes.first().is_some_and(|first| first & 0x10 == 0),
        Id::VP9 => is_hidden_vp9(bytes),
        _ => false,
    }
}

/// VP9 bitstream specification, 6.2 and annex B: a superframe always shows one frame; the header of a single frame
/// states whether it is shown.
fn is_hidden_vp9(bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if last & 0xe0 == 0xc0 {
        return false;
    }
    let profile = (first >> 5 & 1) | (first >> 4 & 1) << 1;
    let reserved = u8::from(profile == 3); // one more bit before show_existing_frame
    let bit = |place: u8| first >> (7 - place - reserved) & 1;
    let shows_existing = bit(4) == 1;
    let shows_this = bit(6) == 1;
    !shows_existing && !shows_this
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_layers_is_read_from_both_forms_of_extradata_and_never_guessed() {
        let mut record = [0; 23];
        record[0] = 1;
        for (layers, is_one) in [(0, false), (1, true), (2, false)] {
            record[21] = layers << 3 | 0b111;
            assert_eq!(has_one_layer(&record), is_one);
        }
        // Identifier 0, both base layer flags, no further layer, one temporal layer, nested.
        let stream = [0, 0, 0, 1, 0x40, 1, 0x0c, 0x01, 0xff, 0xff];
        assert!(has_one_layer(&stream));
        let layered = [0, 0, 0, 1, 0x40, 1, 0x0c, 0x03, 0xff, 0xff];
        assert!(!has_one_layer(&layered));
        assert!(!has_one_layer(&[]));
        assert!(!has_one_layer(&stream[..7]));
    }

    #[test]
    fn the_show_bits_of_vp8_and_vp9_are_read_from_their_places_in_the_header() {
        assert!(is_hidden(Id::VP8, &[0b0000_0001]));
        assert!(!is_hidden(Id::VP8, &[0b0001_0001]));
        // frame_marker 10, profile 00, show_existing 0, frame_type 1, show_frame, error_res 0
        assert!(is_hidden(Id::VP9, &[0b1000_0100, 0]));
        assert!(!is_hidden(Id::VP9, &[0b1000_0110, 0]));
        assert!(!is_hidden(Id::VP9, &[0b1000_1000, 0]));
        assert!(!is_hidden(Id::VP9, &[0b1000_0100, 0xc1]));
        assert!(!is_hidden(Id::H264, &[0]));
    }
}
