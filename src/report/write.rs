//! Writes a page to disk: the whole file, or none.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use vidpairs_types::{create_fresh, open_regular};

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
    /// The file is no page or plot. Name another file.
    #[error("cannot write {}: the file exists and is neither a page nor a plot; name another file", .path.display())]
    NotAPage {
        /// Path of the file.
        path: PathBuf,
    },
    /// One file is named for the page and for the plot. Name two.
    #[error("{} is named for both the page and the plot; name two files", .path.display())]
    SameFile {
        /// Path of the file.
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

/// Checks that `path` names a file in an existing folder, and that nothing but a page or a plot would be replaced.
///
/// # Errors
/// [`PageError::NoFolder`], [`PageError::IsFolder`], [`PageError::NotAPage`].
pub fn check_place(path: &Path) -> Result<(), PageError> {
    if path.is_dir() || path.file_name().is_none() {
        return Err(PageError::IsFolder { path: path.into() });
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(PageError::NoFolder {
            path: path.into(),
            folder: folder.into(),
        });
    }
    if path.is_file() && !is_markup(path) {
        return Err(PageError::NotAPage { path: path.into() });
    }
    Ok(())
}

/// Whether a file is empty or begins as HTML and SVG do.
fn is_markup(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = open_regular(path).and_then(|file| file.take(64).read_to_end(&mut start));
    let start = start.trim_ascii_start();
    read.is_ok() && (start.is_empty() || start.starts_with(b"<"))
}

/// Writes `html` to `path`. A whole new page replaces an old one.
///
/// # Errors
/// [`PageError`].
pub fn write_page(path: &Path, html: &str) -> Result<(), PageError> {
    check_place(path)?;
    let name = path
        .file_name()
        .expect("check_place refuses a path without a file name");
    let temporary = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
    let temporary = folder_of(path).join(temporary);
    let written = create_fresh(&temporary)
        .and_then(|mut file| {
            file.write_all(html.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        PageError::Write {
            path: path.into(),
            source,
        }
    })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
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
        assert!(check_place(Path::new("a.html")).is_ok());
    }

    #[test]
    fn a_file_that_is_no_page_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dataset.json");
        fs::write(&path, "{}").unwrap();
        let err = write_page(&path, "<!DOCTYPE html>").unwrap_err();
        assert!(matches!(err, PageError::NotAPage { .. }), "{err}");
        assert_eq!(fs::read(&path).unwrap(), b"{}");
    }
}
