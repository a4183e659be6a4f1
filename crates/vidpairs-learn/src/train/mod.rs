//! Methods: MoCo, PIRL, and a supervised control.
//!
//! **Takes** batches of views as tensors, and a seed for each step. **Gives** a loss, moved weights, and what is seen of
//! them. **Fails** never by itself: shapes are checked where the pipeline is. **Source**: He et al. 2020; Chen et al.
//! 2020; Misra and van der Maaten 2020; Purushwalkam and Gupta 2020.

mod encoder;
mod knn;
mod learner;
mod moco;
mod pirl;
mod queue;
mod rows;
mod schedule;
mod setup;
mod sgd;
mod shuffle;
mod step;
mod supervised;
mod watch;

pub use encoder::{Encoder, HeadKind};
pub use knn::{KnnBank, KnnError, KnnOptions, KnnTally};
pub use learner::{
    DataCounts, Learner, LearnerConfig, MethodConfig, NotFinite, StateError, StepReport,
};
pub use moco::{Contrast, Moco, MocoConfig, ViewPair, info_nce};
pub use pirl::{Pirl, PirlConfig};
pub use queue::Queue;
pub use rows::{Rows, RowsError};
pub use schedule::{Decay, Pace, Schedule, ScheduleError};
pub use setup::{negatives_warning, queue_warnings};
pub use sgd::{DecayOf, Gradient, Sgd, SgdConfig};
pub use shuffle::Shuffle;
pub use step::{Observed, StepInputs};
pub use supervised::{Supervised, SupervisedConfig};
pub use watch::{
    Collapse, CollapseWatch, WatchError, alignment, effective_dimensions, info_nce_chance,
    mean_std, uniformity,
};
