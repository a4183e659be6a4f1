//! How large an image is, by its head.

use std::path::Path;

use vidpairs_types::SizePx;

/// The stored size of a JPEG or PNG, whatever its name; `None` where the head does not tell.
///
/// - `path`: of a regular file.
pub(super) fn stored_size(path: &Path) -> Option<SizePx> {
    let size = imagesize::size(path).ok()?;
    let side = |side: usize| u32::try_from(side).ok().filter(|side| *side > 0);
    Some(SizePx {
        width: side(size.width)?,
        height: side(size.height)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_sets::jpeg_head;
    use super::*;
    use crate::test_tree::{tree, write};

    #[test]
    fn the_size_is_in_the_head_and_a_cut_or_strange_file_has_none() {
        let root = tree(&[]);
        let size = |bytes: &[u8]| {
            write(root.path(), "a.jpg", bytes);
            stored_size(&root.path().join("a.jpg"))
        };
        let head = jpeg_head(500, 375);
        assert_eq!(size(&head), Some([500, 375].into()));
        let mut png = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 7]);
        assert_eq!(size(&png), Some([256, 7].into()));
        assert_eq!(size(&head[..24]), None);
        assert_eq!(size(b"not an image"), None);
        assert_eq!(size(b""), None);
        assert_eq!(size(&jpeg_head(0, 375)), None);
        assert_eq!(stored_size(&root.path().join("gone.jpg")), None);
    }
}
