//! Reads `Annotations/<image>.xml`: the objects of one image.

use std::borrow::Cow;
use std::path::Path;

use roxmltree::{Document, Node, ParsingOptions};
use vidpairs_types::{AnnotatedObject, BoxXywh, ImageObjects, ObjectMark, SizePx, printable};

use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::Files;

/// Largest file that is read, bytes. The largest of VOC has 16 KiB.
const MAX_BYTES: u64 = 1 << 20;

/// Most nodes of a document, which bounds its memory to some MiB.
const MAX_NODES: u32 = 100_000;

/// Most bytes of the name of a class.
const MAX_LABEL_BYTES: usize = 200;

/// Reads the objects of an image.
///
/// Corners are 1-based and inclusive in VOC, and become left, top, width, height from 0. Parts of objects (`part`) are passed over.
///
/// # Errors
/// [`SourceError::BadXml`] if the file is no annotation; [`SourceError::TooLarge`], [`SourceError::NotRegular`] and
/// [`SourceError::Unreadable`] if it cannot be read. Leave the image out.
pub(crate) fn read(path: &Path) -> Result<ImageObjects, SourceError> {
    let bytes = Disk.read(path, MAX_BYTES)?;
    parse(&bytes).map_err(|reason| SourceError::BadXml {
        path: path.to_owned(),
        reason: printable(&reason).into_owned(),
    })
}

fn parse(bytes: &[u8]) -> Result<ImageObjects, String> {
    let text = decoded(bytes)?;
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    // A few bytes of entities can stand for gigabytes of text.
    if text.contains("<!ENTITY") {
        return Err("it contains <!ENTITY, which no annotation needs; write the text of entities in their place".to_owned());
    }
    let options = ParsingOptions {
        // Its rules are passed over: nothing is validated, and no other file is read.
        allow_dtd: true,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text, options).map_err(|err| err.to_string())?;
    let root = document.root_element();
    if !root.has_tag_name("annotation") {
        let found = root.tag_name().name();
        return Err(format!("its root is <{found}>, not <annotation>"));
    }
    let objects = children(root, "object").map(object);
    Ok(ImageObjects {
        image_size: child(root, "size").and_then(size),
        objects: objects.collect::<Result<_, _>>()?,
    })
}

/// The text of a file in UTF-8, or in UTF-16 with a byte order mark, without that mark.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let from_bytes: fn([u8; 2]) -> u16 = match bytes {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => {
            let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            let text = std::str::from_utf8(text);
            return text.map(Cow::Borrowed).map_err(|err| {
                format!("it is not UTF-8, nor UTF-16 with a byte order mark: {err}")
            });
        }
    };
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().skip(1).map(|unit| from_bytes(*unit));
    let text = char::decode_utf16(units).collect::<Result<String, _>>();
    match (text, rest) {
        (Ok(text), []) => Ok(text.into()),
        (Ok(_), _) => Err("it is UTF-16, but ends inside a character".to_owned()),
        (Err(err), _) => Err(format!("it is not valid UTF-16: {err}")),
    }
}

fn object(node: Node<'_, '_>) -> Result<AnnotatedObject, String> {
    let label = text(node, "name").unwrap_or_default();
    if label.is_empty() || label.len() > MAX_LABEL_BYTES {
        let len = label.len();
        return Err(format!(
            "an object has a name of {len} bytes; expected 1 to {MAX_LABEL_BYTES}"
        ));
    }
    let mark = match text(node, "difficult") {
        None | Some("" | "0") => None,
        Some("1") => Some(ObjectMark::Difficult),
        Some(other) => return Err(format!("difficult is {other:?}; expected 0 or 1")),
    };
    Ok(AnnotatedObject {
        bbox: child(node, "bndbox").and_then(bbox),
        label: label.into(),
        mark,
    })
}

/// Box of 1-based inclusive corners; `None` if it is not valid.
fn bbox(node: Node<'_, '_>) -> Option<BoxXywh> {
    let corner = |name| text(node, name)?.parse::<f64>().ok();
    let (x, y) = (corner("xmin")?, corner("ymin")?);
    let (x_last, y_last) = (corner("xmax")?, corner("ymax")?);
    let bbox = BoxXywh {
        x: x - 1.0,
        y: y - 1.0,
        w: x_last - x + 1.0,
        h: y_last - y + 1.0,
    };
    bbox.is_valid().then_some(bbox)
}

