//! The tars as they are, with the files that Megatron Energon adds to WebDataset: an index beside each tar, and three files in `.nv-meta`.
//!
//! Source: `energon prepare` of megatron-energon 7.4.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use vidpairs_run::{OutFolder, RunError, failed};
use vidpairs_types::{open_regular, write_whole};

use super::{Files, Source, path_in, write};

/// Links or copies all tars, and writes what Energon adds.
pub(super) fn export(source: &mut Source<'_>, out: &OutFolder) -> Result<Files, RunError> {
    // A damaged record would be found by a training only.
    while source.next()?.is_some() {}
    let mut files = Files::default();
    let shards = &source.dataset.manifest().shards;
    let (mut names, mut counts) = (String::new(), String::new());
    for (number, shard) in shards.iter().enumerate() {
        let from = source.dir.join(&shard.file);
        let to = path_in(out, &shard.file)?;
        link(&from, &to, out).map_err(failed("write", &to))?;
        let reader = source.dataset.shard(number)?;
        let offsets: Vec<u8> = reader.record_offsets().flat_map(u64::to_le_bytes).collect();
        write(out, &format!("{}.idx", shard.file), &offsets)?;
        names.push_str(&format!("  - {}\n", shard.file));
        counts.push_str(&format!("  {}: {}\n", shard.file, shard.records));
        files.files += 1;
        files.bytes += shard.bytes;
    }
    write(
        out,
        ".nv-meta/dataset.yaml",
        b"__module__: megatron.energon\n__class__: CrudeWebdataset\n",
    )?;
    let split = format!("split_parts:\n  train:\n{names}  val: []\n  test: []\nexclude: []\n");
    write(out, ".nv-meta/split.yaml", split.as_bytes())?;
    // Without a version, which early and late ones read.
    write(
        out,
        ".nv-meta/.info.yaml",
        format!("shard_counts:\n{counts}").as_bytes(),
    )?;
    Ok(files)
}

/// Another name for a file, or a copy where the disk is another.
fn link(from: &Path, to: &Path, out: &OutFolder) -> io::Result<()> {
    // A link to it would lead elsewhere from the new folder.
    match fs::canonicalize(from).and_then(|from| fs::hard_link(from, to)) {
        Err(err) if err.kind() != ErrorKind::AlreadyExists => {
            write_whole(&out.journal_folder().join("unfinished"), to, |mut file| {
                io::copy(&mut open_regular(from)?, &mut file)?;
                file.flush()?;
                Ok(file)
            })
        }
        linked => linked,
    }
}
