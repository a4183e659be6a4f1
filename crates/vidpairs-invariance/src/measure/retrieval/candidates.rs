//! Who may be found by whom.

use std::collections::{BTreeMap, HashMap};

use vidpairs_types::{Condition, NearView};

/// The images that a query may find.
#[derive(Debug, Clone)]
pub(super) struct Candidates {
    targets: Vec<u32>,
    conditions: Vec<Condition>,
    near: NearView,
    by_target: BTreeMap<u32, Vec<usize>>,
    /// Each condition once, and how many images have it.
    by_condition: Vec<(Condition, u64)>,
}

/// How many images a query may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidacy {
    /// The query's target.
    pub target: u32,
    /// All candidates.
    pub num: u64,
    /// Those of the query's target.
    pub num_same: u64,
}

impl Candidates {
    /// - `targets`, `conditions`: of each image.
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

    /// What image `image` shows.
    pub fn target(&self, image: usize) -> Option<u32> {
        self.targets.get(image).copied()
    }

    /// Whether `query` may find `image`: another one, and not too near.
    pub fn may_find(&self, query: usize, image: usize) -> bool {
        let conditions = (self.conditions.get(query), self.conditions.get(image));
        matches!(conditions, (Some(&a), Some(&b)) if query != image && !self.near.holds(a, b))
    }

    /// Counts candidates of some queries.
    pub fn counting(&self) -> Counting<'_> {
        Counting {
            candidates: self,
            num_far: HashMap::new(),
        }
    }
}

/// Counts, remembered for each condition of a query.
pub(super) struct Counting<'a> {
    candidates: &'a Candidates,
    num_far: HashMap<Key, u64>,
}

impl Counting<'_> {
    /// How many images `query` may find; `None` if there is no such image.
    pub fn of(&mut self, query: usize) -> Option<Candidacy> {
        let all = self.candidates;
        let (target, &own) = (all.target(query)?, all.conditions.get(query)?);
        let num_far = *self.num_far.entry(key(own)).or_insert_with(|| {
            let far = all.by_condition.iter();
            let far = far.filter(|(other, _)| !all.near.holds(own, *other));
            far.map(|(_, num)| num).sum()
        });
        // The query is among the images of its own condition.
        let is_far_from_itself = !all.near.holds(own, own);
        let same = all.by_target.get(&target)?.iter();
        let same = same.filter(|&&image| all.may_find(query, image));
        Some(Candidacy {
            target,
            num: num_far - u64::from(is_far_from_itself),
            num_same: same.count() as u64,
        })
    }
}

/// What tells conditions apart, bit for bit.
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
