//! Reads the video stream of a container, and opens its decoder.

use std::path::Path;
use std::sync::Arc;
use std::{ptr, slice};

use ffmpeg_next::codec::{self, Id};
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, decoder, ffi, frame, media};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Orientation, SizePx};

use super::bitstream::has_one_layer;
use super::container::{self, Opened, ReadAhead};
use super::extent::breaks_off;
use super::file::{FileVersion, MediaFile};
use super::gaps::Gaps;
use super::isobmff;
use super::log::reported_by;
use crate::decode::error::DecodeError;
use crate::ffmpeg::ffmpeg_versions;

/// An open container; only its video stream is read.
pub(super) struct VideoInput {
    input: Input,
    stream: usize,
    heartbeat: Arc<Heartbeat>,
    is_truncated: bool,
    file: Arc<MediaFile>,
    budget: Budget,
    has_gap: bool,
    /// Gaps that the demuxer passed when the container was opened.
    gaps_in_head: Gaps,
    /// Whether the bytes of the file show that its end is missing.
    breaks_off: bool,
}

/// Packets and bytes that may still be read before the next seek.
///
/// Packets share no bytes, so a pass gives no more packets than the file has bytes, and no more bytes unless a packet is compressed
/// or repeated. A small file that gives more would keep a worker busy for hours.
struct Budget {
    num_packets: u64,
    num_bytes: u64,
}

impl Budget {
    fn of(file: &MediaFile) -> Self {
        let len = file.version().len;
        Self {
            num_packets: len.saturating_add(MIN_PACKETS),
            num_bytes: len.saturating_mul(MAX_EXPANSION).saturating_add(MIN_BYTES),
        }
    }

    /// Takes a packet of `size` bytes from the budget.
    fn spend(&mut self, size: usize, len: u64) -> Result<(), DecodeError> {
        let num_packets = self.num_packets.checked_sub(1);
        let num_bytes = self.num_bytes.checked_sub(size as u64);
        let what = match (num_packets, num_bytes) {
            (Some(num_packets), Some(num_bytes)) => {
                (self.num_packets, self.num_bytes) = (num_packets, num_bytes);
                return Ok(());
            }
            (None, _) => "more packets than the file has bytes".to_owned(),
            (_, None) => {
                format!("packets of more than {MAX_EXPANSION} times the bytes of the file")
            }
        };
        Err(DecodeError::Budget(format!(
            "the container gives {what} ({len}): it repeats or expands them"
        )))
    }
}

const MIN_PACKETS: u64 = 4096;
const MIN_BYTES: u64 = 64 << 20;
const MAX_EXPANSION: u64 = 16;

