//! A part of a rendered set that fits on a page: what is true, and the pictures.
//!
//! **Takes** the folder of a finished set. **Gives** a [`SampledSet`]: groups spread evenly over it, each with
//! some of its images. **Fails** with [`RunError`] where a list of the set cannot be read; an image that is
//! missing or damaged is part of the result. **Source**: the files of the folder alone.

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
use vidpairs_types::with_causes;

use self::choose::{Chosen, ChosenStrip, choose};
use self::picture::{Reader, SideLimit};
use self::truths::TruthFile;
use super::journal::Begin;
use super::{CREDITS_FILE, Credit, MANIFEST_FILE};
use crate::set::Settings;
use crate::truth::Truth;

/// How much of a set is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleLimits {
    /// Videos, objects or classes.
    pub groups: u64,
    /// Bytes of all pictures.
    pub bytes: u64,
}

/// A part of a rendered set.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledSet {
    /// Of the program that rendered it.
    pub program_version: String,
    /// How it was rendered.
    pub settings: Settings,
    /// Files that backdrops were taken from; 0 if they are painted.
    pub num_backgrounds: u64,
    /// Images of the set.
    pub num_images: u64,
    /// Different objects in them.
    pub num_objects: u64,
    /// Who made these.
    pub credits: Vec<Credit>,
    /// What was set aside, by reason.
    pub set_aside: SetAside,
    /// Lines of the truth that cannot be understood.
    pub num_unreadable_truths: u64,
    /// Videos, objects or classes of the set.
    pub num_groups: u64,
    /// Those that were taken.
    pub groups: Vec<SampledGroup>,
    /// Longest short side of the pictures, px, where they are scaled: as they are stored they would be too many bytes.
    pub scaled_to_px: Option<u32>,
}

/// A video, an object or a class.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledGroup {
    /// Below the set's root: `TRAIN_0/zips/s0000000001_0.zip`, `png2/7`, `car`.
    pub name: String,
    /// Images in it.
    pub num_images: u64,
    /// Some of them, by what they vary.
    pub strips: Vec<SampledStrip>,
}

/// Images that vary one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledStrip {
    /// What.
    pub varied: Varied,
    /// In its order.
    pub images: Vec<SampledImage>,
}

/// An image and what is true of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledImage {
    /// A line per object; at least one, all of the same image.
    pub truths: Vec<Truth>,
    /// The picture, or why there is none.
    pub picture: Result<SampledPicture, String>,
}

/// Takes the part of the set in `dir` that `limits` allow: the same one each time, at least one group.
///
/// # Errors
/// [`RunError::File`] if a list of the set cannot be read, [`RunError::Stopped`] if `cancel` was set.
pub fn sample_set(
    dir: &Path,
    limits: SampleLimits,
    cancel: &Arc<Cancel>,
) -> Result<SampledSet, RunError> {
    let manifest = manifest(dir)?;
    let path = dir.join(MANIFEST_FILE);
    let unreadable = |err| failed("read", &path)(std::io::Error::other(err));
    let begin: Begin = serde_json::from_value(manifest["set"].clone()).map_err(unreadable)?;
    let settings = begin.settings;
    let mut truths = TruthFile::open(dir, settings.kind)?;
    let num_groups = truths.groups.len() as u64;
    let numbers: Vec<u64> = middles(num_groups, num_groups.min(limits.groups.max(1))).collect();
    let mut chosen = Vec::new();
    for number in numbers {
        let (name, truths) = truths.read(number as usize)?;
        chosen.push(choose(name, truths, settings.kind));
    }
    let heartbeat = Arc::new(Heartbeat::new(Arc::clone(cancel)));
    let reader = Reader {
        dir,
        settings: &settings,
        heartbeat,
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
    let total = |name: &str| manifest["totals"][name].as_u64().unwrap_or(0);
    Ok(SampledSet {
        program_version: begin.program_version,
        num_backgrounds: begin.backgrounds,
        num_images: total("images"),
        num_objects: total("objects"),
        credits: credits(dir)?,
        set_aside: refusals::read(dir)?,
        num_unreadable_truths: truths.num_unreadable,
        num_groups,
        groups,
        scaled_to_px: side_limit.px(),
        settings,
    })
}

fn manifest(dir: &Path) -> Result<Value, RunError> {
    let path = dir.join(MANIFEST_FILE);
    let text = std::fs::read(&path).map_err(failed("read", &path))?;
    serde_json::from_slice(&text).map_err(|err| failed("read", &path)(std::io::Error::other(err)))
}

fn credits(dir: &Path) -> Result<Vec<Credit>, RunError> {
    let path = dir.join(CREDITS_FILE);
    let text = std::fs::read_to_string(&path).map_err(failed("read", &path))?;
    let credits: Result<_, _> = text.lines().map(serde_json::from_str).collect();
    credits.map_err(|err| failed("read", &path)(std::io::Error::other(err)))
}

/// As they are stored where that fits, else the largest side with which the first pictures of all groups say
/// that all will fit.
fn side_limit(
    reader: &Reader<'_>,
    chosen: &[Chosen],
    max_bytes: u64,
) -> Result<SideLimit, RunError> {
    let mut samples = Vec::new();
    for first in chosen
        .iter()
        .filter_map(|chosen| chosen.strips.first()?.images.first())
    {
        samples.extend(
            reader
                .read(std::slice::from_ref(first))?
                .into_iter()
                .flatten(),
        );
    }
    let strips = chosen.iter().flat_map(|chosen| &chosen.strips);
    let num_images: u64 = strips.map(|strip| strip.images.len() as u64).sum();
    let fits = |limit: &SideLimit| {
        let sizes = samples
            .iter()
            .filter_map(|it| Some(limit.apply(it.clone()).ok()?.bytes.len()));
        let (count, sum) = sizes.fold((0, 0), |(count, sum), len| (count + 1, sum + len as u64));
        // A group's first picture may be a small one: a fifth is kept in hand.
        sum * num_images * 6 <= 5 * max_bytes * count
    };
    Ok(SideLimit::ALL
        .into_iter()
        .find(fits)
        .unwrap_or(SideLimit::SMALLEST))
}

fn read_group(
    reader: &Reader<'_>,
    chosen: Chosen,
    limit: SideLimit,
) -> Result<SampledGroup, RunError> {
    let mut strips = Vec::new();
    for ChosenStrip { varied, images } in chosen.strips {
        let pictures = reader.read(&images)?.into_iter().map(|picture| {
            picture
                .and_then(|it| limit.apply(it))
                .map_err(|err| with_causes(&err))
        });
        let images = images.into_iter().zip(pictures);
        let images = images
            .map(|(truths, picture)| SampledImage { truths, picture })
            .collect();
        strips.push(SampledStrip { varied, images });
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
