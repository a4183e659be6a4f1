//! Summary of a data set, as `--json` prints it.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use vidpairs_run::SetAside;
use vidpairs_shard::{CutCounts, Damage, Manifest, Totals, TrackletCounts};
use vidpairs_types::{PairKind, SizePx, SourceKind};

use super::counts::{Counts, Share, Top};
use super::tally::Tally;

/// Maximum number of labels listed; the others are added up.
const MAX_LABELS: usize = 20;

/// Maximum number of sizes listed.
const MAX_SIZES: usize = 3;

/// Maximum number of bars of a histogram.
const MAX_BARS: u64 = 8;

/// Summary of a data set. `Display` gives its text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Folder, as given.
    pub dir: String,
    /// Version of the program that wrote the data set.
    pub program_version: String,
    /// Pipeline with all defaults filled in.
    pub pipeline: Value,
    /// Random seed.
    pub seed: u64,
    /// Totals according to the manifest.
    pub totals: Totals,
    /// Shares of clips that were set aside.
    pub rates: Rates,
    /// Readable records; all counts below refer to them.
    pub records_read: u64,
    /// Unreadable records.
    pub records_damaged: u64,
    /// Records by kind.
    pub kinds: Top<PairKind>,
    /// Records by source.
    pub sources: Top<String>,
    /// Records by label, `null` for none; the 20 most frequent labels.
    pub labels: Top<Option<String>>,
    /// Distance of anchor and positive, frames; `null` in kind `images`.
    pub k: Option<KSpread>,
    /// Sizes of the frames of the anchors.
    pub frame_sizes: Option<Sizes>,
    /// Sizes of anchors and positives as stored.
    pub image_sizes: Option<Sizes>,
    /// Tracked records by tracker.
    pub trackers: Top<String>,
    /// Number of tracklets: trusted, and rejected by reason; `null` if nothing was tracked.
    pub tracklets: Option<TrackletCounts>,
    /// Shot cuts, and the pairs that they cost; `null` if they were not looked for.
    pub cuts: Option<CutCounts>,
    /// Size of a record: the sum of its members, bytes.
    pub record_bytes: Option<ByteExtent>,
    /// Clips that gave no pair or fewer than planned, by reason.
    pub set_aside: SetAside,
    /// Damage to shards and to the json of records; at most 100.
    pub damage: Vec<Damage>,
    /// Number of all damages.
    pub num_damage: u64,
}

/// Shares of the clips of the source, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rates {
    /// Refused clips.
    pub refused: f64,
    /// Clips skipped by a rule.
    pub skipped: f64,
    /// Clips that gave fewer pairs than planned.
    pub partial: f64,
}

/// Distribution of k, the distance of anchor and positive in frames.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KSpread {
    /// Minimum.
    pub min: u64,
    /// Median; the lower one if two are in the middle.
    pub median: u64,
    /// Maximum.
    pub max: u64,
    /// Histogram.
    pub histogram: Vec<Bar>,
}

/// Bar of a histogram: the records whose k lies in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// First k of the range.
    pub from: u64,
    /// Last k of the range.
    pub to: u64,
    /// Number of records.
    pub records: u64,
}

/// Sizes of images, `[width, height]` in px.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sizes {
    /// The most frequent sizes.
    #[serde(flatten)]
    pub counts: Top<SizePx>,
    /// Size with the smallest area.
    pub min: SizePx,
    /// Size with the largest area.
    pub max: SizePx,
}

/// Size of the records, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ByteExtent {
    /// Minimum.
    pub min: u64,
    /// Mean, rounded down.
    pub mean: u64,
    /// Maximum.
    pub max: u64,
}

impl Inspection {
    /// Summary of the data set in `dir`.
    pub(super) fn new(dir: &Path, manifest: Manifest, tally: Tally, set_aside: SetAside) -> Self {
        let totals = manifest.totals;
        let tracklets = manifest.tracklets();
        let rate = |clips: u64| clips as f64 / totals.clips.max(1) as f64;
        let bytes = tally.record_bytes;
        Self {
            dir: dir.display().to_string(),
            program_version: manifest.program_version,
            pipeline: manifest.pipeline,
            seed: manifest.seed,
            totals,
            rates: Rates {
                refused: rate(totals.refused),
                skipped: rate(totals.skipped),
                partial: rate(totals.partial),
            },
            records_read: tally.records,
            records_damaged: tally.damaged_records,
            kinds: tally.kinds.top(usize::MAX),
            sources: tally.sources.top(MAX_LABELS),
            labels: labels(&tally.labels, tally.unlabelled),
            k: KSpread::of(&tally.ks),
            frame_sizes: Sizes::of(&tally.frame_sizes),
            image_sizes: Sizes::of(&tally.image_sizes),
            trackers: tally.trackers.top(MAX_LABELS),
            tracklets,
            cuts: manifest.cuts.map(|cuts| cuts.counts),
            record_bytes: bytes.sum.checked_div(bytes.count).map(|mean| ByteExtent {
                min: bytes.min,
                mean,
                max: bytes.max,
            }),
            set_aside,
            damage: tally.damage.listed().to_vec(),
            num_damage: tally.damage.num(),
        }
    }

