//! Videos wherever they lie: below a folder, one file, or in a list.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use vidpairs_types::{Annotation, Clip, Media, SourceKind};
use walkdir::{DirEntry, WalkDir};

use super::disk::{self, Kind};
use super::{Listing, SourceError, path_list};

/// Extensions of files that are taken for videos, lower case.
const VIDEO_EXTENSIONS: &[&str] = &[
    "264", "265", "3gp", "asf", "avi", "f4v", "flv", "h264", "h265", "hevc", "ivf", "m2ts", "m2v",
    "m4v", "mjpeg", "mjpg", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogv", "ts", "vob",
    "webm", "wmv", "y4m",
];

/// One JPEG beside other files is a picture of something; from two on a folder is a clip.
pub(super) const MIN_JPEGS: u64 = 2;

/// Lists a folder, a single file, or the paths of a `.txt` or `.list` file.
pub(super) fn list(root: &Path, splits: &[String]) -> Result<Listing, SourceError> {
    if !splits.is_empty() {
        return Err(SourceError::KindWithoutSplits {
            kind: SourceKind::Videos.name(),
            splits: splits.to_vec(),
        });
    }
    let metadata = fs::metadata(root).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SourceError::RootMissing {
            root: root.to_owned(),
        },
        _ => unreadable(root, source),
    })?;
    match Kind::of(root, metadata.file_type()) {
        Kind::Folder => list_folder(root),
        Kind::Special(what) => Err(SourceError::NotRegular {
            path: root.to_owned(),
            what,
        }),
        _ if has_extension(root, &["txt", "list"]) => path_list::list(root),
        _ => {
            let clip = clip_of_file(disk::own_name(root), root);
            Ok(Listing {
                clips: vec![clip],
                ..Listing::default()
            })
        }
    }
}

/// A clip without boxes or label.
pub(super) fn unlabelled_clip(id: String, media: Media) -> Clip {
    Clip {
        id,
        media,
        annotation: Annotation::None,
        label: None,
    }
}

/// The clip that a regular file is: zipped JPEGs, or else a video.
pub(super) fn clip_of_file(id: String, path: &Path) -> Clip {
    let path = path.to_owned();
    let media = if has_extension(&path, &["zip"]) {
        Media::JpegZip { path, fps: None }
    } else {
        Media::Video(path)
    };
    unlabelled_clip(id, media)
}

fn list_folder(root: &Path) -> Result<Listing, SourceError> {
    let canonical = fs::canonicalize(root).map_err(|source| unreadable(root, source))?;
    let mut walk = Walk {
        root,
        listing: Listing::default(),
        num_jpegs: BTreeMap::new(),
        visited: HashSet::new(),
        links: BTreeMap::new(),
    };
    walk.tree(root, &canonical)?;
    // Links to folders wait until the tree they lie in is known, and each folder is entered once: links that
    // lead back, or across, can neither hang the walk nor list a video twice.
    while let Some((id, link)) = walk.links.pop_first() {
        match fs::canonicalize(&link) {
            Ok(canonical) => walk.tree(&link, &canonical)?,
            Err(error) => walk.listing.refuse(&id, &link, error.to_string()),
        }
    }
    Ok(walk.finish())
}

/// A walk through the folders below a root.
struct Walk<'a> {
    root: &'a Path,
    listing: Listing,
    /// Number of JPEGs directly in each folder that has any.
    num_jpegs: BTreeMap<PathBuf, u64>,
    /// Canonical paths of the folders entered.
    visited: HashSet<PathBuf>,
    /// Symbolic links to folders, not yet followed, by id.
    links: BTreeMap<String, PathBuf>,
}

