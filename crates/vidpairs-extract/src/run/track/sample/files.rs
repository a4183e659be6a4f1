//! Result files, read back.

use std::io;
use std::path::Path;

use vidpairs_run::{RunError, failed};
use vidpairs_types::BoxXywh;

/// `x,y,w,h`, a line per frame.
pub(super) fn read_boxes(path: &Path) -> Result<Vec<BoxXywh>, RunError> {
    let text = std::fs::read_to_string(path).map_err(failed("read", path))?;
    let row = |line: &str| {
        let numbers: Vec<f64> = line
            .split(',')
            .map_while(|it| it.trim().parse().ok())
            .collect();
        let four: Option<[f64; 4]> = numbers.try_into().ok();
        four.map(BoxXywh::from).ok_or_else(|| damaged(path, line))
    };
    text.lines().map(row).collect()
}

/// A number or `nan`, a line per frame.
pub(super) fn read_column(path: &Path) -> Result<Vec<Option<f64>>, RunError> {
    let text = std::fs::read_to_string(path).map_err(failed("read", path))?;
    let row = |line: &str| {
        let number: f64 = line.trim().parse().map_err(|_| damaged(path, line))?;
        Ok(Some(number).filter(|it| it.is_finite()))
    };
    text.lines().map(row).collect()
}

fn damaged(path: &Path, line: &str) -> RunError {
    let text = format!("{line:?} is no line of it");
    failed("read", path)(io::Error::other(text))
}
