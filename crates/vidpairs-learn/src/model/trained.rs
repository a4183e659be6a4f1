//! Opens a network from a weight file.

use std::collections::BTreeMap;
use std::path::Path;

use tch::{Device, Kind, Tensor};
use vidpairs_weights::{
    Architecture, Backbone, ElementKind, Weights, WeightsError, backbone_under, read_weights,
};
use xxhash_rust::xxh3::Xxh3;

use super::host::from_host;
use super::readout::{FeatureNetwork, MapNetwork};
use super::resnet::{ResNet, ResNetConfig};
use super::vit::Vit;

/// Channels of an image.
const RGB: usize = 3;

/// Network opened from a weight file for evaluation: no gradients are computed.
#[derive(Debug)]
pub struct TrainedEncoder {
    /// Network, on the device given to [`open`](Self::open).
    pub network: TrainedNetwork,
    /// Architecture as recognised in the file; its text is such as `ResNet-50`.
    pub architecture: Architecture,
    /// Prefix of the tensor names in the file, such as `module.encoder_q.`.
    pub prefix: String,
    /// xxh3-128 of the names, kinds, shapes and values of the trunk's tensors. It is the same for the same trunk in another
    /// file, such as a checkpoint and its export.
    pub fingerprint: u128,
}

/// A network of either kind.
#[derive(Debug)]
pub enum TrainedNetwork {
    /// A ResNet.
    ResNet(ResNet),
    /// A vision transformer.
    Vit(Vit),
}

impl TrainedNetwork {
    /// The network as one that gives features.
    pub fn as_features(&self) -> &dyn FeatureNetwork {
        match self {
            Self::ResNet(resnet) => resnet,
            Self::Vit(vit) => vit,
        }
    }

    /// The network as one that gives maps of features.
    pub fn as_maps(&self) -> &dyn MapNetwork {
        match self {
            Self::ResNet(resnet) => resnet,
            Self::Vit(vit) => vit,
        }
    }
}

impl TrainedEncoder {
    /// Opens the network in a weight file and moves it to `device`.
    ///
    /// [`read_weights`] lists the accepted formats: safetensors (our checkpoints among them) and files of `torch.save`
    /// (torchvision, MoCo, PIRL, timm, DINOv2 and others). Where a file holds several networks, docs/WEIGHTS.md states the choice.
    /// Other floating-point kinds are converted to `f32`.
    ///
    /// # Errors
    /// [`WeightsError::File`] with the path. Its source states the difference from every network that is supported: a missing tensor,
    /// a wrong shape or kind, a layer that no plain network has, an unknown number of blocks or channels, a value that is not finite.
    pub fn open(path: &Path, device: Device) -> Result<Self, WeightsError> {
        Self::open_under(path, None, device)
    }

    /// Like [`open`](Self::open), but takes the network under `prefix`, if one is given, such as `module.encoder_k.`.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); the file has no network under the prefix.
    pub fn open_under(
        path: &Path,
        prefix: Option<&str>,
        device: Device,
    ) -> Result<Self, WeightsError> {
        let open = || {
            let found = backbone_under(&read_weights(path)?, prefix)?;
            Self::from_backbone(&found, device)
        };
        open().map_err(|err: WeightsError| match err {
            WeightsError::File { .. } => err,
            err => err.in_file(path),
        })
    }

    /// Opens the network that was found in a file, and moves it to `device`.
    ///
    /// # Errors
    /// [`WeightsError`], as [`open`](Self::open).
    pub fn from_backbone(found: &Backbone, device: Device) -> Result<Self, WeightsError> {
        Self::new(&found.trunk, found.prefix.clone(), device)
    }

