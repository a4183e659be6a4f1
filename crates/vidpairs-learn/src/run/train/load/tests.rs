use std::path::Path;
use std::time::Duration;

use vidpairs_image::jpeg;
use vidpairs_pipeline::Pipeline;
use vidpairs_shard::{Manifest, ShardWriter, Totals};
use vidpairs_types::parallel::{Cancel, Crew, Sink, run_ordered};
use vidpairs_types::{EncodedMember, EncodedRecord, PairKind, RgbImage, SCHEMA, SizePx, ViewMeta};

use super::*;
use crate::run::train::views::views_of;

const NUM_RECORDS: u32 = 22;
const PIPELINE: &str = "[source]\nkind = 'got10k'\n[pairs]\nkind = 'images'\n[augment]\nsize = 16\n\
    [train]\nbatch = 4\ngroups = 2\nqueue = 4\nnetwork = 'resnet18'\n";

/// An image of one colour, a shade by `number`, damaged under its checksum if `is_cut`.
fn record(number: u32, is_cut: bool) -> EncodedRecord {
    let size = SizePx {
        width: 24,
        height: 20,
    };
    let shade = [10 * number as u8, 255 - 9 * number as u8, 77];
    let image = RgbImage {
        size,
        pixels: shade.repeat(size.area() as usize),
    };
    let mut bytes = jpeg::compress(&image, 90).unwrap();
    if is_cut {
        bytes.truncate(40);
    }
    EncodedRecord {
        meta: RecordMeta {
            schema: SCHEMA,
            key: format!("00000000-{number:04}"),
            clip: "clip".to_owned(),
            source: "got10k".to_owned(),
            kind: PairKind::Images,
            label: None,
            k: None,
            anchor: ViewMeta {
                frame: 0,
                pts_seconds: None,
                frame_size: size,
                box_xywh: None,
                image_size: size,
                crc32: crc32fast::hash(&bytes),
            },
            positive: None,
            anchor_frame: None,
            positive_frame: None,
            tracklet: None,
        },
        members: vec![EncodedMember {
            role: Role::Anchor,
            extension: "jpg",
            bytes: bytes.into(),
        }],
    }
}

/// Writes the data set, three shards, and gives a loader over it.
fn loader(dir: &Path, cut: &[u32]) -> Loader {
    loader_with(dir, cut, &[])
}

fn loader_with(dir: &Path, cut: &[u32], overrides: &[&str]) -> Loader {
    let overrides: Vec<String> = overrides.iter().map(|&set| set.to_owned()).collect();
    let pipeline = Pipeline::from_str(PIPELINE, "test", &overrides).unwrap();
    let mut shards = Vec::new();
    for (ordinal, first) in (0u64..).zip((0..NUM_RECORDS).step_by(8)) {
        let mut writer = ShardWriter::create(dir, ordinal).unwrap();
        for number in first..NUM_RECORDS.min(first + 8) {
            writer
                .append(&record(number, cut.contains(&number)))
                .unwrap();
        }
        shards.push(writer.finish(dir).unwrap());
    }
    let stated = serde_json::to_value(&pipeline).unwrap();
    let manifest = Manifest::new(stated, 0, 0, Totals::default(), shards);
    manifest.write_atomically(dir).unwrap();
    let data = Data::open(dir, &pipeline).unwrap();
    Loader {
        views: views_of(&pipeline, data.kind, data.has_frames),
        data: Arc::new(data),
        labels: Labels::default(),
        batch: 4,
        epochs: 1,
        seed: Seed::of_run(3),
        precision: NumberFormat::F32,
        device: Device::Cpu,
        viewers: Mutex::default(),
        damaged: Mutex::default(),
    }
}

/// The records of a batch, and the samples of its views.
type Flat = (u64, Vec<i64>, Vec<Vec<f32>>);

fn flat(batch: &Batch) -> Flat {
    let samples = |view: &Tensor| Vec::<f32>::try_from(view.contiguous().view(-1)).unwrap();
    let records = Vec::<i64>::try_from(&batch.inputs.records).unwrap();
    (
        batch.step,
        records,
        batch.inputs.views.iter().map(samples).collect(),
    )
}

