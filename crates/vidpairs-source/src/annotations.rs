//! Reads annotated boxes, with one line per frame, and the per-frame labels of GOT-10k.

use std::path::Path;
use std::sync::Arc;

use vidpairs_types::{Annotation, BoxXywh, Clip, ImageObjects};

use crate::disk::Disk;
use crate::error::SourceError;
use crate::files::{Files, bad_line, lines};
use crate::got10k::{ABSENCE, COVER, CUT_BY_IMAGE, GROUND_TRUTH, MetaInfo};
use crate::voc;

/// Annotated box of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackBox {
    /// Box of the target, px. It is [valid](BoxXywh::is_valid), but may reach out of the frame.
    pub bbox: BoxXywh,
    /// Whether the target is out of sight, so that the box is a guess; `false` if the data set does not state it.
    pub absent: bool,
    /// Whether the target reaches beyond the image; `false` if the data set does not state it.
    pub cut_by_image: bool,
}

/// Annotations of one clip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Annotations {
    /// Box of each frame, from frame 0; `None` if it is not valid (a side that is not positive, a number that is not
    /// finite). There may be fewer boxes than frames: test splits have the first box only.
    pub boxes: Vec<Option<TrackBox>>,
    /// Class of the object.
    pub label: Option<String>,
    /// Problems that did not prevent reading, in words.
    pub remarks: Vec<String>,
}

/// Reads the annotations of a clip.
///
/// Files over 64 MiB are refused, which bounds the memory to half a GiB. Real videos take a few hundred KiB.
///
/// # Errors
/// [`SourceError::BadLine`] if a line is not four numbers or a label is not 0 or 1; [`SourceError::TooLarge`],
/// [`SourceError::NotRegular`] and [`SourceError::Unreadable`] if a file cannot be read. Skip the clip, or use it without
/// boxes.
pub fn annotations(clip: &Clip) -> Result<Annotations, SourceError> {
    let mut annotations = match &clip.annotation {
        // Still images have objects instead of boxes of frames.
        Annotation::None | Annotation::Voc(_) | Annotation::Objects(_) => Annotations::default(),
        Annotation::TrackingNet(file) => trackingnet(file)?,
        Annotation::Got10k(folder) => got10k(folder)?,
    };
    if clip.label.is_some() {
        annotations.label.clone_from(&clip.label);
    }
    Ok(annotations)
}

/// Reads the annotated objects of a still image. Other clips have none.
///
/// # Errors
/// [`SourceError::BadXml`] if the annotation is damaged; [`SourceError::TooLarge`], [`SourceError::NotRegular`] and
/// [`SourceError::Unreadable`] if it cannot be read. Leave the image out.
pub fn objects(clip: &Clip) -> Result<Arc<ImageObjects>, SourceError> {
    match &clip.annotation {
        Annotation::Objects(objects) => Ok(Arc::clone(objects)),
        Annotation::Voc(file) => voc::read(file).map(Arc::new),
        _ => Ok(Arc::default()),
    }
}

fn trackingnet(file: &Path) -> Result<Annotations, SourceError> {
    let mut annotations = Annotations::default();
    let boxes = read_boxes(file, &mut annotations.remarks)?;
    let track_box = |bbox| TrackBox {
        bbox,
        absent: false,
        cut_by_image: false,
    };
    annotations.boxes = boxes.into_iter().map(|bbox| bbox.map(track_box)).collect();
    Ok(annotations)
}

fn got10k(folder: &Path) -> Result<Annotations, SourceError> {
    let mut remarks = Vec::new();
    let boxes = read_boxes(&folder.join(GROUND_TRUTH), &mut remarks)?;
    let mut flags = |name| read_flags(&folder.join(name), boxes.len(), &mut remarks);
    let absent = flags(ABSENCE)?;
    let cut_by_image = flags(CUT_BY_IMAGE)?;
    let is_set = |flags: &[bool], frame: usize| flags.get(frame) == Some(&true);
    let track_box = |(frame, bbox): (usize, Option<BoxXywh>)| {
        Some(TrackBox {
            bbox: bbox?,
            absent: is_set(&absent, frame),
            cut_by_image: is_set(&cut_by_image, frame),
        })
    };
    Ok(Annotations {
        boxes: boxes.into_iter().enumerate().map(track_box).collect(),
        label: MetaInfo::read(&Disk, folder)?.object_class,
        remarks,
    })
}