    fn new(trunk: &Weights, prefix: String, device: Device) -> Result<Self, WeightsError> {
        let architecture = Architecture::of(trunk)?;
        let channels = architecture.in_channels();
        if channels != RGB {
            return Err(WeightsError::UnknownArchitecture {
                kind: architecture.kind(),
                what: format!(
                    "its first convolution takes {channels} channels; expected {RGB}, red, green and blue"
                ),
            });
        }
        let mut hash = Xxh3::new();
        let mut tensors = BTreeMap::new();
        for (name, shape) in architecture.tensors() {
            let Some(stored) = trunk.get(&name) else {
                return Err(WeightsError::MissingTensor {
                    name,
                    architecture: architecture.to_string(),
                });
            };
            let described = format!("{name} {:?} {shape:?}\n", stored.kind());
            hash.update(described.as_bytes());
            hash.update(stored.bytes());
            let values = floats(&name, stored.kind(), &from_host(stored))?;
            tensors.insert(name, values);
        }
        let network = match &architecture {
            Architecture::ResNet(resnet) => {
                let network = ResNet::zeroed(&ResNetConfig::from(*resnet), device);
                network.tensors().freeze();
                for own in network.tensors().iter() {
                    if let Some(values) = tensors.get(&own.name) {
                        tch::no_grad(|| own.tensor.shallow_clone().copy_(values));
                    }
                }
                TrainedNetwork::ResNet(network)
            }
            Architecture::Vit(vit) => TrainedNetwork::Vit(Vit::new(vit, &tensors, device)?),
        };
        Ok(Self {
            network,
            architecture,
            prefix,
            fingerprint: hash.digest128(),
        })
    }
}

