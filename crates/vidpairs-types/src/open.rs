//! Opens files that strangers may have put there.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// Opens a regular file for reading, through links. Anything else is refused at once: a FIFO would wait for a writer for ever, and a
/// device may never end.
///
/// # Errors
/// Errors of the operating system. What is no regular file is named: `it is a FIFO, not a regular file`, of kind
/// [`io::ErrorKind::IsADirectory`] for a folder and [`io::ErrorKind::InvalidInput`] for the rest.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // Without O_NONBLOCK, to open a FIFO waits for a writer; without O_NOCTTY, a terminal could become ours.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        // A socket, or a device without a driver, cannot be opened at all, and the system's message does not say why.
        Err(err) => {
            let found = fs::metadata(path).map(|found| found.file_type());
            return Err(found.ok().and_then(not_regular).unwrap_or(err));
        }
    };
    if let Some(err) = not_regular(file.metadata()?.file_type()) {
        return Err(err);
    }
    block_again(&file)?;
    Ok(file)
}

/// Reads a whole regular file.
///
/// - `max_bytes`: most bytes that such a file can have.
///
/// # Errors
/// Those of [`open_regular`]; [`io::ErrorKind::FileTooLarge`] if it has more bytes.
pub fn read_regular(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let too_large = || {
        io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {max_bytes} bytes, the most that such a file can have"),
        )
    };
    // A sparse file is refused before memory is reserved for it; a file that grows, while it is read.
    let len = file.metadata()?.len();
    if len > max_bytes {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // One byte more, so that the end is met without growing.
    bytes.try_reserve_exact(usize::try_from(len).unwrap_or(usize::MAX).saturating_add(1))?;
    let read = file
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    match read as u64 > max_bytes {
        true => Err(too_large()),
        false => Ok(bytes),
    }
}

/// Clears O_NONBLOCK.
pub(crate) fn block_again(file: &File) -> io::Result<()> {
    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags.difference(OFlags::NONBLOCK))?)
}

/// The error that names the kind of a file, unless it is a regular one.
pub(crate) fn not_regular(found: FileType) -> Option<io::Error> {
    let (name, kind) = if found.is_file() {
        return None;
    } else if found.is_dir() {
        ("a folder", io::ErrorKind::IsADirectory)
    } else if found.is_fifo() {
        ("a FIFO", io::ErrorKind::InvalidInput)
    } else if found.is_socket() {
        ("a socket", io::ErrorKind::InvalidInput)
    } else if found.is_symlink() {
        ("a symbolic link", io::ErrorKind::InvalidInput)
    } else {
        ("a device", io::ErrorKind::InvalidInput)
    };
    Some(io::Error::new(
        kind,
        format!("it is {name}, not a regular file"),
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType as Kind, Mode, mknodat};

    use super::*;

    #[test]
    fn a_regular_file_is_read_whole_and_blocks_as_usual_also_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("link"));
        fs::write(&path, "text").unwrap();
        symlink("a", &link).unwrap();
        for path in [path, link] {
            let mut file = open_regular(&path).unwrap();
            assert!(!fcntl_getfl(&file).unwrap().contains(OFlags::NONBLOCK));
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "text");
        }
    }

    #[test]
    fn a_fifo_a_socket_a_device_and_a_folder_are_refused_at_once_by_their_kind() {
        let folder = tempfile::tempdir().unwrap();
        let (fifo, socket) = (folder.path().join("fifo"), folder.path().join("socket"));
        mknodat(CWD, &fifo, Kind::Fifo, Mode::RUSR, 0).unwrap();
        let _listener = UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        symlink(&fifo, &link).unwrap();
        for (path, name) in [
            (fifo.as_path(), "a FIFO"),
            (link.as_path(), "a FIFO"),
            (socket.as_path(), "a socket"),
            (Path::new("/dev/zero"), "a device"),
            (folder.path(), "a folder"),
        ] {
            let err = open_regular(path).unwrap_err();
            assert_eq!(err.to_string(), format!("it is {name}, not a regular file"));
        }
    }

    #[test]
    fn a_file_is_read_whole_up_to_its_limit_and_refused_above() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_regular(&path, 5).unwrap(), b"12345");
        let err = read_regular(&path, 4).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::FileTooLarge);
        // Sparse: nothing of it is read.
        File::create(&path).unwrap().set_len(1 << 42).unwrap();
        assert!(read_regular(&path, 1 << 20).is_err());
        // Files of /proc state a length of 0.
        assert!(
            !read_regular(Path::new("/proc/self/status"), 1 << 20)
                .unwrap()
                .is_empty()
        );
        assert!(read_regular(Path::new("/proc/self/status"), 9).is_err());
    }

    #[test]
    fn a_missing_file_keeps_the_error_of_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let err = open_regular(&folder.path().join("none")).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::NotFound);
    }
}
