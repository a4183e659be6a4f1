//! What each program expects.

use super::super::architecture::Architecture;
use super::super::error::WeightsError;
use super::super::kept::Weights;
use super::numpy::append_array;
use super::pickle::Pickle;
use super::torch::{Object, zip_bytes};

/// A `.pth.tar` for `main_lincls.py --pretrained` of facebookresearch/moco: the trunk below
/// `state_dict` as `module.encoder_q.*`, without a head, and `arch`.
///
/// # Errors
/// As [`Architecture::of`].
pub fn moco_bytes(trunk: &Weights) -> Result<Vec<u8>, WeightsError> {
    let architecture = Architecture::of(trunk)?;
    let arch = format!("resnet{}", architecture.depth.num_layers());
    zip_bytes(&dict([
        ("epoch", Object::Int(0)),
        ("arch", Object::Text(arch)),
        ("state_dict", tensors(trunk, "module.encoder_q.")),
    ]))
}

/// A `.torch` for VISSL: the trunk as VISSL's own checkpoints have theirs, no heads.
///
/// # Errors
/// As [`Architecture::of`].
pub fn vissl_bytes(trunk: &Weights) -> Result<Vec<u8>, WeightsError> {
    Architecture::of(trunk)?;
    let model = dict([
        ("trunk", tensors(trunk, "_feature_blocks.")),
        ("heads", dict([])),
    ]);
    zip_bytes(&dict([(
        "classy_state_dict",
        dict([("base_model", dict([("model", model)]))]),
    )]))
}

/// A `.pth` for torchvision, timm and all that read their names: a state dict without a head.
///
/// [`safetensors_bytes`](super::safetensors_bytes) of a trunk is the same as safetensors.
///
/// # Errors
/// As [`Architecture::of`].
pub fn torchvision_bytes(trunk: &Weights) -> Result<Vec<u8>, WeightsError> {
    Architecture::of(trunk)?;
    zip_bytes(&tensors(trunk, ""))
}

/// A `.pkl` for Detectron2, as `convert-pretrain-to-detectron2.py` of facebookresearch/moco makes it: numpy arrays
/// under Detectron2's names.
///
/// # Errors
/// As [`Architecture::of`].
pub fn detectron2_bytes(trunk: &Weights) -> Result<Vec<u8>, WeightsError> {
    Architecture::of(trunk)?;
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

/// `layer1.0.bn2.weight` is `res2.0.conv2.norm.weight`, `bn1.bias` is `stem.conv1.norm.bias`.
fn detectron2_name(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let stage = parts.first().and_then(|part| part.strip_prefix("layer"));
    let mut renamed = Vec::new();
    if stage.is_none() {
        renamed.push("stem".to_owned());
    }
    let mut parts = parts.into_iter();
    while let Some(part) = parts.next() {
        if let Some(stage) = part
            .strip_prefix("layer")
            .and_then(|stage| stage.parse::<u32>().ok())
        {
            renamed.push(format!("res{}", stage + 1));
        } else if let Some(place) = part.strip_prefix("bn") {
            renamed.extend([format!("conv{place}"), "norm".to_owned()]);
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

#[cfg(test)]
mod tests {
    use super::super::super::architecture::{Depth, Stem};
    use super::super::super::pickle::{Node, parse};
    use super::super::super::safe::safetensors_bytes;
    use super::super::super::tensor::HostTensor;
    use super::super::super::{backbone, parse_weights};
    use super::*;

    fn trunk() -> Weights {
        let architecture = Architecture {
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
    fn what_is_written_for_moco_vissl_and_torchvision_is_read_back_the_same() {
        let trunk = trunk();
        for (bytes, under, prefix) in [
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
            assert_eq!(weights.found_under(), under);
            let found = backbone(&weights).unwrap();
            assert_eq!((found.prefix.as_str(), &found.trunk), (prefix, &trunk));
        }
    }

    #[test]
    fn names_become_those_of_detectron2() {
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
    fn what_is_written_for_detectron2_asks_for_matching_and_has_its_names() {
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
    fn an_incomplete_trunk_is_not_written() {
        let part: Weights = trunk().into_iter().skip(1).collect();
        assert!(moco_bytes(&part).is_err() && detectron2_bytes(&part).is_err());
    }
}
