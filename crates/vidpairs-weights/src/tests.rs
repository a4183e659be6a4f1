//! Tests with files written by PyTorch (scripts/golden/weights.py), complete, truncated and damaged.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/weights");
const FILES: [&str; 11] = [
    "kinds.pth",
    "kinds.safetensors",
    "kinds_legacy.pth",
    "kinds_protocol4.pth",
    "malicious_beside.pth",
    "malicious_instead.pth",
    "moco.pth.tar",
    "moco_legacy.pth.tar",
    "module.pth",
    "plain.pkl",
    "vissl.torch",
];

fn path(file: &str) -> PathBuf {
    [FOLDER, file].iter().collect()
}

fn bytes(file: &str) -> Vec<u8> {
    fs::read(path(file)).unwrap()
}

fn read(file: &str) -> Weights {
    read_weights(&path(file)).unwrap()
}

#[test]
fn tensors_of_every_kind_and_view_are_those_that_pytorch_reads() {
    // PyTorch made the tensors contiguous for the safetensors file.
    let expected = read("kinds.safetensors");
    assert_eq!(expected.metadata()["made_by"], "safetensors");
    for file in ["kinds.pth", "kinds_legacy.pth", "kinds_protocol4.pth"] {
        let weights = read(file);
        assert_eq!(weights.found_under(), "model");
        let skipped: Vec<_> = weights
            .skipped()
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        assert_eq!(skipped, ["complex", "version"], "{file}");
        assert_eq!(weights.len(), expected.len() + 1, "{file}");
        assert_eq!(weights.get("nested.inner").unwrap().shape(), [2]);
        for (name, tensor) in expected.iter() {
            assert_eq!(weights.get(name), Some(tensor), "{name} of {file}");
        }
    }
}

#[test]
fn the_query_encoder_of_a_moco_checkpoint_is_found_in_both_formats() {
    let zipped = backbone(&read("moco.pth.tar")).unwrap();
    let legacy = backbone(&read("moco_legacy.pth.tar")).unwrap();
    assert_eq!(zipped.trunk, legacy.trunk);
    assert_eq!(zipped.prefix, "module.encoder_q.");
    assert_eq!(
        zipped.head.names().collect::<Vec<_>>(),
        ["fc.0.weight", "fc.0.bias"]
    );
    assert!(zipped.left_out.iter().any(|name| name == "module.queue"));
    assert!(legacy.left_out.is_empty());

    let network = Architecture::of(&zipped.trunk).unwrap();
    assert_eq!(
        network.to_string(),
        "ResNet-18 of width 1 with a 3 x 3 stem"
    );
    let first = zipped.trunk.get("conv1.weight").unwrap().f32s().unwrap();
    assert_eq!(first[..2], [0.0, 1.0_f64.sin() as f32]);
    // The state of the optimizer is not part of the weights.
    let weights = read("moco.pth.tar");
    assert!(weights.names().all(|name| name.starts_with("module.")));
}

#[test]
fn trunk_and_heads_of_a_vissl_checkpoint_are_found() {
    let weights = read("vissl.torch");
    assert_eq!(weights.found_under(), "classy_state_dict.base_model.model");
    let backbone = backbone(&weights).unwrap();
    assert_eq!(backbone.prefix, "trunk._feature_blocks.");
    assert_eq!(backbone.left_out, ["heads.0.clf.0.weight"]);
}

#[test]
fn functions_in_a_pickle_are_never_called() {
    assert_eq!(
        read("malicious_beside.pth").names().collect::<Vec<_>>(),
        ["w"]
    );
    let err = parse_weights(&bytes("malicious_instead.pth")).unwrap_err();
    assert!(
        matches!(&err, WeightsError::WholeObject { class } if class == "posix.system"),
        "{err}"
    );
    assert!(!PathBuf::from("pickle-was-run").exists());
}

#[test]
fn the_error_for_a_pickled_module_states_its_class_and_the_remedy() {
    let err = parse_weights(&bytes("module.pth")).unwrap_err().to_string();
    assert!(err.contains("torch.nn.modules.linear.Linear"), "{err}");
    assert!(err.contains("model.state_dict()"), "{err}");
    assert!(matches!(
        parse_weights(&bytes("plain.pkl")),
        Err(WeightsError::OtherPickle)
    ));
}

#[test]
fn a_flipped_bit_in_a_zip_is_detected_by_its_checksum() {
    let mut damaged = bytes("moco.pth.tar");
    let middle = damaged.len() / 2;
    let offset = damaged[middle..].iter().position(|&byte| byte == 0x3f);
    damaged[middle + offset.unwrap()] ^= 1;
    let err = parse_weights(&damaged).unwrap_err();
    let checksum = matches!(
        &err,
        WeightsError::Record {
            fault: RecordFault::Checksum,
            ..
        }
    );
    assert!(checksum, "{err}");
}

#[test]
fn a_file_truncated_anywhere_is_an_error_not_a_panic() {
    for file in FILES {
        let whole = bytes(file);
        // Large files with a step that reaches every part of a record.
        let step = if whole.len() > 10_000 { 61 } else { 1 };
        for length in (0..whole.len()).step_by(step) {
            assert!(
                parse_weights(&whole[..length]).is_err(),
                "{file} cut to {length}"
            );
        }
    }
}

#[test]
fn changed_bytes_give_weights_or_an_error_within_five_seconds() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    for file in FILES {
        let whole = bytes(file);
        for _ in 0..3000 {
            let mut damaged = whole.clone();
            for _ in 0..=next(3) {
                // The description of the tensors is at the start of a legacy file and at the end of a zip.
                let reach = if next(2) == 0 {
                    damaged.len()
                } else {
                    damaged.len().min(600)
                };
                let place = if next(2) == 0 {
                    next(reach)
                } else {
                    damaged.len() - 1 - next(reach)
                };
                damaged[place] = next(256) as u8;
            }
            let start = Instant::now();
            if let Ok(weights) = parse_weights(&damaged) {
                let _ = backbone(&weights).map(|found| Architecture::of(&found.trunk).is_ok());
            }
            assert!(start.elapsed() < Duration::from_secs(5), "{file}");
        }
    }
}
