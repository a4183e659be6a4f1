//! An open container and the decoder of its video stream.

use std::ffi::CString;
use std::path::Path;
use std::sync::{Arc, Once};
use std::{ptr, slice};

use ffmpeg_next::codec::{self, Id};
use ffmpeg_next::format::context::Input;
use ffmpeg_next::util::interrupt;
use ffmpeg_next::{Dictionary, Packet, decoder, ffi, media};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Orientation, SizePx};

use super::super::DecodeError;
use super::ffmpeg_versions;
use super::layers::has_one_layer;

static ERROR_WORDS: Once = Once::new();

/// A container whose video stream alone is read.
pub(super) struct VideoInput {
    input: Input,
    stream: usize,
    heartbeat: Arc<Heartbeat>,
    is_broken_off: bool,
}

impl VideoInput {
    /// Opens the file at `path` and chooses its video stream, as FFmpeg's own programs choose.
    pub fn open(path: &Path, heartbeat: &Arc<Heartbeat>) -> Result<Self, DecodeError> {
        let metadata =
            std::fs::metadata(path).map_err(|err| DecodeError::unreadable("the file", err))?;
        if metadata.len() == 0 {
            return Err(DecodeError::Empty);
        }
        // Asked before FFmpeg is: its own "permission denied" reads like a damaged container.
        std::fs::File::open(path).map_err(|err| DecodeError::unreadable("the file", err))?;
        // Until it is told to look them up, the binding has no words for FFmpeg's errors.
        ERROR_WORDS.call_once(ffmpeg_next::util::error::register_all);
        let input = open_input(path, heartbeat)?;
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
            .ok_or(DecodeError::NoVideoStream { num_streams })?
            .index();
        let mut opened = Self {
            input,
            stream,
            heartbeat: Arc::clone(heartbeat),
            is_broken_off: false,
        };
        opened.discard_other_streams();
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

    /// Seconds of one tick of the stream's clock.
    pub fn seconds_per_tick(&self) -> (i32, i32) {
        // SAFETY: the stream lives as long as the context.
        let base = unsafe { (*self.av_stream()).time_base };
        (base.num, base.den)
    }

    /// Size of the stored picture as the container or the first frames state it.
    pub fn stored_size(&self) -> SizePx {
        let parameters = self.parameters();
        let side = |side: i32| u32::try_from(side).unwrap_or(0);
        SizePx {
            width: side(parameters.width),
            height: side(parameters.height),
        }
    }

    /// Which codec.
    pub fn codec(&self) -> Id {
        Id::from(self.parameters().codec_id)
    }

    /// Whether leaving out a frame that is marked as no reference leaves all others as they are.
    pub fn can_skip_non_reference(&self) -> bool {
        match self.codec() {
            Id::H264 | Id::MPEG1VIDEO | Id::MPEG2VIDEO | Id::MPEG4 => true,
            Id::HEVC => has_one_layer(self.extradata()),
            _ => false,
        }
    }

    fn extradata(&self) -> &[u8] {
        let parameters = self.parameters();
        let len = usize::try_from(parameters.extradata_size).unwrap_or(0);
        if parameters.extradata.is_null() {
            return &[];
        }
        // SAFETY: the buffer has `extradata_size` bytes and lives as long as the context.
        unsafe { slice::from_raw_parts(parameters.extradata, len) }
    }

    /// Whether a packet may hold one field of a frame instead of a frame.
    pub fn may_be_field_coded(&self) -> bool {
        use ffi::AVFieldOrder::{AV_FIELD_PROGRESSIVE, AV_FIELD_UNKNOWN};
        !matches!(
            self.parameters().field_order,
            AV_FIELD_PROGRESSIVE | AV_FIELD_UNKNOWN
        )
    }

    /// How many frames the decoder holds back to put them in order, as far as the head of the file tells.
    pub fn delay(&self) -> usize {
        usize::try_from(self.parameters().video_delay).unwrap_or(0)
    }

    /// How the container says the picture should be turned.
    pub fn orientation(&self) -> Orientation {
        let mut size = 0;
        // SAFETY: the stream lives as long as the context; the side data too, and is `size` bytes.
        let matrix = unsafe {
            let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
            let data = ffi::av_stream_get_side_data(self.av_stream(), kind, &mut size);
            if data.is_null() || size < 36 {
                return Orientation::default();
            }
            ptr::read_unaligned(data.cast::<[i32; 9]>())
        };
        orientation_of(matrix)
    }

    /// The next packet of the video stream that holds anything; `None` at the end, or where the
    /// container breaks off.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        loop {
            if self.heartbeat.should_stop() {
                return Err(DecodeError::Stopped);
            }
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream && packet.size() > 0 => {
                    self.heartbeat.beat();
                    return Ok(Some(packet));
                }
                Ok(()) => self.heartbeat.beat(),
                Err(ffmpeg_next::Error::Exit) => return Err(DecodeError::Stopped),
                // A container that is cut ends like one that is whole: what came before is sound.
                Err(err) => {
                    self.is_broken_off = err != ffmpeg_next::Error::Eof;
                    return Ok(None);
                }
            }
        }
    }

    /// Whether the container ended before its end, as far as it can tell.
    pub fn is_broken_off(&self) -> bool {
        self.is_broken_off
    }

    /// Moves to a place at or before `timestamp`, in the stream's ticks. Where that really is, the
    /// next packet tells. `false` if the container cannot seek there.
    pub fn seek_back_to(&mut self, timestamp: i64) -> bool {
        let (stream, flags) = (self.stream as i32, ffi::AVSEEK_FLAG_BACKWARD);
        // SAFETY: the context is open, and no packet of it is borrowed.
        unsafe { ffi::av_seek_frame(self.input.as_mut_ptr(), stream, timestamp, flags) >= 0 }
    }

    /// A decoder for the stream, with one thread: the crew of workers uses the cores.
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
        // SAFETY: the context is ours; the limit is read when a frame is allocated.
        unsafe {
            (*context.as_mut_ptr()).max_pixels = SizePx::MAX_AREA as i64;
            (*context.as_mut_ptr()).pkt_timebase = (*self.av_stream()).time_base;
            // These decoders fill a damaged slice from the frame before and tell nobody, unless asked to
            // fail. All others mark the frame.
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

fn open_input(path: &Path, heartbeat: &Arc<Heartbeat>) -> Result<Input, DecodeError> {
    let path = path.to_str().ok_or(DecodeError::Path)?;
    // The protocol is named, so that no file name is taken for a network address or a playlist.
    let url = CString::new(format!("file:{path}")).map_err(|_| DecodeError::Path)?;
    let stop = Arc::clone(heartbeat);
    let interrupt = interrupt::new(Box::new(move || stop.should_stop()));
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file");
    // SAFETY: the context is allocated here, freed by FFmpeg where opening fails, and owned by
    // `Input` from then on; the interrupt's guard outlives it inside `Input`.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            let message = "out of memory".to_owned();
            return Err(DecodeError::Ffmpeg {
                action: "open the file",
                message,
            });
        }
        (*context).interrupt_callback = interrupt.interrupt;
        let mut options = options.disown();
        let opened =
            ffi::avformat_open_input(&mut context, url.as_ptr(), ptr::null(), &mut options);
        drop(Dictionary::own(options));
        if opened < 0 {
            return Err(no_container(opened));
        }
        let input = Input::wrap_with_interrupt(context, interrupt.guard);
        let found = ffi::avformat_find_stream_info(context, ptr::null_mut());
        heartbeat.beat();
        if found < 0 {
            Err(no_container(found))
        } else {
            Ok(input)
        }
    }
}

fn no_container(code: i32) -> DecodeError {
    match ffmpeg_next::Error::from(code) {
        ffmpeg_next::Error::Exit => DecodeError::Stopped,
        err => DecodeError::NoContainer {
            version: ffmpeg_versions(),
            message: err.to_string(),
        },
    }
}

/// The nearest of the eight upright orientations. Stored x goes to `(m[0], m[1])` of the shown
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
    fn a_display_matrix_gives_the_turn_and_the_mirroring() {
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
