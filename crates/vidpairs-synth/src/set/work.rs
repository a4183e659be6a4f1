//! An item in progress: its folder, its ground truth, and the objects and backgrounds refused on the way.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use vidpairs_extract::decode::DecodeError;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Outcome, Refusal, Stage, create_fresh, open_regular, with_causes};

use super::{ItemError, Plan};
use crate::backdrops::{BackdropError, Frames};
use crate::catalog::CatalogObject;
use crate::mesh::MeshError;
use crate::render::Mask;
use crate::truth::{LightTruth, Truth};

/// A rendered item.
#[derive(Debug, Default)]
pub struct RenderedItem {
    /// Names of the files or folders, below the root of the set.
    pub names: Vec<String>,
    /// Ground truth: a line per image and annotated object, in the order of the images.
    pub truths: Vec<Truth>,
    /// Number of images.
    pub num_images: u64,
    /// Size of all files, bytes.
    pub num_bytes: u64,
    /// Ids of the objects in view.
    pub objects: Vec<String>,
    /// Objects and backgrounds refused on the way.
    pub refused: Vec<Refusal>,
}

/// Failure to render an item.
#[derive(Debug)]
pub struct ItemFailure {
    /// Reason; see [`ItemError::is_final`].
    pub error: Box<ItemError>,
    /// Objects and backgrounds refused until then.
    pub refused: Vec<Refusal>,
}

/// An item in progress.
pub(super) struct Work<'a> {
    pub plan: &'a Plan,
    pub item: RenderedItem,
    /// Folder that receives the files, under their names below the root of the set.
    folder: &'a Path,
    heartbeat: &'a Arc<Heartbeat>,
}

impl<'a> Work<'a> {
    pub fn new(plan: &'a Plan, folder: &'a Path, heartbeat: &'a Arc<Heartbeat>) -> Self {
        Self {
            plan,
            item: RenderedItem::default(),
            folder,
            heartbeat,
        }
    }

    /// Creates the folder, without the files that a stopped run may have left there.
    pub fn empty_folder(&self) -> Result<(), ItemError> {
        match fs::remove_dir_all(self.folder) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", self.folder)(source))
            }
            _ => fs::create_dir_all(self.folder).map_err(failed("create", self.folder)),
        }
    }

    /// Path of the file `name`; its folder is created.
    pub fn path(&self, name: &str) -> Result<PathBuf, ItemError> {
        let path = self.folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed("create", parent))?;
        }
        Ok(path)
    }

    /// Writes the file `name` and waits until the disk has it.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), ItemError> {
        let path = self.path(name)?;
        let written = create_fresh(&path).and_then(|mut file| file.write_all(bytes));
        written.map_err(failed("write", &path))?;
        self.add(name)
    }

    /// Adds the file `name`, which another writer has completed, and waits until the disk has it.
    pub fn add(&mut self, name: &str) -> Result<(), ItemError> {
        let path = self.folder.join(name);
        let synced = open_regular(&path).and_then(|file| {
            file.sync_data()?;
            file.metadata()
        });
        self.item.num_bytes += synced.map_err(failed("write", &path))?.len();
        Ok(())
    }

    /// Draws the backdrop of the video or image `name`. Files that cannot be read are refused.
    pub fn backdrop(&mut self, name: &str, num_frames: u64) -> Result<Frames, ItemError> {
        let seed = self.plan.seed_of(name).for_step("backdrop", "");
        let (backdrops, size) = (&self.plan.backdrops, self.plan.settings.size);
        let mut unreadable = Vec::new();
        let drawn = backdrops.draw(seed, size, num_frames, self.heartbeat, &mut unreadable);
        for file in unreadable {
            let path = file.path.display().to_string();
            self.item.refused.push(Refusal {
                id: path.clone(),
                path,
                outcome: Outcome::Refused,
                stage: Stage::Decode,
                reason: with_causes(&file.why),
                retry: "repair it and render the set again; another background was used instead"
                    .to_owned(),
            });
        }
        drawn.map_err(|err| match err {
            BackdropError::Video(DecodeError::Stopped) => ItemError::Stopped,
            err => err.into(),
        })
    }

    /// Refuses an object that cannot be rendered.
    pub fn refuse(&mut self, object: &CatalogObject, err: &MeshError) {
        self.item.refused.push(Refusal {
            id: object.id.clone(),
            path: object.place(),
            outcome: Outcome::Refused,
            stage: Stage::Render,
            reason: with_causes(err),
            retry: "repair it and render the set again; other objects were used instead".to_owned(),
        });
    }

    /// Counts a rendered image.
    pub fn image_done(&mut self) -> Result<(), ItemError> {
        self.item.num_images += 1;
        self.plan.rendered.fetch_add(1, Ordering::Relaxed);
        self.go_on()
    }

    /// Reports progress to the watchdog; [`ItemError::Stopped`] if the run was asked to stop.
    pub fn go_on(&self) -> Result<(), ItemError> {
        self.heartbeat.beat();
        if self.heartbeat.should_stop() {
            return Err(ItemError::Stopped);
        }
        Ok(())
    }

    /// The rendered item, whose files or folders are `names`.
    pub fn done(mut self, names: Vec<String>) -> RenderedItem {
        self.item.names = names;
        self.item
    }
}

/// Ground truth of `object` in the single image `image`.
///
/// - `viewpoint`: azimuth and elevation of the camera, degrees.
pub(super) fn truth(
    image: String,
    object: &CatalogObject,
    viewpoint: [f64; 2],
    light: LightTruth,
    mask: &Mask,
) -> Truth {
    let [azimuth, elevation] = viewpoint;
    Truth {
        image,
        frame: None,
        object: object.id.clone(),
        category: object.category.clone(),
        half: object.half,
        azimuth,
        elevation,
        light,
        visible_share: mask.visible_share(),
        cut_by_image: mask.is_cut,
        box_xywh: mask.visible,
        full_box_xywh: mask.full,
        mask: None,
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ItemError {
    let path = path.to_owned();
    move |source| ItemError::File {
        action,
        path,
        source,
    }
}
