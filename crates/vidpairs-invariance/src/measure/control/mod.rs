//! Controls: features of the same shape that know nothing of the images.
//!
//! **Takes** features, and a [`Seed`](vidpairs_types::Seed). **Gives** features that have the same share of what a
//! score gives for nothing: Gaussian ones with the features' mean and covariance ([`GaussianControl`]), which keep
//! how many dimensions are in use, and shuffled ones ([`shuffled_units`]), which keep each unit's values. **Fails**
//! never. **Source**: our own choice; a score by the best few of many units is above 0 for any features.
//!
//! Every number depends on the seed, its image and its unit alone, so they are the same however the work is divided.

mod cholesky;
mod gaussian;
mod moments;
mod shuffled;

pub use gaussian::GaussianControl;
pub use moments::{FeatureMoments, UnitProducts};
pub use shuffled::shuffled_units;

#[cfg(test)]
mod tests;
