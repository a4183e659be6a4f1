//! Packets that are decoded but never shown.

use ffmpeg_next::codec::Id;

/// Whether the packet's bytes say that its frame is not shown: an alternate reference frame of VP8
/// or VP9 in a packet of its own. All other codecs show one frame a packet.
pub(super) fn is_hidden(codec: Id, bytes: &[u8]) -> bool {
    match codec {
        // RFC 6386, 9.1: bit 4 of the first byte is show_frame.
        Id::VP8 => bytes.first().is_some_and(|first| first & 0x10 == 0),
        Id::VP9 => is_hidden_vp9(bytes),
        _ => false,
    }
}

/// VP9 bitstream specification, 6.2 and annex B: a superframe always shows one frame; a single frame
/// says in its first bits whether it is shown.
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
    fn the_show_bits_of_vp8_and_vp9_are_read_where_the_formats_put_them() {
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
