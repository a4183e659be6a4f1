//! Lists the paths of a text file: videos, folders of pictures and zips of pictures.

use std::collections::HashSet;
use std::path::Path;

use vidpairs_types::{Clip, Media, is_still_name};

use crate::error::SourceError;
use crate::files::{Entry, Files, Kind, lines};
use crate::listing::Listing;
use crate::media::{MIN_PICTURES, media_of_file, unlabelled_clip};
use crate::store::ObjectTree;

/// Longest path that systems accept, bytes.
const MAX_PATH_BYTES: usize = 4096;

/// Characters of a line that an error shows.
const MAX_SHOWN: usize = 60;

/// Lists the paths in `file`, one per line, relative to its folder. The line is the id. Blank lines, lines that start
/// with `#` and repeated lines are left out.
///
/// A file may have any extension and may be hidden, since the user named it.
///
/// - `files`: files among which the list and its relative paths lie.
/// - `urls`: objects to which its URLs lead.
///
/// # Errors
/// [`SourceError::NotAList`] if no line leads to a clip: then the text is something else.
pub(crate) fn list(
    files: &dyn Files,
    urls: Option<&ObjectTree>,
    file: &Path,
) -> Result<Listing, SourceError> {
    let folder = file.parent().expect("the path of a file has a parent");
    let text = files.read_text(file)?;
    let not_a_list = |reason| SourceError::NotAList {
        path: file.to_owned(),
        reason,
    };
    if text.contains(&0) {
        return Err(not_a_list("it is not a text".to_owned()));
    }
    let mut listing = Listing::default();
    for (number, line) in path_lines(&text) {
        let start = String::from_utf8_lossy(line.get(..MAX_PATH_BYTES).unwrap_or(line));
        if line.len() > MAX_PATH_BYTES {
            let reason = format!("line {number} is longer than any path");
            listing.refuse(&start, file, reason);
            continue;
        }
        let Ok(id) = std::str::from_utf8(line) else {
            listing.refuse(&start, file, format!("line {number} is not UTF-8"));
            continue;
        };
        let path = if is_url(id) {
            id.into()
        } else {
            folder.join(id)
        };
        // A list of objects names other objects by either.
        let tree = if is_url(id) { urls } else { files.as_tree() };
        let found = match tree {
            None if is_url(id) => Err("is a URL, and only files on this machine are listed".into()),
            None => clip_at(files, id, &path),
            Some(tree) => match tree.place(&path) {
                Some(path) => clip_at(tree, id, &path),
                None => Err(format!("is not below {}", tree.root().display())),
            },
        };
        match found {
            Ok(clip) => listing.clips.push(clip),
            Err(reason) => listing.refuse(id, &path, format!("{reason} (line {number})")),
        }
    }
    if !listing.clips.is_empty() {
        return Ok(listing);
    }
    Err(not_a_list(match listing.refused.first() {
        None => "it has no line with a path".to_owned(),
        Some(first) => {
            let start: String = first.id.chars().take(MAX_SHOWN).collect();
            format!("its first line is {start:?}: {}", first.reason)
        }
    }))
}

/// The paths and URLs in the text of a list, each once, as a listing reads them: without comments and blank lines. Lines that cannot be
/// paths are left out; the listing refuses them.
///
/// With these, a caller finds the objects that a list names before it makes an [`ObjectTree`] of them.
///
/// # Examples
/// ```
/// let text = b"# cats\r\ns3://bucket/tom.mp4\r\n\r\nmore/felix.mp4\r\n";
/// let paths = vidpairs_source::paths_in_list(text);
/// assert_eq!(paths, ["s3://bucket/tom.mp4", "more/felix.mp4"]);
/// ```
pub fn paths_in_list(text: &[u8]) -> Vec<&str> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let short = path_lines(text).filter(|(_, line)| line.len() <= MAX_PATH_BYTES);
    short
        .filter_map(|(_, line)| std::str::from_utf8(line).ok())
        .collect()
}

/// Lines of a list that name a path, each once, with their numbers from 1.
fn path_lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut seen = HashSet::new();
    lines(text)
        .filter(move |(_, line)| !line.is_empty() && !line.starts_with(b"#") && seen.insert(*line))
}

/// Whether a line is a URL: `s3://bucket/cat.mp4`.
fn is_url(line: &str) -> bool {
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let scheme = line.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_of_scheme)
}