/// Boxes of a file, `None` for those that are not valid. Remarks state their number: `0,0,0,0` is the row of a frame without the object.
fn read_boxes(file: &Path, remarks: &mut Vec<String>) -> Result<Vec<Option<BoxXywh>>, SourceError> {
    let text = Disk.read_text(file)?;
    let boxes = parse_boxes(file, &text)?;
    let name = file_name(file);
    let num_boxes = boxes.len();
    let is_absent = |bbox: &&BoxXywh| <[f64; 4]>::from(**bbox) == [0.0; 4];
    let num_absent = boxes.iter().filter(is_absent).count();
    let num_invalid = boxes.iter().filter(|bbox| !bbox.is_valid()).count() - num_absent;
    if boxes.is_empty() {
        remarks.push(format!("{name} has no line"));
    }
    if num_absent > 0 {
        remarks.push(format!(
            "{name}: no object in {num_absent} of {num_boxes} frames (0,0,0,0)"
        ));
    }
    if num_invalid > 0 {
        remarks.push(format!(
            "{name}: {num_invalid} of {num_boxes} boxes are not valid"
        ));
    }
    Ok(boxes.into_iter().map(if_valid).collect())
}

fn if_valid(bbox: BoxXywh) -> Option<BoxXywh> {
    Some(bbox).filter(|bbox| bbox.is_valid())
}

