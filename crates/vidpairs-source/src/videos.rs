//! Lists videos of any layout: below a folder, a single file, or a list of paths.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use vidpairs_types::{Media, SourceKind, is_still_name};

use crate::disk;
use crate::error::SourceError;
use crate::files::{Files, Kind};
use crate::listing::{IgnoredFiles, Listing};
use crate::media::{
    MIN_PICTURES, has_extension, is_animated_picture, is_still, is_video, media_of_file,
    unlabelled_clip,
};
use crate::path_list;
use crate::store::ObjectTree;
use crate::walk::{Found, NAME_NOT_UTF8, id_of};

/// Lists a folder, a single file, or the paths of a `.txt` or `.list` file.
pub(crate) fn list(
    files: &dyn Files,
    urls: Option<&ObjectTree>,
    root: &Path,
    splits: &[String],
) -> Result<Listing, SourceError> {
    if !splits.is_empty() {
        return Err(SourceError::KindWithoutSplits {
            kind: SourceKind::Videos.name(),
            splits: splits.to_vec(),
        });
    }
    match files
        .resolved_kind(root)
        .map_err(SourceError::of_root(root))?
    {
        Kind::Folder => list_folder(files, root),
        Kind::Special(what) => Err(SourceError::NotRegular {
            path: root.to_owned(),
            what,
        }),
        _ if has_extension(root, &["txt", "list"]) => path_list::list(files, urls, root),
        _ => {
            let clip = unlabelled_clip(disk::own_name(root), media_of_file(root, None));
            Ok(Listing {
                clips: vec![clip],
                ..Listing::default()
            })
        }
    }
}

fn list_folder(files: &dyn Files, root: &Path) -> Result<Listing, SourceError> {
    let mut found = Videos {
        files,
        root,
        pictures: BTreeMap::new(),
        names_of_videos: HashSet::new(),
    };
    let mut listing = Listing::default();
    files.walk(root, &mut listing, &mut |entry, listing| {
        found.add(entry, listing);
    })?;
    Ok(found.finish(listing))
}

/// Videos and pictures below a root.
struct Videos<'a> {
    files: &'a dyn Files,
    root: &'a Path,
    /// Pictures directly in each folder; folders without any are left out.
    pictures: BTreeMap<PathBuf, IgnoredFiles>,
    /// Names of all videos without their extensions, in lower case.
    names_of_videos: HashSet<String>,
}

impl Videos<'_> {
    fn add(&mut self, found: Found<'_>, listing: &mut Listing) {
        let Found {
            path,
            id,
            is_utf8,
            kind,
            ..
        } = found;
        let is_video = is_video(path);
        match kind {
            Kind::File if is_still(path) => {
                let folder = path.parent().expect("an entry lies in a folder");
                let pictures = self.pictures.entry(folder.to_owned()).or_default();
                pictures.add(path);
            }
            Kind::File if is_video && is_utf8 => {
                self.names_of_videos.extend(stem(path));
                let clip = unlabelled_clip(id, media_of_file(path, None));
                listing.clips.push(clip);
            }
            Kind::File if is_video => listing.refuse(&id, path, NAME_NOT_UTF8),
            kind => match kind.problem_as_clip() {
                // A broken link without an extension may have led to a folder of videos.
                Some(reason)
                    if is_video
                        || (matches!(kind, Kind::Broken(_)) && path.extension().is_none()) =>
                {
                    listing.refuse(&id, path, reason);
                }
                _ => listing.ignored.add(path),
            },
        }
    }

    /// Adds the folders of pictures and returns the listing.
    fn finish(self, mut listing: Listing) -> Listing {
        let clips = listing.clips.iter();
        let folders_of_videos: HashSet<PathBuf> = clips
            .map(|clip| clip.media.path())
            .filter(|path| !is_animated_picture(path))
            .filter_map(|path| Some(path.parent()?.to_owned()))
            .collect();
        for (folder, pictures) in &self.pictures {
            let num = pictures.total();
            if num < MIN_PICTURES {
                listing.ignored.add_all(pictures.clone());
                continue;
            }
            let id = match id_of(self.root, folder).0 {
                id if id.is_empty() => self.id_of_root(),
                id => id,
            };
            // Thumbnails and covers of unrelated videos would become frames of one clip.
            let reason = if folders_of_videos.contains(folder) {
                "lie beside videos and may be their thumbnails; if they are frames, put them into a folder of their own"
            } else if self.are_named_after_videos(folder, num) {
                "have the names of videos and may be their thumbnails; if they are frames, name them 000001.jpg and so on"
            } else {
                let media = Media::JpegFolder {
                    path: folder.clone(),
                    fps: None,
                    first_number: None,
                };
                listing.clips.push(unlabelled_clip(id, media));
                continue;
            };
            listing.skip(&id, folder, format!("{num} pictures {reason}"));
            listing.ignored.add_all(pictures.clone());
        }
        listing
    }

    /// Whether at least half of the `num_pictures` pictures of `folder` have the name of a video. Numbers are no such names, unless
    /// the pictures have all numbers of the videos and no other.
    fn are_named_after_videos(&self, folder: &Path, num_pictures: u64) -> bool {
        let num_names = self.names_of_videos.len() as u64;
        if 2 * num_names < num_pictures {
            return false;
        }
        let entries = self.files.entries(folder).unwrap_or_default();
        let pictures = entries.iter().filter(|entry| is_still_name(&entry.name));
        let is_known = |name: &String| self.names_of_videos.contains(name);
        let names = pictures
            .filter_map(|entry| stem(&entry.path))
            .filter(is_known);
        let names: Vec<String> = names.collect();
        let num_same = names.len() as u64;
        let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
        match names.iter().all(is_number) {
            true => num_same == num_pictures && num_same == num_names,
            false => 2 * num_same >= num_pictures,
        }
    }

    /// Id of the root as a folder of pictures: its name, or `.` if it holds an entry of that name.
    fn id_of_root(&self) -> String {
        let name = disk::own_name(self.root);
        let below = self.root.join(&name);
        let is_taken = self.files.exists(&below);
        if is_taken { ".".to_owned() } else { name }
    }
}

