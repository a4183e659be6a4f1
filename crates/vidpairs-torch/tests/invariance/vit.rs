//! Tests of vision transformers: their features, and the command on their weights.
//!
//! `scripts/golden/vit.py` made the expected figures, with timm 1.0.31 and PyTorch 2.11.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use tch::{Device, Kind, Tensor};
use vidpairs_fixtures::extract::files;
use vidpairs_invariance::run::{ImageEncoder, Trunk};
use vidpairs_learn::model::{
    NumberFormat, Pass, Pooling, Readout, StageName, TrainedEncoder, to_host,
};
use vidpairs_weights::{Weights, backbone, write_safetensors};

use crate::command::{Bench, results};

/// Greatest difference of a feature from timm's, relative to the mean absolute feature: twelve blocks sum in different orders.
const TOLERANCE: f32 = 1e-4;
const NUM_STREAMS: i64 = 1009;
const IMAGE_STREAM: i64 = 7;
/// Scale of tokens before the first block, so that the epsilon of its norm counts.
const SMALL: f64 = 0.02;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

/// File of weights, and features of timm.
#[derive(Deserialize)]
struct Case {
    case: String,
    architecture: String,
    side_px: i64,
    num_images: i64,
    num_blocks: usize,
    /// Names of blocks, with `{}` for the index.
    blocks: String,
    /// Shapes of the tensors of a block.
    block: BTreeMap<String, Vec<i64>>,
    /// Shapes of the other tensors.
    tensors: BTreeMap<String, Vec<i64>>,
    /// By stage and pooling.
    features: BTreeMap<String, Vec<f32>>,
}

