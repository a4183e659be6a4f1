//! Tests of the features of a data set's images, computed and read from the cache.
//!
//! `scripts/golden/features.py` made the expected figures, with torchvision 0.26 and PyTorch 2.11.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tch::Device;
use vidpairs_invariance::npz::FeatureTable;
use vidpairs_invariance::run::{FeatureLabels, FeatureRequest, PartView};
use vidpairs_learn::model::{
    Depth, NumberFormat, PoolName, ResNet, ResNetConfig, StageName, Stem, TrainedEncoder, to_host,
};
use vidpairs_learn::run::{FeatureOptions, ImageFeatures, image_features, stage_features};
use vidpairs_pipeline::Framing;
use vidpairs_run::{Control, RunError};
use vidpairs_types::{
    BoxXywh, Condition, ImagePart, ImageSet, ImageSets, Invariance, NearView, SetImage, with_causes,
};
use vidpairs_weights::{Weights, write_safetensors};

use crate::formula::fill;

/// Greatest difference of a feature from torchvision's, relative to the mean absolute feature: views differ by a few
/// millionths, and a dozen layers sum in different orders.
const TOLERANCE: f32 = 1e-4;

fn golden(file: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/features");
    Path::new(folder).join(file)
}

fn cases() -> Value {
    serde_json::from_slice(&fs::read(golden("features.json")).unwrap()).unwrap()
}

/// Network of the script, written to a file and opened.
fn encoder(folder: &Path) -> TrainedEncoder {
    let config = ResNetConfig {
        depth: Depth::R18,
        width: 16,
        stem: Stem::Large,
    };
    let network = ResNet::zeroed(&config, Device::Cpu);
    fill(network.tensors());
    let weights: Weights = (network.tensors().iter())
        .map(|named| (named.name.clone(), to_host(&named.tensor).unwrap()))
        .collect();
    let path = folder.join("weights.safetensors");
    write_safetensors(&path, &weights).unwrap();
    TrainedEncoder::open(&path, Device::Cpu).unwrap()
}

