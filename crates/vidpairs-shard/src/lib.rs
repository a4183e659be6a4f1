//! Reads, writes and verifies shards of vidpairs data sets: WebDataset tars with a DALI index and a manifest.
//!
//! A data set is the folder that `vidpairs extract` writes. It holds `pairs-NNNNNN.tar`, an `.idx` for each tar, and
//! `dataset.json`. docs/SHARDS.md in the repository specifies the format. The only C library in the dependency tree of
//! this crate is zstd, which Cargo builds from source.
//!
//! # Guide
//!
//! - **Read** a data set with [`DatasetReader`]. It returns any record by its number, and keeps as many tars
//!   open as the process may. Threads can share a reader. [`Record::image`] returns the bytes of a view, a JPEG for example, and
//!   [`Record::meta`] its frames, boxes and label. [`Record::check`] compares the CRC-32 of each image.
//! - **Shuffle** with [`EpochOrder`], a random order for each epoch that can be entered at any position.
//! - **Write** each shard with a [`ShardWriter`] and then the [`Manifest`]. A file has its final name only when it is
//!   complete. An unfinished shard can be resumed from a [`ShardMark`].
//! - **Verify** with [`verify_manifest`], [`verify_shard`] and [`verify_tracks`], which report every [`Damage`].
//! - **Parts**: many processes can make one data set, each a [`Part`] in a folder of its own. A [`RecordOrder`] gives the merged records
//!   the order that they would have without parts.
//! - **Tracklets** of kind `regions` are in `tracks.jsonl.zst`. Each line is a [`TrackletLine`]; [`TracksWriter`] writes
//!   the file.
//!
//! Functions fail with [`ShardError`], which names the file and, for a damaged record, its number, key and member. After
//! such an error other records can still be read.
//!
//! # Examples
//!
//! Write a data set with one record and read it back:
//!
//! ```
//! use vidpairs_shard::{DatasetReader, Manifest, ShardWriter, Totals};
//! use vidpairs_shard::{EncodedMember, EncodedRecord, PairKind, RecordMeta, Role, SCHEMA, ViewMeta};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dir = tempfile::tempdir()?;
//! let jpeg: &[u8] = b"bytes of a JPEG";
//! let record = EncodedRecord {
//!     meta: RecordMeta {
//!         schema: SCHEMA,
//!         key: "00000000-0000".to_owned(),
//!         clip: "cat.mp4".to_owned(),
//!         source: "videos".to_owned(),
//!         kind: PairKind::Images,
//!         label: Some("cat".to_owned()),
//!         k: None,
//!         anchor: ViewMeta {
//!             frame: 12,
//!             pts_seconds: Some(0.4),
//!             frame_size: [640, 360].into(),
//!             box_xywh: None,
//!             image_size: [455, 256].into(),
//!             crc32: crc32fast::hash(jpeg),
//!         },
//!         positive: None,
//!         anchor_frame: None,
//!         positive_frame: None,
//!         tracklet: None,
//!     },
//!     members: vec![EncodedMember {
//!         role: Role::Anchor,
//!         extension: "jpg",
//!         bytes: jpeg.into(),
//!     }],
//! };
//! let mut writer = ShardWriter::create(dir.path(), 0)?;
//! writer.append(&record)?;
//! let shard = writer.finish(dir.path())?;
//! let totals = Totals {
//!     clips: 1,
//!     records: shard.records,
//!     shards: 1,
//!     bytes: shard.bytes,
//!     ..Totals::default()
//! };
//! Manifest::new(serde_json::json!({}), 0, 0, totals, vec![shard]).write_atomically(dir.path())?;
//!
//! let dataset = DatasetReader::open(dir.path())?;
//! for number in 0..dataset.num_records() {
//!     let record = dataset.record(number)?;
//!     record.check()?;
//!     let anchor = record.image(Role::Anchor).ok_or("no anchor")?;
//!     assert_eq!(anchor.bytes, jpeg);
//!     assert_eq!(record.meta()?.label.as_deref(), Some("cat"));
//! }
//! # Ok(())
//! # }
//! ```

mod card;
mod checksum;
mod cuts;
mod damage;
mod dataset;
mod error;
mod even;
mod index;
mod manifest;
mod members;
mod merged;
mod order;
mod part;
mod parts;
mod reader;
mod record;
mod record_order;
mod span;
mod tracks;
mod ustar;
mod verify;
mod walk;
mod writer;

#[cfg(test)]
mod fixtures;

pub use card::{CARD_FILE, card};
pub use cuts::{CUTS_FILE, ClipCuts, CutCounts, CutsEntry, StoredCut, read_cuts};
pub use damage::{Damage, DamageList, Fault, HeaderFault, IndexFault};
pub use dataset::DatasetReader;
pub use error::{ShardError, Unfit};
pub use even::even_range;
pub use index::ShardIndex;
pub use manifest::{
    BoxCounts, FORMAT, FORMAT_VERSION, MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest, Resharded,
    ShardEntry, Totals,
};
pub use merged::{PartEntry, PartsEntry};
pub use order::EpochOrder;
pub use parts::{PARTS_FILE, Part, PartsFile};
pub use reader::ShardReader;
pub use record::{Member, Record};
pub use record_order::{ORDER_FILE, OrderEntry, RecordOrder};
pub use tracks::{
    TRACKS_FILE, TrackletCounts, TracksEntry, TracksMark, TracksWriter, read_tracklets,
};
pub use ustar::IndexedMember;
pub use verify::{
    ClipSpan, ShardVerdict, verify_cuts, verify_manifest, verify_order, verify_shard, verify_tracks,
};
pub use vidpairs_types::{
    BoxXywh, EncodedMember, EncodedRecord, PairKind, RecordMeta, Role, SCHEMA, Seed, SizePx,
    TrackedBox, TrackletLine, TrackletMeta, ViewMeta,
};
pub use writer::{ShardMark, ShardName, ShardWriter};
