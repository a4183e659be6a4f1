//! Data types shared by all crates of vidpairs: clips, frames, boxes, pairs, records and seeds. Also files that
//! are opened and written safely, text that is safe to print, and ordered work on threads ([`parallel`]).

mod archive_output;
mod clip;
mod durable;
mod frame;
mod geometry;
mod image_part;
mod image_sets;
mod library;
mod lines;
mod objects;
mod open;
mod pair;
pub mod parallel;
mod path;
mod plane;
mod printable;
mod probe_set;
mod readable;
mod record;
mod record_json;
mod refusal;
mod seed;

pub use archive_output::{ArchiveOutput, InUse};
pub use clip::{
    Annotation, Clip, Media, STILL_EXTENSIONS, SourceKind, is_left_out_folder, is_still_name,
    stays_below,
};
pub use durable::{
    create_folders_of, create_fresh, create_own_folder, open_own, replace_whole, replace_whole_by,
    sync_folder, write_whole,
};
pub use frame::{
    ColorMatrix, ColorRange, Frame, Orientation, PlaneBytes, PlaneLayout, Planes, RgbImage,
};
pub use geometry::{BoxXywh, RegionPx, SizePx};
pub use image_part::{Beyond, ImagePart};
pub use image_sets::{Condition, ImageSet, ImageSets, Invariance, LeftOut, NearView, SetImage};
pub use library::LibraryError;
pub use lines::{NextLine, next_line};
pub use objects::{AnnotatedObject, ImageObjects, ObjectMark, OtherSize, UnusableObject};
pub use open::{open_regular, read_regular};
pub use pair::{KnownBoxes, PairKind, PairPlan};
pub use path::path_as_text;
pub use plane::{Plane, ShortPlane, rounded_to_8_bits};
pub use printable::{printable, printable_json, printable_lines};
pub use probe_set::{ProbeImage, ProbeLabel, ProbeSet, Split};
pub use readable::readable;
pub use record::{
    EncodedMember, EncodedRecord, RecordMeta, Role, SCHEMA, TrackedBox, TrackletLine, TrackletMeta,
    ViewMeta,
};
pub use refusal::{Outcome, Refusal, Stage, with_causes};
pub use seed::Seed;
