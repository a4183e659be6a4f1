//! Runs `vidpairs inspect`: summarises a data set, or reads some of its records.
//!
//! **Takes** the folder of a finished data set. **Gives** an [`Inspection`] of the whole, a
//! [`RecordInspection`] of one record, or records spread over it ([`sample_records`]).
//! **Fails** with [`RunError`]; damage is a result, not an error. **Source**: the json members of the
//! records, `dataset.json` and `refused.jsonl`. [`inspect`] does not read the images; `vidpairs verify` checks them.

mod counts;
mod inspection;
mod records;
mod tally;
mod text;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use counts::{Share, Top};
pub use inspection::{Bar, ByteExtent, Inspection, KSpread, Rates, Sizes};
pub use records::{
    MemberInspection, RecordInspection, SampledRecord, inspect_record, sample_records,
};

use self::tally::Tally;
use vidpairs_run::{RunError, refusals};
use vidpairs_shard::{Manifest, ShardEntry};
use vidpairs_types::parallel::{
    Cancel, Crew, Ended, Heartbeat, Job, Loss, Planned, Sink, run_ordered,
};

/// Time without a byte after which a read is given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// Summarises the finished data set in `dir` on `workers` threads. Damaged records are counted and listed.
///
/// # Errors
/// [`RunError`] if there is no readable manifest, `refused.jsonl` cannot be read, or `cancel` was set.
pub fn inspect(dir: &Path, workers: usize, cancel: &Arc<Cancel>) -> Result<Inspection, RunError> {
    let manifest = Manifest::read(dir)?;
    let set_aside = refusals::read(dir)?;
    let job = TallyJob {
        dir: dir.to_owned(),
    };
    let crew = Crew {
        workers,
        window: 2 * workers,
        patience: PATIENCE,
        cancel: Arc::clone(cancel),
    };
    let mut sum = Sum(Tally::default());
    let shards = manifest.shards.clone().into_iter();
    let ended = run_ordered(shards, Arc::new(job), &crew, &mut sum);
    match ended.map_err(RunError::Thread)? {
        Ended::Complete => Ok(Inspection::new(dir, manifest, sum.0, set_aside)),
        Ended::Cancelled | Ended::Broken => Err(RunError::Stopped),
    }
}

struct TallyJob {
    dir: PathBuf,
}

impl Job for TallyJob {
    type Item = ShardEntry;
    /// A shard is counted in one go.
    type Piece = ShardEntry;
    type Output = Tally;

    fn plan(&self, shard: ShardEntry, heartbeat: &Arc<Heartbeat>) -> Planned<ShardEntry, Tally> {
        Planned::Done(self.work(shard, heartbeat))
    }

    fn work(&self, shard: ShardEntry, heartbeat: &Arc<Heartbeat>) -> Tally {
        Tally::of_shard(&self.dir, &shard, &|| {
            heartbeat.beat();
            !heartbeat.should_stop()
        })
    }

    fn lost_item(&self, shard: ShardEntry, loss: Loss) -> Tally {
        Tally::lost(&shard, format!("{loss:?}"))
    }

    fn lost_piece(&self, shard: ShardEntry, loss: Loss) -> Tally {
        self.lost_item(shard, loss)
    }
}

struct Sum(Tally);

impl Sink<Tally> for Sum {
    fn push(&mut self, tally: Tally) -> ControlFlow<()> {
        self.0.merge(tally);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