/// Data set of images with their boxes, two in each set, one set for each target.
fn sets(images: &[(PathBuf, Option<BoxXywh>)]) -> ImageSets {
    let num_sets = images.len().div_ceil(2);
    let set_images = (images.iter().enumerate()).map(|(place, (path, region))| SetImage {
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
        images: set_images.collect(),
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

fn options(stage: StageName, out: Option<&Path>) -> FeatureOptions {
    FeatureOptions {
        stage,
        pool: PoolName::Auto,
        precision: NumberFormat::F32,
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
fn features_of_boxes_equal_those_of_torchvision_at_every_stage() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets, golden) = (encoder(folder.path()), golden_sets(), cases());
    for stage in [StageName::Stem, StageName::Layer3, StageName::Layer4] {
        let features = image_features(&encoder, &sets, &options(stage, None)).unwrap();
        assert_eq!(features.images, (0..sets.images.len()).collect::<Vec<_>>());
        assert_eq!((&features.left_out, &features.file), (&Vec::new(), &None));
        for (case, row) in golden["cases"]
            .as_array()
            .unwrap()
            .iter()
            .zip(rows(&features))
        {
            // The script calls the output of the network `pooled`.
            let key = if stage == StageName::Layer4 {
                "pooled"
            } else {
                stage.name()
            };
            let expected = case["stages"][key].clone();
            let expected: Vec<f32> = serde_json::from_value(expected).unwrap();
            assert_eq!(row.len(), expected.len());
            let mean = expected.iter().map(|value| value.abs()).sum::<f32>() / row.len() as f32;
            let off = row.iter().zip(&expected).map(|(a, b)| (a - b).abs() / mean);
            let off = off.max_by(f32::total_cmp).unwrap();
            println!("{off:.1e} {key} {} {}", case["file"], case["region"]);
            assert!(
                off < TOLERANCE,
                "{key} {} {}: {off}",
                case["file"],
                case["region"]
            );
        }
    }
}

#[test]
fn a_second_call_reads_the_same_features_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let options = options(StageName::Layer4, Some(folder.path()));
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
fn a_cached_file_is_a_feature_file_that_can_be_scored() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let options = options(StageName::Layer4, Some(folder.path()));
    let features = image_features(&encoder, &sets, &options).unwrap();
    let table = FeatureTable::read(&features.file.clone().unwrap()).unwrap();
    assert_eq!(table.num_units, 128);
    // Its rows are sorted by path, then by box.
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
fn data_sets_of_the_same_images_share_a_file_and_other_boxes_stages_and_sides_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let of = |sets: &ImageSets, stage| {
        image_features(&encoder, sets, &options(stage, Some(folder.path()))).unwrap()
    };
    let made = of(&sets, StageName::Layer4);
    let mut others = sets.clone();
    others.images.reverse();
    others.images.push(others.images[2].clone());
    others
        .images
        .iter_mut()
        .for_each(|image| image.set_index = 0);
    let shared = of(&others, StageName::Layer4);
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
        of(&moved, StageName::Layer4),
        of(&smaller, StageName::Layer4),
        of(&sets, StageName::Layer3),
    ] {
        assert!(other.speed.is_some() && other.file != made.file);
    }
    assert_eq!(files(folder.path()).len(), 4);
}

#[test]
fn a_damaged_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let options = options(StageName::Layer4, Some(folder.path()));
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
fn unreadable_images_are_left_out_with_their_reasons_until_they_change() {
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
    let (sets, options) = (
        sets(&images),
        options(StageName::Layer4, Some(folder.path())),
    );
    let made = image_features(&encoder, &sets, &options).unwrap();
    assert_eq!(made.images, [1, 4]);
    let reasons: Vec<_> = made
        .left_out
        .iter()
        .map(|image| image.reason.as_str())
        .collect();
    assert!(
        reasons[0].starts_with("neither JPEG, PNG, BMP, TIFF nor WebP"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("cannot decode the image: damaged JPEG"),
        "{reasons:?}"
    );
    assert!(reasons[2].starts_with("cannot read it"), "{reasons:?}");
    assert!(
        reasons[3].contains("lies outside the image of 48 x 40 px"),
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
fn a_changed_image_gives_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let path = folder.path().join("image.png");
    fs::copy(golden("image.png"), &path).unwrap();
    let sets = sets(&[(path.clone(), None)]);
    let options = options(StageName::Layer4, Some(folder.path()));
    let first = image_features(&encoder, &sets, &options).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(7))
        .unwrap();
    let second = image_features(&encoder, &sets, &options).unwrap();
    assert!(second.speed.is_some() && second.file != first.file);
}

#[test]
fn the_error_without_any_readable_image_names_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let options = options(StageName::Layer4, Some(folder.path()));
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
fn an_interrupted_run_keeps_no_features_and_reports_it() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = encoder(folder.path());
    let options = options(StageName::Layer4, Some(folder.path()));
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
        let mut options = options(StageName::Layer1, None);
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

#[test]
fn all_stages_of_one_pass_equal_those_taken_alone_and_share_their_cache() {
    let folder = tempfile::tempdir().unwrap();
    let (encoder, sets) = (encoder(folder.path()), golden_sets());
    let out = folder.path().join("out");
    let alone = [StageName::Layer4, StageName::Stem, StageName::Layer2];
    let first = image_features(&encoder, &sets, &options(alone[0], Some(&out))).unwrap();
    let parts: Vec<ImagePart> = sets.images.iter().map(ImagePart::from).collect();
    let control = Control::quiet(2);
    let request = FeatureRequest {
        parts: &parts,
        stages: &alone,
        pool: PoolName::Auto,
        view: PartView::of_invariance(sets.side_px),
        numbers: NumberFormat::F32,
        labels: &FeatureLabels::of_sets(&sets),
        out: Some(&out),
        control: &control,
    };
    let together = stage_features(&encoder, &request).unwrap();
    let were_read: Vec<bool> = together.iter().map(|found| found.speed.is_none()).collect();
    assert_eq!(were_read, [true, false, false]);
    assert_eq!(together[0].values, first.values);
    for (stage, found) in alone.into_iter().zip(&together) {
        let of_stage = image_features(&encoder, &sets, &options(stage, None)).unwrap();
        assert_eq!(found.values, of_stage.values, "{stage:?}");
        let cached = image_features(&encoder, &sets, &options(stage, Some(&out))).unwrap();
        assert_eq!((&cached.file, cached.speed), (&found.file, None));
    }
    // Another view of the same images has a file of its own.
    let view = PartView {
        framing: Framing::CenterCrop,
        ..request.view
    };
    let cropped = stage_features(&encoder, &FeatureRequest { view, ..request }).unwrap();
    assert_ne!(cropped[0].file, together[0].file);
    assert_ne!(cropped[0].values, together[0].values);
}
