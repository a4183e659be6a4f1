//! `vidpairs synth`: a set of items, rendered on many threads, published in order.

mod credit;
mod error;
mod job;
mod journal;
mod publish;
mod sample;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

pub use credit::Credit;
pub use error::SynthError;
pub use sample::{
    SampleLimits, SampledGroup, SampledImage, SampledPicture, SampledSet, SampledStrip, Varied,
    sample_set,
};

use vidpairs_extract::decode;
use vidpairs_run::{
    JOURNAL_FOLDER, REFUSED_FILE, RunError, Verbosity, counted, differences, failed, json_lines,
    nothing_foreign_in, write_whole,
};
use vidpairs_types::Refusal;
use vidpairs_types::parallel::{Cancel, Crew, Ended, run_ordered};

use self::job::SynthJob;
use self::journal::{Begin, Journal, Progress};
use self::publish::Publisher;
use crate::backdrops::{Backdrops, Collection};
use crate::catalog::Catalog;
use crate::set::{Plan, Settings, index_files};

/// What is true of every image.
pub const TRUTH_FILE: &str = "truth.jsonl";
/// Who made the objects that can be seen.
const CREDITS_FILE: &str = "credits.jsonl";
/// The manifest, written last.
const MANIFEST_FILE: &str = "synth.json";
/// An image takes milliseconds; an object of millions of triangles, seconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// What to render, and where.
#[derive(Debug, Clone)]
pub struct SynthOptions {
    /// The set.
    pub settings: Settings,
    /// Catalogues and folders of objects.
    pub objects: Vec<PathBuf>,
    /// A folder of pictures and videos to stand behind the objects; painted places if `None`.
    pub backgrounds: Option<PathBuf>,
    /// A new or empty folder, or that of a stopped run of the same set.
    pub out: PathBuf,
    /// Threads that render.
    pub workers: usize,
    /// How much to tell.
    pub verbosity: Verbosity,
    /// Ends the run.
    pub cancel: Arc<Cancel>,
}

/// What was rendered; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SynthSummary {
    /// The layout's name.
    pub kind: &'static str,
    /// Videos, or objects with all their images.
    pub items: u64,
    /// Of these, those that could not be made.
    pub items_refused: u64,
    /// Images, or frames of videos.
    pub images: u64,
    /// Different objects that take part.
    pub objects: u64,
    /// Lines of `refused.jsonl`: objects, backgrounds and items that were set aside.
    pub refused: u64,
    /// Of all files but the lists.
    pub bytes: u64,
    /// What this run took.
    pub seconds: f64,
    /// Images that this run rendered, a second.
    pub images_per_second: f64,
    /// What was asked for and can't be had.
    pub remarks: Vec<String>,
    /// Whether the folder held the whole set before.
    pub is_complete_already: bool,
}

/// Renders the set of `options`; goes on by itself where a run of the same set was stopped.
///
/// # Errors
/// [`RunError`]. What was published stays, and the same call goes on from there.
pub fn synth(options: &SynthOptions) -> Result<SynthSummary, RunError> {
    let start = Instant::now();
    decode::set_ffmpeg_log(options.verbosity >= Verbosity::Verbose);
    if options.out.exists() && !options.out.is_dir() {
        return Err(RunError::NotAFolder(options.out.clone()));
    }
    let catalog = Catalog::read(&options.objects).map_err(SynthError::from)?;
    let backdrops = match &options.backgrounds {
        Some(root) => {
            // Its own images, where it lies among them, are no backgrounds of a set.
            let found = Collection::list(root, own_folder(root, &options.out).as_deref());
            Backdrops::Collected(found.map_err(SynthError::from)?)
        }
        None => Backdrops::Painted,
    };
    let begin = Begin::new(&options.settings, &catalog, &backdrops);
    let plan =
        Plan::new(options.settings.clone(), &catalog, backdrops).map_err(SynthError::from)?;
    if let Some(summary) = complete_already(options, &begin, &plan)? {
        return Ok(summary);
    }
    // What the journal tells is not known where the disk has no room to open it.
    let (journal, progress) = open_journal(options, &begin)
        .map_err(|err| err.named_if_full(&options.out, "the images so far"))?;
    let num_images_before = progress.images;
    let plan = Arc::new(plan);
    let mut publisher = Publisher {
        out: options.out.clone(),
        plan: Arc::clone(&plan),
        bar: bar(&plan, &progress, options.verbosity),
        images_before: progress.images,
        told: HashSet::new(),
        verbosity: options.verbosity,
        journal,
        progress,
        error: None,
    };
    let first = publisher.progress.items();
    let job = SynthJob {
        plan: Arc::clone(&plan),
        scratch: options.out.join(JOURNAL_FOLDER),
    };
    let crew = Crew {
        workers: options.workers,
        window: 2 * options.workers,
        patience: PATIENCE,
        cancel: Arc::clone(&options.cancel),
    };
    let ended = run_ordered(
        first..plan.items.len() as u64,
        Arc::new(job),
        &crew,
        &mut publisher,
    );
    publisher.bar.finish_and_clear();
    let safe = counted(publisher.progress.images, "image");
    let named = |err: RunError| err.named_if_full(&options.out, &safe);
    match (ended.map_err(RunError::Thread)?, publisher.error.take()) {
        (_, Some(err)) => return Err(named(err)),
        (Ended::Complete, None) => {}
        (Ended::Cancelled | Ended::Broken, None) => {
            return Err(RunError::Interrupted {
                out: options.out.clone(),
                safe,
            });
        }
    }
    let progress = publisher.progress;
    if progress.items_made() == 0 {
        let (item, reason) = progress.first_refused().unwrap_or_default();
        return Err(SynthError::NothingMade {
            num_items: plan.items.len() as u64,
            item,
            reason,
        }
        .into());
    }
    let summary = SynthSummary {
        seconds: start.elapsed().as_secs_f64(),
        ..finish(options, &catalog, &plan, &begin, &progress).map_err(named)?
    };
    publisher.journal.remove()?;
    let rendered = (progress.images - num_images_before) as f64;
    Ok(SynthSummary {
        images_per_second: rendered / summary.seconds.max(1e-9),
        ..summary
    })
}

