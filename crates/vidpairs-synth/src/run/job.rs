//! What a worker does: one item, in a folder of its own.

use std::path::PathBuf;
use std::sync::Arc;

use vidpairs_types::parallel::{Heartbeat, Job, Loss, Planned};

use crate::set::{ItemFailure, Plan, RenderedItem};

pub(super) struct SynthJob {
    pub plan: Arc<Plan>,
    /// Where the folders of unfinished items lie.
    pub scratch: PathBuf,
}

/// What became of an item.
pub(super) struct Output {
    /// Place in the plan.
    pub ordinal: u64,
    /// Where its files lie, under the names that they will have.
    pub folder: PathBuf,
    pub made: Result<RenderedItem, NotMade>,
}

/// Why an item was not made.
pub(super) enum NotMade {
    Failed(ItemFailure),
    Lost(Loss),
}

impl SynthJob {
    fn folder(&self, ordinal: u64) -> PathBuf {
        self.scratch.join(format!("item-{ordinal}"))
    }

    fn lost(&self, ordinal: u64, loss: Loss) -> Output {
        Output {
            ordinal,
            folder: self.folder(ordinal),
            made: Err(NotMade::Lost(loss)),
        }
    }
}

impl Job for SynthJob {
    type Item = u64;
    type Piece = u64;
    type Output = Output;

    fn plan(&self, ordinal: u64, heartbeat: &Arc<Heartbeat>) -> Planned<u64, Output> {
        Planned::Done(self.work(ordinal, heartbeat))
    }

    fn work(&self, ordinal: u64, heartbeat: &Arc<Heartbeat>) -> Output {
        let folder = self.folder(ordinal);
        // The run hands out the indices of the plan's items.
        let item = &self.plan.items[ordinal as usize];
        let made = self.plan.render(item, &folder, heartbeat);
        Output {
            ordinal,
            folder,
            made: made.map_err(NotMade::Failed),
        }
    }

    fn lost_item(&self, ordinal: u64, loss: Loss) -> Output {
        self.lost(ordinal, loss)
    }

    fn lost_piece(&self, ordinal: u64, loss: Loss) -> Output {
        self.lost(ordinal, loss)
    }
}
