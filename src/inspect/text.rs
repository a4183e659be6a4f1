//! Formats summaries and records as text: aligned, 80 columns, without control characters.

use std::fmt::{self, Display, Formatter};

use indicatif::{HumanBytes, HumanCount};
use vidpairs_run::counted;

use super::{Inspection, KSpread, RecordInspection, Sizes, Top};

/// Columns of the text.
const WIDTH: usize = 80;

/// Columns of a name; numbers stand to its right.
const NAME_WIDTH: usize = 36;

/// Columns of the longest bar.
const BAR_WIDTH: u64 = 14;

/// Maximum number of damages listed; `--json` lists more.
const MAX_DAMAGES: usize = 10;

/// Maximum number of cuts listed of the clip of a record; `--json` lists all.
const MAX_CUTS: usize = 20;

impl Display for Inspection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let totals = self.totals;
        writeln!(f, "{}", printable(&self.dir))?;
        writeln!(f, "{}\n", self.headline())?;
        number(f, "clips", totals.clips)?;
        for (name, clips) in [
            ("refused", totals.refused),
            ("skipped", totals.skipped),
            ("partial", totals.partial),
        ] {
            share(f, name, clips, totals.clips)?;
        }
        number(f, "shards", totals.shards)?;
        number(f, "records", totals.records)?;
        if let Some(bytes) = self.record_bytes {
            for (name, bytes) in [
                ("smallest", bytes.min),
                ("mean", bytes.mean),
                ("largest", bytes.max),
            ] {
                let bytes = HumanBytes(bytes).to_string();
                writeln!(f, "  {name:<NAME_WIDTH$}{bytes:>14}")?;
            }
        }
        self.fmt_values(f)?;
        self.fmt_pipeline(f)?;
        self.fmt_set_aside(f)?;
        self.fmt_damage(f)
    }
}

impl Inspection {
    /// `32 records of 4 clips in 1 shard, 668.50 KiB`.
    pub fn headline(&self) -> String {
        let totals = self.totals;
        format!(
            "{} of {} in {}, {}",
            counted(totals.records, "record"),
            counted(totals.clips, "clip"),
            counted(totals.shards, "shard"),
            HumanBytes(totals.bytes)
        )
    }

    fn fmt_values(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let all = self.records_read;
        top(f, "kind", &self.kinds, all, |kind| kind.name().to_owned())?;
        top(f, "source", &self.sources, all, String::clone)?;
        top(f, "label", &self.labels, all, label_name)?;
        top(f, "tracker", &self.trackers, all, String::clone)?;
        if let Some(tracklets) = &self.tracklets {
            let all = tracklets.tracklets;
            number(f, "tracklets (see tracks.jsonl.zst)", all)?;
            share(f, "trusted", tracklets.num_trusted(), all)?;
            for (reason, count) in &tracklets.rejected {
                share(f, reason, *count, all)?;
            }
        }
        if let Some(cuts) = self.cuts.filter(|cuts| cuts.clips > 0) {
            number(f, "cuts (see cuts.jsonl)", cuts.cuts)?;
            share(f, "clips with cuts", cuts.clips, self.totals.clips)?;
            for (name, pairs) in [
                ("pairs drawn anew", cuts.moved),
                ("pairs left out", cuts.left_out),
            ] {
                let pairs = HumanCount(pairs).to_string();
                writeln!(f, "  {name:<NAME_WIDTH$}{pairs:>14}")?;
            }
        }
        if let Some(k) = &self.k {
            k_spread(f, k, all)?;
        }
        if let Some(frames) = &self.frame_sizes {
            sizes(f, "frame size", frames)?;
        }
        if let Some(images) = &self.image_sizes {
            sizes(f, "image size", images)?;
        }
        Ok(())
    }