fn golden() -> Vec<Case> {
    let path = "/../../tests/golden/vit/vit.json";
    let bytes = fs::read(format!("{}{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    serde_json::from_slice::<Golden>(&bytes).unwrap().cases
}

fn case(name: &str) -> Case {
    let mut cases = golden().into_iter();
    cases.find(|case| case.case == name).unwrap()
}

/// Numbers between -1 and 1 that depend on their place and `stream` only, f64, as in the script.
fn uniform(shape: &[i64], stream: i64) -> Tensor {
    let place = Tensor::arange(shape.iter().product::<i64>(), (Kind::Double, Device::Cpu));
    let wave = (place * 12.9898 + stream as f64 * 78.233).sin() * 4375.85453;
    ((&wave - wave.floor()) * 2.0 - 1.0).view(shape)
}

/// The tensor `name` of a file of weights, as in the script.
fn drawn(name: &str, shape: &[i64]) -> Tensor {
    let double = (Kind::Double, Device::Cpu);
    if name.ends_with("periods") {
        let exponents = Tensor::arange(shape[0], double) * 2.0 / (2 * shape[0]) as f64;
        return (exponents * 100f64.ln()).exp().to_kind(Kind::Float);
    }
    if name.ends_with("bias_mask") {
        let ones = Tensor::ones([shape[0] / 3], (Kind::Float, Device::Cpu));
        return Tensor::cat(&[&ones, &ones.zeros_like(), &ones], 0);
    }
    let stream = name.bytes().fold(0, |stream, byte| {
        (stream * 31 + i64::from(byte)) % NUM_STREAMS
    });
    let values = uniform(shape, stream);
    let last = name.rsplit('.').next().unwrap();
    let values = match (shape.len(), last) {
        (2 | 4, _) => values * (3.0 / shape[1..].iter().product::<i64>() as f64).sqrt(),
        (_, "cls_token" | "pos_embed" | "reg_token" | "position_embeddings") => values * SMALL,
        (_, tokens) if tokens.ends_with("_tokens") => values * SMALL,
        (_, "gamma" | "gamma_1" | "gamma_2" | "lambda1") => values * 0.3 + 0.5,
        (_, "weight") => values * 0.1 + 1.0,
        (_, bias) if bias == "bias" || bias.ends_with("_bias") => values * 0.3,
        _ => values,
    };
    let scale = if name.contains("patch_embed") {
        SMALL
    } else {
        1.0
    };
    (values * scale).to_kind(Kind::Float)
}

/// The file of a case.
fn weights(case: &Case) -> Weights {
    let of_blocks = (0..case.num_blocks).flat_map(|index| {
        let prefix = case.blocks.replace("{}", &index.to_string());
        let block = case.block.iter();
        block.map(move |(part, shape)| (format!("{prefix}{part}"), shape))
    });
    let others = case
        .tensors
        .iter()
        .map(|(name, shape)| (name.clone(), shape));
    others
        .chain(of_blocks)
        .map(|(name, shape)| {
            let tensor = to_host(&drawn(&name, shape)).unwrap();
            (name, tensor)
        })
        .collect()
}

/// Greatest difference of the features of a case, relative to the mean absolute feature.
fn differences(case: &Case, encoder: &TrainedEncoder) -> Vec<(String, f32)> {
    let shape = [case.num_images, 3, case.side_px, case.side_px];
    let images = (uniform(&shape, IMAGE_STREAM) * 1.5).to_kind(Kind::Float);
    let precision = NumberFormat::F32;
    let compared = case.features.iter().map(|(key, expected)| {
        let (stage, pool) = key.split_once(' ').unwrap();
        let readout = Readout {
            stage: StageName::ALL
                .iter()
                .copied()
                .find(|name| name.name() == stage)
                .unwrap(),
            pooling: match pool {
                "cls" => Pooling::ClassToken,
                _ => Pooling::Mean,
            },
        };
        let network = encoder.network.as_features();
        let pass = Pass::Evaluation { precision };
        let features = tch::no_grad(|| network.features(&images, &[readout], pass).remove(0));
        let expected = Tensor::from_slice(expected).view_as(&features);
        let scale = expected.abs().mean(Kind::Float);
        let off = (features - expected).abs().max() / scale;
        (key.clone(), off.double_value(&[]) as f32)
    });
    compared.collect()
}

/// Compares all features of a case with timm's.
fn compare(case: &Case) {
    let found = backbone(&weights(case)).unwrap();
    let encoder = TrainedEncoder::from_backbone(&found, Device::Cpu).unwrap();
    let name = &case.case;
    assert_eq!(
        encoder.architecture.to_string(),
        case.architecture,
        "{name}"
    );
    for (key, off) in differences(case, &encoder) {
        println!("{off:.1e} {name}: {key}");
        assert!(off < TOLERANCE, "{name}: {key}: {off}");
    }
}

/// Networks of published size. They have tests of their own, which run beside each other.
const PUBLISHED: [&str; 3] = ["S/16", "B/16", "DINOv2 S/14 with registers"];

#[test]
fn features_of_a_vit_s16_equal_those_of_timm() {
    compare(&case(PUBLISHED[0]));
}

#[test]
fn features_of_a_vit_b16_equal_those_of_timm() {
    compare(&case(PUBLISHED[1]));
}

#[test]
fn features_of_a_dinov2_s14_with_registers_equal_those_of_timm() {
    compare(&case(PUBLISHED[2]));
}

#[test]
fn features_of_every_form_of_a_small_vit_equal_those_of_timm_at_every_stage() {
    let mut forms = golden();
    forms.retain(|case| !PUBLISHED.contains(&case.case.as_str()));
    assert_eq!(forms.len(), 9);
    forms.iter().for_each(compare);
}

#[test]
fn maps_of_a_vit_are_its_patch_tokens_at_their_places_and_its_trunk_cannot_be_finetuned() {
    for name in ["no class token", "DINOv3"] {
        let case = case(name);
        let found = backbone(&weights(&case)).unwrap();
        let encoder = TrainedEncoder::from_backbone(&found, Device::Cpu).unwrap();
        let network = encoder.network.as_maps();
        let stride = network.map_stride(StageName::Layer4);
        let shape = [2, 3, 2 * stride, 3 * stride];
        let images = (uniform(&shape, IMAGE_STREAM) * 1.5).to_kind(Kind::Float);
        let precision = NumberFormat::F32;
        let pass = Pass::Evaluation { precision };
        let map = |images: &Tensor, stage| tch::no_grad(|| network.map(images, stage, pass));
        for &stage in StageName::ALL {
            let pooling = Pooling::Mean;
            let readouts = [Readout { stage, pooling }];
            let mean = tch::no_grad(|| network.features(&images, &readouts, pass).remove(0));
            let of_map = map(&images, stage);
            assert_eq!(of_map.size()[2..], [2, 3], "{name} {stage:?}");
            let of_map = of_map.mean_dim([2i64, 3].as_slice(), false, None);
            let off = (of_map - &mean).abs().max() / mean.abs().max();
            assert!(off.double_value(&[]) < 1e-5, "{name} {stage:?}: {off}");
        }
        // Before the first block, the pixels of a patch change its own place only.
        let changed = images.copy();
        let _ = changed
            .narrow(2, stride, stride)
            .narrow(3, 2 * stride, stride)
            .fill_(0.5);
        let moved = map(&images, StageName::Stem) - map(&changed, StageName::Stem);
        let moved = moved
            .abs()
            .sum_dim_intlist([0i64, 1].as_slice(), false, Kind::Float);
        let moved = Vec::<f32>::try_from(moved.flatten(0, -1)).unwrap();
        let places: Vec<usize> = (0..6).filter(|&place| moved[place] > 1e-6).collect();
        assert_eq!(places, [5], "{name}: {moved:?}");
        let err = encoder.map_readout(StageName::Layer4, Trunk::Finetuned);
        let text = err.unwrap_err().to_string();
        assert!(
            text.contains("probe.finetune is true") && text.contains("ViT"),
            "{text}"
        );
        let readout = encoder
            .map_readout(StageName::Layer4, Trunk::Frozen)
            .unwrap();
        assert!(readout.contains("px as a map"), "{readout}");
    }
}

#[test]
fn features_in_bfloat16_are_near_those_in_single_precision() {
    for name in ["no class token", "DINOv3"] {
        let case = case(name);
        let found = backbone(&weights(&case)).unwrap();
        let encoder = TrainedEncoder::from_backbone(&found, Device::Cpu).unwrap();
        let images = (uniform(&[2, 3, 32, 32], IMAGE_STREAM) * 1.5).to_kind(Kind::Float);
        let readout = Readout {
            stage: StageName::Layer4,
            pooling: Pooling::Mean,
        };
        let features = |precision| {
            let pass = Pass::Evaluation { precision };
            tch::no_grad(|| {
                encoder
                    .network
                    .as_features()
                    .features(&images, &[readout], pass)
                    .remove(0)
            })
        };
        let (single, half) = (features(NumberFormat::F32), features(NumberFormat::Bf16));
        assert_eq!(half.kind(), Kind::Float);
        let off = (&single - half).abs().mean(Kind::Float) / single.abs().mean(Kind::Float);
        let off = off.double_value(&[]);
        assert!(off > 0.0 && off < 0.05, "{name}: {off}");
    }
}

/// Writes the weights of a case as safetensors.
fn write(case: &Case, path: &Path) {
    write_safetensors(path, &weights(case)).unwrap();
}

#[test]
fn the_command_measures_a_vit_and_caches_its_features_by_pooling() {
    let bench = Bench::new();
    bench.aloi();
    write(&case("no class token"), &bench.path("gap.safetensors"));
    write(&case("DINOv3"), &bench.path("dinov3.safetensors"));
    let measured = |pool: &str, weights: &[&str]| {
        let pool = format!("invariance.pool={pool}");
        let mut args = vec![
            "--data",
            "aloi-viewpoint=aloi",
            "--set",
            "invariance.size=16",
        ];
        args.extend(["--set", &pool, "--set", "invariance.top=[5]"]);
        args.extend(weights.iter().flat_map(|file| ["--weights", file]));
        bench.invariance(&args).run_json();
        let found = results(&bench.path("out"));
        assert_eq!(found["settings"]["pool"], pool.split_once('=').unwrap().1);
        let notes = found["models"].as_array().unwrap().iter();
        notes
            .map(|model| model["note"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let num_files = || {
        let names = files(&bench.path("out"));
        names.keys().filter(|name| name.ends_with(".npz")).count()
    };
    let (gap, dinov3) = ("gap.safetensors", "dinov3.safetensors");
    assert_eq!(
        measured("auto", &[gap, dinov3]),
        [
            "ViT-Ti/16, no class token, layer4, mean of the patches",
            "ViT-Ti/16 with 4 registers and rotary positions, layer4, class token"
        ]
    );
    assert_eq!(num_files(), 2);
    let page = fs::read_to_string(bench.path("out/report.html")).unwrap();
    assert!(page.contains("ViT-Ti/16 with 4 registers and rotary positions"));
    // The mean of the first is cached already.
    measured("mean", &[gap, dinov3]);
    assert_eq!(num_files(), 3);
}

#[test]
fn settings_that_do_not_fit_a_network_are_refused_before_any_work() {
    let bench = Bench::new();
    bench.aloi();
    write(&case("no class token"), &bench.path("gap.safetensors"));
    write(&case("DINOv3"), &bench.path("dinov3.safetensors"));
    bench.weights("resnet.safetensors", 1);
    let refused = |weights: &str, settings: &[&str], words: &[&str]| {
        // The first encoder fits, and its features would be cached.
        let mut args = vec![
            "--data",
            "aloi-viewpoint=aloi",
            "--weights",
            "first=dinov3.safetensors",
        ];
        args.extend(["--weights", weights]);
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        bench.invariance(&args).run().failed_with(2, words);
        assert!(!bench.path("out/features").exists());
    };
    refused(
        "gap.safetensors",
        &["invariance.size=16", "invariance.pool=cls"],
        &[
            "pool is \"cls\"",
            "ViT-Ti/16, no class token has no class token",
        ],
    );
    refused(
        "resnet.safetensors",
        &["invariance.size=16", "invariance.pool=cls"],
        &["has no class token; expected \"auto\" or \"mean\""],
    );
    refused(
        "gap.safetensors",
        &["invariance.size=50"],
        &["images of 50 px", "multiple of 16 px", "set size to 48"],
    );
    refused(
        "gap.safetensors",
        &["invariance.size=16", "invariance.stage=stem"],
        &[
            "invariance.stage, invariance.pool or invariance.size does not fit dinov3.safetensors: ",
            "stage is \"stem\"",
            "the same for every image",
        ],
    );
    refused(
        "gap.safetensors",
        &["invariance.pool=max"],
        &["invariance.pool", "\"cls\""],
    );
}
