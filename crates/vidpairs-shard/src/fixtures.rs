//! Small records and shards for the tests of this crate.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use vidpairs_types::{
    BoxXywh, EncodedMember, EncodedRecord, PairKind, RecordMeta, Role, SCHEMA, SizePx,
    TrackletMeta, ViewMeta,
};

use crate::manifest::{Manifest, ShardEntry, Totals};
use crate::writer::ShardWriter;

/// Record `number` of clip 0: an anchor and a positive with different bytes.
pub fn record(number: u32) -> EncodedRecord {
    let images = [Role::Anchor, Role::Positive].map(|role| {
        let len = 301 + 100 * number as usize % 700 + 255 * role as usize;
        let bytes: Vec<u8> = (0..len)
            .map(|i| (i as u32 * 7 + number) as u8 | 1)
            .collect();
        EncodedMember {
            role,
            extension: "jpg",
            bytes: bytes.into(),
        }
    });
    let [anchor, positive] = images.each_ref().map(|image| ViewMeta {
        frame: 60 * u64::from(number),
        pts_seconds: Some(0.5),
        frame_size: SizePx {
            width: 640,
            height: 360,
        },
        box_xywh: Some(BoxXywh {
            x: 1.5,
            y: 2.0,
            w: 64.0,
            h: 48.25,
        }),
        image_size: SizePx {
            width: 64,
            height: 48,
        },
        crc32: crc32fast::hash(&image.bytes),
    });
    EncodedRecord {
        meta: RecordMeta {
            schema: SCHEMA,
            key: format!("00000000-{number:04}"),
            clip: "a/clip.mp4".to_owned(),
            source: "videos".to_owned(),
            kind: PairKind::Regions,
            label: None,
            k: Some(60),
            anchor,
            positive: Some(positive),
            anchor_frame: None,
            positive_frame: None,
            tracklet: Some(TrackletMeta {
                tracker: "dcf".to_owned(),
                psr_mean: Some(12.5),
                psr_min: Some(6.25),
                forward_backward_iou: None,
                ..TrackletMeta::ground_truth()
            }),
        },
        members: images.to_vec(),
    }
}

/// Writes shard `ordinal` with the records `numbers` to `dir`.
pub fn write_shard(dir: &Path, ordinal: u64, numbers: std::ops::Range<u32>) -> ShardEntry {
    let mut writer = ShardWriter::create(dir, ordinal).unwrap();
    for number in numbers {
        writer.append(&record(number)).unwrap();
    }
    writer.finish(dir).unwrap()
}

/// Manifest of `shards`.
pub fn manifest(shards: Vec<ShardEntry>) -> Manifest {
    let totals = Totals {
        clips: 1,
        records: shards.iter().map(|shard| shard.records).sum(),
        shards: shards.len() as u64,
        bytes: shards.iter().map(|shard| shard.bytes).sum(),
        ..Totals::default()
    };
    Manifest::new(serde_json::json!({"seed": 7}), 7, 0, totals, shards)
}

/// Like `fs::write`, but without truncating the file first: some file systems wait for the disk when a file truncated to
/// zero is closed, and the tests do this thousands of times.
pub fn overwrite(path: &Path, bytes: &[u8]) {
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let mut file = opened.unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}
