//! Indexes and decodes a clip that is one still image. Its content decides how it is decoded.

use std::ops::ControlFlow;
use std::path::Path;

use vidpairs_image::still::{self, StillError, StillFormat};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Frame, SizePx};

use super::Decoded;
use super::error::DecodeError;
use super::images::{HEAD_BYTES, PictureFolder, PictureStore, beat, read};

/// Size of a still image.
#[derive(Debug, Clone, Copy)]
pub(super) struct StillIndex {
    /// Size as it is stored.
    pub stored_size: SizePx,
    /// Size of the upright image.
    pub frame_size: SizePx,
}

/// Reads the size of the image at `path`.
///
/// # Errors
/// [`DecodeError`] if it cannot be read, or its size or kind is not accepted.
pub(super) fn index(path: &Path, heartbeat: &Heartbeat) -> Result<StillIndex, DecodeError> {
    beat(heartbeat)?;
    let (mut folder, name) = place(path);
    let head = folder.read_head(&name, HEAD_BYTES)?;
    // The orientation of other formats may stand behind the pixels.
    if let Ok(StillFormat::Jpeg) = StillFormat::of(&head)
        && let Ok(index) = sizes(&head)
    {
        return Ok(index);
    }
    read(&mut folder, &name, sizes)
}

/// See [`crate::decode::decode_wanted`].
pub(super) fn decode_wanted(
    path: &Path,
    wanted: &[u64],
    heartbeat: &Heartbeat,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    let mut decoded = Decoded::default();
    if wanted.contains(&0) {
        beat(heartbeat)?;
        let (mut folder, name) = place(path);
        let planes = read(&mut folder, &name, still::planes)?;
        decoded.num_frames = 1;
        // One frame: whether more are asked for does not matter.
        let _ = each(Frame {
            index: 0,
            pts_seconds: None,
            planes,
        });
    }
    Ok(decoded)
}

/// Folder and name of the file at `path`.
fn place(path: &Path) -> (PictureFolder<'_>, String) {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().unwrap_or_default();
    (PictureFolder(folder), name.to_string_lossy().into_owned())
}

fn sizes(bytes: &[u8]) -> Result<StillIndex, StillError> {
    Ok(StillIndex {
        frame_size: still::frame_size(bytes)?,
        stored_size: still::read_orientation(bytes)?.0,
    })
}