impl Walk<'_> {
    /// Walks through `start`, whose canonical path is `canonical`, following no link below it.
    fn tree(&mut self, start: &Path, canonical: &Path) -> Result<(), SourceError> {
        let mut entries = WalkDir::new(start).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.note_unreadable(start, error)?;
                    continue;
                }
            };
            let is_start = entry.depth() == 0;
            if !is_start && disk::is_hidden(&entry.file_name().to_string_lossy()) {
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
            } else if is_start || entry.file_type().is_dir() {
                if !self.enters(&entry, start, canonical) {
                    entries.skip_current_dir();
                }
            } else {
                self.note(&entry);
            }
        }
        Ok(())
    }

    /// Whether to go into a folder: its name can be told, and it was not entered by another way.
    fn enters(&mut self, folder: &DirEntry, start: &Path, canonical: &Path) -> bool {
        let path = folder.path();
        let (id, is_sound) = self.id_of(path);
        if !is_sound {
            self.listing.refuse(&id, path, NAME_NOT_UTF8);
            return false;
        }
        // No link is followed below `start`, so that its canonical path begins all of theirs.
        let below = path.strip_prefix(start).unwrap_or(Path::new(""));
        if self.visited.insert(canonical.join(below)) {
            return true;
        }
        let reason = "the same folder is listed under another name";
        self.listing.skip(&id, path, reason);
        false
    }

    /// Notes an entry that is no folder.
    fn note(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let (id, is_sound) = self.id_of(path);
        let is_video = is_video(path);
        match Kind::of(path, entry.file_type()) {
            Kind::Folder if is_sound => {
                self.links.insert(id, path.to_owned());
            }
            Kind::Folder => self.listing.refuse(&id, path, NAME_NOT_UTF8),
            Kind::File if has_extension(path, &["jpg", "jpeg"]) => {
                let folder = path.parent().unwrap_or(path).to_owned();
                *self.num_jpegs.entry(folder).or_default() += 1;
            }
            Kind::File if is_video && is_sound => {
                self.listing.clips.push(clip_of_file(id, path));
            }
            Kind::File if is_video => self.listing.refuse(&id, path, NAME_NOT_UTF8),
            // A broken link without an extension may have led to a folder of videos.
            ref kind @ (Kind::Special(_) | Kind::Broken(_))
                if is_video || (matches!(kind, Kind::Broken(_)) && path.extension().is_none()) =>
            {
                let reason = kind.why_unusable().unwrap_or_default();
                self.listing.refuse(&id, path, reason);
            }
            _ => self.listing.ignored += 1,
        }
    }

    /// Notes what cannot be read; an error if that is the root itself.
    fn note_unreadable(&mut self, start: &Path, error: walkdir::Error) -> Result<(), SourceError> {
        let path = error.path().unwrap_or(start).to_owned();
        let reason = match error.io_error() {
            Some(io_error) => format!("cannot be read: {io_error}"),
            None => error.to_string(),
        };
        if path == self.root {
            let source = error.into_io_error();
            let source = source.unwrap_or_else(|| io::Error::other(reason));
            return Err(unreadable(self.root, source));
        }
        let (id, _) = self.id_of(&path);
        self.listing.refuse(&id, &path, reason);
        Ok(())
    }

    /// The id of a path below the root, and whether it is the path's true name.
    fn id_of(&self, path: &Path) -> (String, bool) {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        (parts.join("/"), below.to_str().is_some())
    }

    /// The listing, folders of JPEGs among it.
    fn finish(mut self) -> Listing {
        for (folder, num_jpegs) in std::mem::take(&mut self.num_jpegs) {
            if num_jpegs < MIN_JPEGS {
                self.listing.ignored += num_jpegs;
                continue;
            }
            let id = match self.id_of(&folder).0 {
                id if id.is_empty() => self.id_of_root(),
                id => id,
            };
            let media = Media::JpegFolder {
                path: folder,
                fps: None,
            };
            self.listing.clips.push(unlabelled_clip(id, media));
        }
        self.listing
    }

    /// The root is itself a folder of JPEGs: its own name, or `.` where a clip below it has that name.
    fn id_of_root(&self) -> String {
        let name = disk::own_name(self.root);
        let below = self.root.join(&name);
        let is_taken = below.symlink_metadata().is_ok();
        if is_taken { ".".to_owned() } else { name }
    }
}

const NAME_NOT_UTF8: &str = "its name is not UTF-8";

