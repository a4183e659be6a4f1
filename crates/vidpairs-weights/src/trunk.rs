//! The ResNet among the weights of a file, under torchvision's names.

use super::error::WeightsError;
use super::kept::Weights;

/// What every ResNet has, by torchvision's names.
const MARKS: [&str; 3] = ["conv1.weight", "bn1.weight", "layer1.0.conv1.weight"];
/// The groups of tensors that a trunk consists of.
const GROUPS: [&str; 6] = ["conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4."];
/// Where programs put the network that is trained, best first: torchvision; our checkpoints; MoCo and SimSiam; MoCo
/// v3; VISSL; DINO and others.
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
/// Parts of a prefix that say that the network follows another one slowly and was not trained itself.
const FOLLOWERS: [&str; 6] = [
    "encoder_k",
    "key_encoder",
    "momentum_encoder",
    "momentum_",
    "target_",
    "teacher",
];

/// A ResNet out of a file, as torchvision names its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backbone {
    /// `conv1.weight` to `layer4.*`, without a prefix; no head.
    pub trunk: Weights,
    /// `fc.*` beside the trunk, without its prefix: a classifier or a projection.
    pub head: Weights,
    /// What stood before the names in the file.
    pub prefix: String,
    /// Names in the file that are in neither.
    pub left_out: Vec<String>,
}

/// Finds the ResNet in `weights`: the prefix under which torchvision's names lie. The encoder that was trained is
/// preferred to the one that followed it (MoCo's key encoder); that one is taken if it is alone.
///
/// # Errors
/// [`WeightsError::NoBackbone`] if there is none, and [`WeightsError::SeveralBackbones`] if none of several is known
/// to be the one that was trained.
pub fn backbone(weights: &Weights) -> Result<Backbone, WeightsError> {
    let is_prefix = |prefix: &&str| {
        MARKS
            .iter()
            .all(|mark| weights.get(&format!("{prefix}{mark}")).is_some())
    };
    let mut found: Vec<&str> = weights
        .names()
        .filter_map(|name| name.strip_suffix("conv1.weight"))
        .filter(is_prefix)
        .collect();
    found.sort_by_key(|prefix| rank(prefix));
    let prefix = match found.as_slice() {
        [] => return Err(none_found(weights)),
        [first, second, ..] if rank(first) == rank(second) => {
            return Err(WeightsError::SeveralBackbones {
                prefixes: found.join(", "),
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
            Some(short) if GROUPS.iter().any(|group| short.starts_with(group)) => {
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

/// The smaller, the rather it is the network that was trained.
fn rank(prefix: &str) -> (bool, usize) {
    let follows = FOLLOWERS.iter().any(|follower| prefix.contains(follower));
    let place = PREFIXES.iter().position(|known| *known == prefix);
    (follows, place.unwrap_or(PREFIXES.len()))
}

fn none_found(weights: &Weights) -> WeightsError {
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
    use super::super::tensor::{ElementKind, HostTensor};
    use super::*;

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
            .flat_map(|prefix| MARKS.map(|mark| format!("{prefix}{mark}")))
            .collect();
        weights(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn the_query_encoder_is_taken_wherever_the_key_encoder_stands() {
        for prefixes in [
            ["module.encoder_k.", "module.encoder_q."],
            ["module.encoder_q.", "module.encoder_k."],
            ["module.momentum_encoder.", "module.base_encoder."],
            ["target_network.backbone.", "online.net."],
        ] {
            let backbone = backbone(&resnets(&prefixes)).unwrap();
            assert!(
                !FOLLOWERS.iter().any(|name| backbone.prefix.contains(name)),
                "{prefixes:?}"
            );
            assert_eq!((backbone.trunk.len(), backbone.left_out.len()), (3, 3));
        }
    }

    #[test]
    fn the_query_encoder_of_a_checkpoint_of_ours_is_taken_not_its_velocities() {
        let found = backbone(&resnets(&[
            "key.backbone.",
            "query.backbone.",
            "sgd.backbone.",
        ]));
        assert_eq!(found.unwrap().prefix, "query.backbone.");
    }

    #[test]
    fn every_known_prefix_is_found_and_taken_off() {
        for prefix in PREFIXES {
            let found = backbone(&resnets(&[prefix])).unwrap();
            assert_eq!(found.prefix, prefix);
            assert_eq!(found.trunk.names().collect::<Vec<_>>(), MARKS);
        }
    }

    #[test]
    fn heads_are_kept_apart_and_the_rest_is_named() {
        let mut all = resnets(&["module.encoder_q."]);
        for (name, tensor) in weights(&["module.encoder_q.fc.0.weight", "module.queue"]) {
            all.insert(name, tensor);
        }
        let found = backbone(&all).unwrap();
        assert_eq!(found.head.names().collect::<Vec<_>>(), ["fc.0.weight"]);
        assert_eq!(found.left_out, ["module.queue"]);
    }

    #[test]
    fn two_unknown_encoders_are_not_chosen_from() {
        let err = backbone(&resnets(&["left.", "right."])).unwrap_err();
        assert!(err.to_string().contains("left., right."), "{err}");
    }

    #[test]
    fn weights_of_another_network_are_refused_with_some_of_their_names() {
        let err = backbone(&weights(&["features.0.weight", "classifier.bias"])).unwrap_err();
        assert!(
            err.to_string()
                .contains("features.0.weight, classifier.bias"),
            "{err}"
        );
    }
}
