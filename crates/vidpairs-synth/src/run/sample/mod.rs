//! Samples a rendered set for a page: some groups, and of each some images with their ground truth.
//!
//! **Takes** the folder of a finished set. **Gives** a [`SampledSet`]: groups spread evenly over it, each with
//! some of its images. **Fails** with [`RunError`] if a list of the set cannot be read; an image that is
//! missing or damaged is part of the result. **Source**: the files of the folder only.

mod choose;
mod picture;
mod truths;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

pub use choose::Varied;
pub use picture::SampledPicture;

use vidpairs_run::refusals::{self, SetAside};
use vidpairs_run::{RunError, failed, middles};
use vidpairs_types::parallel::{Cancel, Heartbeat};
use vidpairs_types::{read_regular, with_causes};

use self::choose::{Chosen, choose};
use self::picture::{Reader, SideLimit};
use self::truths::TruthFile;
use super::journal::Begin;
use super::{CREDITS_FILE, Credit, MANIFEST_FILE};
use crate::set::Settings;
use crate::truth::Truth;

/// Largest list of a set that is read whole, bytes.
const MAX_LIST_BYTES: u64 = 256 << 20;

/// Maximum size of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleLimits {
    /// Number of videos, objects, classes or scenes.
    pub groups: u64,
    /// Size of all pictures, bytes.
    pub bytes: u64,
}

/// The part of a rendered set that a page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledSet {
    /// Version of the program that rendered the set.
    pub program_version: String,
    /// Settings of the set.
    pub settings: Settings,
    /// Number of files that backdrops were taken from; 0 if they are painted.
    pub num_backgrounds: u64,
    /// Images of the set.
    pub num_images: u64,
    /// Different objects in the set.
    pub num_objects: u64,
    /// Author and licence of each object.
    pub credits: Vec<Credit>,
    /// Objects, backgrounds and items that were set aside, by reason.
    pub set_aside: SetAside,
    /// Lines of the truth that cannot be parsed.
    pub num_unreadable_truths: u64,
    /// Videos, objects, classes or scenes of the set.
    pub num_groups: u64,
    /// The sampled groups.
    pub groups: Vec<SampledGroup>,
    /// Maximum short side of the pictures, px, if they are scaled down to keep the page small.
    pub scaled_to_px: Option<u32>,
}

/// A video, an object, a class or a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledGroup {
    /// Path below the set's root, or class: `TRAIN_0/zips/s0000000001_0.zip`, `png2/7`, `car`.
    pub name: String,
    /// Images of the group.
    pub num_images: u64,
    /// Some of its images, by the property that varies.
    pub strips: Vec<SampledStrip>,
}

/// Images over which one property varies.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledStrip {
    /// The property.
    pub varied: Varied,
    /// The images in the order of the property.
    pub images: Vec<SampledImage>,
}

/// An image and its ground truth.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledImage {
    /// Ground truth of each object of the image; at least one.
    pub truths: Vec<Truth>,
    /// The picture, or the reason why there is none.
    pub picture: Result<SampledPicture, String>,
}