fn parse_boxes(file: &Path, text: &[u8]) -> Result<Vec<BoxXywh>, SourceError> {
    const EXPECTED: &str = "four numbers: x,y,w,h";
    lines(text)
        .map(|(number, line)| parse_box(line).ok_or_else(|| bad_line(file, number, line, EXPECTED)))
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

/// Flag of each frame. Missing lines and a missing file give a remark, except for a single box: test splits have one box
/// and no flags.
fn read_flags(
    file: &Path,
    num_boxes: usize,
    remarks: &mut Vec<String>,
) -> Result<Vec<bool>, SourceError> {
    let name = file_name(file);
    let Some(text) = Disk.read_text_if_any(file)? else {
        if num_boxes > 1 {
            remarks.push(format!("{name} is missing: taken as 0"));
        }
        return Ok(Vec::new());
    };
    let flags = parse_flags(file, &text)?;
    // A test split has one box, but its flags, if there are any, cover every frame.
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
    let name = path.file_name().expect("annotation files have a name");
    name.to_string_lossy().into_owned()
}

/// Reads the visibility of the target in each frame from `cover.label`: 0 (hidden) to 8 (fully visible). `None` if the
/// data set does not state it.
///
/// # Errors
/// [`SourceError::BadLine`] if a line is not 0 to 8; [`SourceError::TooLarge`], [`SourceError::NotRegular`] and
/// [`SourceError::Unreadable`] if the file cannot be read.
pub fn cover(clip: &Clip) -> Result<Option<Vec<u8>>, SourceError> {
    let Annotation::Got10k(folder) = &clip.annotation else {
        return Ok(None);
    };
    let path = folder.join(COVER);
    let Some(text) = Disk.read_text_if_any(&path)? else {
        return Ok(None);
    };
    let levels = lines(&text).map(|(number, line)| match line {
        [digit @ b'0'..=b'8'] => Ok(digit - b'0'),
        _ => Err(bad_line(&path, number, line, "a level from 0 to 8")),
    });
    levels.collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use proptest::prelude::*;
    use tempfile::TempDir;
    use vidpairs_types::Media;

    use super::*;
    use crate::files::MAX_TEXT_BYTES;
    use crate::test_tree::{make_fifo, tree, write};

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
        let to_xywh = |track: &Option<TrackBox>| track.map(|track| track.bbox.into());
        annotations.boxes.iter().map(to_xywh).collect()
    }

    #[test]
    fn boxes_are_read_with_crlf_spaces_tabs_and_trailing_blank_lines() {
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
    fn invalid_boxes_keep_their_frames_and_are_counted() {
        let text = "NaN,NaN,NaN,NaN\n0,0,0,5\n0,0,5,-1\ninf,0,5,5\n0,0,1e999,5\n-9,-9,5,5\n";
        let annotations = read_trackingnet(text).unwrap();
        let mut expected = vec![None; 5];
        expected.push(Some([-9.0, -9.0, 5.0, 5.0]));
        assert_eq!(xywh(&annotations), expected);
        assert_eq!(annotations.remarks, ["v.txt: 5 of 6 boxes are not valid"]);
    }

    #[test]
    fn rows_of_zeros_are_frames_without_the_object_not_faults() {
        let annotations = read_trackingnet("1,2,3,4\n0,0,0,0\n0,0,0.0,0\n1,1,0,0\n").unwrap();
        assert_eq!(xywh(&annotations)[1..], [None; 3]);
        let absent = "v.txt: no object in 2 of 4 frames (0,0,0,0)";
        let invalid = "v.txt: 1 of 4 boxes are not valid";
        assert_eq!(annotations.remarks, [absent, invalid]);
    }

    #[test]
    fn a_line_that_is_not_four_numbers_is_an_error_with_number_and_value() {
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
    fn the_error_for_a_bad_line_states_file_line_value_and_expectation() {
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
    fn got10k_annotations_have_flags_and_the_class() {
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
            ["groundtruth.txt: no object in 1 of 3 frames (0,0,0,0)"]
        );
    }

    #[test]
    fn missing_flags_are_taken_as_0_with_a_remark() {
        let annotations = read_got10k(&[
            ("groundtruth.txt", "1,2,3,4\n1,2,3,4\n1,2,3,4\n"),
            ("absence.label", "1\n"),
        ])
        .unwrap();
        let absent: Vec<_> = annotations
            .boxes
            .iter()
            .map(|track| track.unwrap().absent)
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
    fn a_test_split_with_one_box_and_no_flags_gives_no_remark() {
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
    fn the_label_of_the_listing_takes_precedence() {
        let mut unannotated = clip(Annotation::None);
        unannotated.label = Some("cat".to_owned());
        let annotations = annotations(&unannotated).unwrap();
        assert!(annotations.boxes.is_empty());
        assert_eq!(annotations.label.as_deref(), Some("cat"));
    }

    #[test]
    fn too_large_files_fifos_and_missing_files_are_errors() {
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

    #[test]
    fn cover_levels_are_read_and_bad_lines_are_errors() {
        let root = tree(&[]);
        let read = || cover(&clip(Annotation::Got10k(root.path().to_owned())));
        assert_eq!(read().unwrap(), None);
        write(root.path(), "cover.label", "8\r\n0\n 3 \n");
        assert_eq!(read().unwrap(), Some(vec![8, 0, 3]));
        write(root.path(), "cover.label", "8\n9\n");
        let message = read().unwrap_err().to_string();
        assert!(
            message.ends_with("line 2: \"9\"; expected a level from 0 to 8"),
            "{message}"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let path = Path::new("v.txt");
            let _ = parse_boxes(path, &text);
            let _ = parse_flags(path, &text);
        }

        #[test]
        fn malformed_boxes_never_panic_and_give_valid_boxes_only(
            text in "([0-9.eE+-]{0,4}|NaN|inf|[, \t\r\n]|\u{FEFF}){0,40}",
        ) {
            let boxes = parse_boxes(Path::new("v.txt"), text.as_bytes()).unwrap_or_default();
            prop_assert!(boxes.into_iter().filter_map(if_valid).all(|bbox| bbox.is_valid()));
        }

        #[test]
        fn boxes_are_read_as_they_were_written(
            boxes in prop::collection::vec(prop::array::uniform4(0.001f64..1e6), 0..20),
        ) {
            let line = |[x, y, w, h]: &[f64; 4]| format!("{x},{y},{w},{h}\n");
            let text: String = boxes.iter().map(line).collect();
            let parsed = parse_boxes(Path::new("v.txt"), text.as_bytes()).unwrap();
            let parsed: Vec<_> = parsed.into_iter().map(<[f64; 4]>::from).collect();
            prop_assert_eq!(parsed, boxes);
        }
    }
}
