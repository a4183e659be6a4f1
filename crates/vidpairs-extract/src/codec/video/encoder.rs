//! Opens the encoder and the colour converter in front of it.

use ffmpeg_next::codec::{self, encoder};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling;
use ffmpeg_next::{Dictionary, Rational, color, ffi};
use vidpairs_types::SizePx;

use super::error::{MAX_CRF, MAX_FPS, VideoError};
use crate::ffmpeg::{ffmpeg_versions, is_bt709_by_default};

/// Most frames from one keyframe to the next.
pub const KEYFRAME_INTERVAL: u32 = 48;

/// Size, rate and quality of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoOptions {
    /// Size of every frame; both sides even.
    pub size: SizePx,
    /// Frames per second, 1 to 1000.
    pub fps: u32,
    /// Constant rate factor on libx264's scale: 0 is lossless, 18 to 23 usual, 51 the lowest quality. The MPEG-4 encoder
    /// uses a sixth of it as quantizer, which looks similar.
    pub crf: u8,
}

impl VideoOptions {
    pub(super) fn check(self) -> Result<(), VideoError> {
        let Self { size, fps, crf } = self;
        let is_even = size.width.is_multiple_of(2) && size.height.is_multiple_of(2);
        if !is_even || !size.is_accepted() {
            return Err(VideoError::Size(size));
        }
        if !(1..=MAX_FPS).contains(&fps) {
            return Err(VideoError::Fps(fps));
        }
        if crf > MAX_CRF {
            return Err(VideoError::Crf(crf));
        }
        Ok(())
    }

    /// Duration of one frame, seconds; options are checked.
    pub(super) fn tick(self) -> Rational {
        Rational(1, self.fps as i32)
    }
}

/// Encoder of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoEncoder {
    /// H.264 by libx264.
    X264,
    /// MPEG-4 Part 2 by FFmpeg itself, used where libx264 is missing.
    Mpeg4,
}

impl VideoEncoder {
    /// Name of the encoder in FFmpeg's programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::X264 => "libx264",
            Self::Mpeg4 => "mpeg4",
        }
    }

    pub(super) fn find(self) -> Option<ffmpeg_next::Codec> {
        encoder::find_by_name(self.name())
    }

    /// The best encoder that is linked.
    pub(super) fn best() -> Result<Self, VideoError> {
        let encoders = [Self::X264, Self::Mpeg4];
        let linked = encoders
            .into_iter()
            .find(|encoder| encoder.find().is_some());
        linked.ok_or_else(no_encoder)
    }

    pub(super) fn open(self, options: VideoOptions) -> Result<encoder::Video, VideoError> {
        let failed = VideoError::ffmpeg("open the encoder");
        let codec = self.find().ok_or_else(no_encoder)?;
        let context = codec::Context::new_with_codec(codec);
        let mut video = context.encoder().video().map_err(&failed)?;
        video.set_width(options.size.width);
        video.set_height(options.size.height);
        video.set_format(Pixel::YUV420P);
        video.set_time_base(options.tick());
        video.set_frame_rate(Some(options.tick().invert()));
        video.set_gop(KEYFRAME_INTERVAL);
        video.set_max_b_frames(2);
        video.set_color_range(color::Range::MPEG);
        let (space, primaries) = colors(options.size);
        video.set_colorspace(space);
        video.set_color_primaries(primaries);
        // The curve of both BT.601 and BT.709. The pixels are sRGB, as in most video.
        video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        video.set_threading(codec::threading::Config {
            kind: codec::threading::Type::None,
            count: 1,
            safe: false,
        });
        // An MP4 stores the encoder's parameters in its header.
        let mut flags = codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT;
        let mut settings = Dictionary::new();
        match self {
            Self::X264 => {
                settings.set("preset", "veryfast");
                settings.set("crf", &options.crf.to_string());
                // libx264 chooses code by processor, and its choices of AVX-512 even depend on the previous contents of
                // memory (core 164, small pictures with B-frames).
                settings.set("x264-params", "cpu-independent=1");
            }
            Self::Mpeg4 => {
                flags |= codec::Flags::QSCALE;
                let quantizer = usize::from(options.crf / 6).clamp(1, 31);
                video.set_quality(quantizer * ffi::FF_QP2LAMBDA as usize);
            }
        }
        // SAFETY: the context is ours and not yet open.
        unsafe {
            // Flags are added: the encoder's default flags close each group of pictures.
            (*video.as_mut_ptr()).flags |= flags.bits() as i32;
        }
        video.open_as_with(codec, settings).map_err(&failed)
    }
}

fn no_encoder() -> VideoError {
    VideoError::NoEncoder {
        version: ffmpeg_versions(),
    }
}

/// Matrix and primaries that players assume for unmarked video of this size. They are written to the file as well.
fn colors(size: SizePx) -> (color::Space, color::Primaries) {
    if is_bt709_by_default(size) {
        (color::Space::BT709, color::Primaries::BT709)
    } else {
        (color::Space::SMPTE170M, color::Primaries::SMPTE170M)
    }
}

/// Converter from full-range RGB to limited-range 4:2:0 in the matrix of [`colors`]; the same bytes on every processor.
pub(super) fn scaler(size: SizePx) -> Result<scaling::Context, VideoError> {
    const UNCHANGED: i32 = 1 << 16;
    let failed = VideoError::ffmpeg("make the converter to 4:2:0");
    let SizePx { width, height } = size;
    let flags = scaling::Flags::BICUBIC
        | scaling::Flags::ACCURATE_RND
        | scaling::Flags::FULL_CHR_H_INP
        | scaling::Flags::BITEXACT;
    let (from, to) = (Pixel::RGB24, Pixel::YUV420P);
    let mut scaler =
        scaling::Context::get(from, width, height, to, width, height, flags).map_err(&failed)?;
    let matrix = match colors(size).0 {
        color::Space::BT709 => ffi::SWS_CS_ITU709,
        _ => ffi::SWS_CS_ITU601,
    };
    // SAFETY: the context is ours; the tables are static data of the library.
    let status = unsafe {
        let table = ffi::sws_getCoefficients(matrix);
        let context = scaler.as_mut_ptr();
        ffi::sws_setColorspaceDetails(context, table, 1, table, 0, 0, UNCHANGED, UNCHANGED)
    };
    if status < 0 {
        return Err(failed(ffmpeg_next::Error::from(status)));
    }
    Ok(scaler)
}
