//! TrackingNet: a zip of JPEGs a video, and a text of boxes beside it.
//!
//! Known of the release (its README, and the loader that reads it, [`vidpairs_source`]): `TRAIN_0 .. TRAIN_11` and `TEST`
//! hold `zips/<video>.zip` and `anno/<video>.txt`; a zip has its frames at the top level, `0.jpg`, `1.jpg` and so on, not
//! padded; a line of boxes is `x,y,w,h`, and `TEST` has the first alone. Our choice: the line of a
//! frame that doesn't show its object, and numbers as short as can be.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vidpairs_types::BoxXywh;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A folder of the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `TRAIN_<number>`; the release has 0 to 11.
    Train(u32),
    /// `TEST`.
    Test,
}

impl Split {
    /// The folder's name.
    pub fn name(self) -> String {
        match self {
            Self::Train(number) => format!("TRAIN_{number}"),
            Self::Test => "TEST".to_owned(),
        }
    }
}

/// Where the frames of `video` lie below the root: `TRAIN_0/zips/<video>.zip`.
pub fn zip_path(split: Split, video: &str) -> String {
    format!("{}/zips/{video}.zip", split.name())
}

/// Where the boxes of `video` lie below the root: `TRAIN_0/anno/<video>.txt`.
pub fn anno_path(split: Split, video: &str) -> String {
    format!("{}/anno/{video}.txt", split.name())
}

/// The name of frame `frame_index` in its zip.
pub fn member_name(frame_index: u64) -> String {
    format!("{frame_index}.jpg")
}

/// The text of boxes: a line a frame, of which [`Split::Test`] has the first alone.
///
/// A frame without its object is `0,0,0,0`: [`vidpairs_source::annotations`] reads that as no box, and remarks how many
/// there are. Numbers are the shortest that read back as the same `f64`.
///
/// # Examples
/// ```
/// use vidpairs_synth::layout::trackingnet::{Split, anno_text};
///
/// let boxes = [Some([1.0, 2.5, 30.0, 40.0].into()), None];
/// assert_eq!(anno_text(Split::Train(0), &boxes), "1,2.5,30,40\n0,0,0,0\n");
/// assert_eq!(anno_text(Split::Test, &boxes), "1,2.5,30,40\n");
/// ```
pub fn anno_text(split: Split, boxes: &[Option<BoxXywh>]) -> String {
    let num_lines = match split {
        Split::Train(_) => boxes.len(),
        Split::Test => 1,
    };
    let lines = boxes.iter().take(num_lines);
    lines
        .map(|bbox| {
            let [x, y, w, h] = bbox.map_or([0.0; 4], <[f64; 4]>::from);
            format!("{x},{y},{w},{h}\n")
        })
        .collect()
}

/// Why a zip of frames could not be written. What was written so far is not a whole file: remove it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameZipError {
    /// The file cannot be created. Stop.
    #[error("cannot create the zip")]
    Create(#[source] io::Error),
    /// The disk is full, or a frame is above 4 GiB. Stop.
    #[error("cannot write frame {frame_index}, {len} bytes")]
    Frame {
        /// Place in the video, from 0.
        frame_index: u64,
        /// Of its JPEG.
        len: usize,
        /// The library's word.
        #[source]
        source: zip::result::ZipError,
    },
    /// The disk is full. Stop.
    #[error("cannot write the directory of {num_frames} frames")]
    Directory {
        /// Frames in the zip.
        num_frames: u64,
        /// The library's word.
        #[source]
        source: zip::result::ZipError,
    },
}

/// A zip of frames in the making: JPEGs as they are, one after the other.
///
/// Written under the name given, so give it a temporary one and rename it once [`finish`](FrameZip::finish) has said
/// that it is whole: one that is dropped before may well look whole, with the frames that it got. The bytes are a function of the JPEGs: every member is dated 1 January 1980 and has the
/// permissions 644.
pub struct FrameZip {
    // Dropped before the zip.
    give_up: GiveUp,
    zip: ZipWriter<ZipFile>,
    num_frames: u64,
}

