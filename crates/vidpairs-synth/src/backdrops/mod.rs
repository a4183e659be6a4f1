//! What stands behind the objects: photographs, real video, or places that never were.
//!
//! **Takes** a folder of pictures and videos, or nothing, and a seed. **Gives** the [`Frames`] of a
//! backdrop as long as a video. **Fails** with [`BackdropError`]: where one file can't be read, another is
//! drawn. **Source**: ours.

mod media;
mod places;

use std::path::PathBuf;
use std::sync::Arc;

pub use media::Collection;
pub use places::paint;

use vidpairs_extract::decode::DecodeError;
use vidpairs_source::SourceError;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{RgbImage, Seed, SizePx};

use crate::render::{Backdrop, Picture};

/// A backdrop is so much larger than the image: room for a camera that moves.
const MARGIN: f32 = 1.16;

/// Why there is no backdrop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackdropError {
    /// The folder can't be listed. Stop: the user named it.
    #[error("cannot look for backgrounds in {}", .root.display())]
    List {
        /// The folder.
        root: PathBuf,
        /// The system's word.
        #[source]
        source: std::io::Error,
    },
    /// The folder holds neither. Stop: the user named it.
    #[error("no picture (JPEG, PNG, BMP) and no video in {}", .0.display())]
    Nothing(PathBuf),
    /// A picture is damaged. Draw another one.
    #[error("damaged picture")]
    Picture(#[source] image::ImageError),
    /// A video is damaged. Draw another one.
    #[error(transparent)]
    Video(#[from] DecodeError),
    /// A frame can't be scaled. Draw another one.
    #[error(transparent)]
    Crop(#[from] vidpairs_extract::crop::CropError),
    /// The videos of the folder can't be listed. Stop: the user named it.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No file of the folder can be read.
    #[error("none of the {num_tried} backgrounds that were tried can be read")]
    NoneLeft {
        /// How many.
        num_tried: usize,
    },
}

/// Where backdrops come from.
#[derive(Debug)]
pub enum Backdrops {
    /// Painted, each for its seed.
    Painted,
    /// Out of a folder.
    Collected(Collection),
}

/// The pictures behind one video.
#[derive(Debug)]
pub struct Frames {
    pictures: Vec<RgbImage>,
}

/// A file that could not be read, and why.
#[derive(Debug)]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub why: BackdropError,
}

impl Backdrops {
    /// Names of the files that may be drawn, below their root; none if they are painted.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Painted => Vec::new(),
            Self::Collected(collection) => collection.names(),
        }
    }

    /// Draws the backdrop of seed `seed` for `num_frames` frames of `size`. Files that can't be read on the
    /// way are added to `unreadable`.
    ///
    /// # Errors
    /// [`BackdropError::NoneLeft`], and [`DecodeError::Stopped`] if `heartbeat` says stop.
    pub fn draw(
        &self,
        seed: Seed,
        size: SizePx,
        num_frames: u64,
        heartbeat: &Arc<Heartbeat>,
        unreadable: &mut Vec<Unreadable>,
    ) -> Result<Frames, BackdropError> {
        let pictures = match self {
            Self::Painted => vec![paint(seed, with_margin(size))],
            Self::Collected(collection) => {
                collection.draw(seed, size, num_frames, heartbeat, unreadable)?
            }
        };
        Ok(Frames { pictures })
    }
}

impl Frames {
    /// Behind frame `frame` of a video of images of `size`. A backdrop that is shorter than the video runs to
    /// its end, then backwards, and so on.
    pub fn behind(&self, frame: u64, size: SizePx) -> Backdrop<'_> {
        let last = self.pictures.len().saturating_sub(1);
        let way = (2 * last).max(1);
        let place = (frame % way as u64) as usize;
        let image = &self.pictures[if place <= last { place } else { way - place }];
        let aspect = size.width as f32 / size.height as f32;
        let covering = (image.size.height as f32).min(image.size.width as f32 / aspect);
        Backdrop::Picture(Picture {
            image,
            px_per_height: covering / MARGIN,
        })
    }
}

fn with_margin(size: SizePx) -> SizePx {
    let grown = |side: u32| (side as f32 * MARGIN).ceil() as u32;
    SizePx {
        width: grown(size.width),
        height: grown(size.height),
    }
}