/// Clip at `path`, or the reason why there is none.
fn clip_at(files: &dyn Files, id: &str, path: &Path) -> Result<Clip, String> {
    let kind = files
        .resolved_kind(path)
        .map_err(|error| error.to_string())?;
    let media = match kind.problem_as_clip() {
        Some(reason) => return Err(reason),
        None if matches!(kind, Kind::File) => media_of_file(path, None),
        None => media_of_folder(files, path)?,
    };
    Ok(unlabelled_clip(id.to_owned(), media))
}

fn media_of_folder(files: &dyn Files, path: &Path) -> Result<Media, String> {
    let entries = files.entries(path).map_err(|error| error.to_string())?;
    let is_frame = |entry: &&Entry| matches!(entry.kind, Kind::File) && is_still_name(&entry.name);
    let num_pictures = entries.iter().filter(is_frame).count() as u64;
    if num_pictures < MIN_PICTURES {
        return Err(format!(
            "a folder with {num_pictures} pictures; expected at least {MIN_PICTURES}"
        ));
    }
    Ok(Media::JpegFolder {
        path: path.to_owned(),
        fps: None,
        first_number: None,
    })
}

#[cfg(test)]
mod tests {
    use vidpairs_types::SourceKind;

    use super::*;
    use crate::test_tree::{ids, listed, refused, tree, write};

    #[test]
    fn the_lines_of_a_list_are_ids_relative_to_its_folder() {
        let root = tree(&[
            "v/a.mp4",
            "-b.odd",
            "j/1.jpg",
            "j/2.jpg",
            "z.zip",
            "my dog/b  1.mp4",
        ]);
        let text = "\u{FEFF}# mine\r\nz.zip\r\n\r\nv/a.mp4\r\n-b.odd\r\nj\r\nv/a.mp4\r\nmy dog/b  1.mp4\r\n\r\n";
        write(root.path(), "my.LIST", text);
        let listing = listed(SourceKind::Videos, &root.path().join("my.LIST"), &[]).unwrap();
        let expected = ["-b.odd", "j", "my dog/b  1.mp4", "v/a.mp4", "z.zip"];
        assert_eq!(ids(&listing), expected);
        assert_eq!(
            listing.clips[3].media,
            Media::Video(root.path().join("v/a.mp4"))
        );
        assert!(matches!(listing.clips[1].media, Media::JpegFolder { .. }));
        assert!(listing.refused.is_empty());
    }

    #[test]
    fn lines_without_a_clip_are_refused_with_their_number() {
        let root = tree(&["a.mp4", "empty/"]);
        write(root.path(), "my.txt", b"a.mp4\ngone.mp4\nempty\n\xFF.mp4\n");
        let listing = listed(SourceKind::Videos, &root.path().join("my.txt"), &[]).unwrap();
        assert_eq!(ids(&listing), ["a.mp4"]);
        let refused = refused(&listing);
        assert_eq!(refused[0].0, "empty");
        assert!(
            refused[0].1.starts_with("a folder with 0 pictures"),
            "{}",
            refused[0].1
        );
        assert_eq!(refused[1].0, "gone.mp4");
        assert!(refused[1].1.ends_with("(line 2)"), "{}", refused[1].1);
        assert_eq!(refused[2].1, "line 4 is not UTF-8");
    }

    #[test]
    fn a_list_without_a_clip_is_an_error() {
        let root = tree(&["my.txt"]);
        let message = |text: &[u8]| {
            write(root.path(), "my.txt", text);
            let error = listed(SourceKind::Videos, &root.path().join("my.txt"), &[]).unwrap_err();
            let text = error.to_string();
            let start = text.strip_prefix(&*format!("{}/", root.path().display()));
            let (start, _) = start.unwrap().split_once("; expected").unwrap();
            start.to_owned()
        };
        assert_eq!(
            message(b"\n# a\n"),
            "my.txt is no list of clips: it has no line with a path"
        );
        assert_eq!(
            message("Liebe Anna,\n\nder Film vom Sonntag ...".as_bytes()),
            "my.txt is no list of clips: its first line is \"Liebe Anna,\": No such file or directory (os error 2) (line 1)"
        );
        assert_eq!(
            message(b"\x00\x00\x01\xBA"),
            "my.txt is no list of clips: it is not a text"
        );
        let endless = message("x/".repeat(9000).as_bytes());
        assert!(
            endless.ends_with("line 1 is longer than any path"),
            "{endless}"
        );
        assert!(endless.len() < 200, "{endless}");
    }
}
