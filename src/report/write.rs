//! Writes a page to disk: the whole file, or none.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use vidpairs_types::create_fresh;

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The folder does not exist. Create it, or choose another.
    #[error("cannot write {}: there is no folder {}", .path.display(), .folder.display())]
    NoFolder {
        /// Path of the page.
        path: PathBuf,
        /// Folder of the page.
        folder: PathBuf,
    },
    /// The path is a folder. Name a file.
    #[error("cannot write {}: it is a folder; name a file", .path.display())]
    IsFolder {
        /// Path of the folder.
        path: PathBuf,
    },
    /// The path is a device, a FIFO or a socket. Name a file.
    #[error("cannot write {}: it exists and is no regular file; name another file", .path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// The name does not end as files of this kind do.
    #[error("cannot write {}: its name does not end in {ending}; name a file such as {}", .path.display(), .path.with_extension(&ending[1..]).display())]
    Ending {
        /// Path of the file.
        path: PathBuf,
        /// Expected end of the name.
        ending: &'static str,
    },
    /// The file is a page that another command wrote beside its results. Name another file.
    #[error("cannot replace {}: it lies beside the results of a command and is no page of `vidpairs report`; name another file, or remove this one", .path.display())]
    OfResults {
        /// Path of the page.
        path: PathBuf,
    },
    /// The operating system returned an error. No partial page is left.
    #[error("cannot write {}", .path.display())]
    Write {
        /// Path of the page.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
}

/// Checks that a page or plot can be written: `path` names a file with `ending` in a folder that exists and takes new files.
///
/// # Errors
/// [`PageError`].
pub fn check_place(path: &Path, ending: &'static str) -> Result<(), PageError> {
    check_name(path, ending)?;
    let temporary = temporary(&target(path)?);
    let written = create_fresh(&temporary).and_then(|_| fs::remove_file(&temporary));
    written.map_err(|source| PageError::Write {
        path: path.into(),
        source,
    })
}

/// Checks that the name of `path` ends in `ending`, so that no page replaces a file of a run or of another program.
///
/// # Errors
/// [`PageError::IsFolder`], [`PageError::Ending`].
pub fn check_name(path: &Path, ending: &'static str) -> Result<(), PageError> {
    let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
        return Err(PageError::IsFolder { path: path.into() });
    };
    if !name.to_string_lossy().to_lowercase().ends_with(ending) {
        return Err(PageError::Ending {
            path: path.into(),
            ending,
        });
    }
    Ok(())
}

/// The file that `path` names, through links, in a folder that exists.
fn target(path: &Path) -> Result<PathBuf, PageError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(PageError::NoFolder {
            path: path.into(),
            folder: folder.into(),
        });
    }
    match fs::metadata(path) {
        Ok(found) if found.is_file() => fs::canonicalize(path).map_err(|source| PageError::Write {
            path: path.into(),
            source,
        }),
        Ok(found) if found.is_dir() => Err(PageError::IsFolder { path: path.into() }),
        Ok(_) => Err(PageError::NotRegular { path: path.into() }),
        Err(_) => Ok(path.into()),
    }
}

/// Writes `text` to `path`. A whole new file replaces an old one, or the one that `path` links to.
///
/// # Errors
/// [`PageError`].
pub fn write_page(path: &Path, text: &str) -> Result<(), PageError> {
    let target = target(path)?;
    let temporary = temporary(&target);
    let written = create_fresh(&temporary)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, &target));
    written.map_err(|source| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        PageError::Write {
            path: path.into(),
            source,
        }
    })
}

/// Name of the unfinished file beside `path`. A long name is not made longer.
fn temporary(path: &Path) -> PathBuf {
    folder_of(path).join(format!(".vidpairs.{}.part", std::process::id()))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_page_replaces_the_old_one_and_leaves_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.html");
        for html in ["<p>old", "<p>new"] {
            write_page(&path, html).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), html);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_and_a_folder_in_place_of_a_file_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("typo");
        let error = |path: &Path| write_page(path, "").unwrap_err().to_string();
        let no_folder = format!("there is no folder {}", missing.display());
        assert!(error(&missing.join("a.html")).ends_with(&no_folder));
        assert!(error(dir.path()).ends_with("it is a folder; name a file"));
        check_place(&dir.path().join("a.HTML"), ".html").unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_page_is_not_written_under_the_name_of_another_kind_of_file() {
        for name in ["dataset.json", "refused.jsonl", ".journal", "a.svg"] {
            let err = check_place(Path::new(name), ".html").unwrap_err();
            assert!(matches!(err, PageError::Ending { .. }), "{err}");
            assert!(err.to_string().contains("such as"), "{err}");
        }
    }

    #[test]
    fn a_device_is_not_replaced_and_a_link_is_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let null = dir.path().join("null.html");
        symlink("/dev/null", &null).unwrap();
        for err in [
            check_place(&null, ".html").unwrap_err(),
            write_page(&null, "").unwrap_err(),
        ] {
            assert!(matches!(err, PageError::NotRegular { .. }), "{err}");
        }
        let (page, link) = (dir.path().join("page.html"), dir.path().join("link.html"));
        fs::write(&page, "old").unwrap();
        symlink("page.html", &link).unwrap();
        write_page(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&page).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
