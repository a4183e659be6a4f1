//! Cuts a picture into segments of similar colour: a graph of neighbouring px, cut where px differ more than those around
//! them.

use super::maps::Differences;

/// Scale of the segments: two segments join if their difference is at most their largest inner difference plus this over their
/// area.
const SCALE: f32 = 180.0;

/// Least area of a segment, as a share of the picture. Smaller segments join a neighbour.
const MIN_SHARE: f32 = 1.0 / 1200.0;

/// A picture cut into segments.
pub(super) struct Segments {
    /// Segment of each px, from 0.
    pub labels: Vec<u32>,
    /// Number of segments.
    pub count: usize,
}

/// Cuts a picture into segments.
///
/// # Source
/// Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV 2004.
pub(super) fn segments(differences: &Differences, width: usize) -> Segments {
    let num_px = differences.right.len();
    let (pairs, starts) = pairs_by_difference(differences, width);
    let ends = |pair: u32| {
        let px = pair / 2;
        let step = if pair.is_multiple_of(2) {
            1
        } else {
            width as u32
        };
        (px, px + step)
    };
    let mut forest = Forest::new(num_px);
    let mut apart = Vec::new();
    for (weight, range) in starts.windows(2).enumerate() {
        let weight = weight as f32;
        for &pair in &pairs[range[0]..range[1]] {
            let (one, other) = ends(pair);
            let (one, other) = (forest.root(one), forest.root(other));
            if one == other {
                continue;
            }
            if weight <= forest.limits[one as usize].min(forest.limits[other as usize]) {
                forest.join(one, other, weight);
            } else {
                apart.push(pair);
            }
        }
    }
    let min_area = (num_px as f32 * MIN_SHARE) as u32;
    for pair in apart {
        let (one, other) = ends(pair);
        let (one, other) = (forest.root(one), forest.root(other));
        let smaller = forest.areas[one as usize].min(forest.areas[other as usize]);
        if one != other && smaller < min_area {
            forest.join(one, other, 0.0);
        }
    }
    forest.numbered()
}

/// Pairs of neighbouring px sorted by their difference, smallest first, and the start of each difference in the list.
///
/// A pair is encoded as twice the index of its left or upper px, plus one if the other px is below.
fn pairs_by_difference(differences: &Differences, width: usize) -> (Vec<u32>, [usize; 257]) {
    // A counting sort: there are 256 differences, and equal ones keep the order of the picture.
    let mut starts = [0usize; 257];
    for_each_pair(differences, width, |_, difference| {
        starts[usize::from(difference) + 1] += 1;
    });
    for difference in 1..starts.len() {
        starts[difference] += starts[difference - 1];
    }
    let mut places = starts;
    let mut pairs = vec![0; starts[256]];
    for_each_pair(differences, width, |pair, difference| {
        let place = &mut places[usize::from(difference)];
        pairs[*place] = pair as u32;
        *place += 1;
    });
    (pairs, starts)
}

fn for_each_pair(differences: &Differences, width: usize, mut visit: impl FnMut(usize, u8)) {
    let Differences { right, below } = differences;
    for (y, row) in right.chunks_exact(width).enumerate() {
        for (x, &difference) in row[..width - 1].iter().enumerate() {
            visit(2 * (y * width + x), difference);
        }
    }
    for (px, &difference) in below[..below.len() - width].iter().enumerate() {
        visit(2 * px + 1, difference);
    }
}

/// Disjoint sets of px (union-find). Areas and limits are valid at roots.
struct Forest {
    parents: Vec<u32>,
    /// Area of the set, px.
    areas: Vec<u32>,
    /// Largest difference at which the set joins another.
    limits: Vec<f32>,
}

impl Forest {
    fn new(num_px: usize) -> Self {
        Self {
            parents: (0..num_px as u32).collect(),
            areas: vec![1; num_px],
            limits: vec![SCALE; num_px],
        }
    }

    fn root(&mut self, mut px: u32) -> u32 {
        loop {
            let parent = self.parents[px as usize];
            if parent == px {
                return px;
            }
            let grandparent = self.parents[parent as usize];
            self.parents[px as usize] = grandparent;
            px = grandparent;
        }
    }

    /// Joins two sets whose least difference is `weight`.
    fn join(&mut self, one: u32, other: u32, weight: f32) {
        let (one, other) = (one as usize, other as usize);
        let area = self.areas[one] + self.areas[other];
        let (large, small) = if self.areas[one] >= self.areas[other] {
            (one, other)
        } else {
            (other, one)
        };
        self.parents[small] = large as u32;
        self.areas[large] = area;
        // Pairs come in ascending order, so `weight` is the largest difference inside the set.
        self.limits[large] = weight + SCALE / area as f32;
    }

    /// Numbers the sets in the order of their first px.
    fn numbered(mut self) -> Segments {
        let mut numbers = vec![u32::MAX; self.parents.len()];
        let mut count = 0;
        let labels = (0..self.parents.len() as u32)
            .map(|px| {
                let number = &mut numbers[self.root(px) as usize];
                if *number == u32::MAX {
                    *number = count;
                    count += 1;
                }
                *number
            })
            .collect();
        Segments {
            labels,
            count: count as usize,
        }
    }
}
