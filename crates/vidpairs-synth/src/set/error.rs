//! Why an item could not be made.

use std::io;
use std::path::PathBuf;

use vidpairs_extract::codec::video::VideoError;
use vidpairs_image::jpeg::JpegError;
use vidpairs_image::png::PngError;

use crate::backdrops::BackdropError;
use crate::layout::got10k::MetaInfoError;
use crate::layout::mat::MatError;
use crate::layout::trackingnet::FrameZipError;
use crate::mesh::MeshError;

/// Why an item could not be made. Leave it out, unless [`ItemError::is_final`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// Its only object cannot be rendered. Leave it out.
    #[error(transparent)]
    Object(#[from] MeshError),
    /// No object to follow can be rendered. Leave it out.
    #[error("none of the {num_tried} objects to choose from can be rendered")]
    NoTarget {
        /// Tried.
        num_tried: usize,
    },
    /// There is no backdrop. Leave it out.
    #[error(transparent)]
    Backdrop(#[from] BackdropError),
    /// An image can't be compressed. Leave it out.
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    /// A PNG can't be written. Leave it out.
    #[error(transparent)]
    Png(#[from] PngError),
    /// The .mp4 can't be written. Stop.
    #[error("cannot write the .mp4")]
    Video(#[from] VideoError),
    /// The zip can't be written. Stop.
    #[error(transparent)]
    Zip(#[from] FrameZipError),
    /// A name can't stand in a `meta_info.ini`. Leave it out.
    #[error(transparent)]
    MetaInfo(#[from] MetaInfoError),
    /// A name can't stand in a `.mat`. Leave it out.
    #[error(transparent)]
    Mat(#[from] MatError),
    /// A file can't be written. Stop.
    #[error("cannot {action} {}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

impl ItemError {
    /// Whether every other item would fail as well.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Video(_) | Self::Zip(_) | Self::File { .. } | Self::Stopped
        )
    }
}