    fn fmt_pipeline(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "pipeline (by vidpairs {})",
            printable(&self.program_version)
        )?;
        for table in ["source", "pairs", "proposals", "tracker", "images"] {
            let settings = self.settings(table);
            if !settings.is_empty() {
                let line = format!("  {table:<10}{}", printable(&settings));
                wrapped(f, &line, 12)?;
            }
        }
        writeln!(f, "  {:<10}{}", "seed", self.seed)
    }

    fn fmt_set_aside(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let set_aside = &self.set_aside;
        if !set_aside.reasons.is_empty() {
            writeln!(f, "clips set aside, by reason (refused.jsonl lists each)")?;
        }
        for group in &set_aside.reasons {
            let (outcome, stage) = (group.outcome.name(), group.stage.name());
            let (count, reason) = (HumanCount(group.clips), printable(&group.reason));
            wrapped(f, &format!("  {count} {outcome} at {stage}: {reason}"), 6)?;
            wrapped(
                f,
                &format!("      such as {}", printable(&group.example)),
                8,
            )?;
        }
        if set_aside.more_clips > 0 {
            let clips = counted(set_aside.more_clips, "clip");
            let reasons = counted(set_aside.more_reasons, "other reason");
            writeln!(f, "  {clips} for {reasons}")?;
        }
        if set_aside.unreadable_lines > 0 {
            let lines = counted(set_aside.unreadable_lines, "line");
            writeln!(f, "  {lines} of refused.jsonl cannot be parsed")?;
        }
        Ok(())
    }

    fn fmt_damage(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.num_damage == 0 {
            return write!(
                f,
                "the json of every record is readable; `vidpairs verify` also checks the images"
            );
        }
        let records = counted(self.records_damaged, "record");
        writeln!(f, "damage ({records} unreadable and not counted above)")?;
        let named = self.damage.iter().take(MAX_DAMAGES);
        let num_named = named.len() as u64;
        for damage in named {
            wrapped(f, &format!("  {}", printable(&damage.to_string())), 6)?;
        }
        if self.num_damage > num_named {
            writeln!(f, "  and {} more", HumanCount(self.num_damage - num_named))?;
        }
        write!(f, "`vidpairs verify` lists all damage")
    }
}

impl Display for RecordInspection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            record,
            shard,
            number_in_shard,
            key,
            ..
        } = self;
        let (shard, key) = (printable(shard), printable(key));
        writeln!(
            f,
            "record {record}: {key}, record {number_in_shard} of {shard}\n"
        )?;
        writeln!(f, "  {:<22}{:>12}  crc32", "member", "bytes")?;
        for member in &self.members {
            let name = printable(&member.name);
            let bytes = HumanCount(member.bytes).to_string();
            let crc32 = match member.crc32_ok {
                Some(true) => "ok",
                Some(false) => "DIFFERS",
                None => "-",
            };
            writeln!(f, "  {name:<22}{bytes:>12}  {crc32}")?;
        }
        writeln!(f)?;
        for damage in &self.damage {
            writeln!(f, "damaged: {}", printable(&damage.to_string()))?;
        }
        if let Some(clip) = &self.cuts {
            let (found, id) = (clip.cuts.len(), printable(&clip.id));
            let cuts = clip.cuts.iter().take(MAX_CUTS);
            let cuts = cuts.map(|cut| format!("{} to {}", cut.before, cut.after));
            let cuts = cuts.collect::<Vec<_>>().join(", ");
            let more = if found > MAX_CUTS { ", ..." } else { "" };
            let line = format!("{found} cuts in {id}: frames {}{more}", printable(&cuts));
            wrapped(f, &line, 2)?;
            writeln!(f)?;
        }
        match &self.json {
            Some(json) => {
                let json = format!("{json:#}");
                let lines: Vec<String> = json.lines().map(printable).collect();
                write!(f, "{}", lines.join("\n"))
            }
            None => write!(
                f,
                "the json cannot be shown: it is missing or not valid JSON"
            ),
        }
    }
}

