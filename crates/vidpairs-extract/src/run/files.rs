//! Identifies the files of a clip without reading them: a clip that was replaced or written to has another checksum.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vidpairs_types::{Annotation, Clip, Media};
use xxhash_rust::xxh3::Xxh3;

/// Extensions of the truth of GOT-10k, which lies beside its frames.
const TRUTH: [&str; 3] = ["ini", "label", "txt"];

/// Properties of a file that enter a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// Length and time of the last write of video and frames: the same for a copy that keeps times. Truth in the same folder is left
    /// out, since its content is compared.
    Content,
    /// The same with the truth: of every file of a pinned clip.
    Pinned,
    /// Also the time of the last change of the inode: a restored time hides nothing. Not the number of the inode, which some network
    /// disks (sshfs, rclone) give anew at each mount.
    Version,
}

/// Checksum over the files of `clip`: its media and its annotations.
///
/// # Errors
/// An error of the system if one of them cannot be examined.
pub(super) fn of_clip(clip: &Clip, identity: Identity) -> io::Result<u64> {
    let mut files = Survey::new(identity);
    files.add_clip(clip)?;
    Ok(files.hash.digest())
}

/// Checksum over the files of `media`.
///
/// # Errors
/// An error of the system if one of them cannot be examined.
pub(super) fn of_media(media: &Media, identity: Identity) -> io::Result<u64> {
    let mut files = Survey::new(identity);
    files.add(media.path())?;
    Ok(files.hash.digest())
}

/// Files of a clip, as they are when its source is pinned, or listed in a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum ClipFiles {
    /// On a disk.
    Local {
        /// Size of all files, bytes.
        bytes: u64,
        /// Last write of the newest file, seconds since 1970.
        modified_unix_seconds: f64,
        /// Checksum over the names, sizes and times of all files, 16 hexadecimal digits.
        xxh3: String,
    },
    /// In an object store.
    Stored {
        /// Every object that the clip needs.
        objects: Vec<StoredFile>,
    },
}

/// Object of a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredFile {
    /// Name below the root of the source.
    pub name: String,
    /// Size, bytes.
    pub bytes: u64,
    /// Etag, or another text that changes with the content.
    pub version: String,
}

impl ClipFiles {
    /// Examines the files of `clip`.
    ///
    /// # Errors
    /// An error of the system if one of them cannot be examined.
    pub fn of(clip: &Clip) -> io::Result<Self> {
        let mut files = Survey::new(Identity::Pinned);
        files.add_clip(clip)?;
        Ok(Self::Local {
            bytes: files.bytes,
            modified_unix_seconds: files.newest,
            xxh3: format!("{:016x}", files.hash.digest()),
        })
    }

    /// Size of all files, bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Local { bytes, .. } => *bytes,
            Self::Stored { objects } => {
                let bytes = objects.iter().map(|object| object.bytes);
                bytes.fold(0, u64::saturating_add)
            }
        }
    }

    /// Checksum over names and versions in a store, as [`of_clip`] is on a disk; `None` on a disk.
    pub fn stored_xxh3(&self) -> Option<u64> {
        let Self::Stored { objects } = self else {
            return None;
        };
        let mut hash = Xxh3::new();
        for text in objects
            .iter()
            .flat_map(|object| [&object.name, &object.version])
        {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        Some(hash.digest())
    }

    /// What changed since the files were pinned; `None` if nothing did. Files that cannot be examined are left to those who read them, and
    /// objects to those who fetch them.
    pub fn change_of(&self, clip: &Clip) -> Option<String> {
        let Self::Local { xxh3, .. } = self else {
            // A list of a store whose root was changed to a copy on this machine.
            let now = Self::of(clip)
                .ok()
                .filter(|_| !clip.media.path().is_dir())?;
            let (then, now) = (self.bytes(), now.bytes());
            let reason = format!("not what was listed: {then} bytes then, {now} now");
            return (then != now).then_some(reason);
        };
        let is_other =
            |now: &Self| !matches!(now, Self::Local { xxh3: found, .. } if found == xxh3);
        let now = Self::of(clip).ok().filter(is_other)?;
        let (then, now) = (self.bytes(), now.bytes());
        let what = match (now == then, clip.media.path().is_dir()) {
            (false, _) => format!("{then} bytes then, {now} now"),
            (true, false) => "written to at another time".to_owned(),
            (true, true) => "a file in it was renamed, or written to at another time".to_owned(),
        };
        Some(format!("changed since it was listed: {what}"))
    }
}

