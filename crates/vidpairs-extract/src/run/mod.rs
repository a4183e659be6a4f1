//! The commands `vidpairs extract` and `vidpairs track`.

mod allowance;
mod error;
mod extract;
mod faults;
mod files;
mod track;

pub use error::{ExtractError, TrackRunError};
pub use extract::{ExtractOptions, ExtractSummary, extract};
pub use track::{
    SampledFrame, SampledSequence, SampledTrack, SequenceScore, TrackData, TrackDataKind,
    TrackOptions, TrackSample, TrackScore, TrackSummary, sample_tracks, track,
};
