//! What the records of a shard say of themselves, counted.

use vidpairs_shard::{Damage, Fault, Record, ShardEntry, ShardError, ShardReader};
use vidpairs_types::{PairKind, RecordMeta, SizePx};

use super::counts::Counts;

/// So many damages are named; the others are counted.
const MAX_NAMED: usize = 100;

/// Counts over records.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Records that could be understood.
    pub records: u64,
    /// Records that could not.
    pub damaged_records: u64,
    pub kinds: Counts<PairKind>,
    pub sources: Counts<String>,
    pub labels: Counts<String>,
    /// Records whose clip has no label.
    pub unlabelled: u64,
    pub ks: Counts<u64>,
    /// Width and height of the anchor's frame, px.
    pub frame_sizes: Counts<[u32; 2]>,
    /// Width and height of the anchor and the positive as stored, px.
    pub image_sizes: Counts<[u32; 2]>,
    pub trackers: Counts<String>,
    pub record_bytes: Extent,
    /// The first that were met.
    pub damage: Vec<Damage>,
    pub num_damage: u64,
}

impl Tally {
    /// Counts the shard of `entry` in `dir`. `keep_going` is asked once a record; after a `false`
    /// the tally is incomplete.
    pub fn of_shard(
        dir: &std::path::Path,
        entry: &ShardEntry,
        keep_going: &dyn Fn() -> bool,
    ) -> Self {
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
        for note in shard.notes() {
            tally.add_damage(note.clone());
        }
        if shard.num_records() != entry.records {
            tally.add_damage(Damage {
                fault: Fault::Records {
                    found: shard.num_records(),
                    manifest: entry.records,
                },
                ..damage_of_file(&entry.file)
            });
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
        for view in [Some(&meta.anchor), meta.positive.as_ref()]
            .into_iter()
            .flatten()
        {
            self.image_sizes.add(&pixels(view.image_size));
        }
        if let Some(tracklet) = &meta.tracklet {
            self.trackers.add(tracklet.tracker.as_str());
        }
        let bytes = record.members().iter().map(|member| member.bytes.len());
        self.record_bytes.add(bytes.sum::<usize>() as u64);
    }

    /// Adds the counts of the shard after this one.
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
        self.num_damage += next.num_damage;
        let room = MAX_NAMED.saturating_sub(self.damage.len());
        self.damage.extend(next.damage.into_iter().take(room));
    }

    fn add_error(&mut self, file: &str, err: ShardError) {
        self.add_damage(match err {
            ShardError::Damaged(damage) => *damage,
            ShardError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Damage {
                    fault: Fault::TarMissing,
                    ..damage_of_file(file)
                }
            }
            other => Damage {
                fault: Fault::Unreadable {
                    offset: 0,
                    reason: super::with_causes(&other),
                },
                ..damage_of_file(file)
            },
        });
    }

    fn add_damage(&mut self, damage: Damage) {
        self.num_damage += 1;
        if self.damage.len() < MAX_NAMED {
            self.damage.push(damage);
        }
    }

    /// The shard of `entry` could not be counted at all.
    pub fn lost(entry: &ShardEntry, reason: String) -> Self {
        let mut tally = Self {
            damaged_records: entry.records,
            ..Self::default()
        };
        tally.add_damage(Damage {
            fault: Fault::Unreadable { offset: 0, reason },
            ..damage_of_file(&entry.file)
        });
        tally
    }
}

/// Least, greatest and sum of what was added.
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

fn damage_of_file(file: &str) -> Damage {
    Damage {
        shard: file.to_owned(),
        record: None,
        key: None,
        member: None,
        fault: Fault::TarMissing,
    }
}
