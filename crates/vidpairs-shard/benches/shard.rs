//! Shards: what random access over the memory map costs beside copying the same bytes out of the
//! page cache, and what tar, checksum and index cost beside writing the bytes.

#![allow(clippy::expect_used)] // a bench stops where its input is not what it should be
#![allow(missing_docs)] // of `criterion_group!`

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vidpairs_shard::{ShardReader, ShardWriter};
use vidpairs_types::{
    EncodedMember, EncodedRecord, PairKind, RecordMeta, Role, SCHEMA, SizePx, ViewMeta,
};

/// 2,000 pairs of two images of 20 to 36 KiB: 112 MB, JPEGs with a short side of 256 px.
const NUM_RECORDS: u64 = 2000;

/// Records read in one iteration.
const BATCH: u64 = 64;

fn random_read(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder for the shard");
    write_shard(dir.path());
    let tar = dir.path().join("pairs-000000.tar");
    let shard = ShardReader::open(&tar).expect("the shard opens");
    let file = File::open(&tar).expect("the tar opens");
    let places = places_in(&shard, &std::fs::read(&tar).expect("the tar is read"));
    let bytes: usize = places.iter().flatten().map(|(_, len)| len).sum();
    let mut buffer = vec![0; 1 << 20];

    let mut group = c.benchmark_group("shard/random_read");
    group.throughput(Throughput::Bytes(bytes as u64 * BATCH / NUM_RECORDS));
    let mut order = Order::default();
    group.bench_function("reader", |b| {
        b.iter(|| {
            for number in order.next_batch() {
                let record = shard.record(number).expect("the record is sound");
                let mut filled = 0;
                for member in record.members() {
                    let end = filled + member.bytes.len();
                    buffer[filled..end].copy_from_slice(member.bytes);
                    filled = end;
                }
                black_box(&buffer[..filled]);
            }
        });
    });
    let mut order = Order::default();
    group.bench_function("pread", |b| {
        b.iter(|| {
            for number in order.next_batch() {
                let mut filled = 0;
                for &(offset, len) in &places[number as usize] {
                    file.read_exact_at(&mut buffer[filled..filled + len], offset)
                        .expect("the bytes are read");
                    filled += len;
                }
                black_box(&buffer[..filled]);
            }
        });
    });
    group.finish();
}

fn write(c: &mut Criterion) {
    // A file system in memory where there is one: the disk is not the question.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let dir = dir.expect("a folder for the shard");
    let records: Vec<EncodedRecord> = (0..BATCH).map(record).collect();
    let images = records.iter().flat_map(|record| &record.members);
    let bytes: usize = images.map(|member| member.bytes.len()).sum();

    let mut group = c.benchmark_group("shard/write");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("writer", |b| {
        b.iter(|| {
            let mut writer = ShardWriter::create(dir.path(), 0).expect("a new shard");
            for record in &records {
                writer.append(record).expect("the record fits");
            }
            writer.mark().expect("the bytes are written")
        });
    });
    group.bench_function("plain", |b| {
        b.iter(|| {
            let file = File::create(dir.path().join("plain")).expect("a new file");
            let mut offset = 0;
            for member in records.iter().flat_map(|record| &record.members) {
                file.write_all_at(&member.bytes, offset).expect("written");
                offset += member.bytes.len() as u64;
            }
        });
    });
    group.finish();
}

/// Every record once before any is repeated; neighbours lie far apart.
#[derive(Default)]
struct Order(u64);

impl Order {
    fn next_batch(&mut self) -> impl Iterator<Item = u64> + use<> {
        let start = self.0;
        self.0 += BATCH;
        // 1237 is prime, and so shares no factor with the number of records.
        (start..start + BATCH).map(|step| step * 1237 % NUM_RECORDS)
    }
}

/// Offset and length of every member.
fn places_in(shard: &ShardReader, tar: &[u8]) -> Vec<Vec<(u64, usize)>> {
    let mut at = 0;
    let numbers = 0..shard.num_records();
    numbers
        .map(|number| {
            let record = shard.record(number).expect("the record is sound");
            let members = record.members().iter();
            members
                .map(|member| {
                    let (offset, len) = (at + 512, member.bytes.len());
                    assert_eq!(&tar[offset..offset + len], member.bytes);
                    at = (offset + len).next_multiple_of(512);
                    (offset as u64, len)
                })
                .collect()
        })
        .collect()
}

fn write_shard(dir: &Path) {
    let mut writer = ShardWriter::create(dir, 0).expect("a new shard");
    for number in 0..NUM_RECORDS {
        writer.append(&record(number)).expect("the record fits");
    }
    writer.finish(dir).expect("the shard is finished");
}

fn record(number: u64) -> EncodedRecord {
    let members = [Role::Anchor, Role::Positive].map(|role| {
        let len = 20_480 + (number * 7919 + role as u64 * 4001) % 16_384;
        let bytes: Arc<[u8]> = (0..len).map(|i| (i * 31 + number) as u8).collect();
        EncodedMember {
            role,
            extension: "jpg",
            bytes,
        }
    });
    let [anchor, positive] = members.each_ref().map(|member| ViewMeta {
        frame: number,
        pts_seconds: Some(1.5),
        frame_size: SizePx {
            width: 640,
            height: 360,
        },
        box_xywh: None,
        image_size: SizePx {
            width: 455,
            height: 256,
        },
        crc32: crc32fast::hash(&member.bytes),
    });
    EncodedRecord {
        meta: RecordMeta {
            schema: SCHEMA,
            key: format!("{number:08}-0000"),
            clip: "clip.mp4".to_owned(),
            source: "videos".to_owned(),
            kind: PairKind::Frames,
            label: None,
            k: Some(60),
            anchor,
            positive: Some(positive),
            anchor_frame: None,
            positive_frame: None,
            tracklet: None,
        },
        members: members.to_vec(),
    }
}

criterion_group!(benches, random_read, write);
criterion_main!(benches);
