use std::fs;

use vidpairs_shard::{Fault, ShardError, ShardWriter, Totals};
use vidpairs_types::{
    EncodedMember, EncodedRecord, PairKind, RecordMeta, Role, SCHEMA, SizePx, ViewMeta,
};

use super::*;

/// A pair of frames `k` apart; each image takes `bytes`.
fn record(number: u64, label: Option<&str>, k: u64, bytes: usize) -> EncodedRecord {
    let image: Arc<[u8]> = vec![number as u8 | 1; bytes].into();
    let view = |frame| ViewMeta {
        frame,
        pts_seconds: None,
        frame_size: SizePx {
            width: 640,
            height: 360,
        },
        box_xywh: None,
        image_size: SizePx {
            width: 64 + number as u32 % 2,
            height: 36,
        },
        crc32: crc32fast::hash(&image),
    };
    EncodedRecord {
        meta: RecordMeta {
            schema: SCHEMA,
            key: format!("{number:08}-0000"),
            clip: format!("clip-{number}"),
            source: "videos".to_owned(),
            kind: PairKind::Frames,
            label: label.map(str::to_owned),
            k: Some(k),
            anchor: view(number),
            positive: Some(view(number + k)),
            anchor_frame: None,
            positive_frame: None,
            tracklet: None,
        },
        members: [Role::Anchor, Role::Positive]
            .map(|role| EncodedMember {
                role,
                extension: "jpg",
                bytes: Arc::clone(&image),
            })
            .to_vec(),
    }
}

/// A finished data set of one shard for each list of records.
fn write_dataset(dir: &Path, shards: &[Vec<EncodedRecord>]) {
    let entries: Vec<ShardEntry> = shards
        .iter()
        .zip(0..)
        .map(|(records, ordinal)| {
            let mut writer = ShardWriter::create(dir, ordinal).unwrap();
            for record in records {
                writer.append(record).unwrap();
            }
            writer.finish(dir).unwrap()
        })
        .collect();
    let totals = Totals {
        clips: 8,
        refused: 2,
        skipped: 1,
        partial: 0,
        records: entries.iter().map(|shard| shard.records).sum(),
        shards: entries.len() as u64,
        bytes: entries.iter().map(|shard| shard.bytes).sum(),
    };
    let pipeline = serde_json::json!({"pairs": {"kind": "frames", "k": [30, 90]}});
    let manifest = Manifest::new(pipeline, 7, 0, totals, entries);
    manifest.write_atomically(dir).unwrap();
}

/// Five records in two shards.
fn five_records(dir: &Path) {
    let first = vec![
        record(0, Some("cat"), 30, 100),
        record(1, Some("cat"), 60, 100),
        record(2, None, 60, 100),
    ];
    let second = vec![
        record(3, Some("dog"), 60, 100),
        record(4, Some("cat"), 90, 400),
    ];
    write_dataset(dir, &[first, second]);
}

fn inspected(dir: &Path, workers: usize) -> Inspection {
    inspect(dir, &Control::quiet(workers)).unwrap()
}

/// Overwrites the first `from` in a shard with `to`, of the same length.
fn replace_in(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(from.len()).position(|found| found == from);
    let at = at.unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    fs::write(path, bytes).unwrap();
}

#[test]
fn all_shards_are_counted_for_any_number_of_workers() {
    let dir = tempfile::tempdir().unwrap();
    five_records(dir.path());
    let found = inspected(dir.path(), 1);
    assert_eq!(found, inspected(dir.path(), 4));
    assert_eq!((found.records_read, found.records_damaged), (5, 0));
    assert_eq!((found.rates.refused, found.rates.skipped), (0.25, 0.125));
    let labels: Vec<_> = found
        .labels
        .top
        .iter()
        .map(|share| (share.value.as_deref(), share.records))
        .collect();
    assert_eq!(labels, [(Some("cat"), 3), (Some("dog"), 1), (None, 1)]);
    let k = found.k.unwrap();
    assert_eq!((k.min, k.median, k.max), (30, 60, 90));
    let images = found.image_sizes.unwrap();
    assert_eq!((images.min.width, images.max.width), (64, 65));
    assert_eq!(images.counts.top[0].records, 6);
    let bytes = found.record_bytes.unwrap();
    assert!(bytes.min >= 200 && bytes.max >= 800 && bytes.mean > bytes.min);
}

