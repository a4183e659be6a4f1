//! Reads images of a set, and encodes them for a browser.

use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use image::imageops::FilterType;
use vidpairs_extract::crop::{CropError, Cropper};
use vidpairs_extract::decode::{self, DecodeError};
use vidpairs_image::jpeg::{self, JpegError};
use vidpairs_run::RunError;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Media, Planes, RgbImage, SizePx, open_regular};

use super::choose::Image;
use crate::layout::trackingnet::member_name;
use crate::set::Settings;
use crate::truth::Truth;

/// Maximum size of a picture, bytes: a larger one is damaged or hostile.
const MAX_BYTES: u64 = 256 << 20;
/// JPEG quality of scaled pictures.
const SCALED_QUALITY: u8 = 85;

/// An encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampledPicture {
    /// `image/jpeg` or `image/png`.
    pub media_type: &'static str,
    /// Bytes of the set's own file, unless it is a frame of an .mp4 or the picture is scaled.
    pub bytes: Vec<u8>,
}

const JPEG: &str = "image/jpeg";
const PNG: &str = "image/png";

/// Why an image of a set cannot be shown. The page shows the reason in its place.
#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    /// The path leads out of the set.
    #[error("{0:?} is no path below the set")]
    Place(String),
    /// The file cannot be read.
    #[error("cannot read {name}")]
    Read { name: String, source: io::Error },
    /// The zip is damaged, or has no such frame.
    #[error("cannot read {member} of {name}")]
    Zip {
        name: String,
        member: String,
        source: zip::result::ZipError,
    },
    /// The video is damaged.
    #[error("cannot decode {name}")]
    Video {
        name: String,
        source: Arc<DecodeError>,
    },
    /// The video is too short.
    #[error("{name} has no frame {frame}")]
    NoFrame { name: String, frame: u64 },
    /// The JPEG is damaged, or the image cannot be encoded as JPEG.
    #[error("damaged JPEG")]
    Jpeg(#[from] JpegError),
    /// The PNG is damaged.
    #[error("damaged PNG")]
    Png(#[from] image::ImageError),
    /// The image cannot be scaled.
    #[error(transparent)]
    Crop(#[from] CropError),
    /// The image has another size than those of the set.
    #[error("size is {found}; expected {expected}")]
    Size { found: SizePx, expected: SizePx },
}

/// Reads images of one set.
pub(super) struct Reader<'a> {
    pub dir: &'a Path,
    pub settings: &'a Settings,
    pub heartbeat: Arc<Heartbeat>,
}

impl Reader<'_> {
    /// Reads the pictures of `images`, all of one group.
    ///
    /// # Errors
    /// [`RunError::Stopped`].
    pub fn read(
        &self,
        images: &[Image],
    ) -> Result<Vec<Result<SampledPicture, PictureError>>, RunError> {
        let first = images.first().map(|image| image[0].image.as_str());
        let pictures = match first.filter(|path| path.ends_with(".mp4")) {
            Some(mp4) => self.video_frames(mp4, images),
            None => images.iter().map(|image| self.file(&image[0])).collect(),
        };
        if self.heartbeat.should_stop() {
            return Err(RunError::Stopped);
        }
        Ok(pictures)
    }

    /// A file of its own, or a member of a zip; decoded to check it to its last byte.
    fn file(&self, truth: &Truth) -> Result<SampledPicture, PictureError> {
        let path = self.place(&truth.image)?;
        let bytes = match truth.frame {
            Some(frame) if truth.image.ends_with(".zip") => {
                member(&path, &truth.image, member_name(frame))?
            }
            _ => {
                let failed = failed(&truth.image);
                open_regular(&path).and_then(bounded).map_err(failed)?
            }
        };
        let media_type = if truth.image.ends_with(".png") {
            PNG
        } else {
            JPEG
        };
        let picture = SampledPicture { media_type, bytes };
        let found = match picture.decoded()? {
            Decoded::Planes(planes) => planes.stored_size,
            Decoded::Pixels(pixels) => [pixels.width(), pixels.height()].into(),
        };
        self.check_size(found)?;
        Ok(picture)
    }

    fn check_size(&self, found: SizePx) -> Result<(), PictureError> {
        let expected = self.settings.size;
        if found == expected {
            Ok(())
        } else {
            Err(PictureError::Size { found, expected })
        }
    }

    /// Frames of the video `name`, which is decoded once.
    fn video_frames(
        &self,
        name: &str,
        images: &[Image],
    ) -> Vec<Result<SampledPicture, PictureError>> {
        let frame_of = |image: &Image| image[0].frame.unwrap_or(0);
        let mut wanted: Vec<u64> = images.iter().map(frame_of).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let Ok(path) = self.place(name) else {
            let refused = |_: &Image| Err(PictureError::Place(name.to_owned()));
            return images.iter().map(refused).collect();
        };
        let mut found = Vec::new();
        let decoded = self
            .decode(&Media::Video(path), &wanted, &mut found)
            .map_err(Arc::new);
        let picture = |frame| {
            let name = name.to_owned();
            let place = found.iter().position(|(index, _)| *index == frame);
            match (place, &decoded) {
                (Some(place), _) => found.swap_remove(place).1,
                (None, Err(source)) => {
                    let source = Arc::clone(source);
                    Err(PictureError::Video { name, source })
                }
                (None, Ok(())) => Err(PictureError::NoFrame { name, frame }),
            }
        };
        images.iter().map(frame_of).map(picture).collect()
    }

    fn decode(
        &self,
        media: &Media,
        wanted: &[u64],
        found: &mut Vec<(u64, Result<SampledPicture, PictureError>)>,
    ) -> Result<(), DecodeError> {
        let index = decode::index(media, &self.heartbeat)?;
        let (mut cropper, size) = (Cropper::default(), self.settings.size);
        decode::decode_wanted(media, &index, wanted, &self.heartbeat, &mut |frame| {
            let picture = cropper.crop(&frame.planes, None, size.short_side());
            let picture = picture.map_err(PictureError::from).and_then(|picture| {
                self.check_size(picture.size)?;
                compressed(&picture, self.settings.quality)
            });
            found.push((frame.index, picture));
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    /// Path of the file `name`. Names come from a file, and must not lead out of the set.
    fn place(&self, name: &str) -> Result<PathBuf, PictureError> {
        let is_below = |part| matches!(part, Component::Normal(_));
        if name.is_empty() || !Path::new(name).components().all(is_below) {
            return Err(PictureError::Place(name.to_owned()));
        }
        Ok(self.dir.join(name))
    }
}

fn member(path: &Path, name: &str, member: String) -> Result<Vec<u8>, PictureError> {
    let file = open_regular(path).map_err(failed(name))?;
    let read = zip::ZipArchive::new(BufReader::new(file))
        .and_then(|mut archive| Ok(bounded(archive.by_name(&member)?)?));
    read.map_err(|source| PictureError::Zip {
        name: name.to_owned(),
        member,
        source,
    })
}

fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("larger than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

fn failed(name: &str) -> impl FnOnce(io::Error) -> PictureError {
    let name = name.to_owned();
    move |source| PictureError::Read { name, source }
}

fn compressed(picture: &RgbImage, quality: u8) -> Result<SampledPicture, PictureError> {
    Ok(SampledPicture {
        media_type: JPEG,
        bytes: jpeg::compress(picture, quality)?,
    })
}

/// Maximum size of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SideLimit {
    /// No limit: pictures as stored.
    Stored,
    /// Short side, px.
    Px(u32),
}

impl SideLimit {
    /// Limits to try, the largest first.
    pub const ALL: [Self; 4] = [Self::Stored, Self::Px(240), Self::Px(180), Self::SMALLEST];
    /// Objects can still be recognized.
    pub const SMALLEST: Self = Self::Px(120);

    pub fn px(self) -> Option<u32> {
        match self {
            Self::Stored => None,
            Self::Px(px) => Some(px),
        }
    }

    /// The picture, scaled to a JPEG of at most that size if there is a limit.
    pub fn apply(self, picture: SampledPicture) -> Result<SampledPicture, PictureError> {
        let Self::Px(short_side) = self else {
            return Ok(picture);
        };
        let pixels = match picture.decoded()? {
            Decoded::Planes(planes) => Cropper::default().crop(&planes, None, short_side)?,
            Decoded::Pixels(pixels) => scaled(pixels, short_side),
        };
        compressed(&pixels, SCALED_QUALITY)
    }
}

enum Decoded {
    Planes(Planes),
    Pixels(image::RgbImage),
}

impl SampledPicture {
    fn decoded(&self) -> Result<Decoded, PictureError> {
        if self.media_type == JPEG {
            return Ok(Decoded::Planes(jpeg::decompress(&self.bytes)?));
        }
        let format = image::ImageFormat::Png;
        let pixels = image::load_from_memory_with_format(&self.bytes, format)?;
        Ok(Decoded::Pixels(pixels.into_rgb8()))
    }
}

fn scaled(pixels: image::RgbImage, short_side: u32) -> RgbImage {
    let stored: SizePx = [pixels.width(), pixels.height()].into();
    let size = stored.shrunk_to_short_side(short_side);
    let pixels = if size == stored {
        pixels
    } else {
        image::imageops::resize(&pixels, size.width, size.height, FilterType::Triangle)
    };
    RgbImage {
        size,
        pixels: pixels.into_raw(),
    }
}
