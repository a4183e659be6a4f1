//! Errors of decoding.

use std::io;

use vidpairs_image::still::StillError;
use vidpairs_types::SizePx;

/// Why a clip could not be decoded. Leave the clip out; the next one may be fine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file or folder cannot be read. Fix its permissions or the disk, then retry.
    #[error("cannot read {what}")]
    Unreadable {
        /// The file, folder or zip member.
        what: String,
        /// Error of the system.
        #[source]
        source: io::Error,
    },
    /// The file has no bytes.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// The file was replaced or written to since it was indexed. Retry when it is complete.
    #[error(
        "the file was replaced or written to during the run, {before} bytes before, {now} bytes now; retry when it is complete"
    )]
    Changed {
        /// Length when the file was opened first, bytes.
        before: u64,
        /// Length now, bytes.
        now: u64,
    },
    /// The file holds something else under the name of a video.
    #[error("no video, but {0}")]
    NotVideo(&'static str),
    /// The format of the file is not on the list of containers that are opened.
    #[error(
        "FFmpeg takes the file for {name}, which is not opened: it may name other files, or holds no video \
         (docs/VIDEO.md lists the containers)"
    )]
    Format {
        /// FFmpeg's name of the format.
        name: String,
    },
    /// An MP4 or QuickTime file without its index.
    #[error(
        "{0}: the recording or the download was probably cut off; get the whole file, or repair it with a tool like untrunc"
    )]
    NoIndex(String),
    /// The file asks for more memory or work than its budget allows.
    #[error("over budget: {0}")]
    Budget(String),
    /// No demuxer recognises the bytes, or the container's header is damaged.
    #[error("no video container that FFmpeg {version} can open: {message}")]
    NoContainer {
        /// Versions of the FFmpeg libraries.
        version: String,
        /// FFmpeg's error message.
        message: String,
    },
    /// The container holds only audio, subtitles or a cover picture.
    #[error("no video stream among {num_streams} streams")]
    NoVideoStream {
        /// Streams of any type.
        num_streams: usize,
    },
    /// The installed FFmpeg lacks the decoder.
    #[error("no decoder for codec {codec} in FFmpeg {version}")]
    NoDecoder {
        /// FFmpeg's name of the codec.
        codec: String,
        /// Versions of the FFmpeg libraries.
        version: String,
    },
    /// The stream has no frame that can be decoded.
    #[error("no frame could be decoded from {num_packets} packets")]
    NoFrame {
        /// Packets in the video stream.
        num_packets: u64,
    },
    /// The frame's size is not accepted.
    #[error(
        "frames of {0}; sides of {min} to {max} px and at most {area} px in all are accepted",
        min = SizePx::MIN_SIDE, max = SizePx::MAX_SIDE, area = SizePx::MAX_AREA
    )]
    FrameSize(SizePx),
    /// The colours are coded by a matrix that is not converted to RGB.
    #[error(
        "colours by the matrix {name} ({matrix}) in the pixel format {pixel_format}, which are not converted to RGB; \
         re-encode the video with another matrix, for example by ffmpeg's filter zscale=matrix=709"
    )]
    Matrix {
        /// Number of the matrix in ITU-T H.273.
        matrix: i32,
        /// FFmpeg's name of the matrix.
        name: String,
        /// FFmpeg's name of the pixel format.
        pixel_format: String,
    },
    /// The stream has no picture in ordinary colours beside those of Dolby Vision.
    #[error(
        "colours of Dolby Vision profile 5 (IPT-C2), which are not converted to RGB; convert the video to BT.709 first, \
         for example by ffmpeg's filter libplacebo"
    )]
    DolbyVision,
    /// FFmpeg failed at some step.
    #[error("FFmpeg failed to {action}: {message}")]
    Ffmpeg {
        /// The step that failed.
        action: &'static str,
        /// FFmpeg's error message.
        message: String,
    },
    /// A picture of a folder or zip is damaged, or is none.
    #[error("cannot use {name}")]
    Still {
        /// File or zip member.
        name: String,
        /// Error of the decoder.
        #[source]
        source: StillError,
    },
    /// The folder or zip holds no picture.
    #[error("no picture {place} ({found} other files)")]
    NoPicture {
        /// `in the folder` or `in the zip`.
        place: &'static str,
        /// Number of other files.
        found: usize,
    },
    /// The names of the pictures do not give their order.
    #[error(
        "the names do not give the order of the frames: {reason}; put each sequence into a folder of its own, or name its \
         frames 000001.jpg, 000002.jpg and so on"
    )]
    NoOrder {
        /// What is wrong with the names.
        reason: String,
    },
    /// A picture has a number below that of the first frame of its data set, so that all may be shifted.
    #[error(
        "{name} has the number {number}, but the frames of this data set are counted from {first}; rename the frames"
    )]
    BeforeFirst {
        /// Name of the picture.
        name: String,
        /// Number in the name.
        number: i128,
        /// Number of the first frame.
        first: u64,
    },
    /// Two pictures have the same number or time in their names.
    #[error("two pictures have the same number: {first} and {second}")]
    SameNumber {
        /// First name.
        first: String,
        /// Second name.
        second: String,
    },
    /// The zip holds pictures in more than one folder.
    #[error(
        "the zip holds pictures in several folders ({first:?} and {second:?}); expected one clip a zip"
    )]
    SeveralFolders {
        /// First folder.
        first: String,
        /// Second folder.
        second: String,
    },
    /// The zip holds several pictures of the same name. Only one of them could be read.
    #[error("the zip holds several pictures named {name}; repack it with a name for each")]
    RepeatedName {
        /// The name.
        name: String,
    },
    /// The directory of the zip, or a member's header, is damaged.
    #[error("damaged zip: {0}")]
    Zip(String),
    /// The zip is sound, but needs a password or another program.
    #[error(
        "cannot read the zip: {what}; repack it: 7z x -oframes CLIP.zip && cd frames && zip -0 -r ../REPACKED.zip ."
    )]
    ZipMethod {
        /// The member and what it needs.
        what: String,
    },
    /// The heartbeat requested a stop.
    #[error("stopped")]
    Stopped,
    /// The index was built from other media: a bug in the caller.
    #[error("the index belongs to other media")]
    ForeignIndex,
}

impl DecodeError {
    /// Wraps an error of the system.
    pub(super) fn unreadable(what: impl Into<String>, source: io::Error) -> Self {
        Self::Unreadable {
            what: what.into(),
            source,
        }
    }
}
