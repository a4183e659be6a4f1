//! Reads backdrops from a folder: photographs, and parts of videos.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::imageops::FilterType;
use rand::RngExt;
use rand::seq::SliceRandom;
use vidpairs_extract::crop::Cropper;
use vidpairs_extract::decode::{self, DecodeError};
use vidpairs_image::still;
use vidpairs_source::{SourceError, SourceOptions};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, RgbImage, Seed, SizePx, SourceKind, is_still_name};
use walkdir::{DirEntry, WalkDir};

use super::{BackdropError, Unreadable, with_margin};

/// Maximum size of the frames of one backdrop, bytes. [`Frames::behind`](super::Frames::behind) repeats them as needed.
const MAX_BYTES: u64 = 128 << 20;

/// Pictures and videos of a folder.
#[derive(Debug)]
pub struct Collection {
    root: PathBuf,
    pictures: Vec<PathBuf>,
    videos: Vec<PathBuf>,
}

impl Collection {
    /// Lists the pictures and videos in `root` and its subfolders, sorted by name. Every file with one of the
    /// [extensions of pictures](vidpairs_types::STILL_EXTENSIONS) counts as a photograph. Hidden files and folders and the folder `leave_out` are skipped.
    ///
    /// # Errors
    /// [`BackdropError`] if the folder cannot be listed, or holds no picture and no video.
    pub fn list(root: &Path, leave_out: Option<&Path>) -> Result<Self, BackdropError> {
        let mut pictures = Vec::new();
        let is_left_out = |path: &Path| leave_out.is_some_and(|own| path.starts_with(own));
        let is_shown = |entry: &DirEntry| {
            let is_hidden =
                entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
            !is_hidden && !is_left_out(entry.path())
        };
        let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(is_shown) {
            let entry = match entry {
                Ok(entry) => entry,
                // Subfolders that cannot be read are skipped.
                Err(err) if err.depth() > 0 => continue,
                Err(err) => {
                    return Err(BackdropError::List {
                        root: root.to_owned(),
                        source: err
                            .into_io_error()
                            .unwrap_or_else(|| std::io::Error::other("a loop of links")),
                    });
                }
            };
            let is_picture = is_still_name(&entry.file_name().to_string_lossy());
            if is_picture && entry.file_type().is_file() {
                pictures.push(entry.into_path());
            }
        }
        let options = SourceOptions {
            kind: SourceKind::Videos,
            splits: Vec::new(),
        };
        let clips = match vidpairs_source::list(root, &options) {
            Ok(listing) => listing.clips,
            Err(SourceError::NoClips { .. }) => Vec::new(),
            Err(err) => return Err(err.into()),
        };
        let own_video = |media: Media| match media {
            Media::Video(path) if !is_left_out(&path) => Some(path),
            _ => None,
        };
        let videos: Vec<PathBuf> = clips
            .into_iter()
            .filter_map(|clip| own_video(clip.media))
            .collect();
        if pictures.is_empty() && videos.is_empty() {
            return Err(BackdropError::Nothing(root.to_owned()));
        }
        Ok(Self {
            root: root.to_owned(),
            pictures,
            videos,
        })
    }

