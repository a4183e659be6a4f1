//! The boxes that people drew: a line per frame, and beside them, in GOT-10k, what the eye could not see.

use std::path::Path;

use vidpairs_types::{Annotation, BoxXywh, Clip};

use super::SourceError;
use super::disk::{bad_line, lines, read_text, read_text_if_any};
use super::got10k::{GROUND_TRUTH, MetaInfo};

/// The box of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackBox {
    /// Where the target is, px; always [valid](BoxXywh::is_valid), perhaps reaching out of the frame.
    pub bbox: BoxXywh,
    /// The target is out of sight, and the box a guess. `false` where the data set does not tell.
    pub absent: bool,
    /// The target reaches beyond the edge of the image. `false` where the data set does not tell.
    pub cut_by_image: bool,
}

/// The boxes of one clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Annotations {
    /// A box per frame, from frame 0; `None` where the line has no valid box (a side that is not positive, a
    /// number that is not finite). May be shorter than the clip: test splits have the first box only.
    pub boxes: Vec<Option<TrackBox>>,
    /// The object's class.
    pub label: Option<String>,
    /// Damage that did not stop the reading, in words.
    pub remarks: Vec<String>,
}

/// Reads the boxes of a clip.
///
/// Memory is bounded: no file above 64 MiB is read, which is half a GiB of boxes at the worst and a few
/// hundred KiB for real videos.
///
/// # Errors
/// [`SourceError::BadLine`] with file, line and value if a line is not four numbers or a label not 0 or 1;
/// [`SourceError::TooLarge`], [`SourceError::NotRegular`] and [`SourceError::Unreadable`] for a file that
/// cannot be read. Skip the clip, or do without its boxes.
pub fn annotations(clip: &Clip) -> Result<Annotations, SourceError> {
    let mut annotations = match &clip.annotation {
        Annotation::None => Annotations::default(),
        Annotation::TrackingNet(file) => trackingnet(file)?,
        Annotation::Got10k(folder) => got10k(folder)?,
    };
    if clip.label.is_some() {
        annotations.label.clone_from(&clip.label);
    }
    Ok(annotations)
}

fn trackingnet(file: &Path) -> Result<Annotations, SourceError> {
    let mut annotations = Annotations::default();
    let boxes = read_boxes(file, &mut annotations.remarks)?;
    let seen = |bbox| TrackBox {
        bbox,
        absent: false,
        cut_by_image: false,
    };
    annotations.boxes = boxes.into_iter().map(|bbox| bbox.map(seen)).collect();
    Ok(annotations)
}

fn got10k(folder: &Path) -> Result<Annotations, SourceError> {
    let mut remarks = Vec::new();
    let boxes = read_boxes(&folder.join(GROUND_TRUTH), &mut remarks)?;
    let mut flags = |name| read_flags(&folder.join(name), boxes.len(), &mut remarks);
    let absent = flags("absence.label")?;
    let cut_by_image = flags("cut_by_image.label")?;
    let is_set = |flags: &[bool], frame: usize| flags.get(frame).copied().unwrap_or(false);
    let boxes = boxes.into_iter().enumerate().map(|(frame, bbox)| {
        Some(TrackBox {
            bbox: bbox?,
            absent: is_set(&absent, frame),
            cut_by_image: is_set(&cut_by_image, frame),
        })
    });
    Ok(Annotations {
        boxes: boxes.collect(),
        label: MetaInfo::read(folder)?.object_class,
        remarks,
    })
}

/// The boxes of a file, `None` for those that are not valid; a remark says how many those are.
fn read_boxes(file: &Path, remarks: &mut Vec<String>) -> Result<Vec<Option<BoxXywh>>, SourceError> {
    let text = read_text(file)?;
    let boxes = parse_boxes(file, &text)?;
    let name = file_name(file);
    let num_invalid = boxes.iter().filter(|bbox| bbox.is_none()).count();
    if boxes.is_empty() {
        remarks.push(format!("{name} has no line"));
    } else if num_invalid > 0 {
        let num_boxes = boxes.len();
        remarks.push(format!(
            "{name}: {num_invalid} of {num_boxes} boxes are not valid"
        ));
    }
    Ok(boxes)
}

fn parse_boxes(file: &Path, text: &[u8]) -> Result<Vec<Option<BoxXywh>>, SourceError> {
    const EXPECTED: &str = "four numbers: x,y,w,h";
    lines(text)
        .map(|(number, line)| {
            let bbox = parse_box(line).ok_or_else(|| bad_line(file, number, line, EXPECTED))?;
            Ok(Some(bbox).filter(|bbox| bbox.is_valid()))
        })
        .collect()
}

/// Four numbers between commas, or where there is no comma, between white space.
fn parse_box(line: &[u8]) -> Option<BoxXywh> {
    let line = std::str::from_utf8(line).ok()?;
    let four = |numbers: &mut dyn Iterator<Item = &str>| {
        let mut next = || numbers.next()?.trim().parse::<f64>().ok();
        let four = [next()?, next()?, next()?, next()?];
        numbers.next().is_none().then_some(BoxXywh::from(four))
    };
    if line.contains(',') {
        four(&mut line.split(','))
    } else {
        four(&mut line.split_whitespace())
    }
}

