//! A trained machine.

use super::super::rows::dot;
use crate::measure::Features;

/// Linear decision function of one class: `weights . x + bias`, positive for images that show the class.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearSvm {
    /// Weight of each unit, `D`.
    pub weights: Vec<f64>,
    /// Bias.
    pub bias: f64,
}

impl LinearSvm {
    /// Decision value of one image; `row`: its features, `D`.
    pub fn decide(&self, row: &[f32]) -> f64 {
        dot(&self.weights, row) + self.bias
    }

    /// Decision value of each image.
    pub fn decide_all(&self, features: &Features<'_>) -> Vec<f64> {
        features.images().map(|row| self.decide(row)).collect()
    }
}

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convergence {
    /// Passes over the images that were in use.
    pub num_epochs: usize,
    /// Range of the projected gradient in the last pass.
    pub violation: f64,
    /// Whether the range fell to the tolerance over all images. If not, the machine is close to the best one at most: allow more passes, or
    /// do not use so great a cost.
    pub is_converged: bool,
}

/// Machine of one class, trained on all training images.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedSvm {
    /// Decision function.
    pub svm: LinearSvm,
    /// How training ended.
    pub convergence: Convergence,
}
