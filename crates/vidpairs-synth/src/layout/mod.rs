//! The layouts of real data sets: names, label files, archives.
//!
//! **Takes** what is true of images ([`BoxXywh`](vidpairs_types::BoxXywh), angles, classes) and JPEG bytes. **Gives**
//! the names below a root and the bytes of every file that is no image. **Fails** with an error per layout.
//! **Source**: each layout's release, as the programs that read it expect it; a file's doc says what is
//! known of a release, and what is our own choice.

pub mod aloi;
pub mod got10k;
pub mod mat;
pub mod pascal3d;
pub mod trackingnet;
