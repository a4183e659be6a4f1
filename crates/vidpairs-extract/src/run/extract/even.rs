//! With `shards.count`: divides the records of a run over so many shards.
//!
//! The number of records is known at the end only. Until then shards end by their size, in a folder of the journal. At the end their
//! records are copied, in order, into the shards of the data set. A run that is stopped meanwhile begins the copy anew.

use std::io;
use std::path::{Path, PathBuf};

use vidpairs_pipeline::Shards;
use vidpairs_run::{Control, JOURNAL_FOLDER, RunError, counted, failed};
use vidpairs_shard::{ShardEntry, ShardName, ShardReader, ShardWriter, even_range};
use vidpairs_types::create_own_folder;

use super::ExtractOptions;
use super::journal::Begin;
use super::progress::Display;
use crate::run::ExtractError;

/// Folder of the shards that are not divided yet, in the journal's folder.
const UNDIVIDED: &str = "undivided";

/// Fails if the records of the run cannot be divided.
///
/// - `is_stored`: whether the output folder is in a store.
pub(super) fn check(options: &ExtractOptions, is_stored: bool) -> Result<(), ExtractError> {
    let Some(count) = options.pipeline.shards.count else {
        return Ok(());
    };
    let cause = match (options.part, is_stored) {
        (Some(_), _) => {
            "of a run in parts: leave it out, and run vidpairs reshard after vidpairs merge"
        }
        (None, true) => {
            "of an output folder in a store: leave it out, and run vidpairs reshard on a copy, or extract into a folder"
        }
        (None, false) => return Ok(()),
    };
    Err(ExtractError::NotDivisible { count, cause })
}

/// Number of shards over which the records of the run are divided at its end; `None` if shards end by their size. The shards of a retry
/// stand beside those of the finished run.
pub(super) fn count(begin: &Begin, shards: &Shards) -> Option<u32> {
    shards.count.filter(|_| begin.retry.is_none())
}

/// Folder in which a run into `out` finishes its shards.
pub(super) fn folder_of(out: &Path, begin: &Begin, shards: &Shards) -> Result<PathBuf, RunError> {
    match count(begin, shards) {
        None => Ok(out.to_owned()),
        Some(_) => {
            let folder = out.join(JOURNAL_FOLDER).join(UNDIVIDED);
            create_own_folder(&folder).map_err(failed("create", &folder))?;
            Ok(folder)
        }
    }
}

/// Copies the records of the finished shards `from`, which are in the folder of [`folder_of`], into `count` shards in the output folder,
/// or into one for each record if there are fewer.
///
/// # Errors
/// [`RunError::Interrupted`]; [`RunError::Shard`]. The shards `from` stay, and the copy can begin anew.
pub(super) fn divide(
    out: &Path,
    from: &[ShardEntry],
    count: u32,
    control: &Control,
    display: &mut Display,
) -> Result<Vec<ShardEntry>, RunError> {
    let journal = out.join(JOURNAL_FOLDER);
    let num_records: u64 = from.iter().map(|shard| shard.records).sum();
    let num_shards = num_records.min(count.into());
    if num_shards < count.into() {
        let records = counted(num_records, "record");
        control.notice(&format!(
            "warning: shards.count is {count}, and there are {records}: each is a shard"
        ));
    }
    display.begin_division(num_records, control);
    let mut records = Records::new(journal.join(UNDIVIDED), from);
    let mut made = Vec::new();
    for shard in 0..num_shards {
        let range = even_range(num_records, num_shards, shard);
        let mut writer = ShardWriter::create(&journal, ShardName::from(shard))?;
        for _ in range.clone() {
            if control.cancel.is_set() {
                return Err(RunError::Interrupted {
                    out: out.to_owned(),
                    safe: counted(num_records, "pair"),
                });
            }
            records.copy_next(&mut writer)?;
        }
        made.push(writer.finish(out)?);
        display.divided(range.end);
    }
    Ok(made)
}

/// The records of several shards, one after the other.
struct Records<'a> {
    folder: PathBuf,
    shards: std::slice::Iter<'a, ShardEntry>,
    /// The shard that is read, and its next record.
    open: Option<(ShardReader, u64)>,
}

impl<'a> Records<'a> {
    fn new(folder: PathBuf, shards: &'a [ShardEntry]) -> Self {
        Self {
            folder,
            shards: shards.iter(),
            open: None,
        }
    }

    /// Copies the next record into `writer`, if there is one.
    fn copy_next(&mut self, writer: &mut ShardWriter) -> Result<(), RunError> {
        loop {
            if let Some((reader, next)) = &mut self.open
                && *next < reader.num_records()
            {
                let record = reader.record(*next)?;
                record.check()?;
                writer.copy(&record)?;
                *next += 1;
                return Ok(());
            }
            let Some(shard) = self.shards.next() else {
                return Ok(());
            };
            let path = self.folder.join(&shard.file);
            let reader = ShardReader::open(&path)?;
            if reader.num_records() != shard.records {
                let found = counted(reader.num_records(), "record");
                let cause = format!("{found} instead of {}: it was changed", shard.records);
                return Err(failed("read", &path)(io::Error::other(cause)));
            }
            self.open = Some((reader, 0));
        }
    }
}