/// `out` as a walk through `root` meets it, if it lies in there.
fn own_folder(root: &Path, out: &Path) -> Option<PathBuf> {
    let (root_itself, out) = (root.canonicalize().ok()?, out.canonicalize().ok()?);
    Some(root.join(out.strip_prefix(root_itself).ok()?))
}

impl Begin {
    fn new(settings: &Settings, catalog: &Catalog, backdrops: &Backdrops) -> Self {
        let fingerprint =
            |names: Vec<&str>| format!("{:016x}", xxh3_64(names.join("\n").as_bytes()));
        let ids = catalog
            .objects
            .iter()
            .map(|object| object.id.as_str())
            .collect();
        let names = backdrops.names();
        Self {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            settings: settings.clone(),
            objects: catalog.objects.len() as u64,
            objects_xxh3: fingerprint(ids),
            backgrounds: names.len() as u64,
            backgrounds_xxh3: fingerprint(names.iter().map(String::as_str).collect()),
        }
    }

    /// Fails if `theirs` is another set.
    fn same_as(&self, theirs: &serde_json::Value, out: &Path) -> Result<(), RunError> {
        let differences = differences(theirs, &json!(self), |path| path == "program_version");
        if !differences.is_empty() {
            return Err(RunError::OtherRun {
                out: out.to_owned(),
                what: "a rendered set",
                difference: differences.join(", "),
            });
        }
        let version = &theirs["program_version"];
        if version != &json!(self.program_version) {
            return Err(RunError::OtherVersion {
                out: out.to_owned(),
                theirs: version.as_str().unwrap_or("?").to_owned(),
                ours: self.program_version.clone(),
            });
        }
        Ok(())
    }
}

/// The summary of a set that `out` holds whole; `None` if it holds none.
fn complete_already(
    options: &SynthOptions,
    begin: &Begin,
    plan: &Plan,
) -> Result<Option<SynthSummary>, RunError> {
    let path = options.out.join(MANIFEST_FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(failed("read", &path)(err)),
    };
    let manifest: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|err| failed("read", &path)(std::io::Error::other(err)))?;
    begin.same_as(&manifest["set"], &options.out)?;
    let journal = options.out.join(JOURNAL_FOLDER);
    if journal.exists() {
        // The run was stopped while it removed it.
        std::fs::remove_dir_all(&journal).map_err(failed("remove", &journal))?;
    }
    let total = |name: &str| manifest["totals"][name].as_u64().unwrap_or(0);
    Ok(Some(SynthSummary {
        kind: options.settings.kind.name(),
        items: total("items"),
        items_refused: total("items_refused"),
        images: total("images"),
        objects: total("objects"),
        refused: total("refused"),
        bytes: total("bytes"),
        seconds: 0.0,
        images_per_second: 0.0,
        remarks: plan.remarks.clone(),
        is_complete_already: true,
    }))
}

