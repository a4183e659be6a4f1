//! Decides which images a query may find.

use std::collections::{BTreeMap, HashMap};

use vidpairs_types::{Condition, NearView};

/// The images with their targets and conditions.
#[derive(Debug, Clone)]
pub(super) struct Candidates {
    targets: Vec<u32>,
    conditions: Vec<Condition>,
    near: NearView,
    by_target: BTreeMap<u32, Vec<usize>>,
    /// Number of images of each distinct condition.
    by_condition: Vec<(Condition, u64)>,
}

/// Numbers of the candidates of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidacy {
    /// Target of the query.
    pub target: u32,
    /// Candidates.
    pub num: u64,
    /// Candidates with the query's target.
    pub num_same: u64,
}

impl Candidates {
    /// Groups the images.
    ///
    /// - `targets`, `conditions`: target and condition of each image.
    pub fn new(targets: &[u32], conditions: &[Condition], near: NearView) -> Self {
        let mut by_target: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (image, &target) in targets.iter().enumerate() {
            by_target.entry(target).or_default().push(image);
        }
        let mut by_condition: BTreeMap<Key, (Condition, u64)> = BTreeMap::new();
        for &condition in conditions {
            let entry = by_condition.entry(key(condition));
            entry.or_insert((condition, 0)).1 += 1;
        }
        Self {
            targets: targets.to_vec(),
            conditions: conditions.to_vec(),
            near,
            by_target,
            by_condition: by_condition.into_values().collect(),
        }
    }

    /// Target of an image.
    pub fn target(&self, image: usize) -> u32 {
        self.targets[image]
    }

    /// Whether `query` may find `image`: a different image that is not too near.
    pub fn may_find(&self, query: usize, image: usize) -> bool {
        query != image
            && !self
                .near
                .holds(self.conditions[query], self.conditions[image])
    }

    /// Starts counting the candidates of queries.
    pub fn counting(&self) -> Counting<'_> {
        Counting {
            candidates: self,
            num_far: HashMap::new(),
        }
    }
}

/// Counts candidates, caching the counts of each condition.
pub(super) struct Counting<'a> {
    candidates: &'a Candidates,
    num_far: HashMap<Key, u64>,
}

impl Counting<'_> {
    /// Numbers of the candidates of `query`.
    pub fn of(&mut self, query: usize) -> Candidacy {
        let all = self.candidates;
        let (target, own) = (all.target(query), all.conditions[query]);
        let num_far = *self.num_far.entry(key(own)).or_insert_with(|| {
            let far = all.by_condition.iter();
            let far = far.filter(|(other, _)| !all.near.holds(own, *other));
            far.map(|(_, num)| num).sum()
        });
        // The query itself is among the images of its condition.
        let is_far_from_itself = !all.near.holds(own, own);
        let same = all.by_target[&target].iter();
        Candidacy {
            target,
            num: num_far - u64::from(is_far_from_itself),
            num_same: same.filter(|&&image| all.may_find(query, image)).count() as u64,
        }
    }
}

/// Key of a condition, exact to the bit.
type Key = (u8, u64, u64);

fn key(condition: Condition) -> Key {
    match condition {
        Condition::Unknown => (0, 0, 0),
        Condition::View { azimuth, elevation } => (1, azimuth.to_bits(), elevation.to_bits()),
        Condition::Light { lamps, camera } => (2, lamps.into(), camera.into()),
        Condition::LightColor { code } => (3, code.into(), 0),
        Condition::Cover { level } => (4, level.into(), 0),
    }
}
