//! Layouts of real data sets: names, label files and archives.
//!
//! **Takes** ground truth of images ([`BoxXywh`](vidpairs_types::BoxXywh), angles, classes) and JPEG bytes. **Gives**
//! names below a root, and the bytes of label files and archives. **Fails** with an error per layout. **Source**: the
//! releases of the data sets, as the programs that read them expect; each module states which facts come from the
//! release and which are our choice.

pub mod aloi;
pub mod coco;
pub mod got10k;
pub mod mat;
pub mod pascal3d;
pub mod trackingnet;
pub mod voc;
