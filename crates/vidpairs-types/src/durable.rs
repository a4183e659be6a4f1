//! Writes files that are complete under their final name, even after a power cut.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file as `temporary`, waits until it is on the disk, and renames it to `path`. Both are on one file
/// system. The name survives a power cut only after [`sync_folder`].
///
/// - `write`: writes the contents and returns the writer.
///
/// # Errors
/// Errors of the operating system and of `write`; `path` is then unchanged.
pub fn write_whole(
    temporary: &Path,
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
) -> io::Result<()> {
    let mut file = write(BufWriter::new(File::create(temporary)?))?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(temporary, path)
}

/// Waits until the names in `folder` are on the disk.
///
/// # Errors
/// Errors of the operating system.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes `bytes` to `path` completely or not at all, replacing an existing file. The temporary file is `.NAME.part`
/// in the same folder.
///
/// # Errors
/// Errors of the operating system; `path` is then unchanged, and the temporary file is removed.
pub fn replace_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_whole_by(path, |mut file| {
        file.write_all(bytes)?;
        Ok(file)
    })
}

/// Like [`replace_whole`], for contents that are not in memory.
///
/// - `write`: writes the contents and returns the writer.
///
/// # Errors
/// Errors of the operating system and of `write`; `path` is then unchanged, and the temporary file is removed.
pub fn replace_whole_by(
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    let mut part_name = std::ffi::OsString::from(".");
    part_name.push(name);
    part_name.push(".part");
    let part = path.with_file_name(part_name);
    if let Err(err) = write_whole(&part, path, write) {
        let _ = fs::remove_file(&part);
        return Err(err);
    }
    match path.parent() {
        Some(folder) if folder != Path::new("") => sync_folder(folder),
        _ => sync_folder(Path::new(".")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_a_file_leaves_the_new_bytes_and_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        replace_whole(&path, b"first").unwrap();
        replace_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_rename_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir_all(path.join("by a folder")).unwrap();
        assert!(replace_whole(&path, b"bytes").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
