//! Weights from a file that a run begins with.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};
use vidpairs_pipeline::Train;
use vidpairs_weights::{
    Architecture, Backbone, HostTensor, Weights, WeightsError, backbone, read_weights,
};
use xxhash_rust::xxh3::Xxh3;

use super::config;
use super::error::TrainError;
use crate::model::{ResNetConfig, TrainedEncoder, TrainedNetwork, from_host};
use crate::train::Learner;

/// Prefix of the trunk's names in a [`Learner`].
const TRUNK: &str = "backbone.";

/// Weights that a run began with, as `run.json` records them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct InitRecord {
    /// xxh3-128 of the names, shapes and values that were loaded.
    xxh3_128: String,
    /// Whether the head was loaded too.
    head: bool,
}

/// Copies the ResNet in the file `path` into `learner`, and its projection head if it fits: that of a checkpoint of `vidpairs train` or
/// of MoCo. A classifier is not loaded, as its labels are others.
///
/// # Errors
/// [`TrainError::Weights`] if the file cannot be used; [`TrainError::InitNetwork`] if its network is not that of `train`.
pub(super) fn begin_with(
    path: &Path,
    train: &Train,
    learner: &mut Learner,
) -> Result<(InitRecord, String), TrainError> {
    let weights = read_weights(path)?;
    let open = || {
        let found = backbone(&weights)?;
        let trunk = TrainedEncoder::from_backbone(&found, Device::Cpu)?;
        Ok((found, trunk))
    };
    let opened: Result<_, WeightsError> = open();
    let (found, trunk) = opened.map_err(|err| err.in_file(path))?;
    let is_ours = match trunk.architecture {
        Architecture::ResNet(resnet) => ResNetConfig::from(resnet) == config::network(train),
        Architecture::Vit(_) => false,
    };
    let network = match &trunk.network {
        TrainedNetwork::ResNet(network) if is_ours => network,
        _ => {
            return Err(TrainError::InitNetwork {
                path: path.to_owned(),
                found: trunk.architecture.to_string(),
                network: train.network.name(),
                width: train.width,
                stem: train.stem.name(),
            });
        }
    };
    let tensors = network.tensors().iter();
    let tensors = tensors.map(|named| (format!("{TRUNK}{}", named.name), named.tensor.detach()));
    let mut tensors: BTreeMap<String, Tensor> = tensors.collect();
    let head = learner
        .contrast_head()
        .and_then(|head| head_in(&weights, &found, head));
    let has_head = head.is_some();
    tensors.extend(head.unwrap_or_default());
    learner
        .begin_with(&tensors)
        .map_err(|source| TrainError::OtherModel {
            path: path.to_owned(),
            source,
        })?;
    let record = InitRecord {
        xxh3_128: format!("{:032x}", fingerprint(trunk.fingerprint, &tensors)),
        head: has_head,
    };
    let path = path.display();
    let note = match has_head {
        true => format!("the run starts from the trunk and the head of {path}"),
        false => format!("the run starts from the trunk of {path}; the head is new"),
    };
    Ok((record, note))
}

/// The tensors of the file for the head of these names and shapes; `None` unless all fit.
fn head_in(
    weights: &Weights,
    found: &Backbone,
    head: Vec<(String, Vec<i64>)>,
) -> Option<BTreeMap<String, Tensor>> {
    let stored = |name: &str| -> Option<&HostTensor> {
        if let Some(encoder) = found.prefix.strip_suffix(TRUNK) {
            // Without negatives it is a classifier.
            weights.get("queue.keys").or_else(|| weights.get("bank"))?;
            return weights.get(&format!("{encoder}{name}"));
        }
        // MoCo v2 has `fc.0.weight` and `fc.2.weight`, MoCo v1 `fc.weight`.
        let layer = name
            .strip_prefix("head.")
            .filter(|_| found.prefix.ends_with("encoder_q."))?;
        let only = layer.strip_prefix("0.").map(|part| format!("fc.{part}"));
        let of_mlp = found.head.get(&format!("fc.{layer}"));
        of_mlp.or_else(|| found.head.get(&only?))
    };
    let fitting = head.into_iter().map(|(name, shape)| {
        let tensor = from_host(stored(&name)?);
        let is_fit = tensor.size() == shape
            && tensor.is_floating_point()
            && tensor.isfinite().all().int64_value(&[]) != 0;
        is_fit.then_some((name, tensor))
    });
    fitting.collect()
}

/// xxh3-128 of the fingerprint of the trunk and the tensors of the head.
fn fingerprint(trunk: u128, tensors: &BTreeMap<String, Tensor>) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&trunk.to_le_bytes());
    for (name, tensor) in tensors.iter().filter(|(name, _)| !name.starts_with(TRUNK)) {
        let values: Vec<f32> =
            Vec::try_from(tensor.to_kind(tch::Kind::Float).contiguous().view(-1))
                .expect("it is one row of f32 on the CPU");
        hash.update(format!("{name} {:?}\n", tensor.size()).as_bytes());
        values
            .iter()
            .for_each(|value| hash.update(&value.to_le_bytes()));
    }
    hash.digest128()
}
