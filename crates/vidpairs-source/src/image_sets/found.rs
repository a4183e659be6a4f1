//! Sets as they are found, before all targets are known.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use vidpairs_types::{BoxXywh, Condition, ImageSet, ImageSets, LeftOut, SetImage, natural_order};

use super::super::SourceError;
use super::ImageSetKind;

/// Sets in their order, and what was left out.
#[derive(Default)]
pub(super) struct Found {
    sets: Vec<FoundSet>,
    left_out: Vec<LeftOut>,
}

struct FoundSet {
    id: String,
    target: String,
    images: Vec<FoundImage>,
}

/// An image of a set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundImage {
    pub(super) path: PathBuf,
    pub(super) region: Option<BoxXywh>,
    pub(super) condition: Condition,
}

impl Found {
    /// Adds a set; one without images is none.
    pub(super) fn add_set(&mut self, id: String, target: &str, images: Vec<FoundImage>) {
        if !images.is_empty() {
            let target = target.to_owned();
            self.sets.push(FoundSet { id, target, images });
        }
    }

    pub(super) fn leave_out(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        self.left_out.push(LeftOut {
            what: what.into(),
            reason: reason.into(),
        });
    }

    /// Leaves out `num` things that need no names; says nothing where there are none.
    pub(super) fn leave_out_counted(&mut self, num: u64, one: &str, many: &str, reason: &str) {
        match num {
            0 => {}
            1 => self.leave_out(format!("1 {one}"), reason),
            _ => self.leave_out(format!("{num} {many}"), reason),
        }
    }

    /// Gives the targets, in natural order, and all else its places.
    pub(super) fn into_image_sets(
        self,
        kind: ImageSetKind,
        root: &Path,
    ) -> Result<ImageSets, SourceError> {
        if self.sets.is_empty() {
            return Err(SourceError::NoSets {
                root: root.to_owned(),
                looked_for: kind.looked_for(),
                left_out: self.left_out,
            });
        }
        let names: BTreeSet<&str> = self.sets.iter().map(|set| &*set.target).collect();
        let mut targets: Vec<String> = names.into_iter().map(str::to_owned).collect();
        targets.sort_by(|a, b| natural_order(a, b));
        let places: HashMap<&str, usize> = targets.iter().map(|it| &**it).zip(0..).collect();
        let mut sets = Vec::new();
        let mut images = Vec::new();
        for (set_index, set) in self.sets.into_iter().enumerate() {
            images.extend(set.images.into_iter().map(|image| SetImage {
                path: image.path,
                region: image.region,
                set_index,
                condition: image.condition,
            }));
            sets.push(ImageSet {
                id: set.id,
                target_index: places.get(&*set.target).copied().unwrap_or_default(),
            });
        }
        Ok(ImageSets {
            invariance: kind.invariance(),
            side_px: kind.side_px(),
            near: kind.near(),
            targets,
            sets,
            images,
            left_out: self.left_out,
        })
    }
}
