//! Finds the network in the weights of a file: a ResNet or a ViT.

use std::borrow::Cow;
use std::fmt::Write;

use indexmap::IndexMap;
use vidpairs_types::printable;

use crate::architecture::check_heads;
use crate::error::WeightsError;
use crate::names::{Layout, Place, unwrapped};
use crate::tensor::HostTensor;
use crate::weights::{Skipped, Weights};

/// Names for errors, at most.
const MAX_NAMES: usize = 8;
/// Words in the prefixes of tensors that are not the trained network: encoders that slowly follow it, and the state of an
/// optimizer.
const NOT_TRAINED: [&str; 10] = [
    "k",
    "key",
    "momentum",
    "ema",
    "target",
    "teacher",
    "sgd",
    "optimizer",
    "velocity",
    "shadow",
];

/// Network of a file: a ResNet under torchvision's names, or a ViT under timm's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backbone {
    /// Tensors of the network without the prefix and without a head: `conv1.weight` to `layer4.*` of a ResNet, `cls_token` to `norm.*` of
    /// a ViT.
    pub trunk: Weights,
    /// Tensors `fc.*` or `head.*` beside the trunk, without the prefix: a classifier or a projection.
    pub head: Weights,
    /// Prefix of the names in the file, without the names of wrappers such as `_orig_mod`.
    pub prefix: String,
    /// Names in the file that are in neither trunk nor head.
    pub left_out: Vec<String>,
}

/// Finds the network in `weights`: tensors with the names of a ResNet or a ViT under a common prefix. The trained encoder takes
/// precedence over a momentum encoder, such as MoCo's key encoder.
///
/// # Errors
/// [`WeightsError::NoBackbone`] if there is none; [`WeightsError::SeveralBackbones`] if there are several trained ones;
/// [`WeightsError::ForeignTensor`] if it has layers before its output that no plain network has; [`WeightsError::SkippedTensor`] if
/// one of its tensors could not be read; [`WeightsError::DuplicateName`] if two of them are the same one.
pub fn backbone(weights: &Weights) -> Result<Backbone, WeightsError> {
    backbone_under(weights, None)
}

/// Like [`backbone`], but takes the network under `prefix`, if one is given: `module.encoder_k.` or `module.encoder_k`, or
/// an empty text for names without a prefix.
///
/// # Errors
/// Those of [`backbone`]; [`WeightsError::NoSuchPrefix`] if no network has this prefix.
pub fn backbone_under(weights: &Weights, prefix: Option<&str>) -> Result<Backbone, WeightsError> {
    let plain = Plain::of(weights)?;
    let found = plain.networks();
    let network = match prefix {
        Some(prefix) => chosen(&found, prefix, &plain)?,
        None => trained(&found, &plain)?,
    };
    let backbone = plain.split(network)?;
    check_heads(&backbone.prefix, &backbone.trunk)?;
    Ok(backbone)
}

/// A network among the names of a file.
#[derive(Debug, Clone, Copy)]
struct Network<'a> {
    prefix: &'a str,
    layout: Layout,
}

impl Network<'_> {
    fn is_trained(&self) -> bool {
        let mut words = self.prefix.split(['.', '_']);
        !words.any(|word| NOT_TRAINED.contains(&word))
    }

    /// Place of the tensor `name`.
    fn place<'n>(&self, name: &'n str) -> Place<'n> {
        match name.strip_prefix(self.prefix) {
            Some(short) => self.layout.place(short),
            None => Place::Elsewhere,
        }
    }
}

/// The network under the prefix that the user names.
fn chosen<'a>(
    found: &[Network<'a>],
    prefix: &str,
    plain: &Plain<'_>,
) -> Result<Network<'a>, WeightsError> {
    if found.is_empty() {
        return Err(plain.no_backbone());
    }
    let prefix = unwrapped(prefix);
    let prefix = prefix.trim_end_matches('.');
    let mut networks = found.iter();
    let network = networks.find(|network| network.prefix.trim_end_matches('.') == prefix);
    network.copied().ok_or_else(|| WeightsError::NoSuchPrefix {
        prefix: printable(prefix).into_owned(),
        prefixes: prefixes(found),
    })
}

/// The one trained network.
fn trained<'a>(found: &[Network<'a>], plain: &Plain<'_>) -> Result<Network<'a>, WeightsError> {
    let trained: Vec<Network<'a>> = found
        .iter()
        .filter(|network| network.is_trained())
        .copied()
        .collect();
    match (trained.as_slice(), found) {
        ([network], _) | ([], [network]) => Ok(*network),
        ([], []) => Err(plain.no_backbone()),
        _ => Err(WeightsError::SeveralBackbones {
            prefixes: prefixes(found),
        }),
    }
}

