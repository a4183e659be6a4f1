//! Commands: the steps wired together, with threads, resume, progress and quarantine.
//!
//! **Takes** the checked options of one command. **Gives** files, and a summary. **Fails** with
//! [`RunError`], whose text says what, where and what to do. Here alone is it decided whether an
//! input is skipped or the run stops.

mod error;
#[cfg(feature = "train")]
mod export;
#[cfg(feature = "extract")]
mod extract;
mod inspect;
mod invariance;
mod live_bar;
mod out;
mod progress;
mod refusals;
mod spread;
#[cfg(feature = "synth")]
mod synth;
#[cfg(feature = "train")]
mod tensorboard;
#[cfg(feature = "extract")]
mod track;
#[cfg(feature = "train")]
mod train;
mod verify;
mod words;

pub use crate::types::with_causes;
pub use error::RunError;
#[cfg(feature = "train")]
pub use export::{ExportFormat, ExportOptions, ExportSummary, export};
#[cfg(feature = "extract")]
pub use extract::{ExtractOptions, ExtractSummary, extract};
pub use inspect::{
    Bar, ByteExtent, Inspection, KSpread, MemberInspection, Rates, RecordInspection, SampledRecord,
    Share, Sizes, Top, inspect, inspect_record, sample_records,
};
pub use invariance::{
    Along, BlockCrew, CardPicture, CurveLine, Figure, InvarianceData, InvarianceError,
    InvarianceOptions, InvarianceSummary, LeftOutGroup, MeasuredModel, MeasuredModels,
    MeasuredPair, MeasuredPanel, ModelScores, NamedFile, ResultFile, TargetCard, TargetScore,
    UnitCard, UnitCurve, VersionScore, invariance, retrieve, score_features,
};
#[cfg(feature = "train")]
pub use invariance::{FeatureError, FeatureOptions, FeatureSpeed, ImageFeatures, image_features};
pub use progress::Verbosity;
pub use refusals::{ReasonGroup, SetAside};
#[cfg(feature = "synth")]
pub use synth::{
    Credit, SampleLimits, SampledGroup, SampledImage, SampledPicture, SampledSet, SampledStrip,
    SynthOptions, SynthSummary, TRUTH_FILE, Varied, sample_set, synth,
};
#[cfg(feature = "train")]
pub use tensorboard::EventWriter;
#[cfg(feature = "extract")]
pub use track::{
    SampledFrame, SampledSequence, SampledTrack, SequenceScore, TrackData, TrackDataKind,
    TrackOptions, TrackSample, TrackScore, TrackSummary, sample_tracks, track,
};
#[cfg(feature = "train")]
pub use train::{KnnFigures, TrainError, TrainOptions, TrainSummary, train};
pub use verify::{VerifySummary, verify};
