//! Writes files that are complete under their final name, even after a power cut, and that are the program's own: a link that a
//! stranger left in an output folder is never followed, so nothing outside the folder is written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path};

use rustix::fs::OFlags;

use crate::open::{block_again, not_regular};

/// Creates an empty file, for reading and writing. A file or link of that name is removed first, never written to.
///
/// # Errors
/// Errors of the operating system; a folder or a device of that name stays.
pub fn create_fresh(path: &Path) -> io::Result<File> {
    let found = fs::symlink_metadata(path).map(|found| found.file_type());
    if let Ok(kind) = found
        && (kind.is_char_device() || kind.is_block_device())
    {
        return Err(not_regular(kind).unwrap_or_else(|| io::ErrorKind::InvalidInput.into()));
    }
    match fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
}

/// Opens a file of an unfinished run with `options`, which must not truncate it. Only a regular file with one name is opened: what is
/// written through a link changes a file elsewhere.
///
/// # Errors
/// Errors of the operating system. Anything but a regular file is refused by its kind, and a file with several names (hard links) by
/// their number.
pub fn open_own(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = options.custom_flags(flags.bits().cast_signed()).open(path);
    let file = opened.map_err(|err| {
        // To open a link fails with ELOOP, a FIFO without a reader with ENXIO.
        let found = fs::symlink_metadata(path).map(|found| found.file_type());
        found.ok().and_then(not_regular).unwrap_or(err)
    })?;
    let found = file.metadata()?;
    if let Some(err) = not_regular(found.file_type()) {
        return Err(err);
    }
    if found.nlink() > 1 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "it has {} names (hard links), and writing would change the file under all of them",
                found.nlink()
            ),
        ));
    }
    block_again(&file)?;
    Ok(file)
}

/// Creates a folder, and those above it, unless it exists.
///
/// # Errors
/// Errors of the operating system; a link in the folder's place is refused, even to a folder. Links above it are followed.
pub fn create_own_folder(folder: &Path) -> io::Result<()> {
    let refused = |what: &str| {
        Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("{} is {what}, not a folder", folder.display()),
        ))
    };
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(found) if found.is_symlink() => refused("a symbolic link"),
        Ok(_) => refused("a file"),
        Err(err) if err.kind() == io::ErrorKind::NotFound => fs::create_dir_all(folder),
        Err(err) => Err(err),
    }
}

/// Creates the folders above the file `name` of the folder `root`.
///
/// # Errors
/// Those of [`create_own_folder`] for each folder below `root`; a `name` that leaves `root` (`../a`, `/a`) is refused.
pub fn create_folders_of(root: &Path, name: &Path) -> io::Result<()> {
    let mut folder = root.to_owned();
    for part in name.parent().unwrap_or(Path::new("")).components() {
        let Component::Normal(part) = part else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the name {} leaves the folder", name.display()),
            ));
        };
        folder.push(part);
        create_own_folder(&folder)?;
    }
    Ok(())
}

/// Writes a file as `temporary`, waits until it is on the disk, and renames it to `path`. Both are on one file
/// system. The name survives a power cut only after [`sync_folder`].
///
/// - `temporary`: what has this name is removed first, as by [`create_fresh`].
/// - `write`: writes the contents and returns the writer.
///
/// # Errors
/// Errors of the operating system and of `write`; `path` is then unchanged.
pub fn write_whole(
    temporary: &Path,
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
) -> io::Result<()> {
    let mut file = write(BufWriter::new(create_fresh(temporary)?))?;
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

/// Writes `bytes` to `path` completely or not at all, replacing an existing file or link. The temporary file is `.NAME.part`
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
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

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

    /// A folder with a file outside `out` that must stay as it is.
    fn precious() -> (tempfile::TempDir, impl Fn(&Path)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("precious"), "precious").unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        let is_whole = |folder: &Path| {
            assert_eq!(fs::read(folder.join("precious")).unwrap(), b"precious");
        };
        (folder, is_whole)
    }

    #[test]
    fn a_link_or_a_hard_link_under_a_temporary_name_is_replaced_and_its_target_stays() {
        let (folder, is_whole) = precious();
        let path = folder.path().join("out/a");
        let part = folder.path().join("out/.a.part");
        symlink("../precious", &part).unwrap();
        replace_whole(&path, b"bytes").unwrap();
        is_whole(folder.path());
        fs::hard_link(folder.path().join("precious"), &part).unwrap();
        symlink("../precious", folder.path().join("out/b")).unwrap();
        replace_whole(&path, b"bytes").unwrap();
        replace_whole(&folder.path().join("out/b"), b"bytes").unwrap();
        is_whole(folder.path());
        assert_eq!(fs::read(folder.path().join("out/b")).unwrap(), b"bytes");
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 2);
    }

    #[test]
    fn a_device_is_never_removed() {
        let err = create_fresh(Path::new("/dev/null"))
            .unwrap_err()
            .to_string();
        assert!(err.contains("device"), "{err}");
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn an_own_file_is_opened_only_if_it_is_regular_and_has_one_name() {
        let (folder, is_whole) = precious();
        let [link, hard, fifo, new] =
            ["link", "hard", "fifo", "new"].map(|name| folder.path().join("out").join(name));
        symlink("../precious", &link).unwrap();
        fs::hard_link(folder.path().join("precious"), &hard).unwrap();
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for (path, reason) in [
            (&link, "a symbolic link"),
            (&hard, "2 names"),
            (&fifo, "a FIFO"),
        ] {
            for options in [
                File::options().read(true).append(true).create(true),
                File::options().write(true),
            ] {
                let err = open_own(options, path).unwrap_err().to_string();
                assert!(err.contains(reason), "{err}");
            }
        }
        is_whole(folder.path());
        for text in ["a", "b"] {
            let mut file = open_own(File::options().append(true).create(true), &new).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        assert_eq!(fs::read(&new).unwrap(), b"ab");
    }

    #[test]
    fn folders_are_created_below_the_root_and_a_link_among_them_is_refused() {
        let (folder, _) = precious();
        let out = folder.path().join("out");
        symlink(folder.path(), out.join("away")).unwrap();
        let made =
            |name: &str| create_folders_of(&out, Path::new(name)).map_err(|err| err.to_string());
        made("a/b/file").unwrap();
        made("a/b/file").unwrap();
        made("file").unwrap();
        assert!(out.join("a/b").is_dir());
        assert!(made("away/file").unwrap_err().contains("a symbolic link"));
        assert!(
            made("away/new/file")
                .unwrap_err()
                .contains("a symbolic link")
        );
        for name in ["../file", "a/../../file", "/tmp/file"] {
            assert!(
                made(name).unwrap_err().contains("leaves the folder"),
                "{name}"
            );
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
