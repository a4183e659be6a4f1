//! Features of the images of a data set, from files to rows and back from the cache.
//!
//! `scripts/golden/features.py` made the figures, with torchvision 0.26 and PyTorch 2.11.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tch::Device;
use vidpairs_invariance::npz::FeatureTable;
use vidpairs_learn::model::{
    Depth, Precision, ResNet, ResNetConfig, Stage, Stem, TrainedResNet, to_host,
};
use vidpairs_learn::run::{FeatureOptions, ImageFeatures, image_features};
use vidpairs_run::{Control, RunError};
use vidpairs_types::{
    BoxXywh, Condition, ImageSet, ImageSets, Invariance, NearView, SetImage, with_causes,
};
use vidpairs_weights::{Weights, write_safetensors};

use crate::formula::fill;

/// Most that a feature may differ from torchvision's, of the mean size of the features: a view differs by a few millionths,
/// and a dozen layers sum in other orders.
const TOLERANCE: f32 = 1e-4;

fn golden(file: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/features");
    Path::new(folder).join(file)
}

fn cases() -> Value {
    serde_json::from_slice(&fs::read(golden("features.json")).unwrap()).unwrap()
}

/// The network of the script, by way of a file.
fn encoder(folder: &Path) -> TrainedResNet {
    let config = ResNetConfig {
        depth: Depth::R18,
        width: 16,
        stem: Stem::Large,
    };
    let network = ResNet::zeroed(&config, Device::Cpu);
    fill(network.tensors());
    let tensors = network.tensors().iter();
    let weights: Weights = tensors
        .map(|named| (named.name.clone(), to_host(&named.tensor).unwrap()))
        .collect();
    let path = folder.join("weights.safetensors");
    write_safetensors(&path, &weights).unwrap();
    TrainedResNet::open(&path, Device::Cpu).unwrap()
}

/// Images with their boxes, two to a set, one set to a target.
fn sets(images: &[(PathBuf, Option<BoxXywh>)]) -> ImageSets {
    let num_sets = images.len().div_ceil(2);
    let images = images.iter().enumerate();
    let images = images.map(|(place, (path, region))| SetImage {
        path: path.clone(),
        region: *region,
        set_index: place / 2,
        condition: Condition::Unknown,
    });
    ImageSets {
        invariance: Invariance::Other,
        side_px: 32,
        near: NearView::Itself,
        targets: (0..num_sets).map(|set| format!("target {set}")).collect(),
        sets: (0..num_sets)
            .map(|set| ImageSet {
                id: format!("set {set}"),
                target_index: num_sets - 1 - set,
            })
            .collect(),
        images: images.collect(),
        left_out: Vec::new(),
    }
}

fn golden_sets() -> ImageSets {
    let cases = cases();
    let image = |case: &Value| {
        let region: Option<[f64; 4]> = serde_json::from_value(case["region"].clone()).unwrap();
        let file = case["file"].as_str().unwrap();
        (golden(file), region.map(BoxXywh::from))
    };
    let images: Vec<_> = cases["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(image)
        .collect();
    sets(&images)
}

fn options(stage: Stage, out: Option<&Path>) -> FeatureOptions {
    FeatureOptions {
        stage,
        precision: Precision::F32,
        out: out.map(Path::to_owned),
        control: Control::quiet(2),
    }
}

fn files(out: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(out.join("features")) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn rows(features: &ImageFeatures) -> Vec<&[f32]> {
    features.values.chunks_exact(features.num_units).collect()
}

#[test]
fn features_of_boxes_are_those_of_torchvision_at_every_stage() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets, golden) = (encoder(folder.path()), golden_sets(), cases());
    for stage in [Stage::Stem, Stage::Layer3, Stage::Pooled] {
        let features = image_features(&encoder, &sets, &options(stage, None)).unwrap();
        assert_eq!(features.images, (0..sets.images.len()).collect::<Vec<_>>());
        assert_eq!((&features.left_out, &features.file), (&Vec::new(), &None));
        for (case, row) in golden["cases"]
            .as_array()
            .unwrap()
            .iter()
            .zip(rows(&features))
        {
            let expected = case["stages"][stage.name()].clone();
            let expected: Vec<f32> = serde_json::from_value(expected).unwrap();
            assert_eq!(row.len(), expected.len());
            let mean = expected.iter().map(|it| it.abs()).sum::<f32>() / row.len() as f32;
            let off = row.iter().zip(&expected).map(|(a, b)| (a - b).abs() / mean);
            let off = off.max_by(f32::total_cmp).unwrap();
            println!("{off:.1e} {stage} {} {}", case["file"], case["region"]);
            assert!(
                off < TOLERANCE,
                "{stage} {} {}: {off}",
                case["file"],
                case["region"]
            );
        }
    }
}