/// Whether a file's name is that of a video, or of a zip of frames.
pub(super) fn is_video(path: &Path) -> bool {
    has_extension(path, VIDEO_EXTENSIONS) || has_extension(path, &["zip"])
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| {
        extensions
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn unreadable(path: &Path, source: io::Error) -> SourceError {
    SourceError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use vidpairs_types::{Outcome, Stage};

    use super::super::test_tree::{ids, listed, make_fifo, refused, tree, write};
    use super::*;

    fn videos(root: &Path) -> Listing {
        listed(SourceKind::Videos, root, &[]).unwrap()
    }

    #[test]
    fn clips_are_sorted_by_the_bytes_of_their_ids_and_keep_their_extensions() {
        let root = tree(&[
            "b/a.MP4",
            "b.webm",
            "_x.mkv",
            "-y.avi",
            "é.mov",
            "a/deep/er/c.ts",
            "B.zip",
        ]);
        let listing = videos(root.path());
        let sorted = [
            "-y.avi",
            "B.zip",
            "_x.mkv",
            "a/deep/er/c.ts",
            "b.webm",
            "b/a.MP4",
            "é.mov",
        ];
        assert_eq!(ids(&listing), sorted);
        assert!(listing.refused.is_empty());
    }

    #[test]
    fn two_jpegs_make_a_folder_a_clip_and_one_does_not() {
        let root = tree(&[
            "two/1.jpg",
            "two/2.JPEG",
            "one/1.jpg",
            "two/notes.txt",
            "a.zip",
        ]);
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a.zip", "two"]);
        assert_eq!(listing.ignored, 2);
        assert!(matches!(
            listing.clips[0].media,
            Media::JpegZip { fps: None, .. }
        ));
        let folder = Media::JpegFolder {
            path: root.path().join("two"),
            fps: None,
        };
        assert_eq!(listing.clips[1].media, folder);
    }

    #[test]
    fn a_root_of_jpegs_goes_by_its_own_name_unless_that_is_taken_below_it() {
        let root = tree(&["walk/1.jpg", "walk/2.jpg"]);
        assert_eq!(ids(&videos(&root.path().join("walk"))), ["walk"]);
        let root = tree(&[
            "walk/1.jpg",
            "walk/2.jpg",
            "walk/walk/1.jpg",
            "walk/walk/2.jpg",
        ]);
        assert_eq!(ids(&videos(&root.path().join("walk"))), [".", "walk"]);
    }

    #[test]
    fn hidden_files_and_folders_are_left_out() {
        let root = tree(&["a.mp4", ".b.mp4", ".trash/c.mp4", "._a.mp4"]);
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a.mp4"]);
        assert_eq!(listing.ignored, 0);
    }

    #[test]
    fn a_root_below_a_hidden_folder_is_listed() {
        let root = tree(&[".cache/.set/a.mp4"]);
        assert_eq!(ids(&videos(&root.path().join(".cache/.set"))), ["a.mp4"]);
    }

    #[test]
    fn a_fifo_is_refused_and_never_opened() {
        let root = tree(&["a.mp4"]);
        make_fifo(root.path(), "x.mp4");
        make_fifo(root.path(), "log");
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a.mp4"]);
        let [refusal] = listing.refused.as_slice() else {
            panic!("{:?}", listing.refused)
        };
        assert_eq!(
            (refusal.stage, refusal.outcome),
            (Stage::Source, Outcome::Refused)
        );
        assert_eq!(
            refused(&listing),
            [("x.mp4", "is a FIFO, not a regular file")]
        );
        assert_eq!(listing.ignored, 1);

        let error = listed(SourceKind::Videos, &root.path().join("x.mp4"), &[]).unwrap_err();
        assert!(matches!(
            error,
            SourceError::NotRegular { what: "a FIFO", .. }
        ));
    }

    #[test]
    fn a_symbolic_link_to_a_folder_above_it_ends_the_walk_there() {
        let root = tree(&["a/b/v.mp4"]);
        symlink("../..", root.path().join("a/b/up")).unwrap();
        symlink("me", root.path().join("me")).unwrap();
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a/b/v.mp4"]);
        let outcomes: Vec<_> = listing
            .refused
            .iter()
            .map(|it| (&*it.id, it.outcome))
            .collect();
        assert_eq!(
            outcomes,
            [("a/b/up", Outcome::Skipped), ("me", Outcome::Refused)]
        );
    }

    #[test]
    fn folders_that_all_link_to_each_other_are_entered_once() {
        let store = tree(&["0/v.mp4"]);
        for from in 0..12 {
            let folder = store.path().join(from.to_string());
            fs::create_dir_all(&folder).unwrap();
            for to in 0..12 {
                symlink(format!("../{to}"), folder.join(format!("to{to}"))).unwrap();
            }
        }
        let root = tree(&[]);
        symlink(store.path().join("3"), root.path().join("way")).unwrap();
        assert_eq!(ids(&videos(root.path())), ["way/to0/v.mp4"]);
    }

    #[test]
    fn links_to_files_and_to_folders_elsewhere_are_followed() {
        let store = tree(&["set/v.mp4", "set/1.jpg", "w.mp4"]);
        let root = tree(&["d/"]);
        symlink(store.path().join("set"), root.path().join("d/set")).unwrap();
        symlink(store.path().join("w.mp4"), root.path().join("w.mp4")).unwrap();
        symlink(store.path().join("gone.mp4"), root.path().join("z.mp4")).unwrap();
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["d/set/v.mp4", "w.mp4"]);
        let [(id, reason)] = refused(&listing)[..] else {
            panic!("{:?}", listing.refused)
        };
        assert_eq!(id, "z.mp4");
        assert!(reason.contains("leads nowhere"), "{reason}");
    }

    #[test]
    fn a_name_that_is_not_utf8_is_refused_if_it_could_be_a_clip() {
        let root = tree(&["a.mp4"]);
        for name in [&b"\xFF.mp4"[..], b"\xFE.txt"] {
            fs::write(root.path().join(OsStr::from_bytes(name)), "").unwrap();
        }
        fs::create_dir(root.path().join(OsStr::from_bytes(b"\xFD"))).unwrap();
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a.mp4"]);
        let names = [("\u{FFFD}", NAME_NOT_UTF8), ("\u{FFFD}.mp4", NAME_NOT_UTF8)];
        assert_eq!(refused(&listing), names);
        assert_eq!(listing.ignored, 1);
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_refused_and_the_rest_is_listed() {
        let root = tree(&["a.mp4"]);
        // Deeper than a path may be long: unreadable for every user, the superuser too.
        let deep = vec!["d".repeat(250); 20].join("/");
        let made = Command::new("mkdir")
            .args(["-p", &deep])
            .current_dir(root.path())
            .status();
        assert!(made.unwrap().success());
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a.mp4"]);
        let [(id, reason)] = refused(&listing)[..] else {
            panic!("{:?}", listing.refused)
        };
        assert!(deep.starts_with(id) && !id.is_empty());
        assert!(reason.starts_with("cannot be read: "), "{reason}");
    }

    #[test]
    fn a_single_file_is_a_video_whatever_its_extension() {
        let root = tree(&["take.raw"]);
        let path = root.path().join("take.raw");
        let listing = videos(&path);
        assert_eq!(ids(&listing), ["take.raw"]);
        assert_eq!(listing.clips[0].media, Media::Video(path));
    }

    #[test]
    fn a_root_that_is_wrong_says_how() {
        let root = tree(&["a.txt.gz", "b.doc"]);
        let of = |root: &Path, splits: &[&str]| {
            let error = listed(SourceKind::Videos, root, splits).unwrap_err();
            error.to_string().replace(&*root.to_string_lossy(), "ROOT")
        };
        assert_eq!(of(&root.path().join("gone"), &[]), "ROOT does not exist");
        assert_eq!(
            of(root.path(), &[]),
            "no clip in ROOT: looked for video files, .zip files, folders of JPEGs; \
             found: 2 other files, none refused"
        );
        assert_eq!(
            of(root.path(), &["train"]),
            "a source of kind videos has no splits; asked for: train"
        );
        make_fifo(root.path(), "x.mp4");
        assert!(
            of(root.path(), &[])
                .ends_with("1 refused, the first: x.mp4: is a FIFO, not a regular file")
        );
    }

    #[test]
    fn the_listing_does_not_depend_on_the_order_in_which_files_were_made() {
        let names = ["c.mp4", "a/x.mp4", "b.mp4", "a.mp4"];
        let mut reversed = names;
        reversed.reverse();
        let (one, other) = (tree(&names), tree(&reversed));
        assert_eq!(ids(&videos(one.path())), ids(&videos(other.path())));
        write(other.path(), "d.mp4", "");
        assert_eq!(ids(&videos(other.path())).last(), Some(&"d.mp4"));
    }
}
