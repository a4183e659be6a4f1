//! Training methods: MoCo, PIRL, and a supervised control.
//!
//! **Takes** batches of views as tensors, and a seed for each step. **Gives** losses, updated weights, and figures that
//! monitor training. **Fails** where a loss is not finite ([`NotFinite`]); shapes are checked with the pipeline. **Source**:
//! He et al. 2020; Chen et al. 2020; Misra and van der Maaten 2020; Purushwalkam and Gupta 2020.

mod contrast;
mod encoder;
mod learner;
mod method;
mod moco;
mod pirl;
mod queue;
mod rows;
mod schedule;
mod setup;
mod sgd;
mod shuffle;
mod state;
mod step;
mod supervised;
mod watch;

pub use encoder::{Encoder, HeadKind};
pub use learner::{Learner, LearnerConfig, NotFinite, StepReport};
pub use method::{DataCounts, MethodConfig};
pub use moco::{Moco, MocoConfig};
pub use pirl::{Pirl, PirlConfig};
pub use queue::Queue;
pub use rows::{Rows, RowsError};
pub use schedule::{Schedule, ScheduleError};
pub use setup::{negatives_warning, queue_warnings};
pub use sgd::{DecayOf, Gradient, Sgd, SgdConfig};
pub use state::StateError;
pub use step::{Observed, StepInputs};
pub use supervised::{Supervised, SupervisedConfig};
pub use vidpairs_pipeline::{Pace, ScheduleName};
pub use watch::{
    Collapse, CollapseWatch, WatchError, alignment, effective_dimensions, info_nce_chance,
    mean_std, uniformity,
};
