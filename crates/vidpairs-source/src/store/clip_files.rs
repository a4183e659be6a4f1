//! Finds the objects of a clip.

use std::io;
use std::path::Path;

use vidpairs_types::{Annotation, Clip, Media, is_still_name};

use super::{ObjectTree, StoredObject, no_object};
use crate::error::SourceError;
use crate::files::is_hidden;
use crate::got10k::TRUTH_FILES;

impl ObjectTree {
    /// Every object that is read when the clip is processed: the video, image or zip, or the pictures of the folder; and its
    /// annotations. Each is there once, the media first. A clip that lies elsewhere, such as on a disk, has none, and a folder may
    /// be listed without a picture in it.
    ///
    /// # Errors
    /// [`SourceError::Unreadable`] if the clip lies in this tree, but its media is not there.
    pub fn files_of(&self, clip: &Clip) -> Result<Vec<StoredObject<'_>>, SourceError> {
        let path = clip.media.path();
        if self.name_of(path).is_none() {
            return Ok(Vec::new());
        }
        let unreadable = SourceError::unreadable(path);
        let mut files = match &clip.media {
            Media::Video(_) | Media::Still(_) | Media::JpegZip { .. } => {
                vec![
                    self.object(path)
                        .ok_or_else(no_object)
                        .map_err(unreadable)?,
                ]
            }
            Media::JpegFolder { path, .. } => self.pictures(path).map_err(unreadable)?,
        };
        match &clip.annotation {
            // The file of all objects was read by the listing.
            Annotation::None | Annotation::Objects(_) => {}
            Annotation::TrackingNet(file) | Annotation::Voc(file) => {
                files.extend(self.object(file));
            }
            Annotation::Got10k(folder) => {
                let truth = TRUTH_FILES.iter();
                files.extend(truth.filter_map(|name| self.object(&folder.join(name))));
            }
        }
        Ok(files)
    }

    /// Pictures directly in a folder.
    fn pictures(&self, folder: &Path) -> io::Result<Vec<StoredObject<'_>>> {
        let prefix = self.prefix_of(folder)?;
        let pictures = self.names.children(&prefix).filter_map(|child| {
            let is_frame = is_still_name(child.name) && !is_hidden(child.name);
            child.object.filter(|_| is_frame)
        });
        Ok(pictures.collect())
    }
}
