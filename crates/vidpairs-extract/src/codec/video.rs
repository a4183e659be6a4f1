//! RGB frames to an MP4 with H.264, as cameras and web sites make them.
//!
//! **Takes** [`RgbImage`]s of one even size. **Gives** an MP4: 4:2:0, B-frames, a keyframe every
//! [`KEYFRAME_INTERVAL`] frames at most. **Fails** with [`VideoError`]: leave the video out. **Source**: libx264, or
//! where the linked FFmpeg lacks it, its own MPEG-4 Part 2 encoder.
//!
//! The bytes are a function of the frames and the options, for the same FFmpeg and libx264, whatever the
//! processor: one thread, no dates, no version of the muxer.

use std::path::Path;
use std::sync::Once;

use ffmpeg_next::codec::{self, encoder};
use ffmpeg_next::format::{self, Pixel, context};
use ffmpeg_next::software::scaling;
use ffmpeg_next::{Dictionary, Packet, Rational, color, ffi, frame};
use vidpairs_types::{RgbImage, SizePx};

/// Frames from one keyframe to the next, at most.
pub const KEYFRAME_INTERVAL: u32 = 48;

/// Frames per second that are accepted, at most: MPEG-4's clock has 16 bits, and no clip has more.
const MAX_FPS: u32 = 1000;

/// libx264's worst quality.
const MAX_CRF: u8 = 51;

static ERROR_WORDS: Once = Once::new();

/// What to encode, and how well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoOptions {
    /// Of every frame; both sides even.
    pub size: SizePx,
    /// Frames per second, 1 to 1000.
    pub fps: u32,
    /// Constant rate factor as libx264 counts: 0 is lossless, 18 to 23 usual, 51 the worst. The stand-in
    /// encoder takes a sixth of it as its quantizer, which looks about alike.
    pub crf: u8,
}

/// Which encoder was linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoEncoder {
    /// H.264 by libx264.
    X264,
    /// MPEG-4 Part 2 by FFmpeg itself, where there is no libx264.
    Mpeg4,
}

impl VideoEncoder {
    /// The name that FFmpeg's programs know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::X264 => "libx264",
            Self::Mpeg4 => "mpeg4",
        }
    }

    fn find(self) -> Option<ffmpeg_next::Codec> {
        encoder::find_by_name(self.name())
    }
}

/// Why a video could not be written. What was written so far is not a whole file: remove it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// The size is odd, so that 4:2:0 has half a sample left over, or beyond what is read back. Choose another.
    #[error(
        "video of {0}; even sides of {min} to {max} px and at most {area} px in all are accepted",
        min = SizePx::MIN_SIDE, max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    Size(SizePx),
    /// Choose another rate.
    #[error("fps is {0}; expected 1 to {MAX_FPS}")]
    Fps(u32),
    /// Choose another quality.
    #[error("crf is {0}; expected 0 to {MAX_CRF}")]
    Crf(u8),
    /// FFmpeg takes UTF-8 names alone. Name the file otherwise.
    #[error("the path is not UTF-8, or holds a NUL")]
    Path,
    /// Neither libx264 nor FFmpeg's own MPEG-4 encoder is linked. Stop.
    #[error("FFmpeg {version} has neither libx264 nor mpeg4 to encode with")]
    NoEncoder {
        /// Of libavcodec.
        version: String,
    },
    /// A frame has another size than the video. Leave the video out.
    #[error("frame {frame_index} is {got}; expected {expected}")]
    FrameSize {
        /// Place in the video, from 0.
        frame_index: u64,
        /// Of the video.
        expected: SizePx,
        /// Of the frame.
        got: SizePx,
    },
    /// The end came before a frame did: there would be nothing to show. Leave the video out.
    #[error("a video without frames")]
    NoFrames,
    /// The system refused: the disk is full, say. Stop.
    #[error("cannot {action}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// FFmpeg refused. Leave the video out.
    #[error("cannot {action}")]
    Ffmpeg {
        /// What was tried.
        action: &'static str,
        /// FFmpeg's word.
        #[source]
        source: ffmpeg_next::Error,
    },
}

impl VideoError {
    fn ffmpeg(action: &'static str) -> impl Fn(ffmpeg_next::Error) -> Self {
        move |source| match source {
            ffmpeg_next::Error::Other { errno } => Self::File {
                action,
                source: std::io::Error::from_raw_os_error(errno),
            },
            source => Self::Ffmpeg { action, source },
        }
    }
}