#[test]
fn the_second_time_features_come_from_the_cache_and_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let options = options(Stage::Pooled, Some(folder.path()));
    let made = image_features(&encoder, &sets, &options).unwrap();
    let read = image_features(&encoder, &sets, &options).unwrap();
    assert!(made.speed.is_some() && read.speed.is_none());
    assert_eq!(files(folder.path()), [made.file.clone().unwrap()]);
    let again = ImageFeatures {
        speed: made.speed,
        ..read
    };
    assert_eq!(made, again);
}

#[test]
fn the_cached_file_is_one_that_can_be_scored_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let options = options(Stage::Pooled, Some(folder.path()));
    let features = image_features(&encoder, &sets, &options).unwrap();
    let table = FeatureTable::read(&features.file.clone().unwrap()).unwrap();
    assert_eq!(table.num_units, 128);
    // Its rows are in an order of their own: by path, then by box.
    for (row, of_file) in table.features.chunks_exact(128).enumerate() {
        let image = rows(&features)
            .iter()
            .position(|of_image| *of_image == of_file);
        let image = image.unwrap();
        assert_eq!(table.instances[row], image as i64 / 2);
        assert_eq!(table.classes.as_ref().unwrap()[row], 3 - image as i64 / 2);
    }
}

#[test]
fn other_sets_of_the_same_images_share_a_file_and_other_boxes_stages_and_sides_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let of = |sets: &ImageSets, stage| {
        image_features(&encoder, sets, &options(stage, Some(folder.path()))).unwrap()
    };
    let made = of(&sets, Stage::Pooled);
    let mut others = sets.clone();
    others.images.reverse();
    others.images.push(others.images[2].clone());
    others
        .images
        .iter_mut()
        .for_each(|image| image.set_index = 0);
    let shared = of(&others, Stage::Layer4);
    assert_eq!((&shared.file, shared.speed), (&made.file, None));
    assert_eq!(shared.images.len(), 9);
    let mut expected = rows(&made);
    expected.reverse();
    expected.push(expected[2]);
    assert_eq!(rows(&shared), expected);

    let mut moved = sets.clone();
    moved.images[1].region = Some(BoxXywh::from([6.0, 5.0, 30.0, 21.0]));
    let mut smaller = sets.clone();
    smaller.side_px = 24;
    for other in [
        of(&moved, Stage::Pooled),
        of(&smaller, Stage::Pooled),
        of(&sets, Stage::Layer3),
    ] {
        assert!(other.speed.is_some() && other.file != made.file);
    }
    assert_eq!(files(folder.path()).len(), 4);
}

#[test]
fn a_file_that_is_damaged_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let options = options(Stage::Pooled, Some(folder.path()));
    let made = image_features(&encoder, &sets, &options).unwrap();
    let path = made.file.clone().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[200] ^= 1;
    for damaged in [&whole[..whole.len() / 2], &flipped, b"".as_slice()] {
        fs::write(&path, damaged).unwrap();
        let again = image_features(&encoder, &sets, &options).unwrap();
        assert!(again.speed.is_some());
        assert_eq!(again.values, made.values);
        assert!(fs::read(&path).unwrap() == whole);
    }
}