    /// Names of all files, as paths below the root.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |path: &PathBuf| {
            let below = path.strip_prefix(&self.root).unwrap_or(path);
            below.to_string_lossy().into_owned()
        };
        self.pictures.iter().chain(&self.videos).map(name).collect()
    }

    /// Draws a picture, or up to `num_frames` frames of a video, that covers images of `size`.
    pub(super) fn draw(
        &self,
        seed: Seed,
        size: SizePx,
        num_frames: u64,
        heartbeat: &Arc<Heartbeat>,
        unreadable: &mut Vec<Unreadable>,
    ) -> Result<Vec<RgbImage>, BackdropError> {
        let mut rng = seed.rng();
        // Pictures and videos are equally probable, whatever their numbers. If all files of the drawn type are
        // damaged, the other type is used.
        let mut pictures: Vec<_> = self.pictures.iter().map(|path| (path, false)).collect();
        let mut videos: Vec<_> = self.videos.iter().map(|path| (path, true)).collect();
        pictures.shuffle(&mut rng);
        videos.shuffle(&mut rng);
        // A single image needs no video.
        let is_video = num_frames > 1 && rng.random_range(0.0..1.0) < 0.5;
        let order = if is_video {
            [videos, pictures]
        } else {
            [pictures, videos]
        }
        .concat();
        let start = rng.random_range(0.0..1.0);
        let num_tried = order.len();
        for (path, is_video) in order {
            let read = if is_video {
                read_video(path, start, size, num_frames, heartbeat)
            } else {
                read_picture(path, size).map(|picture| vec![picture])
            };
            heartbeat.beat();
            match read {
                Err(why) if !matches!(why, BackdropError::Video(DecodeError::Stopped)) => {
                    let path = path.clone();
                    unreadable.push(Unreadable { path, why });
                }
                done => return done,
            }
        }
        Err(BackdropError::NoneLeft { num_tried })
    }
}

/// Reads a picture and shrinks it to just cover an image of `size` with its margin.
fn read_picture(path: &Path, size: SizePx) -> Result<RgbImage, BackdropError> {
    let bytes = still::read_file(path).map_err(BackdropError::File)?;
    let picture = still::decode(&bytes)?;
    let wanted = (picture.size).shrunk_to_short_side(covering_short_side(picture.size, size));
    if wanted == picture.size {
        return Ok(picture);
    }
    let SizePx { width, height } = picture.size;
    let picture = image::RgbImage::from_raw(width, height, picture.pixels)
        .expect("a decoded picture has three samples per pixel");
    let scaled =
        image::imageops::resize(&picture, wanted.width, wanted.height, FilterType::Triangle);
    Ok(RgbImage {
        size: wanted,
        pixels: scaled.into_raw(),
    })
}

/// Reads consecutive frames of a video, shrunk as by [`read_picture`]: `num_frames` if the video has them and they fit
/// into memory.
///
/// - `start`: position of the first frame, as a share of the possible positions, `0.0..1.0`.
fn read_video(
    path: &Path,
    start: f64,
    size: SizePx,
    num_frames: u64,
    heartbeat: &Arc<Heartbeat>,
) -> Result<Vec<RgbImage>, BackdropError> {
    let media = Media::Video(path.to_owned());
    let index = decode::index(&media, heartbeat)?;
    let short_side = covering_short_side(index.frame_size(), size);
    let frame_bytes = 3 * index.frame_size().shrunk_to_short_side(short_side).area();
    let count = num_frames
        .min(index.num_frames())
        .min(MAX_BYTES / frame_bytes.max(1))
        .max(1);
    let first = ((index.num_frames() - count) as f64 * start) as u64;
    let wanted: Vec<u64> = (first..first + count).collect();
    let (mut cropper, mut cropped) = (Cropper::default(), Vec::new());
    decode::decode_wanted(&media, &index, &wanted, heartbeat, &mut |frame| {
        cropped.push(cropper.crop(&frame.planes, None, short_side));
        match cropped.last() {
            Some(Err(_)) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })?;
    if cropped.is_empty() {
        let num_packets = index.num_frames();
        return Err(DecodeError::NoFrame { num_packets }.into());
    }
    let pictures: Result<_, _> = cropped.into_iter().collect();
    Ok(pictures?)
}

/// Short side at which a picture of size `stored` just covers an image of `size` with its margin.
fn covering_short_side(stored: SizePx, size: SizePx) -> u32 {
    let wanted = with_margin(size);
    let scale = f64::max(
        f64::from(wanted.width) / f64::from(stored.width.max(1)),
        f64::from(wanted.height) / f64::from(stored.height.max(1)),
    );
    ((f64::from(stored.short_side()) * scale).ceil() as u32).max(1)
}
