//! Decodes packets and notices every sign of damage: refusals, marks of frames, and messages.

use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::discard::Discard;
use ffmpeg_next::{Error, Packet, decoder, frame};

use super::input::{VideoInput, has_errors, is_refusal};
use super::log::{Reported, reported_by};
use crate::decode::error::DecodeError;

/// A decoder of the video stream. It decodes a packet when the packet is sent, on the calling thread: what it reports
/// belongs to the packet sent last.
pub(super) struct Decoder {
    decoder: decoder::Video,
    codec: Id,
    is_doubtful: bool,
}

impl Decoder {
    pub fn open(input: &VideoInput) -> Result<Self, DecodeError> {
        Ok(Self {
            decoder: input.decoder()?,
            codec: input.codec(),
            is_doubtful: false,
        })
    }

    /// Whether the decoder shows no frame before it has recovered: at an instantaneous refresh, at a recovery point, or when
    /// all parts were refreshed. All other decoders also show frames whose references are missing.
    pub fn waits_for_recovery(&self) -> bool {
        matches!(self.codec, Id::H264 | Id::MPEG1VIDEO | Id::MPEG2VIDEO)
    }

    /// Decodes a packet.
    pub fn send(&mut self, packet: &Packet) {
        self.is_doubtful = packet.is_corrupt();
        let (sent, reported) = reported_by(|| self.decoder.send_packet(packet));
        self.judge(sent, reported);
    }

    /// Asks for the frames that the decoder holds back. Until [`Self::flush`], no packet can be sent.
    pub fn send_eof(&mut self) {
        self.is_doubtful = false;
        let _ = self.decoder.send_eof(); // fails if it was sent before
    }

    /// Takes the next frame; `false` if the decoder needs another packet, or has ended.
    pub fn receive(&mut self, received: &mut frame::Video) -> bool {
        let (result, reported) = reported_by(|| self.decoder.receive_frame(received));
        self.judge(result, reported);
        result.is_ok()
    }

    fn judge(&mut self, result: Result<(), Error>, reported: Reported) {
        // This decoder reports damaged code blocks as warnings.
        let warns_of_damage = self.codec == Id::JPEG2000;
        self.is_doubtful |= result.is_err_and(is_refusal)
            || reported.codec_errors > 0
            || warns_of_damage && reported.codec_warnings > 0;
    }

    /// Whether the packet sent last is damaged, or refers to a missing frame.
    pub fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Selects the packets that the decoder skips.
    pub fn skip(&mut self, skipped: Discard) {
        self.decoder.skip_frame(skipped);
    }

    /// Drops all frames that the decoder holds.
    pub fn flush(&mut self) {
        self.decoder.flush();
    }
}

/// Whether the decoder marked the frame as damaged.
pub(super) fn is_marked(received: &frame::Video) -> bool {
    has_errors(received)
}
