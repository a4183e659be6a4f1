//! Counts the records of a shard by the values of their json.

use std::io;
use std::path::Path;

use vidpairs_shard::{Damage, DamageList, Fault, Record, ShardEntry, ShardError, ShardReader};
use vidpairs_types::{PairKind, RecordMeta, SizePx, with_causes};

use super::counts::Counts;

/// Counts over records.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Readable records.
    pub records: u64,
    /// Unreadable records.
    pub damaged_records: u64,
    pub kinds: Counts<PairKind>,
    pub sources: Counts<String>,
    pub labels: Counts<String>,
    /// Records whose clip has no label.
    pub unlabelled: u64,
    pub ks: Counts<u64>,
    /// Width and height of the frames of the anchors, px.
    pub frame_sizes: Counts<[u32; 2]>,
    /// Width and height of anchors and positives as stored, px.
    pub image_sizes: Counts<[u32; 2]>,
    pub trackers: Counts<String>,
    pub record_bytes: Extent,
    pub damage: DamageList,
}

impl Tally {
    /// Counts the shard of `entry` in `dir`. Calls `keep_going` before each record; if it returns `false` the tally is incomplete.
    pub fn of_shard(dir: &Path, entry: &ShardEntry, keep_going: &dyn Fn() -> bool) -> Self {
        let mut tally = Self::default();
        let path = dir.join(&entry.file);
        let shard = match ShardReader::open(&path) {
            Ok(shard) => shard,
            Err(err) => {
                tally.damaged_records = entry.records;
                tally.add_error(&entry.file, err);
                return tally;
            }
        };
        tally.damage.append(shard.notes().clone());
        if shard.num_records() != entry.records {
            let fault = Fault::Records {
                found: shard.num_records(),
                manifest: entry.records,
            };
            tally.damage.push(Damage::of_file(&entry.file, fault));
        }
        for number in 0..shard.num_records() {
            if !keep_going() {
                break;
            }
            let counted = shard.record(number).and_then(|record| {
                let meta = record.meta()?;
                tally.add(&record, &meta);
                Ok(())
            });
            if let Err(err) = counted {
                tally.damaged_records += 1;
                tally.add_error(&entry.file, err);
            }
        }
        tally
    }

    fn add(&mut self, record: &Record<'_>, meta: &RecordMeta) {
        self.records += 1;
        self.kinds.add(&meta.kind);
        self.sources.add(meta.source.as_str());
        match &meta.label {
            Some(label) => self.labels.add(label.as_str()),
            None => self.unlabelled += 1,
        }
        if let Some(k) = meta.k {
            self.ks.add(&k);
        }
        self.frame_sizes.add(&pixels(meta.anchor.frame_size));
        for view in [&meta.anchor].into_iter().chain(&meta.positive) {
            self.image_sizes.add(&pixels(view.image_size));
        }
        if let Some(tracklet) = &meta.tracklet {
            self.trackers.add(tracklet.tracker.as_str());
        }
        let bytes = record.members().map(|member| member.bytes.len());
        self.record_bytes.add(bytes.sum::<usize>() as u64);
    }

    /// Adds the counts of the next shard.
    pub fn merge(&mut self, next: Self) {
        self.records += next.records;
        self.damaged_records += next.damaged_records;
        self.kinds.merge(next.kinds);
        self.sources.merge(next.sources);
        self.labels.merge(next.labels);
        self.unlabelled += next.unlabelled;
        self.ks.merge(next.ks);
        self.frame_sizes.merge(next.frame_sizes);
        self.image_sizes.merge(next.image_sizes);
        self.trackers.merge(next.trackers);
        self.record_bytes.merge(next.record_bytes);
        self.damage.append(next.damage);
    }

    fn add_error(&mut self, file: &str, err: ShardError) {
        self.damage.push(match err {
            ShardError::Damaged(damage) => *damage,
            ShardError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Damage::of_file(file, Fault::TarMissing)
            }
            other => unreadable(file, with_causes(&other)),
        });
    }

    /// The tally of a shard that could not be counted at all.
    pub fn lost(entry: &ShardEntry, reason: String) -> Self {
        let mut tally = Self {
            damaged_records: entry.records,
            ..Self::default()
        };
        tally.damage.push(unreadable(&entry.file, reason));
        tally
    }
}

/// Minimum, maximum, sum and number of values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    pub min: u64,
    pub max: u64,
    pub sum: u64,
    pub count: u64,
}

impl Extent {
    fn add(&mut self, value: u64) {
        self.merge(Self {
            min: value,
            max: value,
            sum: value,
            count: 1,
        });
    }

    fn merge(&mut self, other: Self) {
        *self = match (self.count, other.count) {
            (_, 0) => *self,
            (0, _) => other,
            _ => Self {
                min: self.min.min(other.min),
                max: self.max.max(other.max),
                sum: self.sum.saturating_add(other.sum),
                count: self.count + other.count,
            },
        };
    }
}

fn pixels(size: SizePx) -> [u32; 2] {
    size.into()
}

fn unreadable(file: &str, reason: String) -> Damage {
    Damage::of_file(file, Fault::Unreadable { offset: 0, reason })
}
