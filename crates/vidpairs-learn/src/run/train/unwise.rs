//! Warns of settings that do not suit the data.

use vidpairs_pipeline::Pipeline;

use super::data::LostRecords;
use super::load::Loader;
use crate::train::{negatives_warning, queue_warnings};

/// Number of records whose image sizes are read.
const NUM_ASKED: u64 = 32;
/// Minimum of `augment.size`, px.
const MIN_VIEW_PX: u32 = 16;

/// Warnings, each with the advice what to set instead.
///
/// - `lost`: records of missing shards.
pub(super) fn unwise(pipeline: &Pipeline, loader: &Loader, lost: &[LostRecords]) -> Vec<String> {
    let train = &pipeline.train;
    let num_records = loader.data.num_records;
    let mut warnings = Vec::new();
    if let Some(moco) = train.moco {
        // A step enqueues a key for each term and direction.
        let num_terms = (loader.views.len() as u64 / 2).max(1);
        let keys_per_record = num_terms * (1 + u64::from(moco.symmetric));
        let queue = u64::from(moco.queue);
        warnings = queue_warnings(
            num_records,
            loader.batch,
            keys_per_record,
            queue,
            loader.data.more_records(),
            |records| train.largest_batch(records),
        );
    }
    if let Some(pirl) = train.pirl {
        warnings.extend(negatives_warning(num_records, u64::from(pirl.negatives)));
    }
    let unreached = train
        .milestones
        .iter()
        .find(|&&milestone| milestone >= train.epochs);
    if let Some(milestone) = unreached {
        warnings.push(format!(
            "the run ends after {} epochs, so it never reaches the milestone {milestone}: leave train.milestones out for 0.6 and \
             0.8 of the epochs",
            train.epochs
        ));
    }
    warnings.extend(other_images(pipeline, loader));
    if let Some((short, size)) = small_images(pipeline, loader) {
        let smaller = match short >= MIN_VIEW_PX {
            true => format!(", or set augment.size to at most {short}"),
            false => String::new(),
        };
        warnings.push(format!(
            "images are {short} px at their short side and views {size} px: they are enlarged; extract with \
             images.short_side = {size} or more{smaller}"
        ));
    }
    warnings.extend(lost.iter().map(|lost| {
        format!(
            "{} of the {} records of {} cannot be read, and others take their places: {}",
            lost.numbers.len(),
            lost.of_records,
            lost.shard,
            lost.reason
        )
    }));
    warnings
}

/// Warns if only one of shards and pipeline has single objects of still images.
fn other_images(pipeline: &Pipeline, loader: &Loader) -> Option<String> {
    const OBJECTS: &str = "single objects of still images (source.boxes = true)";
    let are_objects = |source: &serde_json::Value| source["boxes"].as_bool().unwrap_or(false);
    let found = are_objects(&loader.data.reader.manifest().pipeline["source"]);
    let wanted = are_objects(&pipeline.resolved()["source"]);
    let difference = match (found, wanted) {
        (true, false) => format!("the shards hold {OBJECTS}, and this pipeline has none"),
        (false, true) => format!("this pipeline has {OBJECTS}, and the shards hold none"),
        _ => return None,
    };
    Some(format!(
        "{difference}: is --shards the data set of another pipeline?"
    ))
}

/// Short side of the largest of the first images, and side of a view, if the image is smaller.
fn small_images(pipeline: &Pipeline, loader: &Loader) -> Option<(u32, u32)> {
    let size = pipeline.augment.size_px;
    let data = &loader.data;
    let metas = (0..data.num_records.min(NUM_ASKED)).filter_map(|number| {
        let record = data.record(number).ok()?;
        record.meta().ok()
    });
    let short = metas.map(|meta| {
        let size = meta.anchor.image_size;
        size.width.min(size.height)
    });
    let largest = short.max();
    let small = largest.filter(|&short| short < size);
    small.map(|short| (short, size))
}