impl VideoInput {
    /// Opens the file at `path` and selects its video stream as FFmpeg's own programs do.
    pub fn open(path: &Path, heartbeat: &Arc<Heartbeat>) -> Result<Self, DecodeError> {
        let file = Arc::new(MediaFile::open(path)?);
        let opened = container::open(path, &file, heartbeat, ReadAhead::Packets)?;
        let Opened {
            input,
            doubtful_until,
        } = opened;
        file.check()?;
        let num_streams = input.streams().len();
        let is_cover = |stream: &ffmpeg_next::Stream<'_>| {
            stream
                .disposition()
                .contains(ffmpeg_next::format::stream::Disposition::ATTACHED_PIC)
        };
        let best = input
            .streams()
            .best(media::Type::Video)
            .filter(|stream| !is_cover(stream));
        let stream = best
            .ok_or_else(|| {
                let cut = isobmff::without_index(&file);
                cut.unwrap_or(DecodeError::NoVideoStream { num_streams })
            })?
            .index();
        let gaps_in_head = match doubtful_until {
            None => Gaps::default(),
            Some(end) => Gaps::in_head(path, &file, heartbeat, stream, end)?,
        };
        let mut opened = Self {
            input,
            stream,
            heartbeat: Arc::clone(heartbeat),
            is_truncated: false,
            budget: Budget::of(&file),
            has_gap: false,
            gaps_in_head,
            breaks_off: breaks_off(&file)
                .map_err(|err| DecodeError::unreadable("the file", err))?,
            file,
        };
        opened.discard_other_streams();
        opened.check_dolby_vision()?;
        Ok(opened)
    }

    fn discard_other_streams(&mut self) {
        for index in 0..self.input.streams().len() {
            if index != self.stream {
                // SAFETY: `index` is below the number of streams of the open context.
                unsafe {
                    let stream = *(*self.input.as_mut_ptr()).streams.add(index);
                    (*stream).discard = ffi::AVDiscard::AVDISCARD_ALL;
                }
            }
        }
    }

    fn av_stream(&self) -> *const ffi::AVStream {
        // SAFETY: `stream` is the index of a stream of the open context.
        unsafe { *(*self.input.as_ptr()).streams.add(self.stream) }
    }

    fn parameters(&self) -> &ffi::AVCodecParameters {
        // SAFETY: every stream has parameters, which live as long as the context.
        unsafe { &*(*self.av_stream()).codecpar }
    }

    /// The refusal of a stream whose `num_packets` packets give no frame.
    pub fn without_frames(&self, num_packets: u64) -> DecodeError {
        let cut = isobmff::without_index(&self.file);
        cut.unwrap_or(DecodeError::NoFrame { num_packets })
    }

    /// The file as it was when it was opened.
    pub fn version(&self) -> FileVersion {
        self.file.version()
    }

    /// Seconds per tick of the stream's clock, as a fraction.
    pub fn seconds_per_tick(&self) -> (i32, i32) {
        // SAFETY: the stream lives as long as the context.
        let base = unsafe { (*self.av_stream()).time_base };
        (base.num, base.den)
    }

    /// Size of the stored picture, from the container or the first frames; 0 for a negative side.
    pub fn stored_size(&self) -> SizePx {
        let parameters = self.parameters();
        let side = |side: i32| u32::try_from(side).unwrap_or(0);
        SizePx {
            width: side(parameters.width),
            height: side(parameters.height),
        }
    }

    /// Codec of the video stream.
    pub fn codec(&self) -> Id {
        Id::from(self.parameters().codec_id)
    }

    /// Whether skipping frames marked as non-reference leaves all other frames unchanged.
    pub fn can_skip_non_reference(&self) -> bool {
        match self.codec() {
            Id::H264 | Id::MPEG1VIDEO | Id::MPEG2VIDEO | Id::MPEG4 => true,
            Id::HEVC => has_one_layer(self.extradata()),
            _ => false,
        }
    }

    /// The decoder's configuration as the container states it; empty if it does not.
    pub fn extradata(&self) -> &[u8] {
        let parameters = self.parameters();
        let len = usize::try_from(parameters.extradata_size).unwrap_or(0);
        if parameters.extradata.is_null() {
            return &[];
        }
        // SAFETY: the buffer has `extradata_size` bytes and lives as long as the context.
        unsafe { slice::from_raw_parts(parameters.extradata, len) }
    }

    /// Whether a packet may hold a single field instead of a frame.
    pub fn may_be_field_coded(&self) -> bool {
        use ffi::AVFieldOrder::{AV_FIELD_PROGRESSIVE, AV_FIELD_UNKNOWN};
        !matches!(
            self.parameters().field_order,
            AV_FIELD_PROGRESSIVE | AV_FIELD_UNKNOWN
        )
    }

    /// Frames that the decoder holds back to reorder them, estimated from the head of the file.
    pub fn delay(&self) -> usize {
        usize::try_from(self.parameters().video_delay).unwrap_or(0)
    }

    /// Orientation stated by the container.
    pub fn orientation(&self) -> Orientation {
        let matrix =
            self.side_data::<[i32; 9]>(ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX);
        matrix.map_or_else(Orientation::default, orientation_of)
    }

    /// Refuses Dolby Vision of profile 5: its stream states no matrix, and its planes are not luma and chroma.
    fn check_dolby_vision(&self) -> Result<(), DecodeError> {
        // AVDOVIDecoderConfigurationRecord; bytes 2 and 7 are the profile and the standard that the picture is compatible with.
        let record = self.side_data::<[u8; 8]>(ffi::AVPacketSideDataType::AV_PKT_DATA_DOVI_CONF);
        match record {
            Some([_, _, 5, _, _, _, _, 0]) => Err(DecodeError::DolbyVision),
            _ => Ok(()),
        }
    }

    /// The start of the stream's side data of a kind. `T` is an array of numbers, for which every byte pattern is valid.
    fn side_data<T: Copy>(&self, kind: ffi::AVPacketSideDataType) -> Option<T> {
        let mut size = 0;
        // SAFETY: the stream and its side data live as long as the context; the data are `size` bytes, enough for `T`.
        unsafe {
            let data = ffi::av_stream_get_side_data(self.av_stream(), kind, &mut size);
            let is_whole = !data.is_null() && size >= size_of::<T>();
            is_whole.then(|| ptr::read_unaligned(data.cast::<T>()))
        }
    }

    /// Reads the next non-empty packet of the video stream; `None` at the end, or where a truncated container stops.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        self.has_gap = false;
        loop {
            if self.heartbeat.should_stop() {
                return Err(DecodeError::Stopped);
            }
            let mut packet = Packet::empty();
            let (read, reported) = reported_by(|| packet.read(&mut self.input));
            self.has_gap |= reported.container_errors > 0;
            match read {
                Ok(()) => {
                    self.heartbeat.beat();
                    self.file.check()?;
                    self.budget.spend(packet.size(), self.file.version().len)?;
                    if packet.stream() == self.stream && packet.size() > 0 {
                        self.has_gap |= self.gaps_in_head.are_before(&packet);
                        return Ok(Some(packet));
                    }
                }
                Err(_) if self.heartbeat.should_stop() => return Err(DecodeError::Stopped),
                // A truncated container ends like a complete one: earlier packets are intact.
                Err(err) => {
                    self.file.check()?;
                    self.is_truncated =
                        err != ffmpeg_next::Error::Eof || self.has_gap || self.breaks_off;
                    return Ok(None);
                }
            }
        }
    }

    /// Whether the demuxer skipped damaged bytes before the packet read last.
    pub fn has_gap(&self) -> bool {
        self.has_gap
    }

    /// Whether the demuxer met an error before the end of the container.
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Seeks to a position at or before `timestamp`, ticks. The next packet tells the exact position. Returns `false` if the
    /// container cannot seek there.
    pub fn seek_back_to(&mut self, timestamp: i64) -> bool {
        self.budget = Budget::of(&self.file);
        let (stream, flags) = (self.stream as i32, ffi::AVSEEK_FLAG_BACKWARD);
        // SAFETY: the context is open, and no packet of it is borrowed.
        unsafe { ffi::av_seek_frame(self.input.as_mut_ptr(), stream, timestamp, flags) >= 0 }
    }

    /// Opens a single-threaded decoder of the stream: the workers use all cores.
    pub fn decoder(&self) -> Result<decoder::Video, DecodeError> {
        let failed = |err: ffmpeg_next::Error| DecodeError::Ffmpeg {
            action: "open the decoder",
            message: err.to_string(),
        };
        let stream = self.input.stream(self.stream);
        let parameters = stream.ok_or(DecodeError::ForeignIndex)?.parameters();
        let mut context = codec::Context::from_parameters(parameters).map_err(failed)?;
        context.set_threading(codec::threading::Config {
            kind: codec::threading::Type::None,
            count: 1,
            safe: false,
        });
        // SAFETY: the context is ours; FFmpeg reads the fields when it opens the decoder and allocates frames.
        unsafe {
            (*context.as_mut_ptr()).max_pixels = SizePx::MAX_AREA as i64;
            (*context.as_mut_ptr()).pkt_timebase = (*self.av_stream()).time_base;
            // These decoders fill a damaged slice from the previous frame without a mark, unless told to fail. The others mark the
            // frame, or tell of it through the log.
            if matches!(self.codec(), Id::MPEG1VIDEO | Id::MPEG2VIDEO) {
                (*context.as_mut_ptr()).err_recognition |= ffi::AV_EF_EXPLODE;
            }
        }
        let codec = decoder::find(self.codec()).ok_or_else(|| DecodeError::NoDecoder {
            codec: self.codec().name().to_owned(),
            version: ffmpeg_versions(),
        })?;
        context
            .decoder()
            .open_as(codec)
            .and_then(|opened| opened.video())
            .map_err(failed)
    }
}

