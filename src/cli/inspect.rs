//! `vidpairs inspect`: totals, one record, or a page of pictures.

use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::CliError;
use super::args::InspectArgs;
use crate::inspect::{self, Inspection, SampledRecord, Top};
use crate::report::gallery::{Entry, Gallery};
use crate::report::{self, Fact, SetAsideNote, gallery};

/// Records on a page: as many as one likes to scroll through.
const MAX_RECORDS: u64 = 48;

/// Bytes of the images on a page, as they are stored; base64 makes a third more of them.
const MAX_IMAGE_BYTES: u64 = 7 << 20;

/// Labels that the head of a page names.
const MAX_LABELS: usize = 6;

pub(super) fn inspect(args: &InspectArgs) -> Result<ExitCode, CliError> {
    if let Some(number) = args.record {
        let record = inspect::inspect_record(&args.dir, number)?;
        args.common.print(&record)?;
        return Ok(if record.damage.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        });
    }
    if let Some(out) = &args.gallery {
        // Before the shards are read: that takes minutes where there are many.
        report::check_place(out)?;
    }
    let inspection = inspect::inspect(&args.dir, &args.common.control()?)?;
    let gallery = match &args.gallery {
        Some(out) => Some(write_gallery(&args.dir, &inspection, out)?),
        None => None,
    };
    let is_sound = inspection.num_damage == 0;
    args.common.print(&Printed {
        inspection,
        gallery,
    })?;
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

/// What the command prints.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    inspection: Inspection,
    #[serde(skip_serializing_if = "Option::is_none")]
    gallery: Option<WrittenGallery>,
}

#[derive(Serialize)]
struct WrittenGallery {
    path: String,
    records: usize,
    of_records: u64,
    bytes: usize,
}

impl Display for Printed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inspection)?;
        if let Some(gallery) = &self.gallery {
            let size = indicatif::HumanBytes(gallery.bytes as u64);
            let (path, records, all) = (&gallery.path, gallery.records, gallery.of_records);
            write!(f, "\n\nwrote {path}: {records} of {all} records, {size}")?;
        }
        Ok(())
    }
}

fn write_gallery(
    dir: &Path,
    inspection: &Inspection,
    out: &Path,
) -> Result<WrittenGallery, CliError> {
    let sampled = inspect::sample_records(dir, MAX_RECORDS, MAX_IMAGE_BYTES)?;
    let gallery = page_of(inspection, sampled);
    let html = gallery::render(&gallery);
    report::write_page(out, &html)?;
    Ok(WrittenGallery {
        path: out.display().to_string(),
        records: gallery.entries.len(),
        of_records: inspection.totals.records,
        bytes: html.len(),
    })
}

fn page_of(inspection: &Inspection, sampled: Vec<SampledRecord>) -> Gallery {
    let folder = Path::new(&inspection.dir);
    let title = folder.file_name().map_or_else(
        || inspection.dir.clone(),
        |name| name.to_string_lossy().into_owned(),
    );
    let set_aside = inspection.set_aside.reasons.iter();
    let set_aside = set_aside.map(|group| SetAsideNote {
        what: format!(
            "{} {} at {}",
            group.clips,
            group.outcome.name(),
            group.stage.name()
        ),
        reason: group.reason.clone(),
        example: group.example.clone(),
    });
    let entries = sampled.into_iter().map(|sampled| Entry {
        number: sampled.number,
        record: sampled.record,
    });
    let entries: Vec<Entry> = entries.collect();
    Gallery {
        title,
        headline: inspection.headline(),
        facts: facts(inspection),
        set_aside: set_aside.collect(),
        choice: choice(inspection, entries.len() as u64),
        entries,
    }
}