fn alone(loader: &Loader, step: u64) -> Flat {
    flat(&loader.load(step, &Heartbeat::default()).unwrap())
}

#[derive(Default)]
struct Batches(Vec<Flat>);

impl Sink<Result<Batch, TrainError>> for Batches {
    type Error = TrainError;

    fn push(&mut self, batch: Result<Batch, TrainError>) -> Result<(), TrainError> {
        self.0.push(flat(&batch?));
        Ok(())
    }
}

/// The batches of the steps from `first` on that so many threads make.
fn batches(loader: &Arc<Loader>, first: u64, workers: usize) -> Vec<Flat> {
    let crew = Crew {
        workers,
        window: workers + 1,
        patience: Duration::from_secs(60),
        cancel: Arc::new(Cancel::default()),
    };
    let mut batches = Batches::default();
    run_ordered(first..12, Arc::clone(loader), &crew, &mut batches).unwrap();
    batches.0
}

#[test]
fn batches_are_the_same_for_one_two_and_five_threads_and_from_any_step_on() {
    let dir = tempfile::tempdir().unwrap();
    let loader = Arc::new(loader(dir.path(), &[5, 6, 17]));
    let one = batches(&loader, 0, 1);
    assert_eq!(one.len(), 12);
    for workers in [2, 5] {
        assert!(batches(&loader, 0, workers) == one, "{workers} threads");
    }
    assert!(batches(&loader, 7, 2) == one[7..], "from step 7 on");
}

#[test]
fn a_batch_is_made_without_the_records_of_those_before() {
    let dir = tempfile::tempdir().unwrap();
    let sound = loader(dir.path(), &[]);
    let (step, records, views) = alone(&sound, 3);
    // Damages every other record: where any of them is looked at, it is noted.
    let damaged_dir = tempfile::tempdir().unwrap();
    let others: Vec<u32> = (0..NUM_RECORDS)
        .filter(|&number| !records.contains(&number.into()))
        .collect();
    let damaged = loader(damaged_dir.path(), &others);
    assert!(alone(&damaged, 3) == (step, records, views));
    assert_eq!(damaged.damaged.lock().unwrap().len(), 0);
}

#[test]
fn an_epoch_shows_no_record_twice_and_epochs_differ() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader(dir.path(), &[]);
    assert_eq!(loader.steps_per_epoch(), 5);
    let epoch = |epoch: u64| -> Vec<i64> {
        let steps = 5 * epoch..5 * epoch + 5;
        steps.flat_map(|step| alone(&loader, step).1).collect()
    };
    let mut first = epoch(0);
    assert_ne!(first, epoch(1));
    first.sort_unstable();
    first.dedup();
    assert_eq!(first.len(), 20);
}

#[test]
fn training_on_some_records_takes_the_same_ones_in_every_epoch_and_spreads_them_over_the_shards() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader_with(dir.path(), &[], &["train.records=9"]);
    assert_eq!(loader.steps_per_epoch(), 2);
    let seen: BTreeSet<i64> = (0..40).flat_map(|step| alone(&loader, step).1).collect();
    assert_eq!(seen, (0..9).collect());
    let key = |number: u64| loader.data.record(number).unwrap().key().to_owned();
    let keys: BTreeSet<String> = (0..9).map(key).collect();
    assert_eq!(keys.len(), 9);
    let shards = (0..9).map(|number| loader.data.record(number).unwrap().shard().to_owned());
    assert_eq!(shards.collect::<BTreeSet<_>>().len(), 3);
    // Another seed chooses others.
    let other_dir = tempfile::tempdir().unwrap();
    let other = loader_with(other_dir.path(), &[], &["train.records=9", "seed=1"]);
    let other_keys = (0..9).map(|number| other.data.record(number).unwrap().key().to_owned());
    assert_ne!(other_keys.collect::<BTreeSet<_>>(), keys);
}

