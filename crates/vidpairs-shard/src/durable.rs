//! Files that are whole under their final name, also after a power cut.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::ShardError;

/// Writes `bytes` to `temporary`, syncs it, renames it to `path`. Both on one file system.
pub(super) fn write_whole(temporary: &Path, path: &Path, bytes: &[u8]) -> Result<(), ShardError> {
    vidpairs_types::write_synced(temporary, bytes).map_err(ShardError::write(temporary))?;
    rename(temporary, path)
}

/// Renames, naming the target in the error.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), ShardError> {
    fs::rename(from, to).map_err(ShardError::write(to))
}

/// Makes the names in `folder` survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), ShardError> {
    vidpairs_types::sync_folder(folder).map_err(ShardError::write(folder))
}

/// Removes `path` if it is there.
pub(super) fn remove_if_present(path: &Path) -> Result<(), ShardError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ShardError::write(path)(error)),
        _ => Ok(()),
    }
}
