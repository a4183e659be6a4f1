//! Clips: videos of a source, with the places of their frames and boxes.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ImageObjects;

/// Layout of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Video files, folders of pictures and zips of pictures, anywhere below a folder or in a list of paths.
    Videos,
    /// TrackingNet as distributed.
    TrackingNet,
    /// GOT-10k as distributed.
    Got10k,
    /// Still images, anywhere below a folder.
    Images,
    /// MSCOCO as distributed: still images, and boxes in `annotations/instances_<split>.json`.
    Coco,
    /// Pascal VOC as distributed, of one year or several: still images, and boxes in `Annotations/<image>.xml`.
    Voc,
}

impl SourceKind {
    /// The kind of this [name](Self::name); `None` for a name of another program.
    pub fn named(name: &str) -> Option<Self> {
        use SourceKind::{Coco, Got10k, Images, TrackingNet, Videos, Voc};
        let mut kinds = [Videos, TrackingNet, Got10k, Images, Coco, Voc].into_iter();
        kinds.find(|kind| kind.name() == name)
    }

    /// Whether each clip is a single still image.
    pub fn has_stills(self) -> bool {
        matches!(self, Self::Images | Self::Coco | Self::Voc)
    }

    /// Whether the data set has boxes of the objects in its still images.
    pub fn has_objects(self) -> bool {
        matches!(self, Self::Coco | Self::Voc)
    }

    /// Name in pipeline files and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Videos => "videos",
            Self::TrackingNet => "trackingnet",
            Self::Got10k => "got10k",
            Self::Images => "images",
            Self::Coco => "coco",
            Self::Voc => "voc",
        }
    }
}

/// Extensions of pictures that can be frames, in lower case.
pub const STILL_EXTENSIONS: [&str; 7] = ["bmp", "jpeg", "jpg", "png", "tif", "tiff", "webp"];

/// Folders of operating systems, archive programs and media servers. Their pictures are not frames, and their videos are copies or
/// deleted.
const LEFT_OUT_FOLDERS: [&str; 12] = [
    "#recycle",
    "$recycle.bin",
    "@eadir",
    "@recycle",
    "@recently-snapshot",
    "__macosx",
    "extrafanart",
    "extrathumbs",
    "lost+found",
    "system volume information",
    "thumbnails",
    "thumbs",
];

/// Whether a file name is that of a picture that can be a frame, by its extension.
pub fn is_still_name(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| {
        let mut known = STILL_EXTENSIONS.iter();
        known.any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Whether a folder of this name holds no clips: it is hidden (with a leading `.`), or made by an operating system, an archive
/// program or a media server, such as `@eaDir` and `__MACOSX`.
pub fn is_left_out_folder(name: &str) -> bool {
    let is_hidden = name.starts_with('.') && ![".", ".."].contains(&name);
    let mut known = LEFT_OUT_FOLDERS.iter();
    is_hidden || known.any(|known| name.eq_ignore_ascii_case(known))
}

/// Location and format of the frames of a clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// Video file in a container that FFmpeg reads.
    Video(PathBuf),
    /// One still image: a clip of one frame.
    Still(PathBuf),
    /// Folder of pictures. The numbers in their names give the order of the frames.
    JpegFolder {
        /// Path of the folder.
        path: PathBuf,
        /// Frames per second, if the data set states it.
        fps: Option<f64>,
        /// Number in the name of frame 0, if the data set states it. Otherwise the lowest number is frame 0.
        first_number: Option<u64>,
    },
    /// Zip of pictures. The numbers in their names give the order of the frames.
    JpegZip {
        /// Path of the zip file.
        path: PathBuf,
        /// Frames per second, if the data set states it.
        fps: Option<f64>,
        /// Number in the name of frame 0, if the data set states it. Otherwise the lowest number is frame 0.
        first_number: Option<u64>,
    },
}

impl Media {
    /// Path of the file or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path)
            | Self::Still(path)
            | Self::JpegFolder { path, .. }
            | Self::JpegZip { path, .. } => path,
        }
    }
}

/// Location and format of the boxes of a clip. They are read when the clip is processed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Annotation {
    /// No boxes.
    None,
    /// TrackingNet file `anno/<video>.txt`.
    TrackingNet(PathBuf),
    /// GOT-10k sequence folder with `groundtruth.txt` and label files.
    Got10k(PathBuf),
    /// Pascal VOC file `Annotations/<image>.xml` with the objects of a still image.
    Voc(PathBuf),
    /// Objects of a still image, read already: MSCOCO has one file for all images.
    Objects(Arc<ImageObjects>),
}