fn open_journal(options: &SynthOptions, begin: &Begin) -> Result<(Journal, Progress), RunError> {
    let out = &options.out;
    if !out.join(JOURNAL_FOLDER).is_dir() {
        nothing_foreign_in(out)?;
    }
    let (mut journal, found) = Journal::open(out)?;
    match found {
        Some((theirs, progress)) => {
            begin.same_as(&theirs, out)?;
            Ok((journal, progress))
        }
        None => {
            journal.begin(begin)?;
            Ok((journal, Progress::default()))
        }
    }
}

fn bar(plan: &Plan, progress: &Progress, verbosity: Verbosity) -> ProgressBar {
    if verbosity == Verbosity::Quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len} images, {per_sec}, {eta} left",
    );
    let bar = ProgressBar::new(plan.num_images());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(progress.images);
    bar.reset_eta();
    bar
}

/// The lists, the truth, the credits, what was refused, and the manifest after all else.
fn finish(
    options: &SynthOptions,
    catalog: &Catalog,
    plan: &Plan,
    begin: &Begin,
    progress: &Progress,
) -> Result<SynthSummary, RunError> {
    let out = &options.out;
    for (name, text) in index_files(&plan.settings, progress.names()) {
        write_whole(out, &name, text.as_bytes())?;
    }
    // A copy: a run that is stopped before the manifest needs the journal's own again.
    let truth = out.join(JOURNAL_FOLDER).join(TRUTH_FILE);
    let truth = std::fs::read(&truth).map_err(failed("read", &truth))?;
    write_whole(out, TRUTH_FILE, &truth)?;
    let objects = progress.objects();
    let used = catalog
        .objects
        .iter()
        .filter(|object| objects.contains(object.id.as_str()));
    let credits: Vec<Credit> = used.map(Credit::of).collect();
    write_whole(
        out,
        CREDITS_FILE,
        &json_lines(&out.join(CREDITS_FILE), &credits)?,
    )?;
    let refused = refused(catalog, progress);
    write_whole(
        out,
        REFUSED_FILE,
        &json_lines(&out.join(REFUSED_FILE), &refused)?,
    )?;
    let summary = SynthSummary {
        kind: plan.settings.kind.name(),
        items: progress.items(),
        items_refused: progress.items() - progress.items_made(),
        images: progress.images,
        objects: objects.len() as u64,
        refused: refused.len() as u64,
        bytes: progress.bytes,
        seconds: 0.0,
        images_per_second: 0.0,
        remarks: plan.remarks.clone(),
        is_complete_already: false,
    };
    let manifest = json!({
        "format_version": 1,
        "set": begin,
        "totals": {
            "items": summary.items,
            "items_refused": summary.items_refused,
            "images": summary.images,
            "objects": summary.objects,
            "refused": summary.refused,
            "bytes": summary.bytes,
        },
    });
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|err| failed("write", &out.join(MANIFEST_FILE))(std::io::Error::other(err)))?;
    text.push(b'\n');
    write_whole(out, MANIFEST_FILE, &text)?;
    Ok(summary)
}

/// Each once, sorted by id: an object that fails is drawn for many items.
fn refused(catalog: &Catalog, progress: &Progress) -> Vec<Refusal> {
    let mut refused: Vec<Refusal> = catalog
        .set_aside
        .iter()
        .chain(progress.refused())
        .cloned()
        .collect();
    refused.sort_by(|a, b| (&a.id, &a.path, &a.reason).cmp(&(&b.id, &b.path, &b.reason)));
    refused.dedup();
    refused
}

impl std::fmt::Display for SynthSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for remark in &self.remarks {
            writeln!(f, "note: {remark}")?;
        }
        let item = if matches!(self.kind, "aloi" | "pascal3d") {
            "object"
        } else {
            "video"
        };
        let images = counted(self.images, "image");
        let items = counted(self.items - self.items_refused, item);
        let bytes = indicatif::HumanBytes(self.bytes);
        let objects = counted(self.objects, "object");
        write!(
            f,
            "{images} of {items} in the layout of {}, {bytes}, {objects} taking part",
            self.kind
        )?;
        if self.is_complete_already {
            write!(f, "; complete already, nothing was done")?;
        } else {
            write!(
                f,
                "; {:.1} s, {:.0} images/s",
                self.seconds, self.images_per_second
            )?;
        }
        if self.items_refused > 0 {
            write!(
                f,
                "; {} could not be made",
                counted(self.items_refused, item)
            )?;
        }
        if self.refused > 0 {
            write!(
                f,
                "; {} set aside: {REFUSED_FILE} says what and why",
                self.refused
            )?;
        }
        Ok(())
    }
}
