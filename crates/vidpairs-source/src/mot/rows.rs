//! Parses the rows of a truth file: `frame,id,left,top,width,height[,conf[,class[,visibility]]]`.

use std::collections::BTreeMap;
use std::path::Path;

use vidpairs_types::BoxXywh;

use crate::error::SourceError;
use crate::files::{bad_line, lines};

/// Box of a target in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotRow {
    /// Frame index, from 0.
    pub frame: u64,
    /// Box of the target, px; valid.
    pub bbox: BoxXywh,
    /// Whether any part of the target can be seen; `true` if the truth does not state it.
    pub is_visible: bool,
}

/// Rows of each id, sorted by frame.
///
/// Rows whose 7th number is 0 (marked as to be ignored) and rows whose box has no area are left out.
///
/// # Errors
/// [`SourceError::BadLine`] for a row that cannot be parsed and for a second row of the same frame and id.
pub(super) fn parse(path: &Path, text: &[u8]) -> Result<BTreeMap<u64, Vec<MotRow>>, SourceError> {
    let mut rows_by_id: BTreeMap<u64, Vec<(MotRow, usize)>> = BTreeMap::new();
    for (number, line) in lines(text).filter(|(_, line)| !line.is_empty()) {
        let bad = |expected| bad_line(path, number, line, expected);
        let numbers =
            numbers(line).ok_or_else(|| bad("numbers: frame,id,left,top,width,height"))?;
        let [frame, id, x, y, w, h, more @ ..] = numbers.as_slice() else {
            return Err(bad("at least six numbers: frame,id,left,top,width,height"));
        };
        let frame = whole(*frame, 1).ok_or_else(|| bad("a frame, counted from 1"))?;
        let id = whole(*id, 0).ok_or_else(|| bad("an id of 0 or more: truth, not detections"))?;
        let bbox = BoxXywh::from([*x, *y, *w, *h]);
        if more.first() == Some(&0.0) || !bbox.is_valid() {
            continue;
        }
        let row = MotRow {
            frame: frame - 1,
            bbox,
            is_visible: more.get(2) != Some(&0.0),
        };
        rows_by_id.entry(id).or_default().push((row, number));
    }
    for rows in rows_by_id.values_mut() {
        rows.sort_by_key(|(row, number)| (row.frame, *number));
        let repeated = rows.windows(2).find_map(|pair| match pair {
            [(a, _), (b, number)] if a.frame == b.frame => Some(*number),
            _ => None,
        });
        if let Some(number) = repeated {
            let (_, line) = lines(text)
                .nth(number - 1)
                .expect("the row was parsed from this line");
            let expected = "one row for each frame and id";
            return Err(bad_line(path, number, line, expected));
        }
    }
    let rows = |(id, rows): (u64, Vec<(MotRow, usize)>)| {
        (id, rows.into_iter().map(|(row, _)| row).collect())
    };
    Ok(rows_by_id.into_iter().map(rows).collect())
}

/// Numbers of a line, separated by commas or, without commas, by white space.
fn numbers(line: &[u8]) -> Option<Vec<f64>> {
    let line = std::str::from_utf8(line).ok()?;
    let number = |text: &str| text.trim().parse::<f64>().ok();
    if line.contains(',') {
        line.trim_end_matches(',').split(',').map(number).collect()
    } else {
        line.split_whitespace().map(number).collect()
    }
}

/// Converts a whole number of at least `min`; some programs write `7.0`.
fn whole(number: f64, min: u64) -> Option<u64> {
    const MAX: f64 = (1u64 << 53) as f64;
    let is_whole = number.fract() == 0.0 && (min as f64..MAX).contains(&number);
    is_whole.then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<BTreeMap<u64, Vec<MotRow>>, SourceError> {
        parse(Path::new("gt.txt"), text.as_bytes())
    }

    #[test]
    fn rows_are_grouped_by_id_and_sorted_by_frame_index_from_0() {
        let text = "5,2,10,20,30,40,1,1,0.5\r\n1,2,1,2,3,4\n1,1,9,9,9,9,1\n\n3 2 1 2 3 4\n";
        let rows = parsed(text).unwrap();
        let frames = |id: u64| rows[&id].iter().map(|row| row.frame).collect::<Vec<_>>();
        assert_eq!((frames(1), frames(2)), (vec![0], vec![0, 2, 4]));
        assert_eq!(rows[&2][2].bbox, BoxXywh::from([10.0, 20.0, 30.0, 40.0]));
    }

    #[test]
    fn rows_marked_as_ignored_and_boxes_without_area_are_left_out() {
        let text = "1,1,1,1,5,5,0,1,1\n2,1,1,1,0,5,1\n3,1,1,1,5,5,1,1,0\n4,1,NaN,1,5,5\n";
        let rows = &parsed(text).unwrap()[&1];
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].frame, rows[0].is_visible), (2, false));
    }

    #[test]
    fn an_invalid_row_is_an_error_with_its_line() {
        for (text, line) in [
            ("1,1,1,1,5\n", 1),
            ("1,1,1,1,5,5\n0,1,1,1,5,5\n", 2),
            ("1,-1,1,1,5,5\n", 1),
            ("1.5,1,1,1,5,5\n", 1),
            ("frame,id,x,y,w,h\n", 1),
            ("1,1,1,1,5,5\n\n1,1,2,2,5,5\n", 3),
        ] {
            match parsed(text) {
                Err(SourceError::BadLine { line: bad, .. }) => assert_eq!(bad, line, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