#[test]
fn the_text_fits_80_columns_and_has_no_control_characters() {
    let dir = tempfile::tempdir().unwrap();
    let name = format!("\u{1b}[31m{}", "long ".repeat(60));
    write_dataset(dir.path(), &[vec![record(0, Some(&name), 30, 10)]]);
    let refusal = |id: &str| {
        format!(
            r#"{{"id":"{id}","path":"p","outcome":"refused","stage":"decode","reason":"{}","retry":""}}"#,
            "no video stream ".repeat(20)
        )
    };
    let lines = format!("{}\n{}\nnot json\n", refusal("a"), refusal("b"));
    fs::write(dir.path().join("refused.jsonl"), lines).unwrap();
    let text = inspected(dir.path(), 1).to_string();
    assert!(!text.contains('\u{1b}'), "{text}");
    // The first line is the folder, which nobody can break.
    for line in text.lines().skip(1) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for words in [
        "2 refused at decode: no video stream",
        "1 line of refused.jsonl",
        "k 30 to 90",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_damaged_record_is_counted_and_listed_and_the_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    five_records(dir.path());
    let shard = dir.path().join("pairs-000001.tar");
    replace_in(
        &shard,
        br#"{"schema":2,"key":"00000003"#,
        br#"{"schema":!,"key":"00000003"#,
    );
    let found = inspected(dir.path(), 2);
    assert_eq!((found.records_read, found.records_damaged), (4, 1));
    assert_eq!(found.num_damage, 1);
    let text = found.to_string();
    let place = "pairs-000001.tar: record 0 (00000003-0000): json:";
    assert!(text.contains(place), "{text}");
    let record = inspect_record(dir.path(), 3).unwrap();
    assert_eq!((record.damage.len(), record.json.clone()), (1, None));
    assert!(record.to_string().contains("the json cannot be shown"));
}

#[test]
fn a_missing_shard_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    five_records(dir.path());
    fs::remove_file(dir.path().join("pairs-000000.tar")).unwrap();
    let found = inspected(dir.path(), 2);
    assert_eq!((found.records_read, found.records_damaged), (2, 3));
    assert_eq!(found.damage[0].fault, Fault::TarMissing);
}

#[test]
fn a_record_is_shown_with_the_checks_of_its_members() {
    let dir = tempfile::tempdir().unwrap();
    five_records(dir.path());
    let sound = inspect_record(dir.path(), 4).unwrap();
    assert_eq!(
        (sound.shard.as_str(), sound.number_in_shard),
        ("pairs-000001.tar", 1)
    );
    let names: Vec<_> = sound
        .members
        .iter()
        .map(|member| (member.name.as_str(), member.crc32_ok))
        .collect();
    let expected = [
        ("anchor.jpg", Some(true)),
        ("positive.jpg", Some(true)),
        ("json", None),
    ];
    assert_eq!((names, sound.damage.len()), (expected.to_vec(), 0));
    assert!(sound.to_string().contains(r#""clip": "clip-4""#));

    replace_in(&dir.path().join("pairs-000001.tar"), &[5; 100], &[6; 100]);
    let damaged = inspect_record(dir.path(), 4).unwrap();
    assert_eq!(damaged.members[0].crc32_ok, Some(false));
    assert!(matches!(damaged.damage[0].fault, Fault::Crc32 { .. }));
}

#[test]
fn a_record_number_out_of_range_is_an_error_with_the_range() {
    let dir = tempfile::tempdir().unwrap();
    five_records(dir.path());
    let err = inspect_record(dir.path(), 5).unwrap_err();
    let RunError::Shard(ShardError::NoSuchRecord {
        record,
        num_records,
    }) = err
    else {
        panic!("{err:?}");
    };
    assert_eq!((record, num_records), (5, 5));
}

#[test]
fn a_folder_without_a_data_set_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |err: RunError| match err {
        RunError::Shard(ShardError::NotADataset { .. }) => {}
        other => panic!("{other:?}"),
    };
    refused(inspect(dir.path(), &Control::quiet(1)).unwrap_err());
    refused(inspect_record(dir.path(), 0).unwrap_err());
    refused(sample_records(dir.path(), 1, 1).unwrap_err());
}

#[test]
fn a_data_set_without_records_can_be_inspected() {
    let dir = tempfile::tempdir().unwrap();
    write_dataset(dir.path(), &[]);
    let found = inspected(dir.path(), 2);
    assert_eq!((found.records_read, found.k.clone()), (0, None));
    assert!(found.to_string().contains("0 records of 8 clips"));
    assert_eq!(sample_records(dir.path(), 48, 1000).unwrap(), []);
}

#[test]
fn sampled_records_are_limited_by_number_and_by_bytes_and_include_damaged_ones() {
    let dir = tempfile::tempdir().unwrap();
    let records = (0..20).map(|number| record(number, None, 30, 10_000));
    write_dataset(dir.path(), &[records.collect()]);
    replace_in(&dir.path().join("pairs-000000.tar"), &[11; 100], &[12; 100]);
    let numbers = |max_records, max_bytes| -> Vec<u64> {
        let sampled = sample_records(dir.path(), max_records, max_bytes).unwrap();
        sampled.iter().map(|sampled| sampled.number).collect()
    };
    assert_eq!(numbers(4, u64::MAX), [2, 7, 12, 17]);
    assert_eq!(numbers(48, 120_000), [2, 6, 10, 14, 18]);
    assert_eq!(numbers(48, 1), [10]);
    assert_eq!(numbers(48, u64::MAX).len(), 20);
    let sampled = sample_records(dir.path(), 48, u64::MAX).unwrap();
    assert!(
        sampled[10]
            .record
            .as_ref()
            .unwrap_err()
            .contains("crc32 is")
    );
    assert_eq!(sampled[0].record.as_ref().unwrap().members.len(), 2);
}
