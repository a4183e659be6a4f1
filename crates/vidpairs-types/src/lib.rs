//! Data types shared by all crates of vidpairs: clips, frames, boxes, pairs, records and seeds. Also durable files
//! and ordered work on threads ([`parallel`]).

mod clip;
mod durable;
mod frame;
mod geometry;
mod image_sets;
mod library;
mod pair;
pub mod parallel;
mod path;
mod plane;
mod record;
mod refusal;
mod seed;

pub use clip::{Annotation, Clip, Media, SourceKind};
pub use durable::{replace_whole, replace_whole_by, sync_folder, write_whole};
pub use frame::{
    ColorMatrix, ColorRange, Frame, Orientation, PlaneBytes, PlaneLayout, Planes, RgbImage,
};
pub use geometry::{BoxXywh, RegionPx, SizePx};
pub use image_sets::{Condition, ImageSet, ImageSets, Invariance, LeftOut, NearView, SetImage};
pub use library::LibraryError;
pub use pair::{PairKind, PairPlan};
pub use path::path_as_text;
pub use plane::{Plane, ShortPlane, rounded_to_8_bits};
pub use record::{
    EncodedMember, EncodedRecord, RecordMeta, Role, SCHEMA, TrackedBox, TrackletLine, TrackletMeta,
    ViewMeta,
};
pub use refusal::{Outcome, Refusal, Stage, with_causes};
pub use seed::Seed;
