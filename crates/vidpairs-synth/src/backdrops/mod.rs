//! Backgrounds of videos and images: photographs, real video, or painted places.
//!
//! **Takes** a seed and, for real backgrounds, a folder of pictures and videos. **Gives** the [`Frames`] behind a video.
//! **Fails** with [`BackdropError`]; if one file cannot be read, another is drawn. **Source**: ours.

mod media;
mod places;

use std::path::PathBuf;
use std::sync::Arc;

pub use media::Collection;
pub use places::{Floor, paint};

use vidpairs_extract::decode::DecodeError;
use vidpairs_image::still::StillError;
use vidpairs_source::SourceError;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{RgbImage, Seed, SizePx};

use crate::render::{Backdrop, Picture};

/// Size of a backdrop relative to the image: room for the motion of the camera.
const MARGIN: f32 = 1.16;

/// Why there is no backdrop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackdropError {
    /// The folder cannot be listed. Stop: the user named it.
    #[error("cannot look for backgrounds in {}", .root.display())]
    List {
        /// The folder.
        root: PathBuf,
        /// Error of the system.
        #[source]
        source: std::io::Error,
    },
    /// The folder holds no picture and no video. Stop: the user named it.
    #[error("no picture (JPEG, PNG, WebP, BMP, TIFF) and no video in {}", .0.display())]
    Nothing(PathBuf),
    /// The file of a picture cannot be read. Draw another file.
    #[error("cannot read it")]
    File(#[source] std::io::Error),
    /// A picture is damaged, or is none. Draw another file.
    #[error(transparent)]
    Picture(#[from] StillError),
    /// A video is damaged. Draw another file.
    #[error(transparent)]
    Video(#[from] DecodeError),
    /// A frame cannot be scaled. Draw another file.
    #[error(transparent)]
    Crop(#[from] vidpairs_extract::crop::CropError),
    /// The videos of the folder cannot be listed. Stop: the user named it.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No file of the folder can be read. Leave the video or image out.
    #[error("none of the {num_tried} backgrounds that were tried can be read")]
    NoneLeft {
        /// Number of files tried.
        num_tried: usize,
    },
}

/// Source of backdrops.
#[derive(Debug)]
pub enum Backdrops {
    /// Painted places, one for each seed.
    Painted,
    /// Files of a folder.
    Collected(Collection),
}

/// Pictures behind one video.
#[derive(Debug)]
pub struct Frames {
    /// At least one.
    pictures: Vec<RgbImage>,
    floor: Floor,
}

/// A file that could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Path of the file.
    pub path: PathBuf,
    /// Reason.
    pub why: BackdropError,
}

impl Backdrops {
    /// Names of the files that may be drawn, below their root; empty for painted backdrops.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Painted => Vec::new(),
            Self::Collected(collection) => collection.names(),
        }
    }

    /// Draws the backdrop for `num_frames` frames of `size`. Files that cannot be read are added to `unreadable`.
    ///
    /// # Errors
    /// [`BackdropError::NoneLeft`], or [`DecodeError::Stopped`] if `heartbeat` asks to stop.
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
        // The floor of a photograph is not known: a usual one is assumed.
        let floor = Floor::of(seed);
        Ok(Frames { pictures, floor })
    }
}

impl Frames {
    /// Floor on which objects may stand, in image heights below the image centre.
    pub fn floor(&self) -> Floor {
        let below_center = |share: f32| (share - 0.5) * MARGIN;
        Floor {
            horizon: below_center(self.floor.horizon),
            edge: below_center(self.floor.edge),
        }
    }

    /// Backdrop of frame `frame` of a video whose frames have `size`. A backdrop shorter than the video runs forwards and
    /// backwards in turn.
    pub fn behind(&self, frame: u64, size: SizePx) -> Backdrop<'_> {
        let last = self.pictures.len() - 1;
        let period = (2 * last).max(1);
        let step = (frame % period as u64) as usize;
        let image = &self.pictures[step.min(period - step)];
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