#[test]
fn a_missing_shard_costs_the_chosen_records_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let loader = loader_with(dir.path(), &[], &["train.records=9"]);
    let shard = |number: u64| loader.data.record(number).unwrap().shard().to_owned();
    let expected: Vec<u64> = (0..9)
        .filter(|&number| shard(number) == "pairs-000001.tar")
        .collect();
    assert!(!expected.is_empty());
    let cut_dir = tempfile::tempdir().unwrap();
    let cut = loader_with(cut_dir.path(), &[], &["train.records=9"]);
    std::fs::remove_file(cut_dir.path().join("pairs-000001.tar")).unwrap();
    let lost = cut.data.lost();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].numbers, expected);
    assert_eq!(lost[0].of_records, expected.len() as u64);
}

#[test]
fn more_records_than_the_shards_hold_are_refused_with_their_number() {
    let dir = tempfile::tempdir().unwrap();
    loader(dir.path(), &[]);
    let set = ["train.records=23".to_owned()];
    let pipeline = Pipeline::from_str(PIPELINE, "test", &set).unwrap();
    let text = Data::open(dir.path(), &pipeline).unwrap_err().to_string();
    assert!(
        text.contains("holds 22 records, fewer than train.records = 23"),
        "{text}"
    );
}

#[test]
fn another_record_stands_in_for_a_damaged_one_and_the_rest_of_the_batch_stays() {
    let (dir, damaged_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, sound, views) = alone(&loader(dir.path(), &[]), 2);
    let cut = u32::try_from(sound[1]).unwrap();
    let loader = loader(damaged_dir.path(), &[cut]);
    let (_, found, other_views) = alone(&loader, 2);
    assert_eq!(
        (found[0], found[2], found[3]),
        (sound[0], sound[2], sound[3])
    );
    assert_ne!(found[1], sound[1]);
    let len = views[0].len() / 4;
    for (view, other) in views.iter().zip(&other_views) {
        assert!(view[..len] == other[..len] && view[2 * len..] == other[2 * len..]);
        assert!(view[len..2 * len] != other[len..2 * len]);
    }
    let mut damaged = loader.damaged.lock().unwrap();
    assert_eq!(damaged.len(), 1);
    let reasons = damaged.take_unreported();
    let place = format!("(00000000-{cut:04}): anchor: ");
    assert!(reasons[0].contains(&place), "{reasons:?}");
    assert!(damaged.take_unreported().is_empty());
}

#[test]
fn a_damaged_record_has_a_stand_in_where_a_batch_takes_all_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut loader = loader(dir.path(), &[5, 6]);
    for batch in [u64::from(NUM_RECORDS), u64::from(NUM_RECORDS) / 2] {
        loader.batch = batch;
        let (_, records, _) = alone(&loader, 0);
        assert_eq!(records.len() as u64, batch);
        assert!(!records.contains(&5) && !records.contains(&6));
    }
}

#[test]
fn where_all_are_damaged_the_last_reason_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let all: Vec<u32> = (0..NUM_RECORDS).collect();
    let loader = loader(dir.path(), &all);
    let err = loader.load(0, &Heartbeat::default()).unwrap_err();
    let TrainError::Damaged { num_tried, reason } = err else {
        panic!("{err}");
    };
    assert_eq!(num_tried, u64::from(NUM_RECORDS));
    assert!(reason.contains("JPEG"), "{reason}");
}

#[test]
fn a_shard_that_the_machine_cannot_open_stops_training_and_a_bad_sector_costs_its_record() {
    let err = |code| ShardError::Read {
        path: "pairs-000000.tar".into(),
        source: std::io::Error::from_raw_os_error(code),
    };
    let (out_of_handles, bad_sector) = (24, 5); // EMFILE, EIO
    assert!(matches!(
        Unusable::from(err(out_of_handles)),
        Unusable::Machine(_)
    ));
    let Unusable::Record(reason) = err(bad_sector).into() else {
        panic!("one bad sector is no fault of all records");
    };
    assert!(reason.contains("pairs-000000.tar"), "{reason}");
}
