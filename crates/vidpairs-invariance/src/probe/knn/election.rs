//! Vote of the nearest neighbours of a query.

use super::super::answers::Answer;
use super::KnnBank;
use crate::measure::direction::Direction;

/// Vote on one query, with buffers for the next.
pub(super) struct Election<'a> {
    bank: &'a KnnBank<'a>,
    directions: Vec<Direction<'a>>,
    /// Lower bound of the squared chord, without the query's share, and place in the bank of each vector.
    bounds: Vec<(f32, usize)>,
    /// Squared chord and place in the bank of each neighbour, the nearest first.
    pub nearest: Vec<(f64, usize)>,
    /// Sum of votes of each distinct label.
    votes: Vec<f64>,
}

impl<'a> Election<'a> {
    pub fn new(bank: &'a KnnBank<'a>) -> Self {
        Self {
            bank,
            directions: bank.vectors.images().map(Direction::of).collect(),
            bounds: Vec::with_capacity(bank.labels.len()),
            nearest: Vec::new(),
            votes: vec![0.0; bank.distinct.len()],
        }
    }

    /// Answers by the votes of the first `num_neighbours` neighbours, of each number in turn (ascending).
    pub fn vote<const N: usize>(&mut self, num_neighbours: [usize; N], label: u32) -> [Answer; N] {
        let KnnBank {
            labels,
            distinct,
            options,
            ..
        } = self.bank;
        let shortest = self.nearest[0].0;
        self.votes.fill(0.0);
        let mut voters = self.nearest.iter();
        let mut num_voted = 0;
        num_neighbours.map(|num| {
            for &(squared_chord, place) in voters.by_ref().take(num - num_voted) {
                let index = distinct
                    .binary_search(&labels[place])
                    .expect("`distinct` holds every label");
                // Weights are relative to that of the nearest, so that no temperature overflows. A cosine is 1 less half the squared chord.
                let exponent = (shortest - squared_chord) / 2.0 / f64::from(options.temperature);
                self.votes[index] += exponent.exp();
            }
            num_voted = num;
            ranked(&self.votes, distinct, label)
        })
    }

    /// Finds the neighbours, the nearest first.
    pub fn find(&mut self, query: Direction<'_>, share: f32, products: &[f32]) {
        let num_neighbours = self.bank.options.num_neighbours.min(self.directions.len());
        self.bounds.clear();
        // Products beyond the shares belong to the padding.
        let bounds = products.iter().zip(&self.bank.shares);
        let bounds = bounds.map(|(product, &vector)| match vector {
            // A vector of zeros has a squared chord of 2.
            f32::NEG_INFINITY => (2.0 - share).next_down(),
            vector => vector - 2.0 * product,
        });
        self.bounds.extend(bounds.zip(0..));
        if num_neighbours < self.bounds.len() {
            self.bounds
                .select_nth_unstable_by(num_neighbours, |a, b| a.0.total_cmp(&b.0));
        }
        let (first, others) = self.bounds.split_at(num_neighbours);
        let query = query.unit();
        let measured = |&(_, place): &(f32, usize)| {
            let chord = query.squared_chord(&self.directions[place]);
            (chord, place)
        };
        self.nearest.clear();
        self.nearest.extend(first.iter().map(measured));
        // No neighbour is farther than the farthest of these; only vectors that may be nearer are measured too.
        let chords = self.nearest.iter().map(|&(chord, _)| chord);
        let farthest = chords.fold(0.0, |far: f64, chord| chord.max(far));
        let limit = ((farthest - f64::from(share)) as f32).next_up();
        let others = others.iter().filter(|bound| bound.0 <= limit);
        self.nearest.extend(others.map(measured));
        // Sorted, so that sums of weights are rounded the same way everywhere.
        self.nearest
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.nearest.truncate(num_neighbours);
    }
}

/// The label with the most votes, and the place of `label` among the labels with a vote. Of equal sums the smaller label is first.
fn ranked(votes: &[f64], distinct: &[u32], label: u32) -> Answer {
    let sums = votes.iter().zip(distinct).rev();
    let winner = sums.max_by(|a, b| a.0.total_cmp(b.0));
    let own = distinct
        .binary_search(&label)
        .ok()
        .filter(|&own| votes[own] > 0.0);
    let rank = own.map(|own| {
        let before = votes.iter().enumerate();
        let before =
            before.filter(|&(place, &sum)| sum > votes[own] || (sum == votes[own] && place < own));
        before.count()
    });
    Answer {
        predicted: *winner.expect("a bank has labels").1 as usize,
        rank,
    }
}
