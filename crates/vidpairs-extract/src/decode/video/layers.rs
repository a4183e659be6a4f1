//! Whether a stream of HEVC has one temporal layer.

/// Start of a video parameter set in a byte stream: start code, NAL unit type 32, layer 0.
const PARAMETER_SET: [u8; 5] = [0, 0, 1, 0x40, 1];

/// Whether the stream with this `extradata` states that it has one temporal layer.
///
/// A "sub-layer non-reference picture" is one that no picture of its own layer refers to; a picture of
/// a higher layer may. Only where there is one layer can it be left out.
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
        .position(|found| found == PARAMETER_SET);
    let second_byte = at.and_then(|at| extradata.get(at + PARAMETER_SET.len() + 1));
    second_byte.is_some_and(|byte| byte >> 1 & 7 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_are_read_from_both_forms_of_extradata_and_never_guessed() {
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
}
