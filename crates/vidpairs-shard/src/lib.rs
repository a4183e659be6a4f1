//! Shards: encoded pairs in plain tar files that every trainer's loader reads, and the way back.
//!
//! **Takes** [`EncodedRecord`](vidpairs_types::EncodedRecord)s in their final order, and folders to
//! write to. **Gives** `pairs-NNNNNN.tar`, `.idx`, `dataset.json`; records by number over a memory
//! map; `tracks.jsonl.zst`; the list of what is damaged. **Fails** with [`ShardError`], which names the file, and for
//! a damaged record also its number, key and member. **Source**: POSIX.1-1988 ustar; the
//! WebDataset naming of samples; the index file of NVIDIA DALI's `wds2idx`, version 1.2.
//!
//! Who writes: one [`ShardWriter`] a shard, then [`Manifest::write_atomically`]. Who reads:
//! [`DatasetReader`] for a whole data set, in the order of [`EpochOrder`], [`ShardReader`] for one tar.
//! Who doubts: [`verify_shard`] and [`verify_manifest`].

mod checksum;
mod damage;
mod dataset;
mod durable;
mod error;
mod index;
mod manifest;
mod order;
mod reader;
mod seal;
mod tracks;
mod ustar;
mod verify;
mod walk;
mod writer;

#[cfg(test)]
mod fixtures;

pub use damage::{Damage, Fault, HeaderFault};
pub use dataset::DatasetReader;
pub use error::{ShardError, Unfit};
pub use index::{IndexFault, IndexedMember, ShardIndex};
pub use manifest::{FORMAT, FORMAT_VERSION, MANIFEST_FILE, Manifest, ShardEntry, Totals};
pub use order::EpochOrder;
pub use reader::{Member, Record, ShardReader};
pub use tracks::{
    TRACKS_FILE, TrackletCounts, TracksEntry, TracksMark, TracksWriter, verify_tracks,
};
pub use verify::{ClipSpan, ShardVerdict, verify_manifest, verify_shard};
pub use writer::{ShardMark, ShardWriter};

/// Name of the tar of shard `ordinal`: `pairs-000003.tar`.
pub fn tar_file_name(ordinal: u64) -> String {
    format!("pairs-{ordinal:06}.tar")
}

/// Name of the index of shard `ordinal`: `pairs-000003.idx`.
pub fn index_file_name(ordinal: u64) -> String {
    format!("pairs-{ordinal:06}.idx")
}
