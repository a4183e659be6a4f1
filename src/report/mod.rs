//! Writes HTML pages: pairs of a data set, rendered sets, tracked sequences, invariances, probes, whole experiments.
//!
//! **Takes** the results of the commands. **Gives** one HTML file with embedded images, no script and no link to another file.
//! **Fails** with [`PageError`], only when the file is written. **Source**: HTML by maud, which escapes text.

pub mod experiment;
pub mod gallery;
pub mod invariance;
mod models;
mod page;
mod picture;
pub mod probe;
#[cfg(feature = "video")]
pub mod sheet;
#[cfg(feature = "video")]
pub mod tracks;
mod write;

pub use page::Fact;
pub use write::{PageError, check_name, check_place, write_page};