/// A flag per frame. Missing lines, or a missing file, are unknown flags, and worth a remark; one single box
/// without flags is a test split, and as it should be.
fn read_flags(
    file: &Path,
    num_boxes: usize,
    remarks: &mut Vec<String>,
) -> Result<Vec<bool>, SourceError> {
    let name = file_name(file);
    let Some(text) = read_text_if_any(file)? else {
        if num_boxes > 1 {
            remarks.push(format!("{name} is missing: taken as 0"));
        }
        return Ok(Vec::new());
    };
    let flags = parse_flags(file, &text)?;
    // A test split has one box; its flags, where they are given at all, cover every frame.
    let num_flags = flags.len();
    if num_flags < num_boxes || (num_flags > num_boxes && num_boxes > 1) {
        remarks.push(format!(
            "{name} has {num_flags} lines for {num_boxes} boxes: missing ones taken as 0"
        ));
    }
    Ok(flags)
}

fn parse_flags(file: &Path, text: &[u8]) -> Result<Vec<bool>, SourceError> {
    lines(text)
        .map(|(number, line)| match line {
            b"0" => Ok(false),
            b"1" => Ok(true),
            _ => Err(bad_line(file, number, line, "0 or 1")),
        })
        .collect()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use proptest::prelude::*;
    use tempfile::TempDir;
    use vidpairs_types::Media;

    use super::super::disk::MAX_TEXT_BYTES;
    use super::super::test_tree::{make_fifo, tree, write};
    use super::*;

    fn clip(annotation: Annotation) -> Clip {
        Clip {
            id: "a".to_owned(),
            media: Media::Video("a.mp4".into()),
            annotation,
            label: None,
        }
    }

    fn read_trackingnet(text: impl AsRef<[u8]>) -> Result<Annotations, SourceError> {
        let root = tree(&[]);
        write(root.path(), "v.txt", text);
        annotations(&clip(Annotation::TrackingNet(root.path().join("v.txt"))))
    }

    fn sequence(files: &[(&str, &str)]) -> TempDir {
        let root = tree(&[]);
        for (name, text) in files {
            write(root.path(), name, text);
        }
        root
    }

    fn read_got10k(files: &[(&str, &str)]) -> Result<Annotations, SourceError> {
        let root = sequence(files);
        annotations(&clip(Annotation::Got10k(root.path().to_owned())))
    }

    fn xywh(annotations: &Annotations) -> Vec<Option<[f64; 4]>> {
        let boxes = annotations.boxes.iter();
        boxes.map(|track| track.map(|it| it.bbox.into())).collect()
    }

    #[test]
    fn boxes_are_read_with_crlf_spaces_tabs_and_blank_lines_at_the_end() {
        let text = "\u{FEFF}1,2,3,4\r\n 1.5 ,\t-2,3e1, 4 \r\n1 2\t3 4\r\n\r\n\r\n";
        let annotations = read_trackingnet(text).unwrap();
        let expected = [
            [1.0, 2.0, 3.0, 4.0],
            [1.5, -2.0, 30.0, 4.0],
            [1.0, 2.0, 3.0, 4.0],
        ];
        assert_eq!(xywh(&annotations), expected.map(Some));
        assert!(annotations.remarks.is_empty());
    }

    #[test]
    fn boxes_that_are_not_valid_keep_their_frames_and_are_counted() {
        let text = "NaN,NaN,NaN,NaN\n0,0,0,5\n0,0,5,-1\ninf,0,5,5\n0,0,1e999,5\n-9,-9,5,5\n";
        let annotations = read_trackingnet(text).unwrap();
        let mut expected = vec![None; 5];
        expected.push(Some([-9.0, -9.0, 5.0, 5.0]));
        assert_eq!(xywh(&annotations), expected);
        assert_eq!(annotations.remarks, ["v.txt: 5 of 6 boxes are not valid"]);
    }

    #[test]
    fn a_line_that_is_not_four_numbers_is_named_with_its_number_and_value() {
        for (text, expected_line, expected_value) in [
            (&b"1,2,3,4\n1,2,3\n"[..], 2, "1,2,3"),
            (b"1,2,3,4,5\n", 1, "1,2,3,4,5"),
            (b"1,2,3,4\n\n1,2,3,4", 2, ""),
            (b"1,2,3,4\n1,2,x,4", 2, "1,2,x,4"),
            (b"1,2,3,\xFF", 1, "1,2,3,\u{FFFD}"),
        ] {
            match read_trackingnet(text).unwrap_err() {
                SourceError::BadLine { line, value, .. } => {
                    assert_eq!((line, &*value), (expected_line, expected_value));
                }
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_bad_line_reads_as_file_line_value_and_what_was_expected() {
        let text = read_trackingnet("a,b").unwrap_err().to_string();
        assert!(
            text.ends_with("v.txt line 1: \"a,b\"; expected four numbers: x,y,w,h"),
            "{text}"
        );
        let long = read_trackingnet("z".repeat(1000)).unwrap_err().to_string();
        assert!(!long.contains(&"z".repeat(81)));
    }

    #[test]
    fn an_empty_file_gives_no_box_and_a_remark() {
        let annotations = read_trackingnet("\n\n").unwrap();
        assert!(annotations.boxes.is_empty());
        assert_eq!(annotations.remarks, ["v.txt has no line"]);
    }

    #[test]
    fn got10k_boxes_carry_their_flags_and_the_class() {
        let annotations = read_got10k(&[
            ("groundtruth.txt", "1,2,3,4\n0,0,0,0\n5,6,7,8\n"),
            ("absence.label", "0\n1\n0\n"),
            ("cut_by_image.label", "0\r\n0\r\n1\r\n"),
            ("meta_info.ini", "[METAINFO]\nobject_class: goat\n"),
        ])
        .unwrap();
        let track = |xywh: [f64; 4], cut_by_image| TrackBox {
            bbox: xywh.into(),
            absent: false,
            cut_by_image,
        };
        let expected = [
            Some(track([1.0, 2.0, 3.0, 4.0], false)),
            None,
            Some(track([5.0, 6.0, 7.0, 8.0], true)),
        ];
        assert_eq!(annotations.boxes, expected);
        assert_eq!(annotations.label.as_deref(), Some("goat"));
        assert_eq!(
            annotations.remarks,
            ["groundtruth.txt: 1 of 3 boxes are not valid"]
        );
    }

    #[test]
    fn short_and_missing_flags_are_taken_as_0_and_remarked() {
        let annotations = read_got10k(&[
            ("groundtruth.txt", "1,2,3,4\n1,2,3,4\n1,2,3,4\n"),
            ("absence.label", "1\n"),
        ])
        .unwrap();
        let absent: Vec<_> = annotations
            .boxes
            .iter()
            .map(|it| it.unwrap().absent)
            .collect();
        assert_eq!(absent, [true, false, false]);
        assert_eq!(
            annotations.remarks,
            [
                "absence.label has 1 lines for 3 boxes: missing ones taken as 0",
                "cut_by_image.label is missing: taken as 0"
            ]
        );
    }

    #[test]
    fn a_test_split_with_its_one_box_and_no_flags_needs_no_remark() {
        let annotations = read_got10k(&[("groundtruth.txt", "1,2,3,4\n")]).unwrap();
        assert_eq!(xywh(&annotations), [Some([1.0, 2.0, 3.0, 4.0])]);
        assert!(annotations.remarks.is_empty());
    }

    #[test]
    fn a_flag_that_is_neither_0_nor_1_is_an_error() {
        let files = [("groundtruth.txt", "1,2,3,4\n"), ("absence.label", "2\n")];
        let error = read_got10k(&files).unwrap_err();
        assert!(matches!(
            error,
            SourceError::BadLine {
                line: 1,
                expected: "0 or 1",
                ..
            }
        ));
    }

    #[test]
    fn the_label_of_the_listing_wins_and_a_clip_without_boxes_has_none() {
        let mut unannotated = clip(Annotation::None);
        unannotated.label = Some("cat".to_owned());
        let annotations = annotations(&unannotated).unwrap();
        assert!(annotations.boxes.is_empty());
        assert_eq!(annotations.label.as_deref(), Some("cat"));
    }

    #[test]
    fn a_file_too_large_a_fifo_and_a_missing_file_are_refused_unread() {
        let root = tree(&["large.txt"]);
        let read = |name| {
            let clip = clip(Annotation::TrackingNet(root.path().join(name)));
            annotations(&clip).unwrap_err()
        };
        let large = File::create(root.path().join("large.txt")).unwrap();
        large.set_len(MAX_TEXT_BYTES + 1).unwrap();
        assert!(matches!(read("large.txt"), SourceError::TooLarge { .. }));
        make_fifo(root.path(), "fifo.txt");
        assert!(matches!(read("fifo.txt"), SourceError::NotRegular { .. }));
        assert!(matches!(read("gone.txt"), SourceError::Unreadable { .. }));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let path = Path::new("v.txt");
            let _ = parse_boxes(path, &text);
            let _ = parse_flags(path, &text);
        }

        #[test]
        fn text_that_almost_is_boxes_never_panics_and_gives_valid_boxes_only(
            text in "([0-9.eE+-]{0,4}|NaN|inf|[, \t\r\n]|\u{FEFF}){0,40}",
        ) {
            let boxes = parse_boxes(Path::new("v.txt"), text.as_bytes()).unwrap_or_default();
            prop_assert!(boxes.iter().flatten().all(|bbox| bbox.is_valid()));
        }

        #[test]
        fn boxes_written_are_the_boxes_read(
            boxes in prop::collection::vec(prop::array::uniform4(0.001f64..1e6), 0..20),
        ) {
            let line = |[x, y, w, h]: &[f64; 4]| format!("{x},{y},{w},{h}\n");
            let text: String = boxes.iter().map(line).collect();
            let read = parse_boxes(Path::new("v.txt"), text.as_bytes()).unwrap();
            let read: Vec<_> = read.into_iter().flatten().map(<[f64; 4]>::from).collect();
            prop_assert_eq!(read, boxes);
        }
    }
}
