//! Data types shared by all crates: clips, frames, boxes, pairs, records, seeds. Also durable files, natural order,
//! and ordered work on threads ([`parallel`]).

mod causes;
mod clip;
mod durable;
mod frame;
mod geometry;
mod image;
mod image_sets;
mod library;
mod natural;
mod pair;
pub mod parallel;
mod plane;
mod record;
mod refusal;
mod seed;
mod tracklet;

pub use causes::with_causes;
pub use clip::{Annotation, Clip, Media, SourceKind};
pub use durable::{replace_whole, replace_whole_by, sync_folder, write_synced};
pub use frame::{ColorMatrix, ColorRange, Frame, Orientation, PlaneBytes, PlaneLayout, Planes};
pub use geometry::{BoxXywh, RegionPx, SizePx};
pub use image::RgbImage;
pub use image_sets::{Condition, ImageSet, ImageSets, Invariance, LeftOut, NearView, SetImage};
pub use library::LibraryError;
pub use natural::natural_order;
pub use pair::{PairKind, PairPlan};
pub use plane::{Plane, ShortPlane, rounded_to_8_bits};
pub use record::{EncodedMember, EncodedRecord, RecordMeta, Role, SCHEMA, TrackletMeta, ViewMeta};
pub use refusal::{Outcome, Refusal, Stage};
pub use seed::Seed;
pub use tracklet::{TrackedBox, TrackletLine};
