//! The commands `vidpairs extract`, `vidpairs list`, `vidpairs cuts` and `vidpairs track`.

mod allowance;
mod cuts;
mod entries;
mod error;
mod extract;
mod faults;
mod files;
mod list;
mod stored;
mod track;

pub use cuts::{CutsOptions, CutsSummary, TimedCut, VideoCuts, cuts};
pub use error::{ExtractError, TrackRunError};
pub use extract::{ExtractOptions, ExtractSummary, Scratch, extract};
pub use list::{ListOptions, ListSummary, list};
pub use track::{
    SampledFrame, SampledSequence, SampledTrack, SequenceScore, TrackData, TrackDataKind,
    TrackOptions, TrackSample, TrackScore, TrackSummary, sample_tracks, track,
};