/// Size of the image. Some tools write 0 where they do not know it.
fn size(node: Node<'_, '_>) -> Option<SizePx> {
    let side = |name| text(node, name)?.parse().ok().filter(|side| *side > 0);
    Some(SizePx {
        width: side("width")?,
        height: side("height")?,
    })
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// Text of the first child `name`, without white space around it.
fn text<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tree::{make_fifo, tree, write};

    /// An annotation as VOC writes it, with this object.
    fn with_object(object: &str) -> String {
        format!(
            "<annotation>\n\t<folder>VOC2007</folder>\n\t<size><width>500</width><height>375</height><depth>3</depth></size>\n\
             {object}</annotation>\n"
        )
    }

    fn object_of(xml: &str) -> AnnotatedObject {
        let found = parse(with_object(xml).as_bytes()).unwrap();
        assert_eq!(found.image_size, Some([500, 375].into()));
        let [object] = &found.objects[..] else {
            panic!("{found:?}")
        };
        object.clone()
    }

    #[test]
    fn corners_are_1_based_and_inclusive_and_parts_of_a_person_are_no_objects() {
        let object = object_of(
            "<object><name> person </name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>\
             <part><name>head</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>10</xmax><ymax>10</ymax></bndbox></part>\
             <bndbox><xmax>500</xmax><xmin>1</xmin><ymax>20</ymax><ymin>11</ymin></bndbox></object>",
        );
        assert_eq!(object.bbox, Some([0.0, 10.0, 500.0, 10.0].into()));
        assert_eq!((&*object.label, object.mark), ("person", None));
    }

    #[test]
    fn a_difficult_object_and_one_without_a_valid_box_are_read_as_such() {
        let bounds =
            |text: &str| format!("<object><name>cat</name><difficult>1</difficult>{text}</object>");
        let corners =
            "<bndbox><xmin>48.5</xmin><ymin>2</ymin><xmax>195.25</xmax><ymax>2</ymax></bndbox>";
        let object = object_of(&bounds(corners));
        assert_eq!(object.mark, Some(ObjectMark::Difficult));
        assert_eq!(object.bbox, Some([47.5, 1.0, 147.75, 1.0].into()));
        for damaged in [
            "",
            "<bndbox><xmin>4</xmin><ymin>2</ymin><xmax>9</xmax></bndbox>",
            "<bndbox><xmin>a</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>",
            "<bndbox><xmin>9</xmin><ymin>2</ymin><xmax>4</xmax><ymax>9</ymax></bndbox>",
            "<bndbox><xmin>nan</xmin><ymin>2</ymin><xmax>4</xmax><ymax>9</ymax></bndbox>",
        ] {
            assert_eq!(object_of(&bounds(damaged)).bbox, None, "{damaged}");
        }
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_reason_and_no_entity_is_expanded() {
        let laughs = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;\">]><annotation>&c;</annotation>";
        let external =
            "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><annotation>&b;</annotation>";
        let undeclared =
            "<!DOCTYPE a SYSTEM \"http://127.0.0.1/a.dtd\"><annotation>&cat;</annotation>";
        let deep = "<a>".repeat(50_000) + &"</a>".repeat(50_000);
        let many = format!("<annotation>{}</annotation>", "<a/>".repeat(100_001));
        let nameless = with_object("<object><difficult>0</difficult></object>");
        let unclear = with_object("<object><name>a</name><difficult>yes</difficult></object>");
        let cut = &with_object("<object><name>a</name></object>")[..90];
        for (text, expected) in [
            ("", "empty"),
            (laughs, "contains <!ENTITY"),
            (external, "contains <!ENTITY"),
            (undeclared, "unknown entity reference 'cat'"),
            (&deep, "its root is <a>"),
            (&many, "nodes limit"),
            ("<html></html>", "its root is <html>, not <annotation>"),
            (&nameless, "a name of 0 bytes"),
            (&unclear, "difficult is \"yes\"; expected 0 or 1"),
            (cut, "never closed"),
        ] {
            let reason = parse(text.as_bytes()).unwrap_err();
            assert!(reason.contains(expected), "{reason:?} lacks {expected:?}");
        }
        let latin = b"<?xml version=\"1.0\" encoding=\"latin-1\"?><annotation>\xe9</annotation>";
        assert!(parse(latin).unwrap_err().contains("not UTF-8"));
    }

    #[test]
    fn a_doctype_a_byte_order_mark_and_utf_16_do_not_change_what_is_read() {
        let plain =
            with_object("<object><name>kätzchen 🐈</name><difficult>1</difficult></object>");
        let expected = parse(plain.as_bytes()).unwrap();
        assert_eq!(&*expected.objects[0].label, "kätzchen 🐈");
        for head in [
            "<!DOCTYPE annotation>",
            "<!DOCTYPE annotation SYSTEM \"voc.dtd\">",
            "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n<!DOCTYPE annotation PUBLIC \"-//A//B\" \"http://127.0.0.1/voc.dtd\">\n",
            "<!DOCTYPE annotation [\n<!ELEMENT annotation (object*)><!ATTLIST object id CDATA #IMPLIED>\n<!-- none -->]>",
        ] {
            let text = format!("{head}{plain}");
            assert_eq!(parse(text.as_bytes()).as_ref(), Ok(&expected), "{head}");
            let marked = format!("\u{FEFF}{text}");
            assert_eq!(parse(marked.as_bytes()).as_ref(), Ok(&expected), "{head}");
            for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                let wide: Vec<u8> = marked.encode_utf16().flat_map(to_bytes).collect();
                assert_eq!(parse(&wide).as_ref(), Ok(&expected), "{head}");
                let reason = parse(&wide[..wide.len() - 1]).unwrap_err();
                assert!(reason.contains("ends inside a character"), "{reason}");
                let reason = parse(&wide[..wide.len() / 4 * 2]).unwrap_err();
                assert!(!reason.is_empty());
            }
        }
        let half = parse(b"\xFF\xFE<\0\x00\xD8a\0").unwrap_err();
        assert!(half.contains("not valid UTF-16"), "{half}");
        assert!(parse(b"\xEF\xBB\xBF").unwrap_err().contains("empty"));
    }

    #[test]
    fn a_fifo_in_place_of_an_annotation_is_refused_and_never_waited_for() {
        let root = tree(&[]);
        make_fifo(root.path(), "1.xml");
        let found = read(&root.path().join("1.xml"));
        assert!(matches!(found, Err(SourceError::NotRegular { .. })));
        write(root.path(), "2.xml", vec![b' '; (1 << 20) + 1]);
        let found = read(&root.path().join("2.xml"));
        assert!(matches!(found, Err(SourceError::TooLarge { .. })));
    }
}
