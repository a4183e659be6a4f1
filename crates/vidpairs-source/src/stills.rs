//! Lists still images anywhere below a folder. Each is a clip of one frame.

use std::path::Path;

use vidpairs_types::{Clip, Media, SourceKind};

use crate::error::SourceError;
use crate::files::{Entry, Files, Kind};
use crate::listing::Listing;
use crate::media::{is_still, unlabelled_clip};
use crate::walk::NAME_NOT_UTF8;

/// Lists the images below `root`, by the extensions of their names.
pub(crate) fn list(
    files: &dyn Files,
    root: &Path,
    splits: &[String],
) -> Result<Listing, SourceError> {
    if !splits.is_empty() {
        return Err(SourceError::KindWithoutSplits {
            kind: SourceKind::Images.name(),
            splits: splits.to_vec(),
        });
    }
    // The walk would give a root that is a file no folder to start from.
    let has_any = files.has_name(root, |_| true);
    has_any.map_err(SourceError::of_root(root))?;
    let mut listing = Listing::default();
    files.walk(
        root,
        &mut listing,
        &mut |found, listing| match found.kind.problem_as_file() {
            _ if !is_still(found.path) => listing.ignored.add(found.path),
            Some(reason) => listing.refuse(&found.id, found.path, reason),
            None if !found.is_utf8 => listing.refuse(&found.id, found.path, NAME_NOT_UTF8),
            None => listing.clips.push(clip(found.id, found.path)),
        },
    )?;
    Ok(listing)
}

/// The image at `path` as a clip, without annotation.
pub(crate) fn clip(id: String, path: &Path) -> Clip {
    unlabelled_clip(id, Media::Still(path.to_owned()))
}

/// Adds an entry of the folder of a split, `ID = <split>/<name>`, if it has the name of an image; others are ignored.
pub(crate) fn add_entry(entry: &Entry, split: &str, listing: &mut Listing) {
    let id = format!("{split}/{}", entry.name);
    match entry.kind.problem_as_file() {
        _ if !is_still(&entry.path) => {
            // Folders are not counted as files.
            if !matches!(entry.kind, Kind::Folder) {
                listing.ignored.add(&entry.path);
            }
        }
        Some(reason) => listing.refuse(&id, &entry.path, reason),
        None if !entry.has_utf8_name() => listing.refuse(&id, &entry.path, NAME_NOT_UTF8),
        None => listing.clips.push(clip(id, &entry.path)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::test_tree::{ids, listed, make_fifo, refused, tree};

    fn images(root: &Path) -> Listing {
        listed(SourceKind::Images, root, &[]).unwrap()
    }

    #[test]
    fn every_still_image_at_any_depth_is_a_clip_and_videos_are_counted() {
        let root = tree(&[
            "b/deep/er/1.JPEG",
            "a.png",
            "b/1.webp",
            "b/2.webp",
            "c.mp4",
            "notes.txt",
            ".hidden/1.jpg",
            "__MACOSX/1.jpg",
            ".x.jpg",
        ]);
        let listing = images(root.path());
        assert_eq!(
            ids(&listing),
            ["a.png", "b/1.webp", "b/2.webp", "b/deep/er/1.JPEG"]
        );
        assert_eq!(
            listing.ignored.to_string(),
            "2 other files (1 .mp4, 1 .txt)"
        );
        assert_eq!(
            listing.clips[0].media,
            Media::Still(root.path().join("a.png"))
        );
        assert!(listing.refused.is_empty());
    }

    #[test]
    fn links_are_followed_once_and_what_is_no_file_is_refused() {
        let store = tree(&["set/1.jpg"]);
        let root = tree(&["a/1.jpg"]);
        symlink(store.path().join("set"), root.path().join("set")).unwrap();
        symlink("..", root.path().join("a/up")).unwrap();
        symlink("gone.jpg", root.path().join("z.jpg")).unwrap();
        make_fifo(root.path(), "x.jpg");
        let listing = images(root.path());
        assert_eq!(ids(&listing), ["a/1.jpg", "set/1.jpg"]);
        let ids: Vec<&str> = refused(&listing).iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, ["a/up", "x.jpg", "z.jpg"]);
    }

    #[test]
    fn a_root_without_images_a_file_and_splits_are_errors() {
        let root = tree(&["a.mp4"]);
        let message = |root: &Path, splits: &[&str]| {
            let err = listed(SourceKind::Images, root, splits).unwrap_err();
            err.to_string().replace(&*root.to_string_lossy(), "ROOT")
        };
        assert_eq!(
            message(root.path(), &[]),
            "no clip in ROOT: looked for .jpg, .jpeg, .png, .webp, .bmp, .tif and .tiff files; found: 1 other file (1 .mp4), \
             none refused"
        );
        assert_eq!(
            message(root.path(), &["train"]),
            "a source of kind images has no splits; requested: train"
        );
        assert_eq!(
            message(&root.path().join("gone"), &[]),
            "ROOT does not exist"
        );
        assert_eq!(message(&root.path().join("a.mp4"), &[]), "cannot read ROOT");
    }
}
