//! Merges segments into larger regions, most similar neighbours first. Every intermediate region is a candidate.

use super::maps::Differences;
use super::picture::{Cells, Picture};
use super::segments::Segments;

/// Bins of a region's histogram: 8 each for luma, the two chromas, and edges.
const BINS: usize = 32;

/// First bin of edges of 8 or more.
const FIRST_TEXTURED: usize = 28;

/// A region at the moment when it was merged into another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    /// Bounding box.
    pub cells: Cells,
    /// Area, px.
    pub area: f32,
    /// Difference of its colours from those of its neighbours, weighted by length of boundary, 0 to 1.
    pub contrast: f32,
    /// Share of px that differ from a neighbour by 8 of 255 or more.
    pub texture: f32,
}

#[derive(Clone)]
struct Node {
    cells: Cells,
    area: f32,
    histogram: [f32; BINS],
}

/// A boundary between two regions.
#[derive(Clone, Copy)]
struct Link {
    nodes: [u32; 2],
    /// Number of touching pairs of px.
    length: f32,
    /// Sum of the differences of these pairs, 0 to 255 each.
    difference: f32,
    distance: f32,
}

/// Segments of a picture and the boundaries between them.
pub(super) struct Graph {
    nodes: Vec<Node>,
    links: Vec<Link>,
    num_px: f32,
}

impl Graph {
    pub fn of(picture: &Picture, differences: &Differences, segments: &Segments) -> Self {
        Self {
            nodes: nodes(picture, &differences.edges(), segments),
            links: links(differences, picture.width, segments),
            num_px: (picture.width * picture.height) as f32,
        }
    }

    /// Merges until one region is left. Returns all other regions in the order of merging.
    pub fn merged(self) -> Vec<Region> {
        let Self {
            mut nodes,
            mut links,
            num_px,
        } = self;
        for link in &mut links {
            link.distance = distance(&nodes, link, num_px);
        }
        let mut regions = Vec::with_capacity(2 * nodes.len());
        while let Some(nearest) = nearest(&links) {
            let Link {
                nodes: [kept, gone],
                ..
            } = links[nearest];
            for node in [kept, gone] {
                regions.push(region(&nodes, &links, node));
            }
            let absorbed = nodes[gone as usize].clone();
            nodes[kept as usize].absorb(&absorbed);
            links.swap_remove(nearest);
            relink(&mut links, kept, gone);
            for link in links.iter_mut().filter(|link| link.nodes.contains(&kept)) {
                link.distance = distance(&nodes, link, num_px);
            }
        }
        regions
    }
}

/// Dissimilarity of two neighbours: 0 for small regions of the same colour and texture without an edge between them
/// that fill their common box.
///
/// The terms are those of selective search (colour, texture, size, fill), and an additional one for the edge.
fn distance(nodes: &[Node], link: &Link, num_px: f32) -> f32 {
    let [one, other] = link.nodes.map(|node| &nodes[node as usize]);
    let (color, texture) = shared_histograms(one, other);
    let edge = (link.difference / link.length / 64.0).min(1.0);
    let around = one.cells.around(other.cells).area() as f32;
    // Size and fill: the two areas plus the unfilled rest of the box sum up to the box.
    (1.0 - color) + 0.5 * (1.0 - texture) + 0.5 * edge + around / num_px
}

/// Intersections of the colour and of the texture histograms of two regions, 0 to 1.
fn shared_histograms(one: &Node, other: &Node) -> (f32, f32) {
    let (scale_one, scale_other) = (1.0 / one.area, 1.0 / other.area);
    let mut shared = [0.0f32; BINS];
    for (shared, (one, other)) in shared
        .iter_mut()
        .zip(one.histogram.iter().zip(&other.histogram))
    {
        *shared = (one * scale_one).min(other * scale_other);
    }
    let (color, texture) = shared.split_at(3 * BINS / 4);
    (color.iter().sum::<f32>() / 3.0, texture.iter().sum())
}

impl Link {
    /// The neighbour of `node`.
    fn other(&self, node: u32) -> u32 {
        self.nodes[usize::from(self.nodes[0] == node)]
    }
}

impl Node {
    fn absorb(&mut self, other: &Self) {
        self.cells = self.cells.around(other.cells);
        self.area += other.area;
        for (bin, more) in self.histogram.iter_mut().zip(&other.histogram) {
            *bin += more;
        }
    }
}