/// A video file in the making.
///
/// It is written under the name given, so give it a temporary one and rename it once [`finish`] has said that it
/// is whole. Dropped before that, it leaves a file that no program plays.
///
/// [`finish`]: VideoWriter::finish
pub struct VideoWriter {
    output: context::Output,
    opened: encoder::Video,
    encoder: VideoEncoder,
    scaler: scaling::Context,
    rgb: frame::Video,
    options: VideoOptions,
    num_frames: u64,
}

impl VideoWriter {
    /// Creates the file at `path`, an MP4 whatever its extension, and writes its head.
    ///
    /// # Errors
    /// [`VideoError`] if an option is not accepted, the file cannot be created or FFmpeg refuses.
    pub fn create(path: &Path, options: VideoOptions) -> Result<Self, VideoError> {
        let encoders = [VideoEncoder::X264, VideoEncoder::Mpeg4];
        let encoder = encoders.into_iter().find(|it| it.find().is_some());
        let encoder = encoder.ok_or_else(|| VideoError::NoEncoder { version: version() })?;
        Self::create_with(path, options, encoder)
    }

    fn create_with(
        path: &Path,
        options: VideoOptions,
        encoder: VideoEncoder,
    ) -> Result<Self, VideoError> {
        check(options)?;
        // Until it is told to look them up, the binding has no words for FFmpeg's errors.
        ERROR_WORDS.call_once(ffmpeg_next::util::error::register_all);
        let path = path.to_str().filter(|path| !path.contains('\0'));
        // The protocol is named, so that no file name is taken for a network address.
        let url = format!("file:{}", path.ok_or(VideoError::Path)?);
        let opened = open(encoder, options)?;
        let mut output =
            format::output_as(&url, "mp4").map_err(VideoError::ffmpeg("create the file"))?;
        write_head(&mut output, &opened)?;
        let SizePx { width, height } = options.size;
        Ok(Self {
            output,
            opened,
            encoder,
            scaler: scaler(options.size)?,
            rgb: frame::Video::new(Pixel::RGB24, width, height),
            options,
            num_frames: 0,
        })
    }

    /// Which encoder writes.
    pub fn encoder(&self) -> VideoEncoder {
        self.encoder
    }

    /// Adds the next frame; it is shown from `n / fps` seconds on, `n` counted from 0.
    ///
    /// # Errors
    /// [`VideoError`] if the frame has another size than the video, FFmpeg refuses or the disk is full.
    pub fn push(&mut self, image: &RgbImage) -> Result<(), VideoError> {
        if image.size != self.options.size {
            return Err(VideoError::FrameSize {
                frame_index: self.num_frames,
                expected: self.options.size,
                got: image.size,
            });
        }
        let (stride, row_bytes) = (self.rgb.stride(0), image.size.width as usize * 3);
        let rows = self.rgb.data_mut(0).chunks_mut(stride);
        for (to, from) in rows.zip(image.pixels.chunks_exact(row_bytes)) {
            let (to, _padding) = to.split_at_mut(row_bytes);
            to.copy_from_slice(from);
        }
        // A frame of its own each time: an encoder with B-frames holds on to those that it was given.
        let mut yuv = frame::Video::empty();
        self.scaler
            .run(&self.rgb, &mut yuv)
            .map_err(VideoError::ffmpeg("convert to 4:2:0"))?;
        yuv.set_pts(i64::try_from(self.num_frames).ok());
        self.num_frames += 1;
        self.opened
            .send_frame(&yuv)
            .map_err(VideoError::ffmpeg("encode a frame"))?;
        self.write_packets()
    }

    /// Writes what the encoder still holds, and the index.
    ///
    /// # Errors
    /// [`VideoError`] if there was no frame, FFmpeg refuses or the disk is full.
    pub fn finish(mut self) -> Result<(), VideoError> {
        if self.num_frames == 0 {
            return Err(VideoError::NoFrames);
        }
        self.opened
            .send_eof()
            .map_err(VideoError::ffmpeg("end the encoding"))?;
        self.write_packets()?;
        self.output
            .write_trailer()
            .map_err(VideoError::ffmpeg("write the index"))
    }

