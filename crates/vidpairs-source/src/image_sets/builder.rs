//! Collects image sets and exclusions.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use vidpairs_types::{BoxXywh, Condition, ImageSet, ImageSets, LeftOut, SetImage};

use super::ImageSetKind;
use crate::error::SourceError;
use crate::natural::natural_order;

/// Image sets in their order, before all targets are known.
#[derive(Default)]
pub(super) struct SetsBuilder {
    sets: Vec<NamedSet>,
    left_out: Vec<LeftOut>,
}

struct NamedSet {
    id: String,
    target: String,
    images: Vec<ConditionedImage>,
}

/// Image of a set, with its condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ConditionedImage {
    pub(super) path: PathBuf,
    pub(super) region: Option<BoxXywh>,
    pub(super) condition: Condition,
}

impl SetsBuilder {
    /// Adds a set, unless it has no images.
    pub(super) fn add_set(&mut self, id: String, target: &str, images: Vec<ConditionedImage>) {
        if !images.is_empty() {
            let target = target.to_owned();
            self.sets.push(NamedSet { id, target, images });
        }
    }

    pub(super) fn leave_out(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        self.left_out.push(LeftOut {
            what: what.into(),
            reason: reason.into(),
        });
    }

    /// Leaves out `num` unnamed files, if there are any. `singular` and `plural` name their kind.
    pub(super) fn leave_out_counted(
        &mut self,
        num: u64,
        singular: &str,
        plural: &str,
        reason: &str,
    ) {
        match num {
            0 => {}
            1 => self.leave_out(format!("1 {singular}"), reason),
            _ => self.leave_out(format!("{num} {plural}"), reason),
        }
    }

    /// Builds the sets, with targets in natural order.
    pub(super) fn build(self, kind: ImageSetKind, root: &Path) -> Result<ImageSets, SourceError> {
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
        let target_indices: HashMap<&str, usize> =
            targets.iter().map(|target| &**target).zip(0..).collect();
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
                target_index: target_indices[&*set.target],
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
