//! Chooses from a grid of costs.

/// The cost that is taken where nothing could be validated is the nearest one to this.
const FALLBACK: f64 = 1.0;

/// Place of the greatest score, the first of equal ones; `None` without scores.
pub(crate) fn best(scores: &[f64]) -> Option<usize> {
    let places = (0..scores.len()).rev();
    places.max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
}

/// Place of the cost that is nearest to 1, as a ratio; the first without costs.
pub(crate) fn fallback(costs: &[f64]) -> usize {
    let ratio = |place: usize| (costs[place] / FALLBACK).ln().abs();
    let places = 0..costs.len();
    let nearest = places.min_by(|&a, &b| ratio(a).total_cmp(&ratio(b)));
    nearest.unwrap_or_default()
}
