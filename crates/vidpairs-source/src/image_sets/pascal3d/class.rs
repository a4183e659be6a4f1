//! The objects of one class, each with its image and how it stands.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use vidpairs_types::with_causes;

use super::super::super::SourceError;
use super::super::super::disk::{self, Entry, Kind};
use super::super::found::Found;
use super::super::size::stored_size;
use super::record::{self, Object};
use super::view::View;
use super::{Release, lists};

/// The largest annotation that is read, bytes: under zlib they have a few thousand, with masks perhaps a million.
const MAX_BYTES: u64 = 16 << 20;

/// Where the images are from: the second half of a folder's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    ImageNet,
    Pascal,
}

/// Which objects of an image take part.
enum Wanted {
    /// Those at these places, from 0.
    Places(BTreeSet<usize>),
    /// All of the folder's class.
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

    /// Class and origin of a folder's images, by its name.
    pub(super) fn of_folder(name: &str) -> Option<(&str, Self)> {
        let of = |origin: Self| Some((name.strip_suffix(origin.suffix())?, origin));
        let class_and_origin = Self::ALL.into_iter().find_map(of);
        class_and_origin.filter(|(class, _)| !class.is_empty())
    }
}

/// The objects of a class, in the order of the module's head.
pub(super) fn views(
    class: &str,
    release: &Release,
    found: &mut Found,
) -> Result<Vec<View>, SourceError> {
    let mut views = Vec::new();
    for origin in Origin::ALL {
        let folder = Folder::read(class, origin, release, found)?;
        for (id, wanted) in folder.wanted(&release.lists, found)? {
            let name = format!("{}/{id}", folder.name);
            match folder.views_of(&id, &name, &wanted, found) {
                Ok(of_image) => views.extend(of_image),
                Err(reason) => found.leave_out(name, reason),
            }
        }
    }
    Ok(views)
}

/// The annotations and images of a class from one origin.
struct Folder<'a> {
    /// `car_imagenet`.
    name: String,
    class: &'a str,
    origin: Origin,
    /// By their ids.
    annotations: BTreeMap<String, PathBuf>,
    /// By their ids.
    images: HashMap<String, PathBuf>,
}

impl<'a> Folder<'a> {
    /// Lists both folders; one that is not there is empty.
    fn read(
        class: &'a str,
        origin: Origin,
        release: &Release,
        found: &mut Found,
    ) -> Result<Self, SourceError> {
        let name = format!("{class}{}", origin.suffix());
        let mut num_others = 0;
        let mut of = |folder: &Path, is_wanted: fn(&Entry) -> bool| {
            let wanted = |entry: Entry| {
                let id = entry.name.rsplit_once('.').map(|(id, _)| id.to_owned());
                let id = id.filter(|_| matches!(entry.kind, Kind::File) && is_wanted(&entry));
                num_others += u64::from(id.is_none());
                Some((id?, entry.path))
            };
            let entries = entries_if_any(&folder.join(&name))?;
            Ok::<Vec<_>, SourceError>(entries.into_iter().filter_map(wanted).collect())
        };
        let is_mat = |entry: &Entry| entry.stem_before("mat").is_some();
        let is_image = |entry: &Entry| disk::is_image_name(&entry.name);
        let annotations: BTreeMap<_, _> = of(&release.annotations, is_mat)?.into_iter().collect();
        let images: HashMap<_, _> = of(&release.images, is_image)?.into_iter().collect();
        let (one, many) = (
            format!("other file of {name}"),
            format!("other files of {name}"),
        );
        let reason = "neither annotations nor images";
        found.leave_out_counted(num_others, &one, &many, reason);
        let unknown = images.keys().filter(|id| !annotations.contains_key(*id));
        let (one, many) = (format!("image of {name}"), format!("images of {name}"));
        found.leave_out_counted(unknown.count() as u64, &one, &many, "no annotation");
        Ok(Self {
            name,
            class,
            origin,
            annotations,
            images,
        })
    }

    /// The images that take part, sorted by id, each with its objects that do.
    fn wanted(
        &self,
        lists: &Path,
        found: &mut Found,
    ) -> Result<BTreeMap<String, Wanted>, SourceError> {
        let mut listed: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let is_listed = match self.origin {
            Origin::ImageNet => {
                let ids = lists::imagenet(lists, self.class)?;
                let is_listed = ids.is_some();
                let ids = ids.unwrap_or_else(|| self.annotations.keys().cloned().collect());
                listed.extend(ids.into_iter().map(|id| (id, BTreeSet::from([0]))));
                is_listed
            }
            Origin::Pascal => {
                let Some(objects) = lists::pascal(lists, self.class)? else {
                    let ids = self.annotations.keys().cloned();
                    return Ok(ids.map(|id| (id, Wanted::OfClass)).collect());
                };
                for (id, place) in objects {
                    listed.entry(id).or_default().insert(place);
                }
                true
            }
        };
        if is_listed {
            let unlisted = self
                .annotations
                .keys()
                .filter(|id| !listed.contains_key(*id));
            let (one, many) = (
                format!("annotation of {}", self.name),
                format!("annotations of {}", self.name),
            );
            let reason = "in no list of Image_sets";
            found.leave_out_counted(unlisted.count() as u64, &one, &many, reason);
        }
        let listed = listed.into_iter();
        Ok(listed
            .map(|(id, places)| (id, Wanted::Places(places)))
            .collect())
    }

    /// The objects of one image that take part, or why none does; objects that cannot are named.
    fn views_of(
        &self,
        id: &str,
        name: &str,
        wanted: &Wanted,
        found: &mut Found,
    ) -> Result<Vec<View>, String> {
        let annotation = self.annotations.get(id).ok_or("no annotation")?;
        let bytes = disk::read_bytes(annotation, MAX_BYTES).map_err(|error| with_causes(&error))?;
        let objects =
            record::objects(&bytes).map_err(|error| format!("its annotation: {error}"))?;
        let objects = objects.ok_or("its annotation has no `record`")?;
        let places = wanted.places(&objects, self.class);
        if places.is_empty() {
            return Err(format!("no object of class {}", self.class));
        }
        let path = self.images.get(id).ok_or("no image")?;
        let size = stored_size(path).ok_or("its image has no readable head")?;
        let mut views = Vec::new();
        for place in places {
            let id = format!("{name} object {place}");
            let object = objects.get(place).ok_or("not in its annotation");
            match object.and_then(|object| View::of(object, &id, path, size)) {
                Ok(view) => views.push(view),
                Err(reason) => found.leave_out(id, reason),
            }
        }
        Ok(views)
    }
}

impl Wanted {
    /// Places in `objects` and, where a list is wrong, beyond them.
    fn places(&self, objects: &[Object], class: &str) -> Vec<usize> {
        match self {
            Self::Places(places) => places.iter().copied().collect(),
            Self::OfClass => {
                let is_of_class = |object: &Object| object.class.as_deref() == Some(class);
                let objects = objects.iter().zip(0..);
                let of_class = objects.filter(|(object, _)| is_of_class(object));
                of_class.map(|(_, place)| place).collect()
            }
        }
    }
}

/// The entries of a folder; none where it is not there, as where a class has no PASCAL images.
fn entries_if_any(folder: &Path) -> Result<Vec<Entry>, SourceError> {
    match disk::readable_entries(folder) {
        Err(SourceError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(Vec::new())
        }
        entries => entries,
    }
}
