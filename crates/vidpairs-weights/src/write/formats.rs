//! File formats of other programs.

use super::pickle::Pickle;
use super::torch::{Object, zip_bytes};
use crate::architecture::ResNetArchitecture;
use crate::error::WeightsError;
use crate::tensor::{ElementKind, HostTensor};
use crate::weights::Weights;

/// Bytes of a `.pth.tar` for `main_lincls.py --pretrained` of facebookresearch/moco: `arch`, and under `state_dict` the
/// trunk as `module.encoder_q.*`, without a head.
///
/// # Errors
/// Those of [`ResNetArchitecture::of`].
pub fn moco_bytes(trunk: &Weights) -> Result<Vec<u8>, WeightsError> {
    let architecture = ResNetArchitecture::of(trunk)?;
    let arch = format!("resnet{}", architecture.depth.num_layers());
    zip_bytes(&dict([
        ("epoch", Object::Int(0)),
        ("arch", Object::Text(arch)),
        ("state_dict", tensors(trunk, "module.encoder_q.")),
    ]))
}

/// Bytes of a `.torch` for VISSL: the trunk as in VISSL's own checkpoints, without heads.
///
/// # Errors
/// Those of [`ResNetArchitecture::of`].
pub fn vissl_bytes(trunk: &Weights) -> Result<Vec<u8>, WeightsError> {
    ResNetArchitecture::of(trunk)?;
    let model = dict([
        ("trunk", tensors(trunk, "_feature_blocks.")),
        ("heads", dict([])),
    ]);
    zip_bytes(&dict([(
        "classy_state_dict",
        dict([("base_model", dict([("model", model)]))]),
    )]))
}

/// Bytes of a `.pth` for torchvision, timm and other programs with their names: a state dict without a head.
/// [`safetensors_bytes`](crate::safetensors_bytes) gives the same as safetensors.
///
/// # Errors
/// Those of [`ResNetArchitecture::of`].
pub fn torchvision_bytes(trunk: &Weights) -> Result<Vec<u8>, WeightsError> {
    ResNetArchitecture::of(trunk)?;
    zip_bytes(&tensors(trunk, ""))
}

/// Bytes of a `.pkl` for Detectron2, as `convert-pretrain-to-detectron2.py` of facebookresearch/moco writes it: numpy
/// arrays under Detectron2's names.
///
/// # Errors
/// Those of [`ResNetArchitecture::of`].
pub fn detectron2_bytes(trunk: &Weights) -> Result<Vec<u8>, WeightsError> {
    ResNetArchitecture::of(trunk)?;
    let mut pickle = Pickle::new(3);
    pickle.dict(|pickle| {
        pickle.text("model");
        pickle.dict(|pickle| {
            for (name, tensor) in trunk.iter() {
                pickle.text(&detectron2_name(name));
                append_array(tensor, pickle);
            }
        });
        pickle.text("__author__");
        pickle.text("vidpairs");
        pickle.text("matching_heuristics");
        pickle.bool(true);
    });
    Ok(pickle.finish())
}

/// Detectron2's name of a tensor: `res2.0.conv2.norm.weight` for `layer1.0.bn2.weight`, `stem.conv1.norm.bias` for
/// `bn1.bias`.
fn detectron2_name(name: &str) -> String {
    let mut renamed = Vec::new();
    if !name.starts_with("layer") {
        renamed.push("stem".to_owned());
    }
    let mut parts = name.split('.');
    while let Some(part) = parts.next() {
        if let Some(stage) = part
            .strip_prefix("layer")
            .and_then(|stage| stage.parse::<u32>().ok())
        {
            renamed.push(format!("res{}", stage + 1));
        } else if let Some(number) = part.strip_prefix("bn") {
            renamed.extend([format!("conv{number}"), "norm".to_owned()]);
        } else if part == "downsample" {
            renamed.push("shortcut".to_owned());
            if parts.next() == Some("1") {
                renamed.push("norm".to_owned());
            }
        } else {
            renamed.push(part.to_owned());
        }
    }
    renamed.join(".")
}

fn dict<'a, const N: usize>(entries: [(&str, Object<'a>); N]) -> Object<'a> {
    let entries = entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    Object::Dict(entries.collect())
}

fn tensors<'a>(trunk: &'a Weights, prefix: &str) -> Object<'a> {
    let tensors = trunk
        .iter()
        .map(|(name, tensor)| (format!("{prefix}{name}"), Object::Tensor(tensor)));
    Object::Dict(tensors.collect())
}

