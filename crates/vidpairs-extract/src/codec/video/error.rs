//! Why a video could not be written.

use vidpairs_types::SizePx;

/// Highest accepted frame rate: MPEG-4's clock has 16 bits, and no clip needs more.
pub(super) const MAX_FPS: u32 = 1000;

/// Lowest quality of libx264.
pub(super) const MAX_CRF: u8 = 51;

/// Why a video could not be written. The file is incomplete: remove it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// A side is odd, so that 4:2:0 would have half a sample, or the size is not accepted when read back. Choose another size.
    #[error(
        "video of {0}; even sides of {min} to {max} px and at most {area} px in all are accepted",
        min = SizePx::MIN_SIDE, max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    Size(SizePx),
    /// The frame rate is out of range. Choose another.
    #[error("fps is {0}; expected 1 to {MAX_FPS}")]
    Fps(u32),
    /// The quality is out of range. Choose another.
    #[error("crf is {0}; expected 0 to {MAX_CRF}")]
    Crf(u8),
    /// FFmpeg accepts UTF-8 names only. Rename the file.
    #[error("the path is not UTF-8, or holds a NUL")]
    Path,
    /// Neither libx264 nor FFmpeg's MPEG-4 encoder is linked. Stop.
    #[error("FFmpeg {version} has neither libx264 nor mpeg4 to encode with")]
    NoEncoder {
        /// Versions of the FFmpeg libraries.
        version: String,
    },
    /// A frame differs in size from the video. Leave the video out.
    #[error("frame {frame_index} is {got}; expected {expected}")]
    FrameSize {
        /// Index of the frame in the video, from 0.
        frame_index: u64,
        /// Size of the video.
        expected: SizePx,
        /// Size of the frame.
        got: SizePx,
    },
    /// The video was finished before its first frame. Leave the video out.
    #[error("a video without frames")]
    NoFrames,
    /// The system failed, because the disk is full, for example. Stop.
    #[error("cannot {action}")]
    File {
        /// The step that failed.
        action: &'static str,
        /// Error of the system.
        #[source]
        source: std::io::Error,
    },
    /// FFmpeg failed. Leave the video out.
    #[error("cannot {action}")]
    Ffmpeg {
        /// The step that failed.
        action: &'static str,
        /// Error of FFmpeg.
        #[source]
        source: ffmpeg_next::Error,
    },
}

impl VideoError {
    /// Wraps an error of FFmpeg in `action`.
    pub(super) fn ffmpeg(action: &'static str) -> impl Fn(ffmpeg_next::Error) -> Self {
        move |source| match source {
            ffmpeg_next::Error::Other { errno } => Self::File {
                action,
                source: std::io::Error::from_raw_os_error(errno),
            },
            source => Self::Ffmpeg { action, source },
        }
    }
}