impl FrameZip {
    /// Creates the file.
    ///
    /// # Errors
    /// [`FrameZipError::Create`].
    pub fn create(path: &Path) -> Result<Self, FrameZipError> {
        let file = File::create(path).map_err(FrameZipError::Create)?;
        let is_given_up = Arc::new(AtomicBool::new(false));
        let file = ZipFile {
            file: BufWriter::new(file),
            position: 0,
            is_given_up: Arc::clone(&is_given_up),
        };
        Ok(Self {
            give_up: GiveUp(is_given_up),
            zip: ZipWriter::new(file),
            num_frames: 0,
        })
    }

    /// Adds the next frame.
    ///
    /// # Errors
    /// [`FrameZipError::Frame`].
    pub fn push(&mut self, jpeg: &[u8]) -> Result<(), FrameZipError> {
        let frame_index = self.num_frames;
        let failed = |source| FrameZipError::Frame {
            frame_index,
            len: jpeg.len(),
            source,
        };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o644);
        let name = member_name(frame_index);
        self.zip.start_file(name, options).map_err(failed)?;
        self.zip
            .write_all(jpeg)
            .map_err(|error| failed(error.into()))?;
        self.num_frames += 1;
        Ok(())
    }

    /// Writes the directory; gives the number of frames.
    ///
    /// # Errors
    /// [`FrameZipError::Directory`].
    pub fn finish(self) -> Result<u64, FrameZipError> {
        let Self {
            give_up: _give_up,
            zip,
            num_frames,
        } = self;
        let failed = |source| FrameZipError::Directory { num_frames, source };
        let mut file = zip.finish().map_err(failed)?;
        file.flush().map_err(|error| failed(error.into()))?;
        Ok(num_frames)
    }
}

/// Gives up its zip when it is dropped.
struct GiveUp(Arc<AtomicBool>);

impl Drop for GiveUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The file of a zip. Given up, or after an error, it takes all that is written and keeps nothing: the library
/// ends a zip that is dropped with its directory, and complains on stderr where the disk is full.
struct ZipFile {
    file: BufWriter<File>,
    position: u64,
    is_given_up: Arc<AtomicBool>,
}

impl ZipFile {
    fn unless_given_up(
        &mut self,
        act: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.is_given_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        let acted = act(&mut self.file);
        self.is_given_up.store(acted.is_err(), Ordering::Relaxed);
        acted
    }
}

impl Write for ZipFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_given_up(|file| file.write_all(bytes))?;
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_given_up(Write::flush)
    }
}

impl Seek for ZipFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
            SeekFrom::End(_) => self.position,
        };
        self.unless_given_up(|file| {
            position = file.seek(to)?;
            Ok(())
        })?;
        self.position = position;
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn paths_are_those_of_the_release() {
        let split = Split::Train(11);
        assert_eq!(zip_path(split, "-a_0"), "TRAIN_11/zips/-a_0.zip");
        assert_eq!(anno_path(Split::Test, "_b_1"), "TEST/anno/_b_1.txt");
    }

    #[test]
    fn members_are_numbered_from_0_stored_as_they_are_and_the_same_every_time() {
        let folder = tempfile::tempdir().unwrap();
        let jpegs: Vec<Vec<u8>> = (0..12u8).map(|byte| vec![byte; 100]).collect();
        let [first, second] = ["first", "second"].map(|name| {
            let path = folder.path().join(name);
            let mut zip = FrameZip::create(&path).unwrap();
            for jpeg in &jpegs {
                zip.push(jpeg).unwrap();
            }
            assert_eq!(zip.finish().unwrap(), 12);
            std::fs::read(path).unwrap()
        });
        assert_eq!(first, second);
        let mut zip = zip::ZipArchive::new(Cursor::new(first)).unwrap();
        for (index, jpeg) in jpegs.iter().enumerate() {
            let mut member = zip.by_index(index).unwrap();
            assert_eq!(member.name().unwrap(), format!("{index}.jpg"));
            assert_eq!(member.compression(), CompressionMethod::Stored);
            assert_eq!(member.unix_mode(), Some(0o100_644));
            let mut bytes = Vec::new();
            io::copy(&mut member, &mut bytes).unwrap();
            assert_eq!(&bytes, jpeg);
        }
    }

    #[test]
    fn a_disk_that_is_full_is_an_error_by_the_end_at_the_latest() {
        let mut zip = FrameZip::create(Path::new("/dev/full")).unwrap();
        let pushed = zip.push(&[0; 100_000]);
        assert!(pushed.is_err() || zip.finish().is_err());
    }
}
