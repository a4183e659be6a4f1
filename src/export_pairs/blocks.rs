//! Shards of MosaicML streaming (MDS, format version 2) and chunks of LitData, which hold the same samples.
//!
//! Little-endian: number of samples, absolute offset of each sample and of the end (u32 each), in MDS a JSON of the columns, then the samples:
//! the size of each column (u32), then the bytes of each. Source: the writers of mosaicml-streaming 0.13 and litdata 0.2.76.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use serde_json::{Value, json};
use vidpairs_run::{OutFolder, RunError, failed};
use vidpairs_shard::Record;
use vidpairs_types::create_fresh;

use super::{ExportPairsError, Files, Source, path_in, write};
use crate::hashing::HashingWriter;

/// Bytes of samples after which a file ends: a download of moderate size.
const FULL_BYTES: u64 = 64 << 20;
/// Most records of a file.
const MAX_RECORDS: usize = 1 << 16;

/// Loader that reads the files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mds,
    Litdata,
}

/// A column: its name, and how the loader decodes it.
struct Column {
    name: String,
    encoding: &'static str,
}

/// Writes all records, and the index last.
pub(super) fn export(
    source: &mut Source<'_>,
    out: &OutFolder,
    kind: Kind,
) -> Result<Files, RunError> {
    let mut columns: Vec<Column> = Vec::new();
    let mut files = Files::default();
    let mut entries = Vec::new();
    let mut next = source.next()?;
    while let Some(record) = next.take() {
        if columns.is_empty() {
            columns = columns_of(&record, kind);
        }
        let name = match kind {
            Kind::Mds => format!("shard.{:05}.mds", entries.len()),
            Kind::Litdata => format!("chunk-0-{}.bin", entries.len()),
        };
        let config = match kind {
            Kind::Mds => config_of(&columns).to_string(),
            Kind::Litdata => String::new(),
        };
        let path = path_in(out, &name)?;
        let file = create_fresh(&path).map_err(failed("create", &path))?;
        let folder = out.journal_folder();
        let samples = tempfile::tempfile_in(&folder).map_err(failed("write to", &folder))?;
        let mut block = Block::new(file, samples);
        let mut open = Some(record);
        while let Some(record) = open.take() {
            let values = values_of(&record, &columns)?;
            block.push(&values).map_err(failed("write", &path))?;
            next = source.next()?;
            if block.bytes < FULL_BYTES && block.sizes.len() < MAX_RECORDS {
                open = next.take();
            }
        }
        let num = block.sizes.len();
        let written = block.finish(&config);
        let (bytes, xxh64) = written.map_err(failed("write", &path))?;
        files.files += 1;
        files.bytes += bytes;
        entries.push(entry_of(kind, &name, &columns, num, bytes, xxh64));
    }
    let index = match kind {
        Kind::Mds => json!({"shards": entries, "version": 2}),
        Kind::Litdata => {
            let fingerprint = source.dataset.manifest().fingerprint();
            litdata_index(&columns, &entries, fingerprint)
        }
    };
    write(out, "index.json", format!("{index:#}\n").as_bytes())?;
    Ok(files)
}

/// The columns in the order of their names.
fn columns_of(record: &Record<'_>, kind: Kind) -> Vec<Column> {
    let members = record.members().map(|member| {
        let encoding = match (member.extension, kind) {
            ("json", _) => "json",
            (name, _) if name.ends_with(".jpg") => "jpeg",
            (_, Kind::Mds) => "bytes",
            // Its `bytes` gives a memoryview, which no worker process can hand over.
            (_, Kind::Litdata) => "file",
        };
        Column {
            name: member.extension.to_owned(),
            encoding,
        }
    });
    let key = Column {
        name: "key".to_owned(),
        encoding: "str",
    };
    let mut columns: Vec<Column> = members.chain([key]).collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    columns
}

/// The bytes of each column of a record.
fn values_of<'a>(record: &'a Record<'_>, columns: &[Column]) -> Result<Vec<&'a [u8]>, RunError> {
    let mut values = Vec::new();
    for column in columns {
        let mut members = record.members();
        match members.find(|member| member.extension == column.name) {
            Some(member) => values.push(member.bytes),
            None if column.name == "key" => values.push(record.key().as_bytes()),
            None => break,
        }
    }
    if values.len() == columns.len() && record.members().len() + 1 == columns.len() {
        return Ok(values);
    }
    let found: Vec<&str> = record.members().map(|member| member.extension).collect();
    let expected = columns.iter().map(|column| &*column.name);
    let expected: Vec<&str> = expected.filter(|name| *name != "key").collect();
    Err(ExportPairsError::OtherMembers {
        key: record.key().to_owned(),
        found: found.join(", "),
        expected: expected.join(", "),
    }
    .into())
}

