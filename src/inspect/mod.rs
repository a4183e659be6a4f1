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

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use counts::{Share, Top};
pub use inspection::{Bar, ByteExtent, Inspection, KSpread, Rates, Sizes};
pub use records::{
    MemberInspection, RecordInspection, SampledRecord, inspect_record, sample_records,
};

pub(crate) use records::encoded;
use vidpairs_run::{Control, Progress, RunError, Unit, loss_reason, refusals, stopped};
use vidpairs_shard::{Manifest, ShardEntry};
use vidpairs_types::parallel::{Heartbeat, Job, Loss, Sink, run_ordered};

use self::tally::Tally;

/// Time without a byte after which a read is given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// Summarises the finished data set in `dir` on `workers` threads. Damaged records are counted and listed.
///
/// # Errors
/// [`RunError`] if there is no readable manifest, `refused.jsonl` cannot be read, or `cancel` was set.
pub fn inspect(dir: &Path, control: &Control) -> Result<Inspection, RunError> {
    let manifest = Manifest::read(dir)?;
    let set_aside = refusals::read(dir)?;
    let job = TallyJob {
        dir: dir.to_owned(),
    };
    let unit = Unit::Things("shard");
    let mut sum = Sum {
        tally: Tally::default(),
        progress: Progress::new(unit, manifest.shards.len() as u64, 0, control.verbosity),
    };
    // A shard that is listed twice is counted once; `vidpairs verify` reports it.
    let mut seen = HashSet::new();
    let shards = manifest.shards.clone().into_iter();
    let shards = shards.filter(move |shard| seen.insert(shard.file.clone()));
    run_ordered(shards, Arc::new(job), &control.crew(PATIENCE), &mut sum).map_err(stopped)?;
    Ok(Inspection::new(dir, manifest, sum.tally, set_aside))
}

struct TallyJob {
    dir: PathBuf,
}

impl Job for TallyJob {
    type Item = ShardEntry;
    type Output = Tally;

    fn work(&self, shard: ShardEntry, heartbeat: &Arc<Heartbeat>) -> Tally {
        Tally::of_shard(&self.dir, &shard, &|| {
            heartbeat.beat();
            !heartbeat.should_stop()
        })
    }

    fn lost(&self, shard: ShardEntry, loss: Loss) -> Tally {
        let (_, reason) = loss_reason(loss, PATIENCE);
        Tally::lost(&shard, reason)
    }
}

struct Sum {
    tally: Tally,
    progress: Progress,
}

impl Sink<Tally> for Sum {
    type Error = RunError;

    fn push(&mut self, tally: Tally) -> Result<(), RunError> {
        self.tally.merge(tally);
        self.progress.advance(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
