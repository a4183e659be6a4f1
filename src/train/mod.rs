//! Methods: MoCo, PIRL, and a supervised control.

mod knn;
mod rows;
mod schedule;
mod setup;
mod watch;

pub use knn::{KnnBank, KnnError, KnnOptions, KnnTally};
pub use rows::{Rows, RowsError};
pub use schedule::{Decay, Pace, Schedule, ScheduleError};
pub use setup::setup_warnings;
pub use watch::{
    Collapse, CollapseWatch, WatchError, alignment, effective_dimensions, info_nce_chance,
    mean_std, uniformity,
};
