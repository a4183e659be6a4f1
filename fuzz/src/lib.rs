//! What the fuzz targets share: a folder in memory, and archives around the fuzzed bytes.
//!
//! A reader that checks a checksum before it parses would reject nearly every mutated input. The targets therefore put the
//! mutated bytes inside an archive or a manifest with a correct checksum.

use std::cell::OnceCell;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vidpairs_shard::ShardEntry;
use xxhash_rust::xxh64::xxh64;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Runs `job` with a folder in memory that is kept between inputs.
pub fn in_scratch(job: impl FnOnce(&Path)) {
    thread_local! {
        static SCRATCH: OnceCell<TempDir> = const { OnceCell::new() };
    }
    SCRATCH.with(|scratch| {
        let folder = scratch.get_or_init(|| {
            let memory = Path::new("/dev/shm");
            let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
            tempfile::tempdir_in(place).expect("a folder for temporary files")
        });
        job(folder.path());
    });
}

/// Writes `bytes` as `name` below `folder` and returns the path.
pub fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
        fs::create_dir_all(parent).expect("a folder in the scratch folder");
    }
    fs::write(&path, bytes).expect("a file in the scratch folder");
    path
}

/// A zip archive with the members `(name, bytes)`, uncompressed.
pub fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in members {
        writer.start_file(*name, options).expect("distinct names");
        writer.write_all(bytes).expect("memory takes every write");
    }
    writer.finish().expect("memory takes every write").into_inner()
}

/// Manifest entry of a file with a correct length and checksum.
pub fn entry_of(file: &str, bytes: &[u8], records: u64) -> ShardEntry {
    ShardEntry {
        file: file.to_owned(),
        bytes: bytes.len() as u64,
        records,
        xxh64: xxh64(bytes, 0),
    }
}

/// The two parts of `bytes`: the first two bytes state the length of the first part.
pub fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return (&[], bytes);
    };
    let length = usize::from(u16::from_le_bytes(*length));
    rest.split_at(length.min(rest.len()))
}