    /// Writes every packet that the encoder has ready.
    fn write_packets(&mut self) -> Result<(), VideoError> {
        let stream = self.output.stream(0).map(|stream| stream.time_base());
        let ticks = stream.unwrap_or_else(|| tick(self.options.fps));
        loop {
            let mut packet = Packet::empty();
            match self.opened.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg_next::Error::Other {
                    errno: ffmpeg_next::error::EAGAIN,
                })
                | Err(ffmpeg_next::Error::Eof) => return Ok(()),
                Err(source) => return Err(VideoError::ffmpeg("encode a frame")(source)),
            }
            packet.set_stream(0);
            // Encoders don't all tell, and the last frame of an MP4 is shown for as long as its packet says.
            packet.set_duration(1);
            packet.rescale_ts(tick(self.options.fps), ticks);
            packet
                .write_interleaved(&mut self.output)
                .map_err(VideoError::ffmpeg("write a packet"))?;
        }
    }
}

fn check(options: VideoOptions) -> Result<(), VideoError> {
    let VideoOptions { size, fps, crf } = options;
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

/// The duration of one frame, seconds.
fn tick(fps: u32) -> Rational {
    Rational(1, i32::try_from(fps).unwrap_or(i32::MAX))
}

fn version() -> String {
    let number = codec::version();
    format!(
        "libavcodec {}.{}.{}",
        number >> 16,
        (number >> 8) & 255,
        number & 255
    )
}

fn open(encoder: VideoEncoder, options: VideoOptions) -> Result<encoder::Video, VideoError> {
    let failed = VideoError::ffmpeg("open the encoder");
    let found = encoder.find();
    let found = found.ok_or_else(|| VideoError::NoEncoder { version: version() })?;
    let context = codec::Context::new_with_codec(found);
    let mut video = context.encoder().video().map_err(&failed)?;
    video.set_width(options.size.width);
    video.set_height(options.size.height);
    video.set_format(Pixel::YUV420P);
    video.set_time_base(tick(options.fps));
    video.set_frame_rate(Some(tick(options.fps).invert()));
    video.set_gop(KEYFRAME_INTERVAL);
    video.set_max_b_frames(2);
    video.set_color_range(color::Range::MPEG);
    let (space, primaries) = colors(options.size);
    video.set_colorspace(space);
    video.set_color_primaries(primaries);
    // The curve that both BT.601 and BT.709 have; what is shown on it is sRGB, as in most video.
    video.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
    video.set_threading(codec::threading::Config {
        kind: codec::threading::Type::None,
        count: 1,
        safe: false,
    });
    // An MP4 keeps the encoder's parameters in its head.
    let mut flags = codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT;
    let mut words = Dictionary::new();
    match encoder {
        VideoEncoder::X264 => {
            words.set("preset", "veryfast");
            words.set("crf", &options.crf.to_string());
            // libx264 picks other code on other processors, and its choices of AVX-512 even depend on what
            // lay in memory before (core 164, small pictures with B-frames).
            words.set("x264-params", "cpu-independent=1");
        }
        VideoEncoder::Mpeg4 => {
            flags |= codec::Flags::QSCALE;
            let quantizer = usize::from(options.crf / 6).clamp(1, 31);
            video.set_quality(quantizer * ffi::FF_QP2LAMBDA as usize);
        }
    }
    // SAFETY: the context is ours and not yet open.
    unsafe {
        // Added, not set: the encoder's own flags keep frames before a keyframe from needing it.
        (*video.as_mut_ptr()).flags |= flags.bits() as i32;
    }
    video.open_as_with(found, words).map_err(&failed)
}

fn write_head(output: &mut context::Output, opened: &encoder::Video) -> Result<(), VideoError> {
    let mut stream = output
        .add_stream_with(opened)
        .map_err(VideoError::ffmpeg("add the video stream"))?;
    stream.set_time_base(opened.time_base());
    stream.set_avg_frame_rate(opened.frame_rate());
    // SAFETY: the context is open and ours; the flag is read when the head is written.
    unsafe {
        // Without it the muxer signs with its version.
        (*output.as_mut_ptr()).flags |= ffi::AVFMT_FLAG_BITEXACT;
    }
    output
        .write_header()
        .map(|_| ())
        .map_err(VideoError::ffmpeg("write the head"))
}

/// Matrix and primaries that players assume for a size, written down all the same.
fn colors(size: SizePx) -> (color::Space, color::Primaries) {
    if size.height > 576 {
        (color::Space::BT709, color::Primaries::BT709)
    } else {
        (color::Space::SMPTE170M, color::Primaries::SMPTE170M)
    }
}

/// From full-range RGB to limited-range 4:2:0 in the matrix of [`colors`]; the same bytes on every processor.
fn scaler(size: SizePx) -> Result<scaling::Context, VideoError> {
    let failed = VideoError::ffmpeg("make the converter to 4:2:0");
    let SizePx { width, height } = size;
    let flags = scaling::Flags::BICUBIC
        | scaling::Flags::ACCURATE_RND
        | scaling::Flags::FULL_CHR_H_INP
        | scaling::Flags::BITEXACT;
    let mut scaler = scaling::Context::get(
        Pixel::RGB24,
        width,
        height,
        Pixel::YUV420P,
        width,
        height,
        flags,
    )
    .map_err(&failed)?;
    let matrix = match colors(size).0 {
        color::Space::BT709 => ffi::SWS_CS_ITU709,
        _ => ffi::SWS_CS_ITU601,
    };
    const UNCHANGED: i32 = 1 << 16;
    // SAFETY: the context is ours; the tables are static, of the library.
    let set = unsafe {
        let table = ffi::sws_getCoefficients(matrix);
        ffi::sws_setColorspaceDetails(
            scaler.as_mut_ptr(),
            table,
            1,
            table,
            0,
            0,
            UNCHANGED,
            UNCHANGED,
        )
    };
    if set < 0 {
        return Err(failed(ffmpeg_next::Error::from(set)));
    }
    Ok(scaler)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: VideoOptions = VideoOptions {
        size: SizePx {
            width: 96,
            height: 64,
        },
        fps: 30,
        crf: 20,
    };

    /// A bright disc on a slope of gray, further right in every frame.
    fn image(number: u32) -> RgbImage {
        let SizePx { width, height } = OPTIONS.size;
        let pixel = |x: u32, y: u32| {
            let (dx, dy) = (x.abs_diff(16 + number), y.abs_diff(32));
            if dx * dx + dy * dy < 120 {
                [230, 60, 40]
            } else {
                [(x + 20) as u8, (x + y) as u8, (2 * y + 20) as u8]
            }
        };
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        RgbImage {
            size: OPTIONS.size,
            pixels: places.flat_map(|(x, y)| pixel(x, y)).collect(),
        }
    }

    fn write(path: &Path, encoder: VideoEncoder) {
        let mut writer = VideoWriter::create_with(path, OPTIONS, encoder).unwrap();
        for number in 0..40 {
            writer.push(&image(number)).unwrap();
        }
        writer.finish().unwrap();
    }

    #[test]
    fn the_same_frames_give_the_same_bytes_with_either_encoder() {
        let folder = tempfile::tempdir().unwrap();
        for encoder in [VideoEncoder::X264, VideoEncoder::Mpeg4] {
            if encoder.find().is_none() {
                continue;
            }
            let mut files = (0..6).map(|number| {
                let path = folder.path().join(format!("{number}.tmp"));
                write(&path, encoder);
                std::fs::read(path).unwrap()
            });
            let first = files.next().unwrap();
            assert!(files.all(|next| next == first), "{}", encoder.name());
            assert!(!first.windows(4).any(|word| word == b"Lavf"));
        }
    }

    #[test]
    fn options_that_no_video_can_have_are_refused_with_their_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("never.mp4");
        let refused = |options| match VideoWriter::create(&path, options) {
            Ok(_) => panic!("{options:?} was accepted"),
            Err(error) => error.to_string(),
        };
        let size = SizePx {
            width: 95,
            height: 64,
        };
        let odd = refused(VideoOptions { size, ..OPTIONS });
        assert!(odd.starts_with("video of 95 x 64 px; even sides"), "{odd}");
        let fps = refused(VideoOptions { fps: 0, ..OPTIONS });
        assert_eq!(fps, "fps is 0; expected 1 to 1000");
        let crf = refused(VideoOptions { crf: 52, ..OPTIONS });
        assert_eq!(crf, "crf is 52; expected 0 to 51");
        assert!(!path.exists());
    }

    #[test]
    fn a_frame_of_another_size_a_video_without_frames_and_a_folder_that_is_not_there_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.mp4");
        let mut writer = VideoWriter::create(&path, OPTIONS).unwrap();
        let small = RgbImage {
            size: [16, 16].into(),
            pixels: vec![0; 768],
        };
        let error = writer.push(&small).unwrap_err().to_string();
        assert_eq!(error, "frame 0 is 16 x 16 px; expected 96 x 64 px");
        assert!(matches!(writer.finish(), Err(VideoError::NoFrames)));
        let nowhere = folder.path().join("none/v.mp4");
        let error = VideoWriter::create(&nowhere, OPTIONS).map(|_| ());
        assert_eq!(error.unwrap_err().to_string(), "cannot create the file");
    }
}
