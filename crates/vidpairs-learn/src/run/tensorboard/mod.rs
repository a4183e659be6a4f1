//! Writes the metrics of a run as event files for TensorBoard.
//!
//! A file is only appended to, one event at a time. A resumed run starts a new file, which names the step from which the values of earlier
//! files are void; TensorBoard reads files in the order of their names and skips a torn event at the end of a file.
//!
//! TensorBoard's `EventAccumulator` drops void values at once; its data server drops them tag by tag, when a tag gets a value for a step
//! that it has already. Once every tag was written again, both show the same values.
//!
//! Source: `tensorboard.summary.writer` (`event_file_writer.py`, `record_writer.py`), `event.proto` and
//! `_CheckForRestartAndMaybePurge` of `event_accumulator.py`, TensorBoard 2.21.

mod event;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use vidpairs_run::RunError;
use vidpairs_types::create_own_folder;

/// Prefix of the names of event files, before the second of their creation.
const PREFIX: &str = "events.out.tfevents.";

/// An event file of TensorBoard, open for appending. It holds scalars.
///
/// A `wall_time` is in seconds since 1970. The caller gives it: this type reads no clock.
///
/// # Examples
/// ```no_run
/// use std::path::Path;
/// use vidpairs_learn::run::EventWriter;
///
/// let mut events = EventWriter::create(Path::new("out/tensorboard"), 1.7e9)?;
/// events.scalars(0, 1.7e9, &[("loss", 11.1), ("lr", 0.03)])?;
/// events.sync()?;
/// # Ok::<(), vidpairs_run::RunError>(())
/// ```
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
}

impl EventWriter {
    /// Starts a file in `folder`, which is created if it is missing.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn create(folder: &Path, wall_time: f64) -> Result<Self, RunError> {
        create_own_folder(folder).map_err(failed("create", folder))?;
        // After all existing files, even if the clock went back or two runs began in one second.
        let after = last_second(folder).map_err(failed("list", folder))?;
        let second = after.map_or(0, |last| last.saturating_add(1));
        let second = second.max(wall_time as u64);
        let path = folder.join(format!("{PREFIX}{second:010}.vidpairs"));
        let file = File::create_new(&path).map_err(failed("create", &path))?;
        let mut writer = Self { path, file };
        writer.add(&event::file_version(wall_time))?;
        Ok(writer)
    }

    /// Starts a file for a resumed run: values of `first_step` and later in earlier files of `folder` are void.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn resume(folder: &Path, wall_time: f64, first_step: u64) -> Result<Self, RunError> {
        let mut writer = Self::create(folder, wall_time)?;
        writer.add(&event::start(wall_time, first_step))?;
        Ok(writer)
    }

    /// Adds the values of one step, each with its tag. The part of a tag before `/` groups the charts: `loss/train`.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn scalars(
        &mut self,
        step: u64,
        wall_time: f64,
        values: &[(&str, f32)],
    ) -> Result<(), RunError> {
        self.add(&event::scalars(wall_time, step, values))
    }

    /// Waits until the disk has all events.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn sync(&self) -> Result<(), RunError> {
        self.file.sync_data().map_err(failed("write", &self.path))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn add(&mut self, event: &[u8]) -> Result<(), RunError> {
        // One write, so that a kill rarely tears it.
        let written = self.file.write_all(&event::framed(event));
        written.map_err(failed("write", &self.path))
    }
}

/// Latest second of creation in the names of the event files in `folder`.
fn last_second(folder: &Path) -> io::Result<Option<u64>> {
    let mut last = None;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let second = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let second = second.and_then(|rest| rest.split('.').next()?.parse().ok());
        last = last.max(second);
    }
    Ok(last)
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunError {
    let path = path.to_owned();
    move |source| RunError::File {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(writer: &EventWriter) -> &str {
        writer.path().file_name().unwrap().to_str().unwrap()
    }

    #[test]
    fn a_later_file_sorts_after_all_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let begin = |wall_time| EventWriter::create(folder.path(), wall_time).unwrap();
        assert_eq!(
            name(&begin(1_500_000_000.9)),
            "events.out.tfevents.1500000000.vidpairs"
        );
        // In the same second, and by a clock that went back.
        for (wall_time, second) in [(1_500_000_000.9, 1), (5.0, 2)] {
            let expected = format!("events.out.tfevents.150000000{second}.vidpairs");
            assert_eq!(name(&begin(wall_time)), expected);
        }
        let foreign = "events.out.tfevents.1600000000.somebody.12.0";
        File::create(folder.path().join(foreign)).unwrap();
        assert!(name(&begin(1_500_000_009.0)) > foreign);
    }

    #[test]
    fn a_file_holds_its_version_what_is_void_and_the_values() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new");
        let mut writer = EventWriter::resume(&inner, 1.5e9, 7).unwrap();
        writer.scalars(8, 2e9, &[("loss", 0.5)]).unwrap();
        writer.sync().unwrap();
        let expected = [
            event::file_version(1.5e9),
            event::start(1.5e9, 7),
            event::scalars(2e9, 8, &[("loss", 0.5)]),
        ];
        let expected: Vec<u8> = expected.iter().flat_map(|it| event::framed(it)).collect();
        assert_eq!(fs::read(writer.path()).unwrap(), expected);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        File::create(&file).unwrap();
        let err = EventWriter::create(&file, 0.0).unwrap_err().to_string();
        assert_eq!(err, format!("cannot create {}", file.display()));
    }
}
