//! Segments merged into ever larger regions, the most alike neighbours first: every region on the way is a
//! candidate.

use super::differences::Differences;
use super::picture::{Cells, Picture};
use super::segments::Segments;

/// Bins of a region's histogram: 8 each of luma, the two chromas, and edges.
const BINS: usize = 32;

/// The first bin of edges of 8 and more.
const FIRST_TEXTURED: usize = 28;

/// A region, as it was when it was merged into another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    /// The box around it.
    pub cells: Cells,
    /// Its px.
    pub area: f32,
    /// How much its colours differ from its neighbours', by length of boundary, 0 to 1.
    pub contrast: f32,
    /// Share of its px that differ from a neighbour by 8 of 255 or more.
    pub texture: f32,
}

#[derive(Clone)]
struct Node {
    cells: Cells,
    area: f32,
    histogram: [f32; BINS],
}

/// Two neighbours.
#[derive(Clone, Copy)]
struct Link {
    nodes: [u32; 2],
    /// Pairs of px that touch.
    length: f32,
    /// Sum of their differences, 0 to 255 each.
    difference: f32,
    distance: f32,
}

/// The graph of a picture's segments.
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

    /// Merges until one region is left; returns all but that one, in the order in which they were merged.
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

/// How unlike two neighbours are: 0 for small ones of one colour and texture without an edge between them,
/// that fill the box around both.
///
/// The terms are selective search's (colour, texture, size, fill), and one more for the edge.
fn distance(nodes: &[Node], link: &Link, num_px: f32) -> f32 {
    let [one, other] = link.nodes.map(|node| &nodes[node as usize]);
    let (color, texture) = shared_histograms(one, other);
    let edge = (link.difference / link.length / 64.0).min(1.0);
    let around = one.cells.around(other.cells).area() as f32;
    // Size and fill: the two areas, and what the box holds beside them, sum up to the box.
    (1.0 - color) + 0.5 * (1.0 - texture) + 0.5 * edge + around / num_px
}

/// The shares of colour and of texture that two regions have in common, 0 to 1.
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

impl Node {
    fn absorb(&mut self, other: &Self) {
        self.cells = self.cells.around(other.cells);
        self.area += other.area;
        for (bin, more) in self.histogram.iter_mut().zip(&other.histogram) {
            *bin += more;
        }
    }
}

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

/// Gives `kept` the links of `gone`, and makes one of two to the same neighbour.
fn relink(links: &mut Vec<Link>, kept: u32, gone: u32) {
    let other_of = |link: &Link, node: u32| link.nodes[usize::from(link.nodes[0] == node)];
    let mut at = 0;
    while at < links.len() {
        let link = links[at];
        if !link.nodes.contains(&gone) {
            at += 1;
            continue;
        }
        let neighbor = other_of(&link, gone);
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
        let other = link.nodes[usize::from(link.nodes[0] == node)];
        let (color, _) = shared_histograms(own, &nodes[other as usize]);
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
    let nothing = Node {
        cells: Cells {
            left: usize::MAX,
            top: usize::MAX,
            right: 0,
            bottom: 0,
        },
        area: 0.0,
        histogram: [0.0; BINS],
    };
    let mut nodes = vec![nothing; segments.count];
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
        // By the edge's logarithm: 0, 1, 2 to 3, 4 to 7 and so on, 64 and more.
        let bits = (u8::BITS - edges[px].leading_zeros()).min(7) as usize;
        node.histogram[24 + bits] += 1.0;
    }
    nodes
}

/// Chroma is mostly near its middle: bins of 8 there, all the rest to both ends.
fn chroma_bin(sample: u8) -> usize {
    ((i32::from(sample) - 96) / 8).clamp(0, 7) as usize
}

fn links(differences: &Differences, width: usize, segments: &Segments) -> Vec<Link> {
    let labels = &segments.labels;
    // Two labels in one number, and the difference of two px where they touch.
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
            let sum = |sum: u32, &(_, difference): &(u64, u8)| sum + u32::from(difference);
            Link {
                nodes: [(labels >> 32) as u32, labels as u32],
                length: touching.len() as f32,
                difference: touching.iter().fold(0, sum) as f32,
                distance: 0.0,
            }
        })
        .collect()
}
