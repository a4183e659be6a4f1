//! Minimises a smooth convex function of many variables: L-BFGS.
//!
//! The caller evaluates the function, so that it can do so in blocks on several threads; the crates that offer L-BFGS call the function
//! themselves.

use std::collections::VecDeque;

/// Pairs of differences that approximate the curvature, as in SciPy.
const MEMORY: usize = 10;
/// Share of the decrease promised by the slope that a step must reach (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// Steps tried along one direction.
const MAX_TRIALS: usize = 40;

/// Minimisation in progress: evaluate the function at [`point`](Self::point), and [`tell`](Self::tell) the result, until it says that it
/// ended.
///
/// # Source
/// Nocedal and Wright, "Numerical Optimization", 2006, algorithm 7.5, with backtracking along the direction. Of a convex function every step
/// has a curvature of 0 or more, so the Wolfe condition on it is not needed.
#[derive(Debug, Clone)]
pub(super) struct Lbfgs {
    /// Where the function is to be evaluated.
    trial: Vec<f64>,
    best: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    slope: f64,
    step: f64,
    num_trials: usize,
    pairs: VecDeque<Pair>,
}

#[derive(Debug, Clone)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    inverse_curvature: f64,
}

/// What to do after an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The trial was too far: evaluate again.
    Again,
    /// An iteration ended at a better point.
    Better,
    /// No step along the direction makes the function smaller within the rounding of 64 bits.
    Stuck,
}

impl Lbfgs {
    pub fn new(start: Vec<f64>) -> Self {
        let num = start.len();
        Self {
            best: start.clone(),
            trial: start,
            value: f64::INFINITY,
            gradient: vec![0.0; num],
            direction: vec![0.0; num],
            slope: 0.0,
            step: 0.0,
            num_trials: 0,
            pairs: VecDeque::new(),
        }
    }

    /// Where the function is to be evaluated.
    pub fn point(&self) -> &[f64] {
        &self.trial
    }

    /// The best point so far.
    pub fn best(&self) -> &[f64] {
        &self.best
    }

    /// Greatest component of the gradient at the best point.
    pub fn steepness(&self) -> f64 {
        let components = self.gradient.iter();
        components.fold(0.0, |max, component| component.abs().max(max))
    }

    /// Takes the value and the gradient at [`point`](Self::point), and chooses the next point.
    pub fn tell(&mut self, value: f64, gradient: Vec<f64>) -> Told {
        // Where the function is flat to its last digits, its rounding must not stop the descent.
        let slack = 16.0 * f64::EPSILON * self.value.abs();
        let is_first = self.value == f64::INFINITY;
        let limit = self.value + SUFFICIENT * self.step * self.slope + slack;
        if !is_first && (value.is_nan() || value > limit) {
            self.num_trials += 1;
            if self.num_trials == MAX_TRIALS {
                return Told::Stuck;
            }
            // Minimum of the parabola through the two values and the slope.
            let excess = value - self.value - self.step * self.slope;
            let parabola = -0.5 * self.step * self.slope / excess;
            self.step *= match parabola {
                share if share.is_finite() => share.clamp(0.1, 0.5),
                _ => 0.1,
            };
            self.try_step();
            return Told::Again;
        }
        if !is_first {
            self.remember(&gradient);
        }
        self.value = value;
        self.gradient = gradient;
        self.best.clone_from(&self.trial);
        self.aim();
        Told::Better
    }

    fn remember(&mut self, gradient: &[f64]) {
        let differences = |after: &[f64], before: &[f64]| -> Vec<f64> {
            after.iter().zip(before).map(|(a, b)| a - b).collect()
        };
        let step = differences(&self.trial, &self.best);
        let change = differences(gradient, &self.gradient);
        let curvature = product(&step, &change);
        // Rounding, or a direction in which the function is flat.
        if curvature <= f64::EPSILON * product(&change, &change) {
            return;
        }
        if self.pairs.len() == MEMORY {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair {
            step,
            change,
            inverse_curvature: curvature.recip(),
        });
    }

    /// Chooses the direction from the gradient: two loops over the pairs.
    fn aim(&mut self) {
        self.direction.clone_from(&self.gradient);
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = pair.inverse_curvature * product(&pair.step, &self.direction);
            add(&mut self.direction, -share, &pair.change);
            shares.push(share);
        }
        let scale = match self.pairs.back() {
            Some(last) => (last.inverse_curvature * product(&last.change, &last.change)).recip(),
            // The first step has length 1 at most.
            None => product(&self.gradient, &self.gradient)
                .sqrt()
                .recip()
                .min(1.0),
        };
        (self.direction.iter_mut()).for_each(|value| *value *= scale);
        for (pair, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let back = pair.inverse_curvature * product(&pair.change, &self.direction);
            add(&mut self.direction, share - back, &pair.step);
        }
        (self.direction.iter_mut()).for_each(|value| *value = -*value);
        self.slope = product(&self.direction, &self.gradient);
        self.step = 1.0;
        self.num_trials = 0;
        self.try_step();
    }

    fn try_step(&mut self) {
        self.trial.clone_from(&self.best);
        add(&mut self.trial, self.step, &self.direction);
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Adds `scale * other` to `vector`.
fn add(vector: &mut [f64], scale: f64, other: &[f64]) {
    for (value, other) in vector.iter_mut().zip(other) {
        *value += scale * other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badly_scaled_quadratic_is_minimised_to_the_last_digits() {
        let scales: Vec<f64> = (0..30).map(|at| 10f64.powf(at as f64 / 10.0)).collect();
        let mut search = Lbfgs::new(vec![3.0; 30]);
        let mut num_evaluations = 0;
        loop {
            num_evaluations += 1;
            let point = search.point();
            let terms = point
                .iter()
                .zip(&scales)
                .map(|(x, scale)| scale * (x - 1.0).powi(2));
            let gradient = point
                .iter()
                .zip(&scales)
                .map(|(x, scale)| 2.0 * scale * (x - 1.0));
            let told = search.tell(terms.sum(), gradient.collect());
            if told == Told::Stuck || search.steepness() < 1e-9 {
                break;
            }
        }
        assert!(search.best().iter().all(|x| (x - 1.0).abs() < 1e-9));
        // L-BFGS-B of SciPy 1.17.1 takes 320.
        assert!(num_evaluations < 400, "{num_evaluations}");
    }

    #[test]
    fn a_step_that_is_too_long_is_shortened() {
        // |x| rounded at 0: far from 0 it is so straight that a step from its curvature goes far beyond.
        let mut search = Lbfgs::new(vec![5.0]);
        for _ in 0..100 {
            let x = search.point()[0];
            search.tell((1.0 + x * x).sqrt(), vec![x / (1.0 + x * x).sqrt()]);
        }
        assert!(search.best()[0].abs() < 1e-7, "{:?}", search.best());
    }
}