fn prefixes(found: &[Network<'_>]) -> String {
    let names = found
        .iter()
        .take(MAX_NAMES)
        .map(|network| match network.prefix.is_empty() {
            true => "\"\"".to_owned(),
            false => printable(network.prefix).into_owned(),
        });
    let mut names: Vec<String> = names.collect();
    if found.len() > MAX_NAMES {
        names.push("...".to_owned());
    }
    names.join(", ")
}

/// Weights by their names without the names of wrappers.
struct Plain<'a> {
    /// Name in the file, and tensor.
    tensors: IndexMap<Cow<'a, str>, (&'a str, &'a HostTensor)>,
    /// Entries that may be weights and were not read.
    lost: Vec<(Cow<'a, str>, &'a Skipped)>,
}

impl<'a> Plain<'a> {
    fn of(weights: &'a Weights) -> Result<Self, WeightsError> {
        let mut tensors = IndexMap::new();
        for (name, tensor) in weights.iter() {
            if tensors.insert(unwrapped(name), (name, tensor)).is_some() {
                let name = printable(&unwrapped(name)).into_owned();
                return Err(WeightsError::DuplicateName { name });
            }
        }
        let lost = weights
            .skipped()
            .iter()
            .filter(|entry| entry.may_be_weights);
        Ok(Self {
            tensors,
            lost: lost.map(|entry| (unwrapped(&entry.name), entry)).collect(),
        })
    }

    /// Every network, in the order of the file.
    fn networks(&self) -> Vec<Network<'_>> {
        let has = |name: &str| self.tensors.contains_key(name);
        let networks = self.tensors.keys().filter_map(|name| {
            let (prefix, layout) = Layout::of_first_tensor(name, has)?;
            Some(Network { prefix, layout })
        });
        networks.collect()
    }

    fn split(&self, network: Network<'_>) -> Result<Backbone, WeightsError> {
        let mut backbone = Backbone {
            trunk: Weights::new(),
            head: Weights::new(),
            prefix: network.prefix.to_owned(),
            left_out: Vec::new(),
        };
        let mut foreign = Vec::new();
        for (name, &(original, tensor)) in &self.tensors {
            let (part, short) = match network.place(name) {
                Place::Trunk(short) => (&mut backbone.trunk, short),
                Place::Head(short) => (&mut backbone.head, short),
                Place::BeforeOutput => {
                    foreign.push(name.as_ref());
                    continue;
                }
                Place::Elsewhere => {
                    backbone.left_out.push(original.to_owned());
                    continue;
                }
            };
            // Layouts of one network may have two names for a tensor.
            if part.insert(short.as_ref(), tensor.clone()).is_some() {
                return Err(WeightsError::DuplicateName {
                    name: printable(&short).into_owned(),
                });
            }
        }
        if let Some(err) = WeightsError::foreign(network.layout.kind(), &foreign) {
            return Err(err);
        }
        let is_needed =
            |name: &str| matches!(network.place(name), Place::Trunk(_) | Place::BeforeOutput);
        match self.lost.iter().find(|(name, _)| is_needed(name)) {
            None => Ok(backbone),
            Some((name, entry)) => Err(WeightsError::SkippedTensor {
                name: printable(name).into_owned(),
                found: entry.found.clone(),
            }),
        }
    }

    fn no_backbone(&self) -> WeightsError {
        let names = self.tensors.keys().map(Cow::as_ref);
        // A network whose first block has torchvision's names, but whose stem has not.
        let prefix = (names.clone()).find_map(|name| name.strip_suffix("layer1.0.conv1.weight"));
        let mut names: Vec<Cow<'_, str>> = names
            .filter(|name| name.starts_with(prefix.unwrap_or_default()))
            .take(MAX_NAMES)
            .map(printable)
            .collect();
        if self.tensors.len() > names.len() {
            names.push("...".into());
        }
        let mut found = names.join(", ");
        if let Some((name, first)) = self.lost.first() {
            let _ = write!(
                found,
                "; not read: {} entries, such as {} ({}), which may be of use as float32",
                self.lost.len(),
                printable(name),
                first.found
            );
        }
        WeightsError::NoBackbone { found }
    }
}

#[cfg(test)]
#[path = "trunk/tests.rs"]
mod tests;

#[cfg(test)]
#[path = "trunk/vit_tests.rs"]
mod vit_tests;