/// Index of the link with the least distance; the first among equal ones.
fn nearest(links: &[Link]) -> Option<usize> {
    let mut nearest = None;
    let mut least = f32::INFINITY;
    for (at, link) in links.iter().enumerate() {
        if link.distance < least {
            (nearest, least) = (Some(at), link.distance);
        }
    }
    nearest
}

/// Moves the links of `gone` to `kept`; two links to the same neighbour become one.
fn relink(links: &mut Vec<Link>, kept: u32, gone: u32) {
    let mut at = 0;
    while at < links.len() {
        let link = links[at];
        if !link.nodes.contains(&gone) {
            at += 1;
            continue;
        }
        let neighbor = link.other(gone);
        let twin = links
            .iter_mut()
            .find(|twin| twin.nodes.contains(&kept) && twin.nodes.contains(&neighbor));
        if let Some(twin) = twin {
            twin.length += link.length;
            twin.difference += link.difference;
            links.swap_remove(at);
        } else {
            links[at].nodes = [kept, neighbor];
            at += 1;
        }
    }
}

fn region(nodes: &[Node], links: &[Link], node: u32) -> Region {
    let own = &nodes[node as usize];
    let (mut length, mut contrast) = (0.0, 0.0);
    for link in links.iter().filter(|link| link.nodes.contains(&node)) {
        let (color, _) = shared_histograms(own, &nodes[link.other(node) as usize]);
        length += link.length;
        contrast += link.length * (1.0 - color);
    }
    Region {
        cells: own.cells,
        area: own.area,
        contrast: contrast / length,
        texture: own.histogram[FIRST_TEXTURED..].iter().sum::<f32>() / own.area,
    }
}

fn nodes(picture: &Picture, edges: &[u8], segments: &Segments) -> Vec<Node> {
    let empty = Node {
        cells: Cells {
            left: usize::MAX,
            top: usize::MAX,
            right: 0,
            bottom: 0,
        },
        area: 0.0,
        histogram: [0.0; BINS],
    };
    let mut nodes = vec![empty; segments.count];
    let [luma, blue, red] = &picture.planes;
    for (px, &label) in segments.labels.iter().enumerate() {
        let (x, y) = (px % picture.width, px / picture.width);
        let node = &mut nodes[label as usize];
        node.area += 1.0;
        node.cells = node.cells.around(Cells {
            left: x,
            top: y,
            right: x + 1,
            bottom: y + 1,
        });
        node.histogram[usize::from(luma[px] / 32)] += 1.0;
        node.histogram[8 + chroma_bin(blue[px])] += 1.0;
        node.histogram[16 + chroma_bin(red[px])] += 1.0;
        // Logarithmic bins of the edge: 0, 1, 2 to 3, 4 to 7 and so on, 64 and more.
        let bits = (u8::BITS - edges[px].leading_zeros()).min(7) as usize;
        node.histogram[24 + bits] += 1.0;
    }
    nodes
}

/// Chroma is mostly near its middle: bins of 8 levels there; the outer bins take the rest.
fn chroma_bin(sample: u8) -> usize {
    ((i32::from(sample) - 96) / 8).clamp(0, 7) as usize
}

fn links(differences: &Differences, width: usize, segments: &Segments) -> Vec<Link> {
    let labels = &segments.labels;
    // For each touching pair of px: both labels in one number, and the difference.
    let mut touching: Vec<(u64, u8)> = Vec::new();
    let mut touch = |one: u32, other: u32, difference: u8| {
        if one != other {
            let labels = u64::from(one.min(other)) << 32 | u64::from(one.max(other));
            touching.push((labels, difference));
        }
    };
    for (labels, differences) in labels
        .chunks_exact(width)
        .zip(differences.right.chunks_exact(width))
    {
        for (pair, &difference) in labels.windows(2).zip(differences) {
            touch(pair[0], pair[1], difference);
        }
    }
    for ((&upper, &lower), &difference) in
        labels.iter().zip(&labels[width..]).zip(&differences.below)
    {
        touch(upper, lower, difference);
    }
    touching.sort_unstable();
    let links = touching.chunk_by(|(one, _), (other, _)| one == other);
    links
        .map(|touching| {
            let labels = touching[0].0;
            let differences = touching
                .iter()
                .map(|&(_, difference)| u32::from(difference));
            Link {
                nodes: [(labels >> 32) as u32, labels as u32],
                length: touching.len() as f32,
                difference: differences.sum::<u32>() as f32,
                distance: 0.0,
            }
        })
        .collect()
}
