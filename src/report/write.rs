//! A page on disk: whole under its name, or not there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The folder does not exist. Make it, or name another.
    #[error("cannot write {}: there is no folder {}", .path.display(), .folder.display())]
    NoFolder {
        /// The page.
        path: PathBuf,
        /// Where it should lie.
        folder: PathBuf,
    },
    /// A folder has that name. Name a file.
    #[error("cannot write {}: it is a folder; name a file", .path.display())]
    IsFolder {
        /// The name.
        path: PathBuf,
    },
    /// The operating system refused. Nothing is left of the page.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The page.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// Whether a page can be written to `path`, as far as can be known before it is made.
///
/// # Errors
/// [`PageError::NoFolder`], [`PageError::IsFolder`].
pub fn check_place(path: &Path) -> Result<(), PageError> {
    if path.is_dir() || path.file_name().is_none() {
        return Err(PageError::IsFolder { path: path.into() });
    }
    let folder = folder_of(path);
    if folder.is_dir() {
        Ok(())
    } else {
        Err(PageError::NoFolder {
            path: path.into(),
            folder: folder.into(),
        })
    }
}

/// Writes `html` to `path`; a page that is there already is replaced when the new one is whole.
///
/// # Errors
/// [`PageError`].
pub fn write_page(path: &Path, html: &str) -> Result<(), PageError> {
    check_place(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder_of(path).join(format!(".{name}.{}.part", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(html.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| {
        // What went wrong is said; whether the rest could be removed changes nothing.
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
        for html in ["old", "new"] {
            write_page(&path, html).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), html);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_and_a_folder_in_place_of_a_file_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("typo");
        let said = |path: &Path| write_page(path, "").unwrap_err().to_string();
        let no_folder = format!("there is no folder {}", missing.display());
        assert!(said(&missing.join("a.html")).ends_with(&no_folder));
        assert!(said(dir.path()).ends_with("it is a folder; name a file"));
        assert!(check_place(Path::new("a.html")).is_ok());
    }
}