fn number(f: &mut Formatter<'_>, name: &str, value: u64) -> fmt::Result {
    let value = HumanCount(value).to_string();
    writeln!(f, "{name:<width$}{value:>14}", width = NAME_WIDTH + 2)
}

fn share(f: &mut Formatter<'_>, name: &str, part: u64, whole: u64) -> fmt::Result {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    let (name, part) = (fitted(name), HumanCount(part).to_string());
    writeln!(f, "  {name}{part:>14}{percent:>9.1} %")
}

fn top<V>(
    f: &mut Formatter<'_>,
    title: &str,
    values: &Top<V>,
    whole: u64,
    name: impl Fn(&V) -> String,
) -> fmt::Result {
    if values.top.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    for value in &values.top {
        share(f, &name(&value.value), value.records, whole)?;
    }
    if values.more_records > 0 {
        let more = format!("({} others)", HumanCount(values.more_values));
        share(f, &more, values.more_records, whole)?;
    }
    Ok(())
}

fn label_name(label: &Option<String>) -> String {
    label.clone().unwrap_or_else(|| "no label".to_owned())
}

fn k_spread(f: &mut Formatter<'_>, k: &KSpread, whole: u64) -> fmt::Result {
    let KSpread {
        min, median, max, ..
    } = k;
    writeln!(f, "k: frames apart (min {min}, median {median}, max {max})")?;
    let longest = k.histogram.iter().map(|bar| bar.records).max();
    for bar in &k.histogram {
        let name = match bar.from == bar.to {
            true => bar.from.to_string(),
            false => format!("{} to {}", bar.from, bar.to),
        };
        let percent = 100.0 * bar.records as f64 / whole.max(1) as f64;
        let len = (bar.records * BAR_WIDTH).div_ceil(longest.unwrap_or(1).max(1));
        let (name, records) = (fitted(&name), HumanCount(bar.records).to_string());
        let drawn = "#".repeat(len as usize);
        writeln!(f, "  {name}{records:>14}{percent:>9.1} %  {drawn}")?;
    }
    Ok(())
}

fn sizes(f: &mut Formatter<'_>, title: &str, sizes: &Sizes) -> fmt::Result {
    let Sizes { counts, min, max } = sizes;
    let shown = counts.top.iter().map(|share| share.records);
    let whole = shown.sum::<u64>() + counts.more_records;
    let title = format!("{title} (min {min}, max {max})");
    top(f, &title, counts, whole, ToString::to_string)
}

/// `name` in [`NAME_WIDTH`] columns, padded, or shortened in its middle.
fn fitted(name: &str) -> String {
    let name = printable(name);
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= NAME_WIDTH {
        return format!("{name:<NAME_WIDTH$}");
    }
    let (head, tail) = (NAME_WIDTH / 2, NAME_WIDTH - NAME_WIDTH / 2 - 3);
    let (start, end) = (
        chars.iter().take(head),
        chars.iter().skip(chars.len() - tail),
    );
    format!(
        "{}...{}",
        start.collect::<String>(),
        end.collect::<String>()
    )
}

/// Writes `line` broken at spaces to [`WIDTH`] columns; the continuation is indented by `indent`.
fn wrapped(f: &mut Formatter<'_>, line: &str, indent: usize) -> fmt::Result {
    let start = line.len() - line.trim_start().len();
    let mut columns = start;
    write!(f, "{:start$}", "")?;
    // Repeated spaces stay: they align.
    for (at, word) in line.trim_start().split(' ').enumerate() {
        let len = word.chars().count();
        if at > 0 && columns + 1 + len > WIDTH {
            write!(f, "\n{:indent$}", "")?;
            columns = indent;
        } else if at > 0 {
            write!(f, " ")?;
            columns += 1;
        }
        write!(f, "{word}")?;
        columns += len;
    }
    writeln!(f)
}

/// `text` without control characters, which a terminal would obey: ids and labels come from file names.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}
