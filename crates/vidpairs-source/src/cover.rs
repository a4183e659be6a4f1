//! How much of the target can be seen.

use vidpairs_types::{Annotation, Clip};

use super::SourceError;
use super::disk::{bad_line, lines, read_text_if_any};

/// Name of the file in a sequence of GOT-10k.
const FILE: &str = "cover.label";

/// The level of visibility of each frame, 0 (nothing) to 8 (all of it); `None` where the data set does not tell.
///
/// # Errors
/// [`SourceError::BadLine`] for a line that is not 0 to 8; [`SourceError::TooLarge`],
/// [`SourceError::NotRegular`] and [`SourceError::Unreadable`] for a file that cannot be read.
pub fn cover(clip: &Clip) -> Result<Option<Vec<u8>>, SourceError> {
    let Annotation::Got10k(folder) = &clip.annotation else {
        return Ok(None);
    };
    let path = folder.join(FILE);
    let Some(text) = read_text_if_any(&path)? else {
        return Ok(None);
    };
    let level = |line: &[u8]| match line {
        [digit @ b'0'..=b'8'] => Some(digit - b'0'),
        _ => None,
    };
    let levels = lines(&text).map(|(number, line)| {
        level(line).ok_or_else(|| bad_line(&path, number, line, "a level from 0 to 8"))
    });
    levels.collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use vidpairs_types::Media;

    use super::super::test_tree::{tree, write};
    use super::*;

    fn read(folder: &Path) -> Result<Option<Vec<u8>>, SourceError> {
        cover(&Clip {
            id: "train/A".to_owned(),
            media: Media::JpegFolder {
                path: folder.to_owned(),
                fps: None,
            },
            annotation: Annotation::Got10k(folder.to_owned()),
            label: None,
        })
    }

    #[test]
    fn levels_are_read_and_anything_else_is_named_by_line() {
        let root = tree(&["A/1.jpg"]);
        let folder = root.path().join("A");
        assert_eq!(read(&folder).unwrap(), None);
        write(root.path(), "A/cover.label", "8\r\n0\n 3 \n");
        assert_eq!(read(&folder).unwrap(), Some(vec![8, 0, 3]));
        write(root.path(), "A/cover.label", "8\n9\n");
        let said = read(&folder).unwrap_err().to_string();
        assert!(
            said.ends_with("line 2: \"9\"; expected a level from 0 to 8"),
            "{said}"
        );
    }
}
