//! `Image_sets`: which images of a class take part, and which of their objects.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::super::SourceError;
use super::super::super::disk::{bad_line, lines, read_text_if_any};

/// Ids of a class's ImageNet images, those to train on and those to measure with together; `None` where there is no list.
pub(super) fn imagenet(
    folder: &Path,
    class: &str,
) -> Result<Option<BTreeSet<String>>, SourceError> {
    let mut ids = None;
    for part in ["train", "val"] {
        let path = folder.join(format!("{class}_imagenet_{part}.txt"));
        let Some(text) = read_text_if_any(&path)? else {
            continue;
        };
        let ids = ids.get_or_insert_with(BTreeSet::new);
        for (number, line) in lines(&text).filter(|(_, line)| !line.is_empty()) {
            let id = std::str::from_utf8(line);
            let id = id.map_err(|_| bad_line(&path, number, line, "an id in UTF-8"))?;
            ids.insert(id.to_owned());
        }
    }
    Ok(ids)
}

/// Ids of a class's PASCAL images and the places of objects in their files, from 0; `None` where there is no list.
pub(super) fn pascal(
    folder: &Path,
    class: &str,
) -> Result<Option<BTreeSet<(String, usize)>>, SourceError> {
    let path = folder.join(format!("{class}_pascal.txt"));
    let Some(text) = read_text_if_any(&path)? else {
        return Ok(None);
    };
    let lines = lines(&text).filter(|(_, line)| !line.is_empty());
    let objects = lines.map(|(number, line)| {
        id_and_place(line).ok_or_else(|| bad_line(&path, number, line, "<id> <object index>"))
    });
    objects.collect::<Result<_, _>>().map(Some)
}

fn id_and_place(line: &[u8]) -> Option<(String, usize)> {
    let mut words = std::str::from_utf8(line).ok()?.split_whitespace();
    let (id, place) = (words.next()?, words.next()?.parse().ok()?);
    words.next().is_none().then(|| (id.to_owned(), place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tree::{tree, write};

    #[test]
    fn the_two_lists_of_imagenet_are_one_and_may_both_be_missing() {
        let root = tree(&[]);
        let read = || imagenet(root.path(), "car").unwrap();
        assert_eq!(read(), None);
        write(root.path(), "car_imagenet_val.txt", "n1_2\r\nn1_1\r\n\r\n");
        write(root.path(), "car_imagenet_train.txt", "n2_1\nn1_2\n");
        let ids: Vec<_> = read().unwrap().into_iter().collect();
        assert_eq!(ids, ["n1_1", "n1_2", "n2_1"]);
    }

    #[test]
    fn objects_of_pascal_images_are_counted_from_0_and_a_bad_line_is_named() {
        let root = tree(&[]);
        let read = || pascal(root.path(), "car");
        assert_eq!(read().unwrap(), None);
        write(
            root.path(),
            "car_pascal.txt",
            "2008_2 1\n2008_2\t0\n2008_1 10\n",
        );
        let expected = [("2008_1", 10), ("2008_2", 0), ("2008_2", 1)];
        let expected = expected.map(|(id, place)| (id.to_owned(), place));
        assert_eq!(read().unwrap(), Some(BTreeSet::from(expected)));
        for line in ["2008_1", "2008_1 -1", "2008_1 1 1"] {
            write(root.path(), "car_pascal.txt", line);
            let said = read().unwrap_err().to_string();
            let expected = format!("line 1: {line:?}; expected <id> <object index>");
            assert!(said.ends_with(&expected), "{said}");
        }
    }
}
