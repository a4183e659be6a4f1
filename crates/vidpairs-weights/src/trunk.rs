//! Finds the ResNet in the weights of a file.

use crate::error::WeightsError;
use crate::weights::Weights;

/// Tensors of every ResNet, by torchvision's names.
const RESNET_TENSORS: [&str; 3] = ["conv1.weight", "bn1.weight", "layer1.0.conv1.weight"];
/// Groups of tensors of a trunk.
const TRUNK_GROUPS: [&str; 6] = ["conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4."];
/// Prefixes under which programs store the trained network, best first: torchvision; our checkpoints; MoCo and SimSiam;
/// MoCo v3; VISSL; DINO and others.
const PREFIXES: [&str; 17] = [
    "",
    "query.backbone.",
    "module.encoder_q.",
    "encoder_q.",
    "module.base_encoder.",
    "base_encoder.",
    "module.encoder.",
    "encoder.",
    "trunk._feature_blocks.",
    "trunk.base_model._feature_blocks.",
    "_feature_blocks.",
    "module.trunk.",
    "trunk.",
    "module.backbone.",
    "backbone.",
    "module.",
    "model.",
];
/// Parts of the prefixes of momentum encoders, which follow the trained network and are not trained themselves.
const MOMENTUM_ENCODERS: [&str; 6] = [
    "encoder_k",
    "key_encoder",
    "momentum_encoder",
    "momentum_",
    "target_",
    "teacher",
];

/// ResNet of a file, under torchvision's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backbone {
    /// Tensors `conv1.weight` to `layer4.*`, without the prefix and without a head.
    pub trunk: Weights,
    /// Tensors `fc.*` beside the trunk, without the prefix: a classifier or a projection.
    pub head: Weights,
    /// Prefix of the names in the file.
    pub prefix: String,
    /// Names in the file that are in neither trunk nor head.
    pub left_out: Vec<String>,
}

/// Finds the ResNet in `weights`: tensors with torchvision's names under a common prefix. The trained encoder takes
/// precedence over a momentum encoder, such as MoCo's key encoder.
///
/// # Errors
/// [`WeightsError::NoBackbone`] if there is none; [`WeightsError::SeveralBackbones`] if there are several and none is known
/// to be the trained one.
pub fn backbone(weights: &Weights) -> Result<Backbone, WeightsError> {
    let is_prefix = |prefix: &&str| {
        RESNET_TENSORS
            .iter()
            .all(|name| weights.get(&format!("{prefix}{name}")).is_some())
    };
    let mut prefixes: Vec<&str> = weights
        .names()
        .filter_map(|name| name.strip_suffix("conv1.weight"))
        .filter(is_prefix)
        .collect();
    prefixes.sort_by_key(|prefix| rank(prefix));
    let prefix = match prefixes.as_slice() {
        [] => return Err(no_backbone(weights)),
        [first, second, ..] if rank(first) == rank(second) => {
            return Err(WeightsError::SeveralBackbones {
                prefixes: prefixes.join(", "),
            });
        }
        [first, ..] => (*first).to_owned(),
    };
    let mut backbone = Backbone {
        trunk: Weights::new(),
        head: Weights::new(),
        prefix,
        left_out: Vec::new(),
    };
    for (name, tensor) in weights.iter() {
        match name.strip_prefix(&backbone.prefix) {
            Some(short) if TRUNK_GROUPS.iter().any(|group| short.starts_with(group)) => {
                backbone.trunk.insert(short, tensor.clone());
            }
            Some(short) if short.starts_with("fc.") => {
                backbone.head.insert(short, tensor.clone());
            }
            _ => backbone.left_out.push(name.to_owned()),
        }
    }
    Ok(backbone)
}

/// Rank of a prefix: the smaller, the more likely it is that of the trained network.
fn rank(prefix: &str) -> (bool, usize) {
    let is_momentum = MOMENTUM_ENCODERS.iter().any(|part| prefix.contains(part));
    let position = PREFIXES.iter().position(|known| *known == prefix);
    (is_momentum, position.unwrap_or(PREFIXES.len()))
}

fn no_backbone(weights: &Weights) -> WeightsError {
    let mut names: Vec<&str> = weights.names().take(8).collect();
    if weights.len() > names.len() {
        names.push("...");
    }
    WeightsError::NoBackbone {
        found: names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{ElementKind, HostTensor};

    fn weights(names: &[&str]) -> Weights {
        let tensor = || HostTensor::new(vec![1], ElementKind::U8, vec![7]).unwrap();
        names
            .iter()
            .map(|name| ((*name).to_owned(), tensor()))
            .collect()
    }

    fn resnets(prefixes: &[&str]) -> Weights {
        let names: Vec<String> = prefixes
            .iter()
            .flat_map(|prefix| RESNET_TENSORS.map(|name| format!("{prefix}{name}")))
            .collect();
        weights(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn the_query_encoder_takes_precedence_over_the_key_encoder_in_any_order() {
        for prefixes in [
            ["module.encoder_k.", "module.encoder_q."],
            ["module.encoder_q.", "module.encoder_k."],
            ["module.momentum_encoder.", "module.base_encoder."],
            ["target_network.backbone.", "online.net."],
        ] {
            let backbone = backbone(&resnets(&prefixes)).unwrap();
            assert!(
                !MOMENTUM_ENCODERS
                    .iter()
                    .any(|name| backbone.prefix.contains(name)),
                "{prefixes:?}"
            );
            assert_eq!((backbone.trunk.len(), backbone.left_out.len()), (3, 3));
        }
    }

    #[test]
    fn the_query_encoder_of_our_checkpoints_takes_precedence_over_sgd_velocities() {
        let found = backbone(&resnets(&[
            "key.backbone.",
            "query.backbone.",
            "sgd.backbone.",
        ]));
        assert_eq!(found.unwrap().prefix, "query.backbone.");
    }

    #[test]
    fn every_known_prefix_is_found_and_removed() {
        for prefix in PREFIXES {
            let found = backbone(&resnets(&[prefix])).unwrap();
            assert_eq!(found.prefix, prefix);
            assert_eq!(found.trunk.names().collect::<Vec<_>>(), RESNET_TENSORS);
        }
    }

    #[test]
    fn heads_are_separate_and_other_names_are_left_out() {
        let mut all = resnets(&["module.encoder_q."]);
        for (name, tensor) in weights(&["module.encoder_q.fc.0.weight", "module.queue"]) {
            all.insert(name, tensor);
        }
        let found = backbone(&all).unwrap();
        assert_eq!(found.head.names().collect::<Vec<_>>(), ["fc.0.weight"]);
        assert_eq!(found.left_out, ["module.queue"]);
    }

    #[test]
    fn two_unknown_encoders_are_an_error() {
        let err = backbone(&resnets(&["left.", "right."])).unwrap_err();
        assert!(err.to_string().contains("left., right."), "{err}");
    }

    #[test]
    fn the_error_for_another_network_states_some_names() {
        let err = backbone(&weights(&["features.0.weight", "classifier.bias"])).unwrap_err();
        assert!(
            err.to_string()
                .contains("features.0.weight, classifier.bias"),
            "{err}"
        );
    }
}
