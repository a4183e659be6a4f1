//! Files that are whole under their final name, also after a power cut.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes `bytes` to a new or emptied file and waits until the disk has them.
///
/// # Errors
/// The system's.
pub fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in `folder` survive a power cut.
///
/// # Errors
/// The system's.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes `bytes` as `path`, whole or not at all: they lie as `.NAME.part` beside it until they are on the disk. A
/// file that is there is replaced.
///
/// # Errors
/// The system's; `path` is then as it was, and the part is removed.
pub fn replace_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_whole_by(path, |mut file| {
        file.write_all(bytes)?;
        Ok(file)
    })
}

/// As [`replace_whole`], with what `write` writes and gives back: for files that should not lie in memory too.
///
/// # Errors
/// The system's, and those of `write`; `path` is then as it was, and the part is removed.
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
    let written = File::create(&part)
        .and_then(|file| write(BufWriter::new(file)))
        .and_then(|mut file| {
            file.flush()?;
            file.get_ref().sync_all()?;
            fs::rename(&part, path)
        });
    if let Err(err) = written {
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
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        replace_whole(&path, b"first").unwrap();
        replace_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_renamed_leaves_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir_all(path.join("by a folder")).unwrap();
        assert!(replace_whole(&path, b"bytes").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
