//! Words the facts of a data set and the choice of its records.

use indicatif::HumanBytes;
use vidpairs_run::counted;

use super::{MAX_IMAGE_BYTES, MAX_RECORDS};
use crate::inspect::{Inspection, Top};
use crate::report::Fact;

/// Values named in a fact; the others are counted.
const MAX_NAMED: usize = 6;

/// What is known of a data set, by name.
pub(in crate::report) fn facts(inspection: &Inspection) -> Vec<Fact> {
    let k = inspection.k.as_ref().map(|k| match k.min == k.max {
        true => format!("{} frames apart", k.min),
        false => format!("{} to {} frames apart, median {}", k.min, k.max, k.median),
    });
    let image_size = inspection.image_sizes.as_ref();
    let image_size = image_size.map(|sizes| match sizes.min == sizes.max {
        true => sizes.min.to_string(),
        false => format!("{} to {}", sizes.min, sizes.max),
    });
    let tracklets = inspection.tracklets.as_ref().map(|counts| {
        let rejected = counts.rejected.iter();
        let rejected = rejected.map(|(reason, count)| format!("{count} {reason}"));
        let mut parts = vec![format!("{} trusted", counts.num_trusted())];
        parts.extend(rejected);
        parts.join(", ")
    });
    let cuts = inspection.cuts.filter(|cuts| cuts.clips > 0).map(|cuts| {
        let (moved, left_out) = (cuts.moved, cuts.left_out);
        let clips = counted(cuts.clips, "clip");
        format!(
            "{} in {clips}; {moved} pairs drawn anew, {left_out} left out",
            cuts.cuts
        )
    });
    let damage = (inspection.num_damage > 0).then(|| {
        let records = counted(inspection.records_damaged, "unreadable record");
        format!("{records}; `vidpairs inspect` lists them")
    });
    let label = |label: &Option<String>| label.clone().unwrap_or_else(|| "no label".to_owned());
    let settings = |table| Some(inspection.settings(table));
    let facts = [
        (
            "kind",
            named(&inspection.kinds, |kind| kind.name().to_owned()),
        ),
        ("source", named(&inspection.sources, String::clone)),
        ("clips", Some(clips(inspection))),
        ("k", k),
        ("labels", named(&inspection.labels, label)),
        ("tracker", named(&inspection.trackers, String::clone)),
        ("tracklets", tracklets),
        ("cuts", cuts),
        ("image size", image_size),
        ("pipeline: pairs", settings("pairs")),
        ("pipeline: proposals", settings("proposals")),
        ("pipeline: tracker", settings("tracker")),
        ("pipeline: images", settings("images")),
        ("seed", Some(inspection.seed.to_string())),
        (
            "written by",
            Some(format!("vidpairs {}", inspection.program_version)),
        ),
        ("damage", damage),
    ];
    let known = facts.into_iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(Fact::new(name, value))
    });
    known.collect()
}

/// `120, 3 refused (2.5 %), 1 partial (0.8 %)`.
fn clips(inspection: &Inspection) -> String {
    let (totals, rates) = (inspection.totals, inspection.rates);
    let mut text = totals.clips.to_string();
    for (clips, outcome, rate) in [
        (totals.refused, "refused", rates.refused),
        (totals.skipped, "skipped", rates.skipped),
        (totals.partial, "partial", rates.partial),
    ] {
        if clips > 0 {
            text += &format!(", {clips} {outcome} ({:.1} %)", 100.0 * rate);
        }
    }
    text
}

/// `rabbit 12, bird 7, 3 others`; without the number if all records share one value.
fn named<V>(values: &Top<V>, name: impl Fn(&V) -> String) -> Option<String> {
    if let ([only], 0) = (values.top.as_slice(), values.more_values) {
        return Some(name(&only.value));
    }
    let shown = values.top.iter().take(MAX_NAMED);
    let mut parts: Vec<String> = shown
        .map(|share| format!("{} {}", name(&share.value), share.records))
        .collect();
    let num_others = values.top.len().saturating_sub(MAX_NAMED) as u64 + values.more_values;
    if num_others > 0 {
        parts.push(format!("{num_others} others"));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Tells how many records the page shows, and why not all.
pub(super) fn choice(num_records: u64, num_shown: u64) -> String {
    if num_shown >= num_records {
        return format!(
            "Shown: all {}, in shard order.",
            counted(num_records, "record")
        );
    }
    let why = match num_shown < MAX_RECORDS {
        true => format!(
            "; more would exceed {} of images",
            HumanBytes(MAX_IMAGE_BYTES)
        ),
        false => String::new(),
    };
    format!(
        "Shown: {num_shown} of {num_records} records, evenly spread over the data set, in shard order{why}. \
         `vidpairs inspect DIR --record N` prints one in full."
    )
}
