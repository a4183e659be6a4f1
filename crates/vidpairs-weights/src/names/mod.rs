//! Names of tensors: wrappers inside them, and the layouts in which programs name the parts of a network.

mod vit;

use std::borrow::Cow;

use crate::architecture::NetworkKind;

/// Segments of names that PyTorch's wrappers add anywhere in a name: `torch.compile`, fully sharded data parallel,
/// activation checkpointing, FairScale, Lightning's strategies.
const WRAPPERS: [&str; 5] = [
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_fpw_module",
    "_forward_module",
];
/// Parts of a trunk.
const TRUNK: [&str; 6] = ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"];
/// Parts beside a trunk that change its features, without a number at their end: more layers of the stem or after `layer4`,
/// pooling with weights. Heads have other names.
const BEFORE_OUTPUT: [&str; 22] = [
    "conv",
    "bn",
    "gn",
    "in",
    "norm",
    "layer",
    "stage",
    "stem",
    "relu",
    "prelu",
    "act",
    "maxpool",
    "avgpool",
    "pool",
    "attnpool",
    "global_pool",
    "blur",
    "aa",
    "se",
    "ca",
    "sa",
    "cbam",
];

/// `name` without the segments that wrappers add.
pub(crate) fn unwrapped(name: &str) -> Cow<'_, str> {
    let is_wrapper = |segment: &&str| WRAPPERS.contains(segment);
    if !name.split('.').any(|segment| is_wrapper(&segment)) {
        return Cow::Borrowed(name);
    }
    let segments = name.split('.').filter(|segment| !is_wrapper(segment));
    Cow::Owned(segments.collect::<Vec<_>>().join("."))
}

/// How the parts of a network are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A ResNet as in torchvision.
    Named,
    /// A ResNet whose parts are named by their index in `nn.Sequential(*resnet.children())`: 0 is the first convolution, 1 its normalization.
    Numbered {
        /// Index of `layer1`; `layer2` to `layer4` follow. 4 in torchvision, 3 without max pooling.
        layer1: usize,
    },
    /// A ViT as in timm, DINO, DINOv2, DINOv3 or Hugging Face's DINOv2.
    Vit,
}

/// Place of a tensor in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// In the trunk, under this name in torchvision or timm.
    Trunk(Cow<'a, str>),
    /// In the classifier `fc` or `head`, under this name in torchvision or timm.
    Head(Cow<'a, str>),
    /// In a part that may change the features and that no network of the kind has.
    BeforeOutput,
    /// In another head, in a part for training only, or in no part of the network.
    Elsewhere,
}

impl Layout {
    /// Prefix and layout of the network whose first tensor is `name`, if the file has the others that every ResNet has.
    pub fn of_first_tensor(name: &str, has: impl Fn(&str) -> bool) -> Option<(&str, Self)> {
        let is_prefix = |prefix: &&str| prefix.is_empty() || prefix.ends_with('.');
        if let Some(prefix) = name.strip_suffix("conv1.weight").filter(is_prefix) {
            let others = ["bn1.weight", "layer1.0.conv1.weight"];
            let is_network = others.iter().all(|other| has(&format!("{prefix}{other}")));
            return is_network.then_some((prefix, Self::Named));
        }
        let vit = vit::prefix_of_first_tensor(name).filter(is_prefix);
        if let Some(prefix) = vit.filter(|prefix| vit::has_first_block(prefix, &has)) {
            return Some((prefix, Self::Vit));
        }
        let prefix = name.strip_suffix("0.weight").filter(is_prefix)?;
        if !has(&format!("{prefix}1.running_mean")) {
            return None;
        }
        let layer1 = (2..=4).find(|layer1| has(&format!("{prefix}{layer1}.0.conv1.weight")))?;
        Some((prefix, Self::Numbered { layer1 }))
    }

    /// Kind of the network.
    pub fn kind(self) -> NetworkKind {
        match self {
            Self::Named | Self::Numbered { .. } => NetworkKind::ResNet,
            Self::Vit => NetworkKind::Vit,
        }
    }

    /// Place of the tensor `name`, which has no prefix.
    pub fn place<'a>(self, name: &'a str) -> Place<'a> {
        let (part, rest) = name.split_once('.').unwrap_or((name, ""));
        match self {
            Self::Vit => vit::place(name),
            Self::Named if TRUNK.contains(&part) => Place::Trunk(Cow::Borrowed(name)),
            Self::Named if part == "fc" => Place::Head(Cow::Borrowed(name)),
            Self::Named => {
                let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
                match BEFORE_OUTPUT.contains(&word) {
                    true => Place::BeforeOutput,
                    false => Place::Elsewhere,
                }
            }
            Self::Numbered { layer1 } => {
                let Ok(index) = part.parse::<usize>() else {
                    return Place::Elsewhere;
                };
                let trunk = match index {
                    0 | 1 => Some(index),
                    _ => index.checked_sub(layer1).map(|layer| layer + 2),
                };
                match trunk.map(|place| TRUNK.get(place)) {
                    Some(Some(part)) => Place::Trunk(Cow::Owned(format!("{part}.{rest}"))),
                    // Between the stem and `layer1` are activation and pooling.
                    None => Place::BeforeOutput,
                    // After `layer4` come average pooling and `fc`.
                    Some(None) if index == layer1 + 5 => {
                        Place::Head(Cow::Owned(format!("fc.{rest}")))
                    }
                    Some(None) if index == layer1 + 4 => Place::BeforeOutput,
                    Some(None) => Place::Elsewhere,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_removed_as_whole_segments_anywhere_in_a_name() {
        for (name, expected) in [
            ("_orig_mod.module.conv1.weight", "module.conv1.weight"),
            ("module._orig_mod.bn1.bias", "module.bn1.bias"),
            (
                "layer1.0._checkpoint_wrapped_module._fsdp_wrapped_module.conv1.weight",
                "layer1.0.conv1.weight",
            ),
            ("my_orig_mod.conv1.weight", "my_orig_mod.conv1.weight"),
            ("_orig_module.conv1.weight", "_orig_module.conv1.weight"),
        ] {
            assert_eq!(unwrapped(name), expected);
        }
    }

    #[test]
    fn children_of_a_sequential_are_the_parts_of_a_resnet_in_order() {
        let numbered = Layout::Numbered { layer1: 4 };
        for (name, place) in [
            ("0.weight", Place::Trunk("conv1.weight".into())),
            ("1.running_var", Place::Trunk("bn1.running_var".into())),
            ("2.weight", Place::BeforeOutput),
            (
                "4.0.conv1.weight",
                Place::Trunk("layer1.0.conv1.weight".into()),
            ),
            ("7.1.bn2.bias", Place::Trunk("layer4.1.bn2.bias".into())),
            ("8.p", Place::BeforeOutput),
            ("9.weight", Place::Head("fc.weight".into())),
            ("10.weight", Place::Elsewhere),
            ("projector.weight", Place::Elsewhere),
        ] {
            assert_eq!(numbered.place(name), place, "{name}");
        }
    }
}
