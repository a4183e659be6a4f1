//! Finds out whether a clip cannot be read because of the machine. Such a clip is not refused: the run stops and can be resumed.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vidpairs_run::{RunError, is_machine_fault};

/// The sources of a run, as they were when it began.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    roots: Arc<[Root]>,
    /// Whether a clip whose own folder is gone is not at fault.
    have_folders: bool,
    /// Whether that holds below a root too.
    have_folders_below: bool,
}

#[derive(Debug)]
struct Root {
    path: PathBuf,
    /// Whether it was a folder, not a file or a list of files.
    is_folder: bool,
}

impl Faults {
    /// Remembers the folders or files that the clips are listed from.
    pub fn of_sources<'a>(roots: impl IntoIterator<Item = &'a Path>) -> Self {
        let root = |path: &Path| Root {
            path: path.to_owned(),
            is_folder: path.is_dir(),
        };
        let roots: Arc<[Root]> = roots.into_iter().map(root).collect();
        // Clips of a list lie in folders of their own. A clip that vanished alone was deleted; one whose folder vanished was not.
        let have_folders = roots.iter().any(|root| !root.is_folder);
        Self {
            roots,
            have_folders,
            have_folders_below: false,
        }
    }

    /// Remembers the folder into which clips are fetched, each into a folder of its own.
    pub fn of_scratch(folder: &Path) -> Self {
        Self {
            have_folders: true,
            have_folders_below: true,
            ..Self::of_sources([folder])
        }
    }

    /// The error that stops the run, if `err` is no fault of the clip.
    ///
    /// - `path`: file or folder of the clip.
    pub fn behind(&self, err: &(dyn Error + 'static), path: &Path) -> Option<RunError> {
        if is_machine_fault(err) {
            return Some(RunError::Machine {
                path: path.to_owned(),
                reason: vidpairs_types::with_causes(err),
            });
        }
        // Another inode alone says nothing: some network disks (sshfs, rclone) number them anew. The folder below an unmounted disk is
        // empty.
        let gone = |root: &&Root| root.is_folder && is_empty(&root.path);
        if let Some(root) = self.roots.iter().find(gone) {
            return Some(RunError::SourceGone {
                root: root.path.clone(),
            });
        }
        let is_below = |root: &Root| root.is_folder && path.starts_with(&root.path);
        let matters = match self.roots.iter().any(is_below) {
            true => self.have_folders_below,
            false => self.have_folders,
        };
        let folder = path.parent().filter(|_| matters)?;
        // A bare name lies in the folder that the program runs in.
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let is_gone = fs::metadata(folder).is_err_and(|err| err.kind() == io::ErrorKind::NotFound);
        is_gone.then(|| RunError::SourceGone {
            root: folder.to_owned(),
        })
    }
}

/// Whether a folder holds nothing, is gone, or cannot be listed.
fn is_empty(path: &Path) -> bool {
    let first = fs::read_dir(path).map(|mut entries| entries.next());
    !matches!(first, Ok(Some(Ok(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_found() -> io::Error {
        io::ErrorKind::NotFound.into()
    }

    #[test]
    fn a_clip_that_vanished_alone_is_refused_and_one_whose_source_vanished_stops_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let (root, moved) = (folder.path().join("clips"), folder.path().join("moved"));
        let clip = root.join("a.mp4");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("b.mp4"), "").unwrap();
        let list = folder.path().join("list.txt");
        fs::write(&list, "clips/a.mp4").unwrap();
        let faults = [&root, &list].map(|root| Faults::of_sources([root.as_path()]));
        let behind = |source: usize| {
            let fault = faults[source].behind(&not_found(), &clip);
            fault.map(|fault| fault.to_string())
        };
        assert_eq!([behind(0), behind(1)], [None, None]);
        fs::rename(&root, &moved).unwrap();
        for source in [0, 1] {
            let text = behind(source).unwrap();
            assert!(text.contains("clips"), "{text}");
        }
        fs::create_dir(&root).unwrap();
        assert!(behind(0).is_some(), "an empty mount point");
        fs::write(root.join("b.mp4"), "").unwrap();
        assert_eq!(
            behind(0),
            None,
            "the same content in a folder with another inode"
        );
        fs::remove_file(root.join("b.mp4")).unwrap();
        fs::remove_dir(&root).unwrap();
        fs::rename(&moved, &root).unwrap();
        assert_eq!([behind(0), behind(1)], [None, None]);
    }

    #[test]
    fn a_damaged_clip_named_without_a_folder_is_no_fault_of_the_machine() {
        let faults = Faults::of_sources([Path::new("bad.mp4")]);
        assert!(faults.behind(&not_found(), Path::new("bad.mp4")).is_none());
    }
}
