//! Why a clip could not be decoded.

use std::io;

use vidpairs_image::jpeg::JpegError;
use vidpairs_types::SizePx;

/// Why a clip could not be decoded. Leave the clip out; the next one may be fine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file or folder cannot be read. Mend permissions or the disk, then retry.
    #[error("cannot read {what}")]
    Unreadable {
        /// The file, or the part of it.
        what: String,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Nothing is in the file.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// The path cannot be given to FFmpeg.
    #[error("the path is not UTF-8 or holds a zero byte; rename the file")]
    Path,
    /// No demuxer knows the bytes, or the container's head is damaged.
    #[error("no video container that FFmpeg {version} can open: {message}")]
    NoContainer {
        /// FFmpeg's version.
        version: String,
        /// FFmpeg's word.
        message: String,
    },
    /// Sound, subtitles or a cover picture only.
    #[error("no video stream among {num_streams} streams")]
    NoVideoStream {
        /// Of any type.
        num_streams: usize,
    },
    /// The installed FFmpeg lacks the decoder.
    #[error("no decoder for codec {codec} in FFmpeg {version}")]
    NoDecoder {
        /// FFmpeg's name of the codec.
        codec: String,
        /// FFmpeg's version.
        version: String,
    },
    /// The stream is there, but not one frame comes out of it.
    #[error("no frame could be decoded from {num_packets} packets")]
    NoFrame {
        /// Packets of the video stream that were read.
        num_packets: u64,
    },
    /// The frame's size is not accepted.
    #[error(
        "frames of {0}; sides of {min} to {max} px and at most {area} px in all are accepted",
        min = SizePx::MIN_SIDE, max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    FrameSize(SizePx),
    /// FFmpeg failed in the middle.
    #[error("FFmpeg failed to {action}: {message}")]
    Ffmpeg {
        /// What was asked of it.
        action: &'static str,
        /// Its word.
        message: String,
    },
    /// A JPEG of a folder or zip is damaged.
    #[error("cannot use {name}")]
    Jpeg {
        /// The file or member.
        name: String,
        /// What is wrong with it.
        #[source]
        source: JpegError,
    },
    /// A folder or zip without a JPEG.
    #[error("no .jpg or .jpeg {place} ({found} other files)")]
    NoJpeg {
        /// In the folder, or in the zip.
        place: &'static str,
        /// Files that are no JPEGs.
        found: usize,
    },
    /// Two JPEGs claim the same frame.
    #[error("two frames have the number {number}: {first} and {second}")]
    SameNumber {
        /// The number.
        number: u64,
        /// A file name.
        first: String,
        /// Another.
        second: String,
    },
    /// The JPEGs of a zip lie in several folders.
    #[error(
        "the zip holds JPEGs in several folders ({first:?} and {second:?}); expected one clip a zip"
    )]
    SeveralFolders {
        /// A folder in the zip.
        first: String,
        /// Another.
        second: String,
    },
    /// The zip itself, or a member's header, is damaged.
    #[error("damaged zip: {0}")]
    Zip(String),
    /// Asked to stop before the end.
    #[error("stopped")]
    Stopped,
    /// The index was made from other media: a bug in the caller.
    #[error("the index belongs to other media")]
    ForeignIndex,
}

impl DecodeError {
    pub(super) fn unreadable(what: impl Into<String>, source: io::Error) -> Self {
        Self::Unreadable {
            what: what.into(),
            source,
        }
    }
}
