//! Methods: MoCo, PIRL, and a supervised control.
//!
//! **Takes** batches of views as tensors, and a seed for each step. **Gives** a loss, moved weights, and what is seen of
//! them. **Fails** never by itself: shapes are checked where the pipeline is. **Source**: He et al. 2020; Chen et al.
//! 2020; Misra and van der Maaten 2020; Purushwalkam and Gupta 2020.

mod encoder;
mod learner;
mod moco;
mod pirl;
mod queue;
mod sgd;
mod shuffle;
mod step;
mod supervised;

pub use encoder::{Encoder, HeadKind};
pub use learner::{
    DataCounts, Learner, LearnerConfig, MethodConfig, NotFinite, StateError, StepReport,
};
pub use moco::{Contrast, Moco, MocoConfig, ViewPair, info_nce};
pub use pirl::{Pirl, PirlConfig};
pub use queue::Queue;
pub use sgd::{DecayOf, Sgd, SgdConfig};
pub use shuffle::Shuffle;
pub use step::{Observed, StepInputs};
pub use supervised::{Supervised, SupervisedConfig};