/// Files that were looked at.
struct Survey {
    identity: Identity,
    hash: Xxh3,
    bytes: u64,
    newest: f64,
}

impl Survey {
    fn new(identity: Identity) -> Self {
        Self {
            identity,
            hash: Xxh3::new(),
            bytes: 0,
            newest: 0.0,
        }
    }

    /// Adds media and annotations.
    fn add_clip(&mut self, clip: &Clip) -> io::Result<()> {
        let media = clip.media.path();
        self.add(media)?;
        match &clip.annotation {
            Annotation::None => {}
            Annotation::TrackingNet(path) | Annotation::Got10k(path) if path == media => {}
            Annotation::TrackingNet(path) | Annotation::Got10k(path) | Annotation::Voc(path) => {
                self.add(path)?;
            }
            // The file holds the objects of many images, so it may change while these stay.
            Annotation::Objects(objects) => self.hash.update(format!("{objects:?}").as_bytes()),
        }
        Ok(())
    }

    /// Adds a file, or a folder with the names and properties of its files.
    fn add(&mut self, path: &Path) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_dir() {
            self.add_file(&metadata);
            return Ok(());
        }
        let mut names = fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            let is_truth = TRUTH
                .iter()
                .any(|ending| Path::new(&name).extension() == Some(ending.as_ref()));
            if is_truth && self.identity == Identity::Content {
                continue;
            }
            let bytes = name.as_encoded_bytes();
            self.hash.update(&(bytes.len() as u64).to_le_bytes());
            self.hash.update(bytes);
            // A dangling link is a name and nothing more.
            if let Ok(metadata) = fs::metadata(path.join(&name)) {
                self.add_file(&metadata);
            }
        }
        Ok(())
    }

    fn add_file(&mut self, metadata: &Metadata) {
        self.hash.update(&metadata.len().to_le_bytes());
        self.hash.update(&metadata.mtime().to_le_bytes());
        self.hash.update(&metadata.mtime_nsec().to_le_bytes());
        if self.identity == Identity::Version {
            self.hash.update(&metadata.ctime().to_le_bytes());
            self.hash.update(&metadata.ctime_nsec().to_le_bytes());
        }
        self.bytes += metadata.len();
        let modified = metadata.mtime() as f64 + metadata.mtime_nsec() as f64 * 1e-9;
        self.newest = self.newest.max(modified);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::PathBuf;

    use super::*;

    fn folder_of(path: PathBuf) -> Media {
        Media::JpegFolder {
            path,
            fps: None,
            first_number: None,
        }
    }

    #[test]
    fn every_way_to_change_a_file_of_a_clip_changes_its_checksum() {
        let folder = tempfile::tempdir().unwrap();
        let frame = folder.path().join("1.jpg");
        fs::write(&frame, "one").unwrap();
        fs::write(folder.path().join("2.jpg"), "two").unwrap();
        let media = folder_of(folder.path().to_owned());
        let of = |identity| of_media(&media, identity).unwrap();
        let mut seen = vec![of(Identity::Version)];
        assert_eq!(of(Identity::Version), seen[0]);
        let mut differs = |when: &str| {
            let now = of(Identity::Version);
            assert!(!seen.contains(&now), "{when}");
            seen.push(now);
        };
        let written = fs::metadata(&frame).unwrap().modified().unwrap();
        let content = of(Identity::Content);
        // The clock of the file system has ticks of some milliseconds.
        let tick = || std::thread::sleep(std::time::Duration::from_millis(20));
        tick();
        fs::write(&frame, "ONE").unwrap();
        let file = File::options().append(true).open(&frame).unwrap();
        file.set_modified(written).unwrap();
        differs("other bytes of the same length, and the time restored");
        assert_eq!(of(Identity::Content), content, "a copy that keeps times");
        fs::write(&frame, "longer").unwrap();
        differs("another length");
        fs::rename(&frame, folder.path().join("3.jpg")).unwrap();
        differs("another name");
        fs::write(folder.path().join("4.jpg"), "").unwrap();
        differs("one more file");
        fs::remove_file(folder.path().join("2.jpg")).unwrap();
        differs("one file less");
    }
}