#[test]
fn images_that_cannot_be_read_are_left_out_with_their_reasons_until_they_change() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let at = |name: &str| folder.path().join(name);
    fs::copy(golden("image.png"), at("good.png")).unwrap();
    fs::copy(golden("image.jpg"), at("good.jpg")).unwrap();
    let jpeg = fs::read(golden("image.jpg")).unwrap();
    fs::write(at("cut.jpg"), &jpeg[..700]).unwrap();
    fs::write(at("text.png"), "no picture").unwrap();
    let beside = BoxXywh::from([48.0, 0.0, 5.0, 5.0]);
    let images = [
        (at("text.png"), None),
        (at("good.png"), None),
        (at("cut.jpg"), None),
        (at("missing.png"), None),
        (at("good.jpg"), None),
        (at("good.jpg"), Some(beside)),
    ];
    let (sets, options) = (sets(&images), options(Stage::Pooled, Some(folder.path())));
    let made = image_features(&encoder, &sets, &options).unwrap();
    assert_eq!(made.images, [1, 4]);
    let reasons: Vec<_> = made.left_out.iter().map(|it| it.reason.as_str()).collect();
    assert!(
        reasons[0].starts_with("neither a JPEG nor a PNG"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("cannot decode the image: damaged JPEG"),
        "{reasons:?}"
    );
    assert!(reasons[2].starts_with("cannot read it"), "{reasons:?}");
    assert!(
        reasons[3].contains("has no part in the image of 48 x 40 px"),
        "{reasons:?}"
    );
    assert!(made.left_out[0].what.ends_with("text.png"));

    let again = image_features(&encoder, &sets, &options).unwrap();
    assert_eq!((again.speed, &again.left_out), (None, &made.left_out));
    fs::copy(golden("image.png"), at("missing.png")).unwrap();
    let mended = image_features(&encoder, &sets, &options).unwrap();
    assert_eq!(mended.images, [1, 3, 4]);
    assert!(mended.speed.is_some());
}

#[test]
fn an_image_that_was_changed_makes_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let path = folder.path().join("image.png");
    fs::copy(golden("image.png"), &path).unwrap();
    let sets = sets(&[(path.clone(), None)]);
    let options = options(Stage::Pooled, Some(folder.path()));
    let first = image_features(&encoder, &sets, &options).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(7))
        .unwrap();
    let second = image_features(&encoder, &sets, &options).unwrap();
    assert!(second.speed.is_some() && second.file != first.file);
}

#[test]
fn without_one_image_that_can_be_read_the_first_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let options = options(Stage::Pooled, Some(folder.path()));
    let missing = sets(&[(folder.path().join("missing.png"), None)]);
    let err = image_features(&encoder, &missing, &options).unwrap_err();
    let text = with_causes(&err);
    assert!(
        text.starts_with("none of the 1 images can be read") && text.contains("missing.png"),
        "{text}"
    );
    assert!(image_features(&encoder, &sets(&[]), &options).is_err());
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_run_that_is_stopped_keeps_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let options = options(Stage::Pooled, Some(folder.path()));
    options.control.cancel.set();
    let err = image_features(&encoder, &golden_sets(), &options).unwrap_err();
    assert!(matches!(err, RunError::Interrupted { .. }), "{err}");
    assert!(files(folder.path()).is_empty());
}

#[test]
fn any_number_of_workers_gives_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let images: Vec<_> = (0..150)
        .map(|n| {
            let region = BoxXywh::from([f64::from(n % 20), f64::from(n / 20), 20.0, 20.0]);
            (golden("image.jpg"), Some(region))
        })
        .collect();
    let sets = sets(&images);
    let of = |workers| {
        let mut options = options(Stage::Layer1, None);
        options.control.workers = workers;
        image_features(&encoder, &sets, &options).unwrap()
    };
    let (one, eight) = (of(1), of(8));
    assert_eq!((one.images.len(), &one.images), (150, &eight.images));
    let off = one
        .values
        .iter()
        .zip(&eight.values)
        .map(|(a, b)| (a - b).abs());
    assert!(off.max_by(f32::total_cmp).unwrap() < 1e-5);
}
