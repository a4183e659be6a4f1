//! Reads the objects of one class, with their images and viewpoints.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use vidpairs_types::{Condition, SizePx, is_still_name, with_causes};

use super::record::{self, Object};
use super::release::Release;
use crate::disk::{Disk, stored_size};
use crate::error::SourceError;
use crate::files::{self, Entry, Files, Kind};
use crate::image_sets::builder::{ConditionedImage, SetsBuilder};

/// Largest annotation file that is read, bytes. Compressed annotations have a few thousand, with masks perhaps a million.
const MAX_BYTES: u64 = 16 << 20;

/// Origin of images: the second part of a folder's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    ImageNet,
    Pascal,
}

/// Objects of an image to be used.
#[derive(Clone)]
enum Wanted {
    /// Objects with these indices, from 0.
    Indices(BTreeSet<usize>),
    /// All objects of the folder's class.
    OfClass,
}

impl Origin {
    const ALL: [Self; 2] = [Self::ImageNet, Self::Pascal];

    fn suffix(self) -> &'static str {
        match self {
            Self::ImageNet => "_imagenet",
            Self::Pascal => "_pascal",
        }
    }

    /// Class and origin of the images of a folder, by its name.
    pub(super) fn of_folder(name: &str) -> Option<(&str, Self)> {
        Self::ALL
            .into_iter()
            .find_map(|origin| Some((name.strip_suffix(origin.suffix())?, origin)))
            .filter(|(class, _)| !class.is_empty())
    }
}

/// View of an object: its cropped image, with bins of the viewpoint.
pub(super) struct View {
    /// Name under which the object is left out.
    pub(super) id: String,
    pub(super) image: ConditionedImage,
    pub(super) azimuth_bin: usize,
    /// `None` if the annotation states no elevation.
    pub(super) elevation_bin: Option<usize>,
}

impl View {
    /// View of `object` in the image `path` of size `size`, or the reason why it cannot be used.
    fn of(object: &Object, id: &str, path: &Path, size: SizePx) -> Result<Self, &'static str> {
        const NO_AZIMUTH: &str = "its azimuth_coarse is empty";
        let viewpoint = object.viewpoint.ok_or("its viewpoint is empty")?;
        let azimuth_bin = viewpoint.azimuth_bin().ok_or(NO_AZIMUTH)?;
        let (azimuth, elevation) = viewpoint.angles().ok_or(NO_AZIMUTH)?;
        let bbox = object.bbox().ok_or("its box is empty or not valid")?;
        let region = bbox.clipped(size).ok_or("its box lies outside the image")?;
        Ok(Self {
            id: id.to_owned(),
            image: ConditionedImage {
                path: path.to_owned(),
                region: Some(region),
                condition: Condition::View { azimuth, elevation },
            },
            azimuth_bin,
            elevation_bin: viewpoint.elevation_bin(),
        })
    }
}

/// Views of the objects of a class, in the order that the documentation of the parent module states.
pub(super) fn views(
    class: &str,
    release: &Release,
    sets: &mut SetsBuilder,
) -> Result<Vec<View>, SourceError> {
    let mut views = Vec::new();
    for origin in Origin::ALL {
        let folder = Folder::read(class, origin, release, sets)?;
        for (id, wanted) in folder.wanted(release, sets)? {
            let name = format!("{}/{id}", folder.name);
            match folder.views_of(&id, &name, &wanted, sets) {
                Ok(of_image) => views.extend(of_image),
                Err(reason) => sets.leave_out(name, reason),
            }
        }
    }
    Ok(views)
}

/// Annotations and images of a class from one origin.
struct Folder<'a> {
    /// Name of the folder, such as `car_imagenet`.
    name: String,
    class: &'a str,
    origin: Origin,
    /// Annotation files by id.
    annotations: BTreeMap<String, PathBuf>,
    /// Image files by id.
    images: HashMap<String, PathBuf>,
}