/// One video of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// Stable name, unique in its source and the same on every machine: the path below the root, with `/` as
    /// separator, or the name in the data set.
    pub id: String,
    /// Location of the frames.
    pub media: Media,
    /// Location of the boxes.
    pub annotation: Annotation,
    /// Class of the object, if a list of the source states it.
    pub label: Option<String>,
}

impl Clip {
    /// Every path of the clip: that of its media, then that of its annotation.
    pub fn paths(&self) -> Vec<&Path> {
        let annotation = match &self.annotation {
            Annotation::None | Annotation::Objects(_) => None,
            Annotation::TrackingNet(path) | Annotation::Got10k(path) | Annotation::Voc(path) => {
                Some(path.as_path())
            }
        };
        [self.media.path()].into_iter().chain(annotation).collect()
    }

    /// The same clip with every path replaced by `place` of it.
    #[must_use]
    pub fn with_paths(mut self, place: impl Fn(&Path) -> PathBuf) -> Self {
        let (Media::Video(path)
        | Media::Still(path)
        | Media::JpegFolder { path, .. }
        | Media::JpegZip { path, .. }) = &mut self.media;
        *path = place(path);
        match &mut self.annotation {
            Annotation::None | Annotation::Objects(_) => {}
            Annotation::TrackingNet(path) | Annotation::Got10k(path) | Annotation::Voc(path) => {
                *path = place(path);
            }
        }
        self
    }

    /// The clip after its files were copied from the folder `from` to the folder `to`, under the same names. Paths that do not lie below
    /// `from`, or that leave it by `..`, stay as they are.
    ///
    /// # Examples
    /// ```
    /// # use std::path::Path;
    /// # use vidpairs_types::{Annotation, Clip, Media};
    /// let clip = Clip {
    ///     id: "cats/tom.mp4".to_owned(),
    ///     media: Media::Video("s3://bucket/cats/tom.mp4".into()),
    ///     annotation: Annotation::None,
    ///     label: None,
    /// };
    /// let fetched = clip.moved(Path::new("s3://bucket"), Path::new("/tmp/7"));
    /// assert_eq!(fetched.media.path(), Path::new("/tmp/7/cats/tom.mp4"));
    /// ```
    #[must_use]
    pub fn moved(self, from: &Path, to: &Path) -> Self {
        self.with_paths(|path| moved_path(path, from, to))
    }
}

/// Whether a path, joined to a folder, leads to a place in it: it is relative and has no `..`.
pub fn stays_below(path: &Path) -> bool {
    let mut parts = path.components();
    parts.all(|part| matches!(part, Component::Normal(_)))
}

fn moved_path(path: &Path, from: &Path, to: &Path) -> PathBuf {
    let below = path.strip_prefix(from).ok();
    match below.filter(|below| stays_below(below)) {
        None => path.to_owned(),
        // Joined to nothing, a path gets a slash at its end.
        Some(below) if below.as_os_str().is_empty() => to.to_owned(),
        Some(below) => to.join(below),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_paths_of_a_clip_move_and_none_leaves_the_folder() {
        let clip = |media: &str, annotation: &str| Clip {
            id: "a".to_owned(),
            media: Media::JpegZip {
                path: media.into(),
                fps: Some(30.0),
                first_number: Some(0),
            },
            annotation: Annotation::TrackingNet(annotation.into()),
            label: None,
        };
        let moved = |media, annotation| {
            clip(media, annotation).moved(Path::new("s3://b/set"), Path::new("/tmp/1"))
        };
        assert_eq!(
            moved("s3://b/set/zips/a.zip", "s3://b/set/anno/a.txt"),
            clip("/tmp/1/zips/a.zip", "/tmp/1/anno/a.txt")
        );
        for elsewhere in ["s3://b/set2/a.txt", "s3://b/set/../a.txt", "/data/a.txt"] {
            assert_eq!(
                moved("s3://b/set/a b#%.zip", elsewhere),
                clip("/tmp/1/a b#%.zip", elsewhere)
            );
        }
        let root = moved("s3://b/set", "s3://b/set/x/a.txt");
        assert_eq!(root.media.path().to_str(), Some("/tmp/1"));
    }
}