/// Which records a page shows, and why not all.
fn choice(inspection: &Inspection, num_shown: u64) -> String {
    let num_records = inspection.totals.records;
    let why = if num_shown >= num_records {
        return format!("All {num_records} records are shown, in the order of the shards.");
    } else if num_shown < MAX_RECORDS {
        let size = indicatif::HumanBytes(MAX_IMAGE_BYTES);
        format!("; more would make the page larger than {size} of images")
    } else {
        String::new()
    };
    format!(
        "Shown are {num_shown} of {num_records} records, evenly spread over the data set in the \
         order of the shards{why}. `vidpairs inspect DIR --record N` shows one in full."
    )
}

fn facts(inspection: &Inspection) -> Vec<Fact> {
    let totals = inspection.totals;
    let outcomes = [
        (totals.refused, "refused", inspection.rates.refused),
        (totals.skipped, "skipped", inspection.rates.skipped),
        (totals.partial, "partial", inspection.rates.partial),
    ];
    let clips = outcomes
        .iter()
        .filter(|(clips, ..)| *clips > 0)
        .map(|(clips, name, rate)| format!("{clips} {name} ({:.1} %)", 100.0 * rate))
        .fold(totals.clips.to_string(), |all, part| {
            format!("{all}, {part}")
        });
    let k = inspection.k.as_ref().map(|k| match k.min == k.max {
        true => format!("{} frames apart", k.min),
        false => format!("{} to {} frames apart, median {}", k.min, k.max, k.median),
    });
    let sizes = inspection.image_sizes.as_ref();
    let sizes = sizes.map(|sizes| match sizes.min == sizes.max {
        true => sizes.min.to_string(),
        false => format!("{} to {}", sizes.min, sizes.max),
    });
    let damage = (inspection.num_damage > 0).then(|| {
        format!(
            "{} records cannot be read; `vidpairs inspect` names them",
            inspection.records_damaged
        )
    });
    let tracklets = inspection.tracklets.as_ref().map(|counts| {
        let rejected = counts.rejected.iter();
        let rejected = rejected.map(|(reason, count)| format!("{count} {reason}"));
        let trusted = format!("{} trusted", counts.num_trusted());
        let words: Vec<String> = std::iter::once(trusted).chain(rejected).collect();
        words.join(", ")
    });
    let no_label = || "no label".to_owned();
    let label = |label: &Option<String>| label.clone().unwrap_or_else(no_label);
    let facts = [
        (
            "kind",
            named(&inspection.kinds, |kind| kind.name().to_owned()),
        ),
        ("source", named(&inspection.sources, String::clone)),
        ("clips", Some(clips)),
        ("k", k),
        ("labels", named(&inspection.labels, label)),
        ("tracker", named(&inspection.trackers, String::clone)),
        ("tracklets", tracklets),
        ("size of images", sizes),
        ("pipeline: pairs", Some(inspection.settings("pairs"))),
        (
            "pipeline: proposals",
            Some(inspection.settings("proposals")),
        ),
        ("pipeline: tracker", Some(inspection.settings("tracker"))),
        ("pipeline: images", Some(inspection.settings("images"))),
        ("seed", Some(inspection.seed.to_string())),
        (
            "written by",
            Some(format!("vidpairs {}", inspection.program_version)),
        ),
        ("damage", damage),
    ];
    let facts = facts.into_iter();
    facts
        .filter_map(|(name, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some(Fact { name, value })
        })
        .collect()
}

/// `rabbit 12, bird 7, 3 others`; a value that all records share needs no number.
fn named<V>(values: &Top<V>, name: impl Fn(&V) -> String) -> Option<String> {
    let shown = values.top.iter().take(MAX_LABELS);
    if let ([only], 0) = (values.top.as_slice(), values.more_values) {
        return Some(name(&only.value));
    }
    let mut words: Vec<String> = shown
        .map(|share| format!("{} {}", name(&share.value), share.records))
        .collect();
    let not_shown = values.top.len().saturating_sub(MAX_LABELS) as u64 + values.more_values;
    if not_shown > 0 {
        words.push(format!("{not_shown} others"));
    }
    (!words.is_empty()).then(|| words.join(", "))
}
