//! Writes RGB frames to an MP4 with H.264, as cameras and web sites do.
//!
//! **Takes** [`RgbImage`]s of one even size. **Gives** an MP4: 4:2:0, B-frames, a keyframe at least every
//! [`KEYFRAME_INTERVAL`] frames. **Fails** with [`VideoError`]: leave the video out. **Source**: libx264, or FFmpeg's own MPEG-4
//! Part 2 encoder where the linked FFmpeg lacks it.
//!
//! For the same FFmpeg and libx264, the bytes depend on the frames and the options only, not on the processor: one thread, no
//! dates, no muxer version.

mod encoder;
mod error;

pub use encoder::{KEYFRAME_INTERVAL, VideoEncoder, VideoOptions};
pub use error::VideoError;

use std::path::Path;

use ffmpeg_next::encoder as av_encoder;
use ffmpeg_next::format::{self, Pixel, context};
use ffmpeg_next::software::scaling;
use ffmpeg_next::{Packet, ffi, frame};
use vidpairs_types::{RgbImage, SizePx};

use crate::ffmpeg::prepare_ffmpeg;

/// Writes one video file.
///
/// The file is written under the given name. Pass a temporary name, and rename the file after [`finish`] succeeds: without
/// [`finish`], no program can play it.
///
/// [`finish`]: VideoWriter::finish
pub struct VideoWriter {
    output: context::Output,
    opened: av_encoder::Video,
    encoder: VideoEncoder,
    scaler: scaling::Context,
    rgb: frame::Video,
    options: VideoOptions,
    num_frames: u64,
}

impl VideoWriter {
    /// Creates the file at `path`, an MP4 whatever its extension, and writes its header.
    ///
    /// # Errors
    /// [`VideoError`] if an option is out of range, the file cannot be created or FFmpeg fails.
    pub fn create(path: &Path, options: VideoOptions) -> Result<Self, VideoError> {
        Self::create_with(path, options, VideoEncoder::best()?)
    }

    fn create_with(
        path: &Path,
        options: VideoOptions,
        encoder: VideoEncoder,
    ) -> Result<Self, VideoError> {
        options.check()?;
        prepare_ffmpeg();
        let path = path.to_str().filter(|path| !path.contains('\0'));
        // With the protocol named, no file name is taken for a network address.
        let url = format!("file:{}", path.ok_or(VideoError::Path)?);
        let opened = encoder.open(options)?;
        let mut output =
            format::output_as(&url, "mp4").map_err(VideoError::ffmpeg("create the file"))?;
        write_header(&mut output, &opened)?;
        let SizePx { width, height } = options.size;
        Ok(Self {
            output,
            opened,
            encoder,
            scaler: encoder::scaler(options.size)?,
            rgb: frame::Video::new(Pixel::RGB24, width, height),
            options,
            num_frames: 0,
        })
    }

    /// The encoder in use.
    pub fn encoder(&self) -> VideoEncoder {
        self.encoder
    }

    /// Adds the next frame; frame `n`, counted from 0, is shown from `n / fps` seconds on.
    ///
    /// # Errors
    /// [`VideoError`] if the frame differs in size from the video, FFmpeg fails or the disk is full.
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
            to[..row_bytes].copy_from_slice(from);
        }
        // An encoder with B-frames keeps references to frames: each frame needs a buffer of its own.
        let mut yuv = frame::Video::empty();
        self.scaler
            .run(&self.rgb, &mut yuv)
            .map_err(VideoError::ffmpeg("convert to 4:2:0"))?;
        yuv.set_pts(Some(self.num_frames as i64));
        self.num_frames += 1;
        self.opened
            .send_frame(&yuv)
            .map_err(VideoError::ffmpeg("encode a frame"))?;
        self.write_packets()
    }

    /// Writes the frames still held by the encoder, and the index.
    ///
    /// # Errors
    /// [`VideoError`] if there was no frame, FFmpeg fails or the disk is full.
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
        let tick = self.options.tick();
        let stream = self.output.stream(0);
        let stream_tick = stream.expect("`write_header` added the stream").time_base();
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
            // Not every encoder sets the duration; in an MP4 the last frame is shown for the duration of its packet.
            packet.set_duration(1);
            packet.rescale_ts(tick, stream_tick);
            packet
                .write_interleaved(&mut self.output)
                .map_err(VideoError::ffmpeg("write a packet"))?;
        }
    }
}

fn write_header(
    output: &mut context::Output,
    opened: &av_encoder::Video,
) -> Result<(), VideoError> {
    let mut stream = output
        .add_stream_with(opened)
        .map_err(VideoError::ffmpeg("add the video stream"))?;
    stream.set_time_base(opened.time_base());
    stream.set_avg_frame_rate(opened.frame_rate());
    // SAFETY: the context is open and ours; FFmpeg reads the flag when it writes the header.
    unsafe {
        // Keeps the muxer's version out of the file.
        (*output.as_mut_ptr()).flags |= ffi::AVFMT_FLAG_BITEXACT;
    }
    output
        .write_header()
        .map(|_| ())
        .map_err(VideoError::ffmpeg("write the header"))
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

    /// A bright disc on a gradient, further right in every frame.
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
    fn options_out_of_range_are_refused_with_their_value() {
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
    fn a_frame_of_another_size_an_empty_video_and_a_missing_folder_are_errors() {
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
        let no_folder = folder.path().join("none/v.mp4");
        let created = VideoWriter::create(&no_folder, OPTIONS).map(|_| ());
        assert_eq!(created.unwrap_err().to_string(), "cannot create the file");
    }
}
