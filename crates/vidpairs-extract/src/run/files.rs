//! Identifies the files of a clip without reading them: a clip that was replaced or written to has another checksum.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

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
    /// Also the time of the last change of the inode: a restored time hides nothing. Not the number of the inode, which some network
    /// disks (sshfs, rclone) give anew at each mount.
    Version,
}

/// Checksum over the files of `clip`: its media and its annotations.
///
/// # Errors
/// An error of the system if one of them cannot be examined.
pub(super) fn of_clip(clip: &Clip, identity: Identity) -> io::Result<u64> {
    let mut hash = Xxh3::new();
    let media = clip.media.path();
    add(media, identity, &mut hash)?;
    match &clip.annotation {
        Annotation::None => {}
        Annotation::TrackingNet(path) | Annotation::Got10k(path) if path == media => {}
        Annotation::TrackingNet(path) | Annotation::Got10k(path) | Annotation::Voc(path) => {
            add(path, identity, &mut hash)?;
        }
        // The file holds the objects of many images, so it may change while these stay.
        Annotation::Objects(objects) => hash.update(format!("{objects:?}").as_bytes()),
    }
    Ok(hash.digest())
}

/// Checksum over the files of `media`.
///
/// # Errors
/// An error of the system if one of them cannot be examined.
pub(super) fn of_media(media: &Media, identity: Identity) -> io::Result<u64> {
    let mut hash = Xxh3::new();
    add(media.path(), identity, &mut hash)?;
    Ok(hash.digest())
}

/// Adds a file, or a folder with the names and properties of its files.
fn add(path: &Path, identity: Identity, hash: &mut Xxh3) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        add_file(&metadata, identity, hash);
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
        if is_truth && identity == Identity::Content {
            continue;
        }
        let bytes = name.as_encoded_bytes();
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
        // A dangling link is a name and nothing more.
        if let Ok(metadata) = fs::metadata(path.join(&name)) {
            add_file(&metadata, identity, hash);
        }
    }
    Ok(())
}

fn add_file(metadata: &Metadata, identity: Identity, hash: &mut Xxh3) {
    hash.update(&metadata.len().to_le_bytes());
    hash.update(&metadata.mtime().to_le_bytes());
    hash.update(&metadata.mtime_nsec().to_le_bytes());
    if identity == Identity::Version {
        hash.update(&metadata.ctime().to_le_bytes());
        hash.update(&metadata.ctime_nsec().to_le_bytes());
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
