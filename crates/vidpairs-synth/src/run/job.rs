//! Work of one worker: renders an item into a folder of its own.

use std::path::PathBuf;
use std::sync::Arc;

use vidpairs_types::parallel::{Heartbeat, Job, Loss};

use crate::set::{ItemFailure, Plan, RenderedItem};

pub(super) struct SynthJob {
    pub plan: Arc<Plan>,
    /// Folder of the unfinished items.
    pub scratch: PathBuf,
}

/// Result of an item.
pub(super) struct Output {
    /// Index in the plan.
    pub ordinal: u64,
    /// Folder of its files, under their final names.
    pub folder: PathBuf,
    pub made: Result<RenderedItem, NotMade>,
}

/// Why an item was not made.
pub(super) enum NotMade {
    Failed(ItemFailure),
    Lost(Loss),
}

impl Job for SynthJob {
    type Item = u64;
    type Output = Output;

    fn work(&self, ordinal: u64, heartbeat: &Arc<Heartbeat>) -> Output {
        let folder = self.folder(ordinal);
        let item = &self.plan.items[ordinal as usize];
        let made = self.plan.render(item, &folder, heartbeat);
        Output {
            ordinal,
            folder,
            made: made.map_err(NotMade::Failed),
        }
    }

    fn lost(&self, ordinal: u64, loss: Loss) -> Output {
        Output {
            ordinal,
            folder: self.folder(ordinal),
            made: Err(NotMade::Lost(loss)),
        }
    }
}

impl SynthJob {
    fn folder(&self, ordinal: u64) -> PathBuf {
        self.scratch.join(format!("item-{ordinal}"))
    }
}
