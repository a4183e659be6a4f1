//! OpenCV: the one module that names it.
//!
//! **Takes** [`Planes`](crate::types::Planes), boxes. **Gives** a [`BgrImage`], and what OpenCV's trackers and
//! selective search make of it. **Fails** with [`CvError`]; an exception in C++ is one, never a crash.
//! **Source**: OpenCV 4 and its contributed modules `tracking` and `ximgproc`.
//!
//! OpenCV is told to use the calling thread alone: who has many frames gives each worker some.

mod image;
mod rows;
mod search;
mod tracker;
mod version;

pub use image::BgrImage;
pub use search::selective_search;
pub use tracker::{Algorithm, CvTracker};
pub use version::opencv_version;

use std::sync::Once;

use crate::types::SizePx;

/// Why OpenCV did not do what it was asked. Give the target, or the frame's proposals, up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CvError {
    /// Planes shorter than they claim to be: a bug in a decoder.
    #[error("plane {plane} of a frame of {frame} has {got} bytes, fewer than its rows need")]
    ShortPlane {
        /// Which.
        plane: usize,
        /// Size of the stored frame.
        frame: SizePx,
        /// Its length.
        got: usize,
    },
    /// OpenCV, or the conversion of colours, refused.
    #[error("cannot {action}: {message}")]
    Library {
        /// What was asked of it.
        action: &'static str,
        /// Its word.
        message: String,
    },
}

/// What `action` that failed says of itself.
fn refused(action: &'static str) -> impl Fn(opencv::Error) -> CvError {
    move |err| CvError::Library {
        action,
        message: err.message,
    }
}

/// Keeps OpenCV to the threads that call it.
fn use_one_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It can't fail in any way that matters: at worst OpenCV goes on with its own threads.
        let _ = opencv::core::set_num_threads(1);
    });
}
