//! Plans and renders a data set, one item (a video, the images of one object, or a scene) at a time.
//!
//! **Takes** [`Settings`], the objects and the backdrops. **Gives** a [`Plan`]: a list of [`Item`]s. Each can be rendered
//! alone, in any order and on any thread, into the same bytes. **Fails** with [`ItemError`]: leave the item out, unless
//! the error is final.

mod aloi;
mod choose;
mod error;
mod got10k;
mod models;
mod pascal3d;
mod plan;
mod scene;
mod settings;
mod trackingnet;
mod video;
mod work;

use std::path::Path;
use std::sync::Arc;

use vidpairs_types::parallel::Heartbeat;

pub use choose::PlanError;
pub use error::ItemError;
pub use models::Models;
pub use plan::{Item, Plan};
pub use scene::is_annotated;
pub use settings::{
    Container, Contents, ImageSettings, SceneSettings, SetKind, Settings, VideoSettings,
};
pub use work::{ItemFailure, RenderedItem};

use video::VideoItem;
use work::Work;

impl Plan {
    /// Renders one item into `folder`, which is emptied first.
    ///
    /// # Errors
    /// [`ItemFailure`], with the objects and backgrounds refused until then; [`ItemError::ForeignItem`] if the item does not
    /// belong to this plan.
    pub fn render(
        &self,
        item: &Item,
        folder: &Path,
        heartbeat: &Arc<Heartbeat>,
    ) -> Result<RenderedItem, ItemFailure> {
        let mut work = Work::new(self, folder, heartbeat);
        match work
            .empty_folder()
            .and_then(|()| render_item(&mut work, item))
        {
            Ok(names) => Ok(work.done(names)),
            Err(error) => Err(ItemFailure {
                error: Box::new(error),
                refused: work.item.refused,
            }),
        }
    }
}

/// Renders one item; returns the names of its files or folders.
fn render_item(work: &mut Work<'_>, item: &Item) -> Result<Vec<String>, ItemError> {
    let plan = work.plan;
    let object_at = |index: usize| plan.objects.get(index).ok_or(ItemError::ForeignItem);
    match (plan.settings.kind, &plan.settings.contents, item) {
        (kind, Contents::Videos(settings), &Item::Video { half, .. }) if kind.is_video() => {
            let video = VideoItem {
                settings,
                half,
                name: plan.name_of(item),
            };
            match kind {
                SetKind::TrackingNet => trackingnet::render(work, &video),
                _ => got10k::render(work, &video),
            }
        }
        (SetKind::Aloi, Contents::Images(images), &Item::Object { object, number }) => {
            aloi::render(work, images, object_at(object)?, number)
        }
        (SetKind::Pascal3d, Contents::Images(images), &Item::Object { object, number }) => {
            pascal3d::render(work, images, object_at(object)?, number)
        }
        (kind, Contents::Scenes(settings), &Item::Scene { half, number }) if kind.is_scenes() => {
            scene::render(work, settings, half, number)
        }
        _ => Err(ItemError::ForeignItem),
    }
}

/// Lists of a set, as names and contents, from the `names` that its items returned, in the order of the items.
///
/// TrackingNet and ALOI have none, and those of scenes follow from the truth. GOT-10k has a `list.txt` per split. PASCAL3D+ has a list of training images and one of
/// validation images per class, to which its images belong alternately.
pub fn index_files<'a>(
    settings: &Settings,
    names: impl IntoIterator<Item = &'a str>,
) -> Vec<(String, String)> {
    match settings.kind {
        SetKind::TrackingNet | SetKind::Aloi | SetKind::Coco | SetKind::Voc => Vec::new(),
        SetKind::Got10k => got10k::index_files(names),
        SetKind::Pascal3d => pascal3d::index_files(names),
    }
}
