//! Runs `vidpairs status` and `vidpairs merge`: how far the parts of a data set are, and one data set made of them.
//!
//! **Takes** the output folder of `vidpairs extract --part`. **Gives** a [`Status`], or a [`MergeSummary`] and a data set that is read like
//! any other. **Fails** with [`RunError`](vidpairs_run::RunError).

mod error;
mod merge;
mod status;
mod stored;

use std::fs;
use std::path::Path;

use vidpairs_shard::Part;

pub use error::PartsError;
pub use merge::{MergeSummary, merge};
pub use status::{PartState, RunningPart, Status, status};

/// Fails if `out` holds folders of parts. Called if it holds no description of them.
fn refuse_lost_parts(out: &Path) -> Result<(), PartsError> {
    let mut entries = fs::read_dir(out).into_iter().flatten().flatten();
    let is_part = |entry: fs::DirEntry| entry.file_name().to_str().and_then(Part::of_folder);
    match entries.any(|entry| is_part(entry).is_some()) {
        true => Err(PartsError::NoPartsFile(out.to_owned())),
        false => Ok(()),
    }
}

/// Numbers in the form that `sbatch --array` takes: `0,4-7`.
///
/// - `numbers`: in order.
fn array_of(numbers: &[u32]) -> String {
    let mut text = String::new();
    let mut runs = numbers.chunk_by(|a, b| a.checked_add(1) == Some(*b));
    while let Some([first, .., last] | [first @ last]) = runs.next() {
        if !text.is_empty() {
            text.push(',');
        }
        match last - first {
            0 => text.push_str(&first.to_string()),
            _ => text.push_str(&format!("{first}-{last}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_written_as_a_range() {
        assert_eq!(array_of(&[]), "");
        assert_eq!(array_of(&[3]), "3");
        assert_eq!(array_of(&[0, 4, 5, 6, 7, 9, 10]), "0,4-7,9-10");
        assert_eq!(array_of(&[u32::MAX - 1, u32::MAX]), "4294967294-4294967295");
    }
}
