//! Indexes and decodes clips whose frames are pictures in a folder or a zip. Their content decides how they are decoded.

mod names;
mod numbers;
mod store;
mod times;
mod version;
mod zipped;

pub(super) use numbers::ImagesIndex;
pub(super) use store::{PictureFolder, PictureStore};
pub(super) use version::ZipVersion;
pub(super) use zipped::{decode_zip, index_zip};

use std::ops::ControlFlow;

use vidpairs_image::still::{self, StillError};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Frame, SizePx};

use super::Decoded;
use super::error::DecodeError;

/// Bytes of a picture that are read for its size first.
pub(super) const HEAD_BYTES: u64 = 64 << 10;

/// Orders the pictures of `store`, and reads the size of the first one with a readable header, upright.
///
/// - `first_number`: number in the name of frame 0; `None` for the lowest.
///
/// # Errors
/// [`DecodeError`] if the store cannot be read or holds no picture, if the names do not give an order, or none has a readable header.
pub(super) fn index(
    store: &mut dyn PictureStore,
    fps: Option<f64>,
    first_number: Option<u64>,
    heartbeat: &Heartbeat,
) -> Result<ImagesIndex, DecodeError> {
    beat(heartbeat)?;
    let mut index = ImagesIndex::new(store.names()?, fps, first_number)?;
    let mut first_error = None;
    for name in &index.names {
        // No beat: a clip of many pictures that cannot be read is not progress.
        stop_if_asked(heartbeat)?;
        match frame_size(store, name) {
            Ok(size) => {
                index.frame_size = size;
                return Ok(index);
            }
            Err(err) => first_error = first_error.or(Some(err)),
        }
    }
    Err(first_error.expect("a store without a picture is an error"))
}

/// See [`crate::decode::decode_wanted`]. A frame whose picture is damaged is lost.
pub(super) fn decode_wanted(
    store: &mut dyn PictureStore,
    index: &ImagesIndex,
    wanted: &[u64],
    heartbeat: &Heartbeat,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    let mut decoded = Decoded::default();
    for &frame in wanted {
        beat(heartbeat)?;
        let Some(name) = index.name(frame) else {
            continue;
        };
        let planes = match read(store, name, still::planes) {
            Ok(planes) => planes,
            Err(err) => {
                decoded.lost.push((frame, err));
                continue;
            }
        };
        decoded.num_frames += 1;
        let frame = Frame {
            index: frame,
            pts_seconds: index.pts_seconds(frame),
            planes,
        };
        if each(frame).is_break() {
            break;
        }
    }
    Ok(decoded)
}

/// Size of a picture. Nearly always its first bytes suffice.
fn frame_size(store: &mut dyn PictureStore, name: &str) -> Result<SizePx, DecodeError> {
    let head = store.read_head(name, HEAD_BYTES)?;
    match still::frame_size(&head) {
        Ok(size) => Ok(size),
        Err(_) => read(store, name, still::frame_size),
    }
}

/// Reports progress.
///
/// # Errors
/// [`DecodeError::Stopped`] if a stop is requested.
pub(super) fn beat(heartbeat: &Heartbeat) -> Result<(), DecodeError> {
    heartbeat.beat();
    stop_if_asked(heartbeat)
}

fn stop_if_asked(heartbeat: &Heartbeat) -> Result<(), DecodeError> {
    if heartbeat.should_stop() {
        return Err(DecodeError::Stopped);
    }
    Ok(())
}

/// Reads picture `name` and passes its bytes to `decode`.
pub(super) fn read<T>(
    store: &mut dyn PictureStore,
    name: &str,
    decode: fn(&[u8]) -> Result<T, StillError>,
) -> Result<T, DecodeError> {
    decode(&store.read(name)?).map_err(|source| DecodeError::Still {
        name: name.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::path::Path;

    use vidpairs_types::RgbImage;
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn write_zip(path: &Path, level: u8) {
        let size = SizePx::from([32, 32]);
        let pixels = vec![level; 32 * 32 * 3];
        let picture = vidpairs_image::jpeg::compress(&RgbImage { size, pixels }, 90).unwrap();
        let mut zip = ZipWriter::new(File::create(path).unwrap());
        for name in ["1.jpg", "2.jpg", "3.jpg"] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&picture).unwrap();
        }
        zip.finish().unwrap();
    }

    #[test]
    fn a_zip_that_is_replaced_after_its_index_or_during_decoding_is_reported_as_changed() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["a.zip", "b.zip"].map(|name| folder.path().join(name));
        let heartbeat = Heartbeat::default();
        write_zip(&path, 10);
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let (index, version) = index_zip(&path, None, None, &heartbeat).unwrap();
        let decode = |each: &mut dyn FnMut()| {
            decode_zip(
                &path,
                (&index, version),
                &[0, 1, 2],
                &heartbeat,
                &mut |_| {
                    each();
                    ControlFlow::Continue(())
                },
            )
        };
        assert_eq!(decode(&mut || {}).unwrap().num_frames, 3);
        let mut num_delivered = 0;
        let err = decode(&mut || {
            num_delivered += 1;
            // Of the same length and time: the time of the change of its inode tells.
            write_zip(&other, 10);
            let file = File::options().append(true).open(&other).unwrap();
            file.set_modified(modified).unwrap();
            fs::rename(&other, &path).unwrap();
        });
        assert!(matches!(err, Err(DecodeError::Changed { .. })), "{err:?}");
        assert_eq!(num_delivered, 3);
        let err = decode(&mut || panic!("a frame of a changed zip"));
        assert!(matches!(err, Err(DecodeError::Changed { .. })), "{err:?}");
        fs::write(&path, "no zip").unwrap();
        let err = decode(&mut || {});
        assert!(matches!(err, Err(DecodeError::Changed { .. })), "{err:?}");
    }
}
