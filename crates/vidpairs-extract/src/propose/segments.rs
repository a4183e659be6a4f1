//! Segments of like colour: a graph of neighbouring px, cut where they differ more than their
//! surroundings do.

use super::differences::Differences;

/// How readily segments grow: two join while they differ by no more than this over their area.
const SCALE: f32 = 180.0;

/// Smaller segments are given to a neighbour: this share of the picture.
const MIN_SHARE: f32 = 1.0 / 1200.0;

/// A picture cut into segments.
pub(super) struct Segments {
    /// The number of each px's segment, from 0.
    pub labels: Vec<u32>,
    /// How many there are.
    pub count: usize,
}

/// Cuts a picture.
///
/// # Source
/// Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV 2004.
pub(super) fn segments(differences: &Differences, width: usize) -> Segments {
    let num_px = differences.right.len();
    let (pairs, starts) = pairs_by_difference(differences, width);
    let ends = |pair: u32| {
        let px = pair / 2;
        (
            px,
            if pair.is_multiple_of(2) {
                px + 1
            } else {
                px + width as u32
            },
        )
    };
    let mut forest = Forest::new(num_px);
    let mut apart = Vec::new();
    for (weight, pairs) in starts
        .windows(2)
        .map(|ends| &pairs[ends[0]..ends[1]])
        .enumerate()
    {
        let weight = weight as f32;
        for &pair in pairs {
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

/// Neighbouring px by their difference, the most alike first, and where in the list each difference starts.
///
/// A pair is twice the number of its left or upper px, and one more if the other is below.
fn pairs_by_difference(differences: &Differences, width: usize) -> (Vec<u32>, [usize; 257]) {
    // A counting sort: there are 256 differences, and equals stay in the order of the picture.
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

/// Disjoint sets of px. Areas and limits are those of roots.
struct Forest {
    parents: Vec<u32>,
    /// Px of the set.
    areas: Vec<u32>,
    /// The largest difference at which the set still joins another.
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

    /// Makes one set of two, whose least difference is `weight`.
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
        // Differences only grow, so that this one is the largest inside the set.
        self.limits[large] = weight + SCALE / area as f32;
    }

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