/// Whether the decoder rejected a packet. Other errors only ask for more packets, or for received frames to be taken.
pub(super) fn is_refusal(err: ffmpeg_next::Error) -> bool {
    use ffmpeg_next::Error::{Eof, Other};
    use ffmpeg_next::error::EAGAIN;
    !matches!(err, Eof | Other { errno: EAGAIN })
}

/// Whether the decoder marked a part of the frame as concealed.
pub(super) fn has_errors(received: &frame::Video) -> bool {
    received.is_corrupt() || received.has_decode_errors()
}

/// Nearest of the eight orientations. Stored x maps to `(m[0], m[1])` of the shown
/// picture, stored y to `(m[3], m[4])`, both with y downward (ISO/IEC 14496-12, 8.2.2).
fn orientation_of(matrix: [i32; 9]) -> Orientation {
    let [a, b, c, d] = [matrix[0], matrix[1], matrix[3], matrix[4]].map(i64::from);
    let mirrored = a * d - b * c < 0;
    let (x, y) = if mirrored { (-a, -b) } else { (a, b) };
    let quarter_turns = match (x.abs() >= y.abs(), x >= 0, y >= 0) {
        (true, true, _) => 0,
        (false, _, true) => 1,
        (true, false, _) => 2,
        (false, _, false) => 3,
    };
    Orientation {
        mirrored,
        quarter_turns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_matrix_gives_quarter_turns_and_mirroring() {
        const ONE: i32 = 1 << 16;
        let orientation =
            |a, b, c, d| orientation_of([a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30]);
        let upright = |mirrored, quarter_turns| Orientation {
            mirrored,
            quarter_turns,
        };
        assert_eq!(orientation(1, 0, 0, 1), upright(false, 0));
        assert_eq!(orientation(0, 1, -1, 0), upright(false, 1));
        assert_eq!(orientation(-1, 0, 0, -1), upright(false, 2));
        assert_eq!(orientation(0, -1, 1, 0), upright(false, 3));
        assert_eq!(orientation(-1, 0, 0, 1), upright(true, 0));
        assert_eq!(orientation(1, 0, 0, -1), upright(true, 2));
    }
}
