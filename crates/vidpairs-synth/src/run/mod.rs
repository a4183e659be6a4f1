//! Runs `vidpairs synth`: renders the items of a set on worker threads and publishes them in order.

mod annotations;
mod credit;
mod error;
mod job;
mod journal;
mod publish;
mod sample;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

pub use credit::Credit;
pub use error::SynthError;
pub use sample::{
    SampleLimits, SampledGroup, SampledImage, SampledPicture, SampledSet, SampledStrip, Varied,
    sample_set,
};

use vidpairs_extract::decode;
use vidpairs_run::{
    Control, Journal, Progress, REFUSED_FILE, RunError, RunLayout, Started, Unit, Verbosity,
    broken, counted, failed,
};
use vidpairs_types::parallel::run_ordered;
use vidpairs_types::{Refusal, open_regular};

use self::job::SynthJob;
use self::journal::{Begin, Done, Published, TruthFile};
use self::publish::Publisher;
use crate::backdrops::{Backdrops, Collection};
use crate::catalog::Catalog;
use crate::set::{Plan, Settings, index_files};

/// Ground truth of every image.
pub const TRUTH_FILE: &str = "truth.jsonl";
/// Authors of the visible objects.
const CREDITS_FILE: &str = "credits.jsonl";
/// The manifest, written last.
const MANIFEST_FILE: &str = "synth.json";
const LAYOUT: RunLayout = RunLayout {
    what: "a rendered set",
    manifest: MANIFEST_FILE,
    begin_key: "set",
};
/// Time without progress after which an item is given up. An image takes milliseconds, an object of millions of triangles seconds.
const PATIENCE: Duration = Duration::from_secs(300);

/// Options of `vidpairs synth`.
#[derive(Debug, Clone)]
pub struct SynthOptions {
    /// Settings of the set.
    pub settings: Settings,
    /// Catalogues and folders of objects.
    pub objects: Vec<PathBuf>,
    /// Folder of pictures and videos for backgrounds; `None` for painted ones.
    pub backgrounds: Option<PathBuf>,
    /// Output folder: new, empty, or of a stopped run of the same set.
    pub out: PathBuf,
    /// Threads, verbosity, and the signal to stop.
    pub control: Control,
}

/// Result of `vidpairs synth`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SynthSummary {
    /// Name of the layout.
    pub kind: &'static str,
    /// Number of items: videos, objects with all their images, or scenes.
    pub items: u64,
    /// Number of items that could not be made.
    pub items_refused: u64,
    /// Number of images, or frames of videos.
    pub images: u64,
    /// Number of distinct visible objects.
    pub objects: u64,
    /// Number of lines of `refused.jsonl`: refused objects, backgrounds and items.
    pub refused: u64,
    /// Size of all files but the lists, bytes.
    pub bytes: u64,
    /// Time of this run, seconds.
    pub seconds: f64,
    /// Throughput of this run, images per second.
    pub images_per_second: f64,
    /// Requests that could not be met.
    pub remarks: Vec<String>,
    /// Whether the set was complete before this command.
    pub is_complete_already: bool,
}