/// Appends `tensor` as numpy pickles an array: an empty array, then its state. numpy has no `bfloat16`, so such tensors
/// become `float32` with the same numbers.
fn append_array(tensor: &HostTensor, pickle: &mut Pickle) {
    let widened = tensor.widened_from_bf16();
    let tensor = widened.as_ref().unwrap_or(tensor);
    pickle.call("numpy.core.multiarray", "_reconstruct", |pickle| {
        pickle.global("numpy", "ndarray");
        pickle.ints(&[0]);
        pickle.bytes(b"b");
    });
    pickle.build(|pickle| {
        pickle.int(1); // version of the state
        pickle.ints(tensor.shape());
        append_dtype(tensor.kind(), pickle);
        pickle.bool(false); // not in Fortran order
        pickle.bytes(tensor.bytes());
    });
}

fn append_dtype(kind: ElementKind, pickle: &mut Pickle) {
    let code = match kind {
        ElementKind::F64 => "f8",
        ElementKind::F32 | ElementKind::BF16 => "f4",
        ElementKind::F16 => "f2",
        ElementKind::I64 => "i8",
        ElementKind::I32 => "i4",
        ElementKind::I16 => "i2",
        ElementKind::I8 => "i1",
        ElementKind::U8 => "u1",
        ElementKind::Bool => "b1",
    };
    pickle.call("numpy", "dtype", |pickle| {
        pickle.text(code);
        pickle.bool(false); // no alignment
        pickle.bool(true); // a copy
    });
    pickle.build(|pickle| {
        pickle.int(3); // version of the state
        pickle.text(if kind.size_bytes() == 1 { "|" } else { "<" });
        for _ in 0..3 {
            pickle.none(); // neither a subarray nor fields
        }
        pickle.int(-1);
        pickle.int(-1);
        pickle.int(0);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::{Depth, Stem};
    use crate::pickle::{Node, parse};
    use crate::safe::safetensors_bytes;
    use crate::{backbone, parse_weights};

    fn trunk() -> Weights {
        let architecture = ResNetArchitecture {
            depth: Depth::R18,
            first_width: 1,
            in_channels: 3,
            stem: Stem::Small,
        };
        let tensors = architecture
            .tensors()
            .into_iter()
            .zip(1..)
            .map(|((name, shape), number)| {
                let values = vec![number as f32; shape.iter().product()];
                (name, HostTensor::from_f32(shape, &values).unwrap())
            });
        tensors.collect()
    }

    #[test]
    fn files_for_moco_vissl_and_torchvision_read_back_as_the_same_trunk() {
        let trunk = trunk();
        for (bytes, path, prefix) in [
            (moco_bytes(&trunk), "state_dict", "module.encoder_q."),
            (
                vissl_bytes(&trunk),
                "classy_state_dict.base_model.model",
                "trunk._feature_blocks.",
            ),
            (torchvision_bytes(&trunk), "", ""),
            (safetensors_bytes(&trunk), "", ""),
        ] {
            let weights = parse_weights(&bytes.unwrap()).unwrap();
            assert_eq!(weights.found_under(), path);
            let found = backbone(&weights).unwrap();
            assert_eq!((found.prefix.as_str(), &found.trunk), (prefix, &trunk));
        }
    }

    #[test]
    fn names_are_converted_to_those_of_detectron2() {
        for (name, expected) in [
            ("conv1.weight", "stem.conv1.weight"),
            ("bn1.running_var", "stem.conv1.norm.running_var"),
            ("layer1.0.conv3.weight", "res2.0.conv3.weight"),
            ("layer4.2.bn3.bias", "res5.2.conv3.norm.bias"),
            ("layer2.0.downsample.0.weight", "res3.0.shortcut.weight"),
            (
                "layer2.0.downsample.1.weight",
                "res3.0.shortcut.norm.weight",
            ),
        ] {
            assert_eq!(detectron2_name(name), expected);
        }
    }

    #[test]
    fn files_for_detectron2_have_its_names_and_enable_matching_heuristics() {
        let bytes = detectron2_bytes(&trunk()).unwrap();
        let tree = parse(&bytes).unwrap();
        let heuristics = tree.entry(tree.root, "matching_heuristics").unwrap();
        assert_eq!(tree.node(heuristics), &Node::Bool(true));
        let model = tree.entry(tree.root, "model").unwrap();
        for name in [
            "stem.conv1.weight",
            "res3.0.shortcut.norm.running_mean",
            "res5.1.conv2.norm.bias",
        ] {
            assert!(tree.entry(model, name).is_some(), "{name}");
        }
        assert_eq!(tree.length, bytes.len());
    }

    #[test]
    fn an_incomplete_trunk_is_an_error() {
        let part: Weights = trunk().into_iter().skip(1).collect();
        assert!(moco_bytes(&part).is_err() && detectron2_bytes(&part).is_err());
    }
}