/// Name before the first dot that is not the first character, in lower case: `title` of `Title.mp4` and `Title.mp4.jpg`.
fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let stem = name.split_once('.').map_or(&*name, |(stem, _)| stem);
    (!stem.is_empty()).then(|| stem.to_owned())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use vidpairs_types::{Outcome, Stage};

    use super::*;
    use crate::test_tree::{ids, listed, make_fifo, refused, tree, write};

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
        assert_eq!(
            listing.ignored.to_string(),
            "2 other files (1 .jpg, 1 .txt)"
        );
        assert!(matches!(
            listing.clips[0].media,
            Media::JpegZip { fps: None, .. }
        ));
        let folder = Media::JpegFolder {
            path: root.path().join("two"),
            fps: None,
            first_number: None,
        };
        assert_eq!(listing.clips[1].media, folder);
    }

    #[test]
    fn pictures_of_every_kind_make_a_folder_a_clip() {
        let root = tree(&[
            "a/1.PNG", "a/2.png", "b/1.webp", "b/2.webp", "c/1.bmp", "c/2.BMP", "d/1.tif",
            "d/2.tiff",
        ]);
        assert_eq!(ids(&videos(root.path())), ["a", "b", "c", "d"]);
    }

    #[test]
    fn pictures_beside_videos_are_skipped_by_name_and_are_not_a_clip() {
        let root = tree(&[
            "a/Title 1.mp4",
            "a/Title 2.MOV",
            "a/Title 1.jpg",
            "a/Title 2.jpg",
        ]);
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a/Title 1.mp4", "a/Title 2.MOV"]);
        assert_eq!(listing.refused[0].outcome, Outcome::Skipped);
        let reason = "2 pictures lie beside videos and may be their thumbnails; if they are frames, put them into a folder \
                      of their own";
        assert_eq!(refused(&listing), [("a", reason)]);
        assert_eq!(listing.ignored.to_string(), "2 other files (2 .jpg)");
    }

    #[test]
    fn frames_beside_an_animated_picture_are_a_clip() {
        for name in ["preview.gif", "preview.APNG"] {
            let root = tree(&[&format!("a/{name}"), "a/1.jpg", "a/2.jpg"]);
            let listing = videos(root.path());
            assert_eq!(ids(&listing), ["a", &format!("a/{name}")]);
            assert_eq!(refused(&listing), []);
        }
    }

    #[test]
    fn pictures_named_after_videos_elsewhere_are_not_a_clip() {
        let root = tree(&[
            "films/001.mp4",
            "films/002.mkv",
            "posters/001.jpg",
            "posters/002.jpg",
            "walk/001.jpg",
            "walk/002.jpg",
            "walk/003.jpg",
        ]);
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["films/001.mp4", "films/002.mkv", "walk"]);
        let [("posters", reason)] = refused(&listing)[..] else {
            panic!("{:?}", listing.refused)
        };
        assert!(
            reason.starts_with("2 pictures have the names of videos"),
            "{reason}"
        );
    }

    #[test]
    fn folders_of_systems_and_media_servers_are_left_out() {
        let mut names = vec!["v/a.mp4".to_owned()];
        for folder in [
            "@eaDir/a.mp4",
            ".thumbnails",
            "__MACOSX",
            "thumbs",
            "Thumbnails",
            "#recycle",
            "$RECYCLE.BIN",
            "lost+found",
            "System Volume Information",
            ".@__thumb",
            "extrafanart",
        ] {
            names.extend(["1.jpg", "2.jpg", "x.mp4"].map(|name| format!("v/{folder}/{name}")));
        }
        names.push("v/._a.mp4".to_owned());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let root = tree(&names);
        symlink(root.path().join("v/@eaDir"), root.path().join("v/__macosx")).unwrap();
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["v/a.mp4"]);
        // Names that a user could give are reported.
        let reported: Vec<&str> = refused(&listing).iter().map(|(id, _)| *id).collect();
        let expected = [
            "v/System Volume Information",
            "v/Thumbnails",
            "v/extrafanart",
            "v/lost+found",
            "v/thumbs",
        ];
        assert_eq!(reported, expected);
        // A root that the user names is listed.
        assert_eq!(ids(&videos(&root.path().join("v/thumbs"))), ["x.mp4"]);
    }

    #[test]
    fn files_of_cameras_are_videos_and_other_files_are_counted_by_extension() {
        let cameras = [
            "a.mp4", "b.MOD", "c.tod", "d.m2t", "e.divx", "f.mpe", "g.qt", "h.3g2", "i.rm", "j.dv",
            "k.vro", "l.MTS", "m.ogm", "n.nut", "o.gif", "p.wtv", "q.rmvb", "r.Mj2",
        ];
        let others = [
            "x.srt",
            "y.SRT",
            "z.nfo",
            "mp4",
            ".hidden.srt",
            "a.mp4.part",
            "v.0123456789abcdef",
        ];
        let root = tree(&[&cameras[..], &others[..]].concat());
        let listing = videos(root.path());
        assert_eq!(ids(&listing), cameras);
        let expected = [("", 1), ("nfo", 1), ("other", 1), ("part", 1), ("srt", 2)];
        let expected = expected.map(|(extension, num)| (extension.to_owned(), num));
        assert_eq!(listing.ignored.by_extension, BTreeMap::from(expected));
    }

    #[test]
    fn a_root_of_jpegs_is_named_after_itself_unless_a_clip_below_has_that_name() {
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
        assert_eq!(listing.ignored.total(), 0);
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
        assert_eq!(listing.ignored.total(), 1);

        let error = listed(SourceKind::Videos, &root.path().join("x.mp4"), &[]).unwrap_err();
        assert!(matches!(
            error,
            SourceError::NotRegular { what: "a FIFO", .. }
        ));
    }

    #[test]
    fn a_symbolic_link_to_a_parent_folder_is_skipped() {
        let root = tree(&["a/b/v.mp4"]);
        symlink("../..", root.path().join("a/b/up")).unwrap();
        symlink("me", root.path().join("me")).unwrap();
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a/b/v.mp4"]);
        let outcomes: Vec<_> = listing
            .refused
            .iter()
            .map(|refusal| (&*refusal.id, refusal.outcome))
            .collect();
        assert_eq!(
            outcomes,
            [("a/b/up", Outcome::Skipped), ("me", Outcome::Refused)]
        );
    }

    #[test]
    fn folders_that_link_to_each_other_are_entered_once() {
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
    fn a_name_that_is_not_utf8_is_refused_if_it_may_be_a_clip() {
        let root = tree(&["a.mp4"]);
        for name in [&b"\xFF.mp4"[..], b"\xFE.txt"] {
            fs::write(root.path().join(OsStr::from_bytes(name)), "").unwrap();
        }
        fs::create_dir(root.path().join(OsStr::from_bytes(b"\xFD"))).unwrap();
        let listing = videos(root.path());
        assert_eq!(ids(&listing), ["a.mp4"]);
        let names = [("\u{FFFD}", NAME_NOT_UTF8), ("\u{FFFD}.mp4", NAME_NOT_UTF8)];
        assert_eq!(refused(&listing), names);
        assert_eq!(listing.ignored.total(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_refused_and_the_rest_is_listed() {
        let root = tree(&["a.mp4"]);
        // The path is longer than allowed: unreadable for every user, including root.
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
    fn a_wrong_root_gives_an_error_with_the_reason() {
        let root = tree(&["a.txt.gz", "b.doc"]);
        let message = |root: &Path, splits: &[&str]| {
            let error = listed(SourceKind::Videos, root, splits).unwrap_err();
            error.to_string().replace(&*root.to_string_lossy(), "ROOT")
        };
        assert_eq!(
            message(&root.path().join("gone"), &[]),
            "ROOT does not exist"
        );
        assert_eq!(
            message(root.path(), &[]),
            "no clip in ROOT: looked for video files, .zip files, folders of pictures; \
             found: 2 other files (1 .doc, 1 .gz), none refused"
        );
        assert_eq!(
            message(root.path(), &["train"]),
            "a source of kind videos has no splits; requested: train"
        );
        make_fifo(root.path(), "x.mp4");
        assert!(
            message(root.path(), &[])
                .ends_with("1 refused, the first: x.mp4: is a FIFO, not a regular file")
        );
    }

    #[test]
    fn the_listing_does_not_depend_on_the_order_of_file_creation() {
        let names = ["c.mp4", "a/x.mp4", "b.mp4", "a.mp4"];
        let mut reversed = names;
        reversed.reverse();
        let (one, other) = (tree(&names), tree(&reversed));
        assert_eq!(ids(&videos(one.path())), ids(&videos(other.path())));
        write(other.path(), "d.mp4", "");
        assert_eq!(ids(&videos(other.path())).last(), Some(&"d.mp4"));
    }
}