    /// Settings of a table of the pipeline as text, such as `kind frames, k 30`; empty if there is no such table.
    pub fn settings(&self, table: &str) -> String {
        let source = self.pipeline.pointer("/source/kind");
        let source = source.and_then(Value::as_str).and_then(SourceKind::named);
        let has_stills = source.is_some_and(SourceKind::has_stills);
        let settings = self.pipeline.get(table).and_then(Value::as_object);
        let settings = settings.into_iter().flatten().filter_map(|(key, value)| {
            // A clip of one frame has no step between frames.
            if has_stills && (table, key.as_str()) == ("pairs", "stride") {
                return None;
            }
            let value = match value {
                Value::Null => return None,
                Value::Array(values) if values.is_empty() => return None,
                Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" to "),
                value => plain(value),
            };
            Some(format!("{key} {value}"))
        });
        settings.collect::<Vec<_>>().join(", ")
    }
}

/// A value of the pipeline without JSON's quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn labels(labels: &Counts<String>, unlabelled: u64) -> Top<Option<String>> {
    let Top {
        top,
        mut more_values,
        mut more_records,
    } = labels.top(MAX_LABELS);
    let mut top: Vec<_> = top
        .into_iter()
        .map(|share| Share {
            value: Some(share.value),
            records: share.records,
        })
        .collect();
    if unlabelled > 0 {
        let place = top.partition_point(|share| share.records >= unlabelled);
        let none = Share {
            value: None,
            records: unlabelled,
        };
        top.insert(place, none);
        if top.len() > MAX_LABELS {
            let last = top.pop();
            more_values += 1;
            more_records += last.map_or(0, |share| share.records);
        }
    }
    Top {
        top,
        more_values,
        more_records,
    }
}

impl KSpread {
    fn of(ks: &Counts<u64>) -> Option<Self> {
        let (min, max) = (*ks.ascending().next()?.0, *ks.ascending().next_back()?.0);
        let counted: u64 = ks.ascending().map(|(_, records)| records).sum();
        let middle = (counted - 1) / 2;
        let median = ks
            .ascending()
            .scan(0, |before, (&k, records)| {
                *before += records;
                Some((k, *before))
            })
            .find(|&(_, up_to)| up_to > middle)
            .map_or(max, |(k, _)| k);
        Some(Self {
            min,
            median,
            max,
            histogram: bars(ks, min, max),
        })
    }
}

/// One bar per value if there are at most [`MAX_BARS`], else equally wide bars from `min` to `max`.
fn bars(ks: &Counts<u64>, min: u64, max: u64) -> Vec<Bar> {
    let bar = |from, to, records| Bar { from, to, records };
    if ks.ascending().nth(MAX_BARS as usize).is_none() {
        return ks
            .ascending()
            .map(|(&k, records)| bar(k, k, records))
            .collect();
    }
    // More than MAX_BARS values, so the width is at least 2.
    let width = ((max - min) / MAX_BARS).saturating_add(1);
    let mut bars: Vec<Bar> = Vec::new();
    for (&k, records) in ks.ascending() {
        let from = min + (k - min) / width * width;
        match bars.last_mut() {
            Some(last) if last.from == from => last.records += records,
            _ => bars.push(bar(from, from.saturating_add(width - 1).min(max), records)),
        }
    }
    bars
}

impl Sizes {
    fn of(sizes: &Counts<[u32; 2]>) -> Option<Self> {
        let size = |&[width, height]: &[u32; 2]| SizePx { width, height };
        let by_area = || sizes.ascending().map(|(value, _)| size(value));
        let Top {
            top,
            more_values,
            more_records,
        } = sizes.top(MAX_SIZES);
        let top = top.into_iter().map(|share| Share {
            value: share.value.into(),
            records: share.records,
        });
        Some(Self {
            counts: Top {
                top: top.collect(),
                more_values,
                more_records,
            },
            min: by_area().min_by_key(|size| size.area())?,
            max: by_area().max_by_key(|size| size.area())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts<V: Ord + Clone>(values: impl IntoIterator<Item = V>) -> Counts<V> {
        let mut counts = Counts::default();
        values.into_iter().for_each(|value| counts.add(&value));
        counts
    }

    #[test]
    fn few_values_of_k_have_a_bar_each_and_many_share_equally_wide_bars() {
        let few = KSpread::of(&counts([30, 60, 60, 90])).unwrap();
        assert_eq!((few.min, few.median, few.max), (30, 60, 90));
        let bars: Vec<_> = few
            .histogram
            .iter()
            .map(|bar| (bar.to, bar.records))
            .collect();
        assert_eq!(bars, [(30, 1), (60, 2), (90, 1)]);

        let many = KSpread::of(&counts(10..=90)).unwrap();
        assert_eq!((many.median, many.histogram.len()), (50, 8));
        let ends = (many.histogram[0], many.histogram[7]);
        assert_eq!((ends.0.from, ends.0.to, ends.0.records), (10, 20, 11));
        assert_eq!((ends.1.from, ends.1.to, ends.1.records), (87, 90, 4));
        assert_eq!(KSpread::of(&counts([])), None);
    }

    #[test]
    fn the_largest_possible_k_is_counted() {
        let spread = KSpread::of(&counts((0..9).chain([u64::MAX]))).unwrap();
        assert_eq!(spread.histogram.last().unwrap().records, 1);
    }

    #[test]
    fn records_without_label_are_ranked_among_the_labels() {
        let names: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
        let labels = labels(&counts(names.iter().chain(&names[..5]).cloned()), 2);
        assert_eq!(labels.top.len(), MAX_LABELS);
        assert_eq!(
            (labels.top[5].value.as_ref(), labels.top[5].records),
            (None, 2)
        );
        assert_eq!((labels.more_values, labels.more_records), (11, 11));
    }
}