impl<'a> Folder<'a> {
    /// Lists both folders; a missing folder is empty.
    fn read(
        class: &'a str,
        origin: Origin,
        release: &Release,
        sets: &mut SetsBuilder,
    ) -> Result<Self, SourceError> {
        let name = format!("{class}{}", origin.suffix());
        let mut num_others = 0;
        let mut files_by_id = |folder: &Path, is_wanted: fn(&Entry) -> bool| {
            let mut files = Vec::new();
            let entries = files::if_any(Disk.readable_entries(&folder.join(&name)))?;
            for entry in entries.unwrap_or_default() {
                match entry.name.rsplit_once('.') {
                    Some((id, _)) if matches!(entry.kind, Kind::File) && is_wanted(&entry) => {
                        files.push((id.to_owned(), entry.path));
                    }
                    _ => num_others += 1,
                }
            }
            Ok::<_, SourceError>(files)
        };
        let is_mat = |entry: &Entry| entry.stem_before("mat").is_some();
        let is_image = |entry: &Entry| is_still_name(&entry.name);
        let annotations = files_by_id(&release.annotations, is_mat)?;
        let images = files_by_id(&release.images, is_image)?;
        let folder = Self {
            name,
            class,
            origin,
            annotations: annotations.into_iter().collect(),
            images: images.into_iter().collect(),
        };
        let reason = "neither annotations nor images";
        folder.leave_out_counted(num_others, ["other file", "other files"], reason, sets);
        let is_unknown = |id: &&String| !folder.annotations.contains_key(*id);
        let num_unknown = folder.images.keys().filter(is_unknown).count() as u64;
        folder.leave_out_counted(num_unknown, ["image", "images"], "no annotation", sets);
        Ok(folder)
    }

    /// Leaves out `num` files of the folder; `names` are singular and plural of their kind.
    fn leave_out_counted(&self, num: u64, names: [&str; 2], reason: &str, sets: &mut SetsBuilder) {
        let [singular, plural] = names.map(|name| format!("{name} of {}", self.name));
        sets.leave_out_counted(num, &singular, &plural, reason);
    }

    /// Images to be used, sorted by id, with their objects.
    fn wanted(
        &self,
        release: &Release,
        sets: &mut SetsBuilder,
    ) -> Result<BTreeMap<String, Wanted>, SourceError> {
        let (listed, default) = match self.origin {
            Origin::ImageNet => {
                let first = Wanted::Indices(BTreeSet::from([0]));
                (release.imagenet_objects(self.class)?, first)
            }
            Origin::Pascal => (release.pascal_objects(self.class)?, Wanted::OfClass),
        };
        let Some(listed) = listed else {
            let ids = self.annotations.keys();
            return Ok(ids.map(|id| (id.clone(), default.clone())).collect());
        };
        let is_unlisted = |id: &&String| !listed.contains_key(*id);
        let num_unlisted = self.annotations.keys().filter(is_unlisted).count() as u64;
        let (names, reason) = (["annotation", "annotations"], "in no list of Image_sets");
        self.leave_out_counted(num_unlisted, names, reason, sets);
        Ok(listed
            .into_iter()
            .map(|(id, indices)| (id, Wanted::Indices(indices)))
            .collect())
    }

    /// Views of the wanted objects of one image, or the reason why it has none. Unusable objects are left out by name.
    fn views_of(
        &self,
        id: &str,
        name: &str,
        wanted: &Wanted,
        sets: &mut SetsBuilder,
    ) -> Result<Vec<View>, String> {
        let annotation = self.annotations.get(id).ok_or("no annotation")?;
        let bytes = Disk
            .read(annotation, MAX_BYTES)
            .map_err(|error| with_causes(&error))?;
        let objects = record::objects(&bytes)
            .map_err(|error| format!("its annotation: {error}"))?
            .ok_or("its annotation has no `record`")?;
        let indices = wanted.indices(&objects, self.class);
        if indices.is_empty() {
            return Err(format!("no object of class {}", self.class));
        }
        let path = self.images.get(id).ok_or("no image")?;
        let size = stored_size(path).ok_or("its image has no readable header")?;
        let mut views = Vec::new();
        for index in indices {
            let id = format!("{name} object {index}");
            let object = objects.get(index).ok_or("not in its annotation");
            match object.and_then(|object| View::of(object, &id, path, size)) {
                Ok(view) => views.push(view),
                Err(reason) => sets.leave_out(id, reason),
            }
        }
        Ok(views)
    }
}

impl Wanted {
    /// Indices into `objects`; those of a wrong list may lie beyond it.
    fn indices(&self, objects: &[Object], class: &str) -> Vec<usize> {
        match self {
            Self::Indices(indices) => indices.iter().copied().collect(),
            Self::OfClass => (0..)
                .zip(objects)
                .filter(|(_, object)| object.class.as_deref() == Some(class))
                .map(|(index, _)| index)
                .collect(),
        }
    }
}
