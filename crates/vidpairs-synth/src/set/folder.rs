//! The folder in which an item is made before it is published.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::ItemError;

/// Files of one item, under the names that they will have below the set's root.
pub(super) struct ItemFolder<'a> {
    root: &'a Path,
    num_bytes: u64,
}

impl<'a> ItemFolder<'a> {
    /// A folder at `root`, which need not exist.
    pub fn new(root: &'a Path) -> Self {
        Self { root, num_bytes: 0 }
    }

    /// Makes it, and makes it empty: what a stopped run left there goes.
    pub fn clear(&self) -> Result<(), ItemError> {
        match fs::remove_dir_all(self.root) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("remove", self.root)(source));
            }
            _ => {}
        }
        fs::create_dir_all(self.root).map_err(failed("create", self.root))
    }

    /// The path of `name`, whose folder is made.
    pub fn place(&self, name: &str) -> Result<PathBuf, ItemError> {
        let path = self.root.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed("create", folder))?;
        }
        Ok(path)
    }

    /// Writes `bytes` as `name`, to the disk.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), ItemError> {
        let path = self.place(name)?;
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_data()
        });
        written.map_err(failed("write", &path))?;
        self.num_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Brings a file that another writer has written to the disk, and counts it.
    pub fn add(&mut self, path: &Path) -> Result<(), ItemError> {
        let synced = File::open(path).and_then(|file| {
            file.sync_data()?;
            file.metadata()
        });
        self.num_bytes += synced.map_err(failed("write", path))?.len();
        Ok(())
    }

    /// Bytes written.
    pub fn num_bytes(&self) -> u64 {
        self.num_bytes
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ItemError {
    let path = path.to_owned();
    move |source| ItemError::File {
        action,
        path,
        source,
    }
}
