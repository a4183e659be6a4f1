//! Layout of TrackingNet: a ZIP of JPEGs and a text file of boxes per video.
//!
//! From the release (its README, and the loader that reads it, [`vidpairs_source`]): `TRAIN_0` to `TRAIN_11` and `TEST`
//! hold `zips/<video>.zip` and `anno/<video>.txt`; a ZIP holds the frames as `0.jpg`, `1.jpg` and so on, without padding;
//! a line of boxes is `x,y,w,h`, and `TEST` has the first box only. Our choice: the line of a frame in which the object is
//! not visible, and numbers as short as possible.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use vidpairs_types::{ArchiveOutput, BoxXywh, InUse, create_fresh};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Folder of the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `TRAIN_<number>`; 0 to 11 in the release.
    Train(u32),
    /// `TEST`.
    Test,
}

impl Split {
    /// Name of the folder.
    pub fn name(self) -> String {
        match self {
            Self::Train(number) => format!("TRAIN_{number}"),
            Self::Test => "TEST".to_owned(),
        }
    }
}

/// Path of the frames of `video` below the root: `TRAIN_0/zips/<video>.zip`.
pub fn zip_path(split: Split, video: &str) -> String {
    format!("{}/zips/{video}.zip", split.name())
}

/// Path of the boxes of `video` below the root: `TRAIN_0/anno/<video>.txt`.
pub fn anno_path(split: Split, video: &str) -> String {
    format!("{}/anno/{video}.txt", split.name())
}

/// Name of frame `frame_index`, from 0, in its ZIP.
pub fn member_name(frame_index: u64) -> String {
    format!("{frame_index}.jpg")
}

/// Content of the file of boxes: a line per frame, or only the first for [`Split::Test`].
///
/// A frame without a box gets `0,0,0,0`: [`vidpairs_source::annotations`] reads that as no box, and counts such lines in a
/// remark. Numbers are the shortest that read back as the same `f64`.
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
    let lines = boxes.iter().take(num_lines).map(|bbox| {
        let [x, y, w, h] = bbox.map_or([0.0; 4], <[f64; 4]>::from);
        format!("{x},{y},{w},{h}\n")
    });
    lines.collect()
}

/// Why a ZIP of frames could not be written. The file is incomplete: remove it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameZipError {
    /// The file cannot be created. Stop.
    #[error("cannot create the zip")]
    Create(#[source] io::Error),
    /// The disk is full, or a frame is larger than 4 GiB. Stop.
    #[error("cannot write frame {frame_index}, {len} bytes")]
    Frame {
        /// Frame index in the video, from 0.
        frame_index: u64,
        /// Size of the JPEG, bytes.
        len: usize,
        /// Error of the ZIP library.
        #[source]
        source: ZipError,
    },
    /// The disk is full. Stop.
    #[error("cannot write the directory of {num_frames} frames")]
    Directory {
        /// Number of frames in the ZIP.
        num_frames: u64,
        /// Error of the ZIP library.
        #[source]
        source: ZipError,
    },
}

/// Writes a ZIP of frames: uncompressed JPEGs, one after the other.
///
/// The file is complete only after [`finish`](FrameZip::finish): write it under a temporary name and rename it then. The
/// bytes depend on the JPEGs alone: every member is dated 1 January 1980 and has the permissions 644.
pub struct FrameZip {
    // Dropped before `zip`, so that `zip` writes nothing when it is dropped.
    in_use: InUse,
    zip: ZipWriter<ArchiveOutput<BufWriter<File>>>,
    num_frames: u64,
}

impl FrameZip {
    /// Creates the file.
    ///
    /// # Errors
    /// [`FrameZipError::Create`].
    pub fn create(path: &Path) -> Result<Self, FrameZipError> {
        let file = create_fresh(path).map_err(FrameZipError::Create)?;
        let (output, in_use) = ArchiveOutput::new(BufWriter::new(file));
        Ok(Self {
            in_use,
            zip: ZipWriter::new(output),
            num_frames: 0,
        })
    }

    /// Appends the next frame.
    ///
    /// # Errors
    /// [`FrameZipError::Frame`].
    pub fn push(&mut self, jpeg: &[u8]) -> Result<(), FrameZipError> {
        let frame_index = self.num_frames;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o644);
        let started = self.zip.start_file(member_name(frame_index), options);
        started
            .and_then(|()| Ok(self.zip.write_all(jpeg)?))
            .map_err(|source| FrameZipError::Frame {
                frame_index,
                len: jpeg.len(),
                source,
            })?;
        self.num_frames += 1;
        Ok(())
    }

    /// Writes the directory; returns the number of frames.
    ///
    /// # Errors
    /// [`FrameZipError::Directory`].
    pub fn finish(self) -> Result<u64, FrameZipError> {
        let Self {
            in_use: _in_use, // kept until the end
            zip,
            num_frames,
        } = self;
        let finished = zip.finish().and_then(|mut file| Ok(file.flush()?));
        finished.map_err(|source| FrameZipError::Directory { num_frames, source })?;
        Ok(num_frames)
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
    fn members_are_numbered_from_0_uncompressed_and_equal_in_every_run() {
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
}