/// Samples the set in `dir` within `limits`, but at least one group. The result is the same each time.
///
/// # Errors
/// [`RunError::File`] if a list of the set cannot be read, [`RunError::Stopped`] if `cancel` was set.
pub fn sample_set(
    dir: &Path,
    limits: SampleLimits,
    cancel: &Arc<Cancel>,
) -> Result<SampledSet, RunError> {
    let path = dir.join(MANIFEST_FILE);
    let unreadable = |err: serde_json::Error| failed("read", &path)(std::io::Error::other(err));
    let text = read_regular(&path, MAX_LIST_BYTES).map_err(failed("read", &path))?;
    let manifest: Value = serde_json::from_slice(&text).map_err(unreadable)?;
    let begin: Begin = serde_json::from_value(manifest["set"].clone()).map_err(unreadable)?;
    let settings = begin.settings;
    let mut truths = TruthFile::open(dir, settings.kind)?;
    let num_groups = truths.groups.len() as u64;
    let num_sampled = num_groups.min(limits.groups.max(1));
    let mut chosen = Vec::new();
    for number in middles(num_groups, num_sampled) {
        let (name, truths) = truths.read(number as usize)?;
        chosen.push(choose(name, &truths, settings.kind));
    }
    let reader = Reader {
        dir,
        settings: &settings,
        heartbeat: Arc::new(Heartbeat::new(Arc::clone(cancel))),
    };
    let side_limit = side_limit(&reader, &chosen, limits.bytes)?;
    let (mut groups, mut num_bytes) = (Vec::new(), 0);
    for chosen in chosen {
        let group = read_group(&reader, chosen, side_limit)?;
        num_bytes += group.num_bytes();
        if num_bytes > limits.bytes && !groups.is_empty() {
            break;
        }
        groups.push(group);
    }
    let total = |name: &str| {
        let missing = || std::io::Error::other(format!("totals.{name} is missing"));
        let value = manifest["totals"][name].as_u64();
        value.ok_or_else(|| failed("read", &path)(missing()))
    };
    Ok(SampledSet {
        program_version: begin.program_version,
        num_backgrounds: begin.backgrounds,
        num_images: total("images")?,
        num_objects: total("objects")?,
        credits: credits(dir)?,
        set_aside: refusals::read(dir)?,
        num_unreadable_truths: truths.num_unreadable,
        num_groups,
        groups,
        scaled_to_px: side_limit.px(),
        settings,
    })
}

fn credits(dir: &Path) -> Result<Vec<Credit>, RunError> {
    let path = dir.join(CREDITS_FILE);
    let text = read_regular(&path, MAX_LIST_BYTES).map_err(failed("read", &path))?;
    let lines = text
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    let credits: Result<_, _> = lines.map(serde_json::from_slice).collect();
    credits.map_err(|err| failed("read", &path)(std::io::Error::other(err)))
}

/// The largest limit with which all pictures are expected to fit, estimated from the first picture of each group.
fn side_limit(
    reader: &Reader<'_>,
    chosen: &[Chosen],
    max_bytes: u64,
) -> Result<SideLimit, RunError> {
    let mut samples = Vec::new();
    for group in chosen {
        let strip = group.strips.first();
        if let Some(first) = strip.and_then(|strip| strip.images.first()) {
            let pictures = reader.read(std::slice::from_ref(first))?;
            samples.extend(pictures.into_iter().flatten());
        }
    }
    let strips = chosen.iter().flat_map(|group| &group.strips);
    let num_images: u64 = strips.map(|strip| strip.images.len() as u64).sum();
    let fits = |limit: &SideLimit| {
        let scaled = samples
            .iter()
            .flat_map(|sample| limit.apply(sample.clone()));
        let (count, bytes) = scaled.fold((0, 0), |(count, bytes), picture| {
            (count + 1, bytes + picture.bytes.len() as u64)
        });
        // The first picture of a group may be a small one: a fifth is kept in reserve.
        bytes * num_images * 6 <= 5 * max_bytes * count
    };
    let limit = SideLimit::ALL.into_iter().find(fits);
    Ok(limit.unwrap_or(SideLimit::SMALLEST))
}

fn read_group(
    reader: &Reader<'_>,
    chosen: Chosen,
    limit: SideLimit,
) -> Result<SampledGroup, RunError> {
    let mut strips = Vec::new();
    for strip in chosen.strips {
        let pictures = reader.read(&strip.images)?.into_iter().map(|picture| {
            let picture = picture.and_then(|picture| limit.apply(picture));
            picture.map_err(|err| with_causes(&err))
        });
        let images = strip.images.into_iter().zip(pictures);
        let images = images.map(|(truths, picture)| SampledImage { truths, picture });
        strips.push(SampledStrip {
            varied: strip.varied,
            images: images.collect(),
        });
    }
    Ok(SampledGroup {
        name: chosen.name,
        num_images: chosen.num_images,
        strips,
    })
}

impl SampledGroup {
    fn num_bytes(&self) -> u64 {
        let images = self.strips.iter().flat_map(|strip| &strip.images);
        images
            .flat_map(|image| &image.picture)
            .map(|picture| picture.bytes.len() as u64)
            .sum()
    }
}
