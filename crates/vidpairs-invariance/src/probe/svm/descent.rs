//! Dual coordinate descent for the squared hinge loss.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use vidpairs_types::Seed;

use super::super::rows::{add_scaled, dot};
use super::machine::{Convergence, LinearSvm};
use super::options::SvmOptions;
use crate::measure::Features;

/// A projected gradient below this leaves the variable as it is, as in LIBLINEAR.
const NEGLIGIBLE: f64 = 1e-12;

/// A training image of one class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Example {
    /// Row of features.
    pub image: usize,
    /// Whether it is a positive of the class.
    pub is_positive: bool,
}

/// Solver of one class on some images, for one cost after the other.
///
/// The dual is `min_a |w|^2 / 2 + sum_i a_i^2 / (4 C_i) - sum_i a_i` over `a >= 0`, with `w = sum_i a_i y_i x_i`. A step minimises it
/// exactly in one variable.
pub(super) struct Descent<'a> {
    features: &'a Features<'a>,
    options: &'a SvmOptions,
    examples: &'a [Example],
    variables: Vec<Variable>,
    weights: Vec<f64>,
    /// Weight of the constant feature.
    constant_weight: f64,
    /// Examples; those in use come first.
    order: Vec<u32>,
    rng: ChaCha8Rng,
}

/// Variable of one example.
#[derive(Clone, Copy)]
struct Variable {
    /// `a`, 0 or more.
    value: f64,
    /// 1 for a positive, -1 for a negative.
    sign: f64,
    /// `1 / (2 C_i)`.
    ridge: f64,
    /// Squared length of the row, the constant feature included.
    energy: f64,
}

/// Projected gradients of one pass.
struct Pass {
    max: f64,
    min: f64,
    num_active: usize,
}

impl<'a> Descent<'a> {
    /// Starts with all variables 0.
    ///
    /// - `energies`: squared length of each row of `features`.
    pub fn new(
        features: &'a Features<'a>,
        energies: &[f64],
        examples: &'a [Example],
        options: &'a SvmOptions,
        seed: Seed,
    ) -> Self {
        let constant = options.intercept_scaling.powi(2);
        let variable = |example: &Example| Variable {
            value: 0.0,
            sign: if example.is_positive { 1.0 } else { -1.0 },
            ridge: 0.0,
            energy: energies[example.image] + constant,
        };
        Self {
            features,
            options,
            variables: examples.iter().map(variable).collect(),
            weights: vec![0.0; features.num_units()],
            constant_weight: 0.0,
            order: (0..examples.len() as u32).collect(),
            rng: seed.rng(),
            examples,
        }
    }

    /// Trains with cost `cost`, from where the last cost ended.
    pub fn train(&mut self, cost: f64) -> (LinearSvm, Convergence) {
        self.start(cost);
        let convergence = self.descend();
        let svm = LinearSvm {
            weights: self.weights.clone(),
            bias: self.constant_weight * self.options.intercept_scaling,
        };
        (svm, convergence)
    }

    /// Sets the cost, and scales all variables by the factor that is best for it: with small costs the solution grows with the cost, with
    /// great ones it does not.
    fn start(&mut self, cost: f64) {
        for (variable, example) in self.variables.iter_mut().zip(self.examples) {
            let weight = if example.is_positive {
                self.options.positive_weight
            } else {
                1.0
            };
            variable.ridge = 0.5 / (cost * weight);
        }
        let ridges = self
            .variables
            .iter()
            .map(|variable| variable.value * variable.value * variable.ridge);
        let lengths = self.weights.iter().map(|weight| weight * weight);
        let curvature = ridges.sum::<f64>() + lengths.sum::<f64>() + self.constant_weight.powi(2);
        if curvature > 0.0 {
            let factor = self
                .variables
                .iter()
                .map(|variable| variable.value)
                .sum::<f64>()
                / curvature;
            (self.variables.iter_mut()).for_each(|variable| variable.value *= factor);
            self.weights.iter_mut().for_each(|weight| *weight *= factor);
            self.constant_weight *= factor;
        }
    }

    fn descend(&mut self) -> Convergence {
        let mut num_active = self.order.len();
        let mut limit = f64::INFINITY;
        let mut violation = f64::INFINITY;
        for epoch in 1..=self.options.max_epochs {
            let pass = self.pass(num_active, limit);
            violation = pass.max - pass.min;
            let mut is_converged = false;
            if violation > self.options.tolerance {
                num_active = pass.num_active;
                limit = if pass.max > 0.0 {
                    pass.max
                } else {
                    f64::INFINITY
                };
            } else if num_active == self.order.len() && pass.num_active == num_active {
                is_converged = true;
            } else {
                // Converged on the images in use: look at all once more.
                num_active = self.order.len();
                limit = f64::INFINITY;
            }
            if is_converged {
                return Convergence {
                    num_epochs: epoch,
                    violation: violation.max(0.0),
                    is_converged,
                };
            }
        }
        Convergence {
            num_epochs: self.options.max_epochs,
            violation: violation.max(0.0),
            is_converged: false,
        }
    }

    /// Steps through the first `num_active` examples in a new random order. An example whose variable is 0 and whose gradient is greater
    /// than `limit` will most likely stay at 0: it is moved behind those in use.
    fn pass(&mut self, mut num_active: usize, limit: f64) -> Pass {
        let num_units = self.features.num_units();
        let scaling = self.options.intercept_scaling;
        let (mut max, mut min) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut place = 0;
        while place < num_active {
            let drawn = self.rng.random_range(place..num_active);
            self.order.swap(place, drawn);
            let index = self.order[place] as usize;
            let Example { image, .. } = self.examples[index];
            let row = &self.features.values()[image * num_units..][..num_units];
            let variable = &mut self.variables[index];
            let decision = dot(&self.weights, row) + self.constant_weight * scaling;
            let gradient = variable.sign * decision - 1.0 + variable.value * variable.ridge;
            let mut projected = gradient;
            if variable.value == 0.0 {
                if gradient > limit {
                    num_active -= 1;
                    self.order.swap(place, num_active);
                    continue;
                }
                projected = gradient.min(0.0);
            }
            place += 1;
            max = max.max(projected);
            min = min.min(projected);
            if projected.abs() > NEGLIGIBLE {
                let old = variable.value;
                variable.value = (old - gradient / (variable.energy + variable.ridge)).max(0.0);
                let change = (variable.value - old) * variable.sign;
                add_scaled(&mut self.weights, row, change);
                self.constant_weight += change * scaling;
            }
        }
        Pass {
            max,
            min,
            num_active,
        }
    }
}
