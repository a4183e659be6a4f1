//! Errors of rendering an item.

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

/// Why an item could not be rendered. Leave the item out, unless [`ItemError::is_final`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// The only object of the item cannot be rendered. Leave the item out.
    #[error(transparent)]
    Object(#[from] MeshError),
    /// No object that could be the target of the video, or that the scene could show, can be rendered. Leave the item out.
    #[error("none of the {num_tried} objects to choose from can be rendered")]
    NoTarget {
        /// Number of objects tried.
        num_tried: usize,
    },
    /// There is no backdrop. Leave the item out.
    #[error(transparent)]
    Backdrop(#[from] BackdropError),
    /// An image cannot be compressed. Leave the item out.
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    /// A PNG cannot be encoded. Leave the item out.
    #[error(transparent)]
    Png(#[from] PngError),
    /// The .mp4 cannot be written. Stop.
    #[error("cannot write the .mp4")]
    Video(#[from] VideoError),
    /// The ZIP cannot be written. Stop.
    #[error(transparent)]
    Zip(#[from] FrameZipError),
    /// A name cannot be stored in a `meta_info.ini`. Leave the item out.
    #[error(transparent)]
    MetaInfo(#[from] MetaInfoError),
    /// A name cannot be stored in a `.mat` file. Leave the item out.
    #[error(transparent)]
    Mat(#[from] MatError),
    /// A file cannot be written. Stop.
    #[error("cannot {action} {}", .path.display())]
    File {
        /// Operation that failed.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Error of the system.
        #[source]
        source: io::Error,
    },
    /// The plan has no such item. Stop: the caller confuses two plans.
    #[error("the item belongs to another plan")]
    ForeignItem,
    /// The run was asked to stop.
    #[error("stopped")]
    Stopped,
}

impl ItemError {
    /// Whether all other items would fail too.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Video(_) | Self::Zip(_) | Self::File { .. } | Self::ForeignItem | Self::Stopped
        )
    }
}
