//! Backdrops out of a folder: photographs, and stretches of real video.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader};
use rand::RngExt;
use rand::seq::SliceRandom;
use vidpairs_extract::crop::Cropper;
use vidpairs_extract::decode::{self, DecodeError};
use vidpairs_source::{SourceError, SourceOptions};
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, RgbImage, Seed, SizePx, SourceKind};
use walkdir::{DirEntry, WalkDir};

use super::{BackdropError, Unreadable, with_margin};

/// Endings of files that are taken as photographs.
const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "bmp"];
/// Bytes of the frames of one backdrop that are kept; a longer video is run to and fro.
const MAX_BYTES: u64 = 128 << 20;

/// The pictures and videos of a folder.
#[derive(Debug)]
pub struct Collection {
    root: PathBuf,
    pictures: Vec<PathBuf>,
    videos: Vec<PathBuf>,
}

impl Collection {
    /// Looks for pictures and videos in `root`, to the bottom, in the order of their names. Every JPEG, PNG and
    /// BMP is a photograph of its own, whatever folder it lies in. Hidden ones and those in `leave_out` don't count.
    ///
    /// # Errors
    /// [`BackdropError`] if the folder can't be listed or holds nothing.
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
                // What can't be entered below a good root holds nothing to draw from.
                Err(err) if err.depth() > 0 => continue,
                Err(err) => {
                    return Err(BackdropError::List {
                        root: root.to_owned(),
                        source: err
                            .into_io_error()
                            .unwrap_or_else(|| std::io::Error::other("a circle of links")),
                    });
                }
            };
            let extension = entry.path().extension().map(|it| it.to_ascii_lowercase());
            let is_picture = PICTURES
                .iter()
                .any(|name| extension.as_ref().is_some_and(|it| it == name));
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
        let videos = clips.into_iter().filter_map(|clip| match clip.media {
            Media::Video(path) if !is_left_out(&path) => Some(path),
            _ => None,
        });
        let videos: Vec<PathBuf> = videos.collect();
        if pictures.is_empty() && videos.is_empty() {
            return Err(BackdropError::Nothing(root.to_owned()));
        }
        Ok(Self {
            root: root.to_owned(),
            pictures,
            videos,
        })
    }

    /// Names below the root, with `/` between their parts.
    pub(super) fn names(&self) -> Vec<String> {
        let paths = self.pictures.iter().chain(&self.videos);
        let name = |path: &PathBuf| {
            path.strip_prefix(&self.root)
                .unwrap_or(path)
                .to_string_lossy()
                .into_owned()
        };
        paths.map(name).collect()
    }

    pub(super) fn draw(
        &self,
        seed: Seed,
        size: SizePx,
        num_frames: u64,
        heartbeat: &Arc<Heartbeat>,
        unreadable: &mut Vec<Unreadable>,
    ) -> Result<Vec<RgbImage>, BackdropError> {
        let mut rng = seed.rng();
        // A picture or a video, as often the one as the other, however many there are of each; where
        // the chosen sort is all damaged, the other.
        let pictures = self.pictures.iter().map(|path| (path, false));
        let videos = self.videos.iter().map(|path| (path, true));
        let (mut pictures, mut videos): (Vec<_>, Vec<_>) = (pictures.collect(), videos.collect());
        pictures.shuffle(&mut rng);
        videos.shuffle(&mut rng);
        // One image needs no video to stand before.
        let is_video = num_frames > 1 && rng.random_range(0.0..1.0) < 0.5;
        let order = if is_video {
            [videos, pictures]
        } else {
            [pictures, videos]
        };
        let start = rng.random_range(0.0..1.0);
        let mut num_tried = 0;
        for (path, is_video) in order.into_iter().flatten() {
            let read = if is_video {
                read_video(path, start, size, num_frames, heartbeat)
            } else {
                read_picture(path, size).map(|picture| vec![picture])
            };
            heartbeat.beat();
            match read {
                Ok(pictures) => return Ok(pictures),
                Err(BackdropError::Video(DecodeError::Stopped)) => {
                    return Err(DecodeError::Stopped.into());
                }
                Err(why) => unreadable.push(Unreadable {
                    path: path.clone(),
                    why,
                }),
            }
            num_tried += 1;
        }
        Err(BackdropError::NoneLeft { num_tried })
    }
}

fn read_picture(path: &Path, size: SizePx) -> Result<RgbImage, BackdropError> {
    let read = || -> image::ImageResult<image::RgbImage> {
        let reader = ImageReader::open(path)?.with_guessed_format()?;
        let mut decoder = reader.into_decoder()?; // the library's own limits hold: 512 MiB
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation); // phones store pictures as they were held
        Ok(picture.into_rgb8())
    };
    let picture = read().map_err(BackdropError::Picture)?;
    let stored = SizePx {
        width: picture.width(),
        height: picture.height(),
    };
    let wanted = stored.shrunk_to_short_side(covering_short_side(stored, size));
    let picture = if wanted == stored {
        picture
    } else {
        image::imageops::resize(&picture, wanted.width, wanted.height, FilterType::Triangle)
    };
    Ok(RgbImage {
        size: wanted,
        pixels: picture.into_raw(),
    })
}

/// As many frames as are wanted, or fit, from `start` (a share of what there is to choose from) on.
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
    let (mut cropper, mut pictures, mut failed) = (Cropper::default(), Vec::new(), None);
    decode::decode_wanted(&media, &index, &wanted, heartbeat, &mut |frame| {
        match cropper.crop(&frame.planes, None, short_side) {
            Ok(picture) => pictures.push(picture),
            Err(err) => {
                failed = Some(err);
                return std::ops::ControlFlow::Break(());
            }
        }
        std::ops::ControlFlow::Continue(())
    })?;
    match failed {
        Some(err) => Err(err.into()),
        None if pictures.is_empty() => {
            let num_packets = index.num_frames();
            Err(DecodeError::NoFrame { num_packets }.into())
        }
        None => Ok(pictures),
    }
}

/// The short side of `stored` at which it just covers an image of `size` and its margin.
fn covering_short_side(stored: SizePx, size: SizePx) -> u32 {
    let wanted = with_margin(size);
    let scale = f64::max(
        f64::from(wanted.width) / f64::from(stored.width.max(1)),
        f64::from(wanted.height) / f64::from(stored.height.max(1)),
    );
    ((f64::from(stored.short_side()) * scale).ceil() as u32).max(1)
}
