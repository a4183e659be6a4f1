//! Compares the probes with scikit-learn and NumPy; `scripts/golden/probe.py` writes the expected numbers.

// Clippy recognises tests by their attribute and takes the functions beside them for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod classifiers;
mod costs;
mod figures;
mod samples;