/// Renders the set of `options`, or resumes a stopped run of the same set.
///
/// # Errors
/// [`RunError`]. Published items stay, and the same call resumes after them.
pub fn synth(options: &SynthOptions) -> Result<SynthSummary, RunError> {
    let start = Instant::now();
    let (out, control) = (&options.out, &options.control);
    decode::set_ffmpeg_log(control.verbosity >= Verbosity::Verbose);
    if out.exists() && !out.is_dir() {
        return Err(RunError::NotAFolder(out.clone()));
    }
    let catalog = Catalog::read(&options.objects).map_err(SynthError::from)?;
    let backdrops = match &options.backgrounds {
        Some(root) => {
            // Images of the set itself are no backgrounds, if it lies among them.
            let found = Collection::list(root, own_folder(root, out).as_deref());
            Backdrops::Collected(found.map_err(SynthError::from)?)
        }
        None => Backdrops::Painted,
    };
    let begin = Begin::new(&options.settings, &catalog, &backdrops);
    let plan =
        Plan::new(options.settings.clone(), &catalog, backdrops).map_err(SynthError::from)?;
    // The journal cannot be read where the disk has no room to open it.
    let full = |err: RunError| err.named_if_full(out, "the images so far");
    let (mut journal, mut lines) = match LAYOUT.start(out, &begin).map_err(full)? {
        Started::Complete(manifest) => return Ok(complete(&manifest, &plan)),
        Started::Open(journal, lines) => (journal, lines),
    };
    let truth = TruthFile::open(&mut journal, &mut lines).map_err(full)?;
    let published = Published::from(lines);
    let images_before = published.images;
    let plan = Arc::new(plan);
    let mut publisher = Publisher {
        plan: Arc::clone(&plan),
        images_before,
        reported: HashSet::new(),
        journal,
        truth,
        progress: Progress::new(
            Unit::Things("image"),
            plan.num_images(),
            images_before,
            control.verbosity,
        ),
        published,
    };
    let job = SynthJob {
        plan: Arc::clone(&plan),
        scratch: publisher.journal.out().journal_folder(),
    };
    let items = publisher.published.items()..plan.items.len() as u64;
    let crew = control.crew(PATIENCE);
    let ended = run_ordered(items, Arc::new(job), &crew, &mut publisher);
    publisher.progress.finish();
    let Publisher {
        published, journal, ..
    } = publisher;
    let safe = counted(published.images, "image");
    ended.map_err(|end| broken(end, out, &safe))?;
    if published.items_made() == 0 {
        let (item, reason) = published
            .first_refused()
            .expect("a plan has items, and none of them was made");
        return Err(SynthError::NothingMade {
            num_items: plan.items.len() as u64,
            item,
            reason,
        }
        .into());
    }
    let full = |err: RunError| err.named_if_full(out, &safe);
    let mut summary = finish(journal, &catalog, &plan, &begin, &published).map_err(full)?;
    summary.seconds = start.elapsed().as_secs_f64();
    let num_rendered = published.images - images_before;
    summary.images_per_second = num_rendered as f64 / summary.seconds.max(1e-9);
    Ok(summary)
}

/// Path of `out` below `root`, if it lies there.
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
}

/// The summary of a set that was complete before.
fn complete(manifest: &Value, plan: &Plan) -> SynthSummary {
    let total = |name: &str| manifest["totals"][name].as_u64().unwrap_or(0);
    SynthSummary {
        kind: plan.settings.kind.name(),
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
    }
}

/// Writes the lists, the truth, the credits, the refusals, and the manifest after everything else.
fn finish(
    journal: Journal<Done>,
    catalog: &Catalog,
    plan: &Plan,
    begin: &Begin,
    published: &Published,
) -> Result<SynthSummary, RunError> {
    let out = journal.out();
    for (name, text) in index_files(&plan.settings, published.names()) {
        out.write(&name, text.as_bytes())?;
    }
    annotations::write(out, plan, published)?;
    // A copy: a run that is stopped before the manifest needs the file of the journal again.
    let truth = out.journal_folder().join(TRUTH_FILE);
    let mut truth = open_regular(&truth).map_err(failed("read", &truth))?;
    out.write_by(TRUTH_FILE, |mut file| {
        io::copy(&mut truth, &mut file)?;
        Ok(file)
    })?;
    let objects = published.objects();
    let used = catalog
        .objects
        .iter()
        .filter(|object| objects.contains(object.id.as_str()));
    out.write_lines(CREDITS_FILE, used.map(Credit::of))?;
    let refused = refused(catalog, published);
    out.write_refusals(&refused)?;
    let summary = SynthSummary {
        kind: plan.settings.kind.name(),
        items: published.items(),
        items_refused: published.items() - published.items_made(),
        images: published.images,
        objects: objects.len() as u64,
        refused: refused.len() as u64,
        bytes: published.bytes,
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
    out.write_json(MANIFEST_FILE, &manifest)?;
    journal.finish()?;
    Ok(summary)
}

/// Refusals, each once, sorted by id: a refused object may be drawn for many items.
fn refused(catalog: &Catalog, published: &Published) -> Vec<Refusal> {
    let mut refused: Vec<Refusal> = catalog
        .set_aside
        .iter()
        .chain(published.refused())
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
        let item = match self.kind {
            "aloi" | "pascal3d" => "object",
            "coco" | "voc" => "image",
            _ => "video",
        };
        let images = counted(self.images, "image");
        let items = counted(self.items - self.items_refused, item);
        let of_items = if item == "image" {
            String::new()
        } else {
            format!(" of {items}")
        };
        let bytes = indicatif::HumanBytes(self.bytes);
        let objects = counted(self.objects, "object");
        write!(
            f,
            "{images}{of_items} in the layout of {}, {bytes}, {objects} taking part",
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
