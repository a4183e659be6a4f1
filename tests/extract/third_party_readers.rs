//! The shards are WebDataset: third-party programs read them.

use std::path::Path;

use vidpairs_shard::{Manifest, ShardWriter, Totals};
use vidpairs_types::{
    EncodedMember, EncodedRecord, PairKind, RecordMeta, Role, SCHEMA, SizePx, ViewMeta,
};

const ROLES: [Role; 4] = [
    Role::Anchor,
    Role::Positive,
    Role::AnchorFrame,
    Role::PositiveFrame,
];

#[test]
fn tarfile_webdataset_and_the_dali_index_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let num_members = write_dataset(dir.path());
    let output = vidpairs_fixtures::python::run("read_shards.py", [dir.path()]);
    assert_eq!(
        output.trim(),
        format!("2 shards, 24 records, {num_members} members")
    );
}

/// Writes two shards with pairs of every kind and both codecs; returns the number of members.
fn write_dataset(dir: &Path) -> usize {
    let kinds = [
        (PairKind::Images, &[Role::Anchor][..], "jpg"),
        (PairKind::Frames, &[Role::Anchor, Role::Positive], "rgb.zst"),
        (PairKind::Regions, &ROLES, "jpg"),
    ];
    let mut num_members = 0;
    let shards: Vec<_> = (0..2)
        .map(|ordinal| {
            let mut writer = ShardWriter::create(dir, ordinal).unwrap();
            for pair in 0..12 {
                let (kind, roles, extension) = kinds[pair % 3];
                let key = format!("{ordinal:08}-{pair:04}");
                let record = record(key, kind, roles, extension);
                num_members += record.members.len() + 1;
                writer.append(&record).unwrap();
            }
            writer.finish(dir).unwrap()
        })
        .collect();
    let totals = Totals {
        records: shards.iter().map(|shard| shard.records).sum(),
        shards: shards.len() as u64,
        bytes: shards.iter().map(|shard| shard.bytes).sum(),
        ..Totals::default()
    };
    Manifest::new(serde_json::json!({}), 0, 0, totals, shards)
        .write_atomically(dir)
        .unwrap();
    num_members
}

fn record(key: String, kind: PairKind, roles: &[Role], extension: &'static str) -> EncodedRecord {
    let members: Vec<EncodedMember> = roles
        .iter()
        .map(|&role| {
            // Lengths around the size of a tar block, where padding errors occur.
            let len = 511 + role as usize;
            let bytes: Vec<u8> = key.bytes().cycle().take(len).collect();
            EncodedMember {
                role,
                extension,
                bytes: bytes.into(),
            }
        })
        .collect();
    let view = |role: Role| {
        let member = members.iter().find(|member| member.role == role)?;
        Some(ViewMeta {
            frame: 0,
            pts_seconds: Some(0.04),
            frame_size: size(640, 360),
            box_xywh: None,
            image_size: size(455, 256),
            crc32: crc32fast::hash(&member.bytes),
        })
    };
    EncodedRecord {
        meta: RecordMeta {
            schema: SCHEMA,
            key,
            clip: "a folder/\u{e4} clip.mp4".to_owned(),
            source: "videos".to_owned(),
            kind,
            label: None,
            k: Some(60),
            anchor: view(Role::Anchor).unwrap(),
            positive: view(Role::Positive),
            anchor_frame: view(Role::AnchorFrame),
            positive_frame: view(Role::PositiveFrame),
            tracklet: None,
        },
        members,
    }
}

fn size(width: u32, height: u32) -> SizePx {
    SizePx { width, height }
}