/// A file that is being written: its samples come into a temporary file, since their offsets come first.
struct Block {
    file: File,
    samples: BufWriter<File>,
    sizes: Vec<u64>,
    bytes: u64,
}

impl Block {
    fn new(file: File, samples: File) -> Self {
        Self {
            file,
            samples: BufWriter::new(samples),
            sizes: Vec::new(),
            bytes: 0,
        }
    }

    fn push(&mut self, values: &[&[u8]]) -> io::Result<()> {
        let mut bytes = 0;
        for value in values {
            // A member has less than 512 MiB.
            self.samples
                .write_all(&(value.len() as u32).to_le_bytes())?;
            bytes += 4;
        }
        for value in values {
            self.samples.write_all(value)?;
            bytes += value.len() as u64;
        }
        self.sizes.push(bytes);
        self.bytes += bytes;
        Ok(())
    }

    /// Writes the file. Returns its length and xxh64.
    fn finish(self, config: &str) -> io::Result<(u64, u64)> {
        // With samples of at most 512 MiB, a file has far less than 4 GiB.
        let num = self.sizes.len() as u64;
        let mut offset = 4 + 4 * (num + 1) + config.len() as u64;
        let mut head = (num as u32).to_le_bytes().to_vec();
        head.extend((offset as u32).to_le_bytes());
        for size in &self.sizes {
            offset += size;
            head.extend((offset as u32).to_le_bytes());
        }
        head.extend(config.as_bytes());
        let samples = self.samples.into_inner();
        let mut samples = samples.map_err(io::IntoInnerError::into_error)?;
        samples.seek(SeekFrom::Start(0))?;
        let mut file = HashingWriter::new(self.file);
        file.write_all(&head)?;
        io::copy(&mut samples, &mut file)?;
        let (file, bytes, xxh64) = file.finish();
        file.sync_all()?;
        Ok((bytes, xxh64))
    }
}

fn config_of(columns: &[Column]) -> Value {
    let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    let encodings: Vec<&str> = columns.iter().map(|column| column.encoding).collect();
    json!({
        "column_encodings": encodings, "column_names": names, "column_sizes": vec![Value::Null; columns.len()], "compression": null,
        "format": "mds", "hashes": ["xxh64"], "size_limit": null, "version": 2,
    })
}

/// The line of a file in the index.
fn entry_of(
    kind: Kind,
    name: &str,
    columns: &[Column],
    num: usize,
    bytes: u64,
    xxh64: u64,
) -> Value {
    match kind {
        Kind::Mds => {
            let mut entry = config_of(columns);
            let hashes = json!({"xxh64": format!("{xxh64:016x}")});
            entry["raw_data"] = json!({"basename": name, "bytes": bytes, "hashes": hashes});
            entry["samples"] = json!(num);
            entry["zip_data"] = Value::Null;
            entry
        }
        Kind::Litdata => json!({
            "chunk_bytes": bytes, "chunk_size": num, "dim": null, "filename": name,
        }),
    }
}

/// The index of LitData.
///
/// - `fingerprint`: of the data set, in the place of the time: LitData keeps what it fetched by this value and the address.
fn litdata_index(columns: &[Column], chunks: &[Value], fingerprint: u64) -> Value {
    let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    let encodings: Vec<&str> = columns.iter().map(|column| column.encoding).collect();
    let leaf = json!({"type": null, "context": null, "children_spec": []});
    // The form of torch.utils._pytree: JSON in a text, and in it the names as JSON in a text.
    let spec = json!([1, {
        "type": "builtins.dict", "context": json!(names).to_string(), "children_spec": vec![leaf; columns.len()],
    }]);
    let largest = chunks
        .iter()
        .filter_map(|chunk| chunk["chunk_bytes"].as_u64())
        .max();
    json!({
        "chunks": chunks,
        "config": {
            "chunk_bytes": largest, "chunk_size": null, "compression": null, "data_format": encodings, "data_spec": spec.to_string(),
            "encryption": null, "item_loader": "PyTreeLoader",
        },
        "updated_at": fingerprint.to_string(),
    })
}