/// Converts a tensor to f32, if it is of floating point and finite.
fn floats(name: &str, kind: ElementKind, values: &Tensor) -> Result<Tensor, WeightsError> {
    use ElementKind::{BF16, F16, F32, F64};
    if ![BF16, F16, F32, F64].contains(&kind) {
        return Err(WeightsError::NotFloats {
            name: name.to_owned(),
            kind,
        });
    }
    let values = values.to_kind(Kind::Float);
    if values.isfinite().all().int64_value(&[]) == 0 {
        return Err(WeightsError::NotFinite {
            name: name.to_owned(),
        });
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use vidpairs_types::Seed;
    use vidpairs_weights::{HostTensor, write_safetensors};

    use super::super::{
        Depth, HostViews, NumberFormat, Pass, Pooling, Readout, StageName, Stem, to_host,
    };
    use super::*;

    const NARROW: ResNetConfig = ResNetConfig {
        depth: Depth::R18,
        width: 2,
        stem: Stem::Small,
    };

    fn golden(file: &str) -> PathBuf {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/weights");
        Path::new(folder).join(file)
    }

    fn weights(network: &ResNet) -> Weights {
        (network.tensors().iter())
            .map(|named| (named.name.clone(), to_host(&named.tensor).unwrap()))
            .collect()
    }

    fn resnet(encoder: &TrainedEncoder) -> &ResNet {
        match &encoder.network {
            TrainedNetwork::ResNet(resnet) => resnet,
            TrainedNetwork::Vit(_) => panic!("a ViT"),
        }
    }

    fn mean_at(stage: StageName) -> Readout {
        let pooling = Pooling::Mean;
        Readout { stage, pooling }
    }

    fn open(weights: &Weights) -> Result<TrainedEncoder, WeightsError> {
        TrainedEncoder::new(weights, String::new(), Device::Cpu)
    }

    #[test]
    fn both_formats_of_a_moco_checkpoint_open_as_the_same_network() {
        let zipped = TrainedEncoder::open(&golden("moco.pth.tar"), Device::Cpu).unwrap();
        let legacy = TrainedEncoder::open(&golden("moco_legacy.pth.tar"), Device::Cpu).unwrap();
        assert_eq!(zipped.prefix, "module.encoder_q.");
        assert_eq!(
            zipped.architecture.to_string(),
            "ResNet-18 of width 1 with a 3 x 3 stem"
        );
        assert_eq!(zipped.fingerprint, legacy.fingerprint);
        let weight = resnet(&zipped).tensors().get("conv1.weight").unwrap();
        assert_eq!(
            weight.double_value(&[0, 0, 0, 1]),
            f64::from(1f64.sin() as f32)
        );
    }

    #[test]
    fn a_written_network_opens_and_computes_the_same_features() {
        let network = ResNet::new(&NARROW, Seed::of_run(1), Device::Cpu);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trunk.safetensors");
        write_safetensors(&path, &weights(&network)).unwrap();
        let opened = TrainedEncoder::open(&path, Device::Cpu).unwrap();
        let Architecture::ResNet(architecture) = opened.architecture else {
            panic!("{}", opened.architecture)
        };
        assert_eq!(ResNetConfig::from(architecture), NARROW);
        let views = HostViews::F32((0..2 * 8 * 8 * 3).map(|n| (n as f32).sin()).collect());
        let features = |network: &ResNet| {
            let readouts = [mean_at(StageName::Layer4)];
            network.encode(&views, 8, &readouts, NumberFormat::F32)
        };
        assert_eq!(features(resnet(&opened)), features(&network));
    }

    #[test]
    fn features_of_a_stage_are_its_pooled_channels_and_layer4_is_the_output() {
        let network = ResNet::new(&NARROW, Seed::of_run(1), Device::Cpu);
        let views = HostViews::F32((0..3 * 16 * 16 * 3).map(|n| (n as f32).sin()).collect());
        let precision = NumberFormat::F32;
        let features = |stage| {
            let stages = network.encode(&views, 16, &[mean_at(stage)], precision);
            stages.unwrap().remove(0)
        };
        for &stage in StageName::ALL {
            let num_units = NARROW.num_features_of(stage) as usize;
            assert_eq!(features(stage).len(), 3 * num_units, "{stage:?}");
        }
        assert_eq!(NARROW.num_features_of(StageName::Stem), 2);
        assert_eq!(NARROW.num_features_of(StageName::Layer3), 8);
        assert_eq!(
            NARROW.num_features_of(StageName::Layer4),
            NARROW.num_features()
        );
        assert_ne!(
            features(StageName::Layer3)[..8],
            features(StageName::Layer4)[..8]
        );
        let whole =
            tch::no_grad(|| network.forward(&views.tensor(16), Pass::Evaluation { precision }));
        assert_eq!(
            Vec::<f32>::try_from(whole.flatten(0, 1)).unwrap(),
            features(StageName::Layer4)
        );
    }

    #[test]
    fn half_precision_weights_are_widened_and_have_another_fingerprint() {
        let network = ResNet::new(&NARROW, Seed::of_run(1), Device::Cpu);
        let single = weights(&network);
        let mut half = single.clone();
        let halved = network
            .tensors()
            .get("bn1.weight")
            .unwrap()
            .to_kind(Kind::Half);
        half.insert("bn1.weight", to_host(&halved).unwrap());
        let (single, half) = (open(&single).unwrap(), open(&half).unwrap());
        // Ones are the same in both.
        assert_ne!(single.fingerprint, half.fingerprint);
        let widened = resnet(&half).tensors().get("bn1.weight").unwrap();
        assert_eq!(
            (widened.kind(), widened.double_value(&[0])),
            (Kind::Float, 1.0)
        );
    }

    #[test]
    fn unusable_weights_are_refused_with_the_name_of_the_tensor() {
        let network = ResNet::new(&NARROW, Seed::of_run(1), Device::Cpu);
        let with = |name: &str, tensor: HostTensor| {
            let mut weights = weights(&network);
            weights.insert(name, tensor);
            open(&weights).unwrap_err().to_string()
        };
        let nan = HostTensor::from_f32(vec![2], &[1.0, f32::NAN]).unwrap();
        assert_eq!(with("bn1.bias", nan), "bn1.bias holds infinity or NaN");
        let counts = HostTensor::new(vec![2], ElementKind::I64, vec![0; 16]).unwrap();
        let text = with("bn1.bias", counts);
        assert_eq!(
            text,
            "bn1.bias is of kind int64; expected floating-point numbers"
        );
        let bias = HostTensor::from_f32(vec![2], &[0.5; 2]).unwrap();
        let text = with("layer1.0.conv1.bias", bias);
        assert!(text.starts_with("layer1.0.conv1.bias belongs to"), "{text}");
        let gray = HostTensor::from_f32(vec![2, 1, 3, 3], &[0.0; 18]).unwrap();
        let text = with("conv1.weight", gray);
        assert!(text.contains("takes 1 channels; expected 3"), "{text}");
    }

    #[test]
    fn the_error_for_a_file_without_a_resnet_names_the_file_once() {
        let err = TrainedEncoder::open(&golden("kinds.pth"), Device::Cpu).unwrap_err();
        let text = vidpairs_types::with_causes(&err);
        assert_eq!(text.matches("kinds.pth").count(), 1, "{text}");
        assert!(text.contains("no ResNet and no ViT in it"), "{text}");
    }
}
