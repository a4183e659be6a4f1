//! Writes the annotations of scenes that cover many images, from the truth in the journal: the JSON files of MSCOCO, and the lists of
//! Pascal VOC.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufReader};

use vidpairs_run::{OutFolder, RunError, failed};
use vidpairs_types::open_regular;

use super::TRUTH_FILE;
use super::journal::Published;
use crate::catalog::Half;
use crate::layout::coco::{Category, Instances, Object, Split};
use crate::layout::voc::{self, ImageSet, Presence};
use crate::set::{Contents, Plan, SceneSettings, SetKind, is_annotated};
use crate::truth::Truth;

/// Writes the annotations of a set of scenes; nothing for other sets.
pub(super) fn write(out: &OutFolder, plan: &Plan, published: &Published) -> Result<(), RunError> {
    let Contents::Scenes(scenes) = &plan.settings.contents else {
        return Ok(());
    };
    match plan.settings.kind {
        SetKind::Coco => write_coco(out, plan, scenes, published),
        _ => write_voc(out, plan, scenes, published),
    }
}

/// The truth so far, line by line.
fn truths(out: &OutFolder) -> Result<impl Iterator<Item = io::Result<Truth>>, RunError> {
    let path = out.journal_folder().join(TRUTH_FILE);
    let file = open_regular(&path).map_err(failed("read", &path))?;
    let lines = serde_json::Deserializer::from_reader(BufReader::new(file)).into_iter();
    Ok(lines.map(|truth| truth.map_err(io::Error::from)))
}

fn write_coco(
    out: &OutFolder,
    plan: &Plan,
    scenes: &SceneSettings,
    published: &Published,
) -> Result<(), RunError> {
    let numbered = (1..).zip(plan.classes());
    let categories: Vec<Category> = numbered
        .map(|(id, (name, supercategory))| Category {
            supercategory,
            id,
            name,
        })
        .collect();
    let ids: HashMap<&str, u32> = categories
        .iter()
        .map(|category| (category.name.as_str(), category.id))
        .collect();
    let mut first_id = 1;
    for (half, split) in [(Half::Training, Split::Train), (Half::HeldOut, Split::Val)] {
        if scenes.num_images(half) == 0 {
            continue;
        }
        let object = |truth: Truth| {
            let image_id = split.image_id(&truth.image)?;
            is_annotated(&truth).then_some(())?;
            Some(Object {
                image_id,
                category_id: *ids.get(truth.category.as_str())?,
                mask: truth.mask?,
            })
        };
        let objects = truths(out)?.filter_map(|truth| truth.map(object).transpose());
        let images = published.names().filter_map(|name| split.image_id(name));
        let instances = Instances {
            split,
            size: plan.settings.size,
            categories: &categories,
            first_id,
        };
        out.write_by(&split.annotations_path(), |mut file| {
            first_id = instances.write(&mut file, images, objects)?;
            Ok(file)
        })?;
    }
    Ok(())
}

/// The classes of an image.
type Shown = BTreeMap<String, Presence>;

fn write_voc(
    out: &OutFolder,
    plan: &Plan,
    scenes: &SceneSettings,
    published: &Published,
) -> Result<(), RunError> {
    let size = plan.settings.size;
    let mut shown: HashMap<String, Shown> = HashMap::new();
    for truth in truths(out)? {
        let path = out.journal_folder().join(TRUTH_FILE);
        let truth = truth.map_err(failed("read", &path))?;
        if !is_annotated(&truth) {
            continue;
        }
        let presence = match voc::is_difficult(&truth, size) {
            true => Presence::Difficult,
            false => Presence::Present,
        };
        let of_image = shown.entry(truth.image).or_default();
        let of_class = of_image.entry(truth.category).or_insert(presence);
        *of_class = presence.max(*of_class);
    }
    // The numbers of the training images come first.
    let is_training = |id: &str| id.parse().is_ok_and(|id: u32| id <= scenes.num_training);
    let ids = published.names().filter_map(voc::id_of_image);
    let (trainval, test): (Vec<&str>, Vec<&str>) = ids.partition(|id| is_training(id));
    let every_second = |first: usize| trainval.iter().copied().skip(first).step_by(2).collect();
    let mut sets: Vec<(ImageSet, Vec<&str>)> = Vec::new();
    if scenes.num_training > 0 {
        sets.push((ImageSet::Train, every_second(0)));
        sets.push((ImageSet::Val, every_second(1)));
        sets.push((ImageSet::Trainval, trainval));
    }
    if scenes.num_held_out > 0 {
        sets.push((ImageSet::Test, test));
    }
    let nothing = Shown::new();
    for (set, ids) in sets {
        let text = voc::image_set_text(ids.iter().copied());
        out.write(&voc::image_set_path(None, set), text.as_bytes())?;
        for (class, _) in plan.classes() {
            let presences = ids.iter().map(|&id| {
                let shown = shown.get(&voc::image_path(id)).unwrap_or(&nothing);
                (id, shown.get(&class).copied().unwrap_or(Presence::Absent))
            });
            let text = voc::class_text(presences);
            out.write(&voc::image_set_path(Some(&class), set), text.as_bytes())?;
        }
    }
    Ok(())
}
