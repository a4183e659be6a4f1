//! A ResNet out of a file of weights.

use std::path::Path;

use tch::{Device, Kind, Tensor};
use vidpairs_weights::{Architecture, ElementKind, Weights, WeightsError, backbone, read_weights};
use xxhash_rust::xxh3::Xxh3;

use super::host::from_host;
use super::resnet::{ResNet, ResNetConfig};

/// Channels of an image.
const RGB: usize = 3;

/// A ResNet out of a file of weights, to be measured: no gradients are kept.
#[derive(Debug)]
pub struct TrainedResNet {
    /// The network, on the device that was asked for.
    pub network: ResNet,
    /// Which one.
    pub config: ResNetConfig,
    /// The same; its text is `ResNet-50`.
    pub architecture: Architecture,
    /// What stood before its names in the file: `module.encoder_q.`.
    pub prefix: String,
    /// xxh3-128 of the weights: names, kinds, shapes and values of the trunk. The same trunk in another file (a checkpoint, what was
    /// exported of it) has the same.
    pub fingerprint: u128,
}

impl TrainedResNet {
    /// Opens what [`read_weights`] reads (safetensors and files of `torch.save`: torchvision's, MoCo's, PIRL's and others, and our
    /// checkpoints), finds the ResNet in it, and moves it to `device`. docs/WEIGHTS.md says which of several is taken.
    ///
    /// Kinds other than `f32` are converted to it.
    ///
    /// # Errors
    /// [`WeightsError::File`], which names the file; its source says what differs from every ResNet: a tensor that is missing or of
    /// another shape or kind, another number of blocks or of channels, a value that is not finite.
    pub fn open(path: &Path, device: Device) -> Result<Self, WeightsError> {
        let open = || {
            let found = backbone(&read_weights(path)?)?;
            Self::new(&found.trunk, found.prefix, device)
        };
        open().map_err(|err: WeightsError| match err {
            WeightsError::File { .. } => err,
            err => err.in_file(path),
        })
    }

    fn new(trunk: &Weights, prefix: String, device: Device) -> Result<Self, WeightsError> {
        let architecture = Architecture::of(trunk)?;
        if architecture.in_channels != RGB {
            let channels = architecture.in_channels;
            return Err(WeightsError::UnknownArchitecture {
                what: format!(
                    "conv1.weight takes {channels} channels; expected {RGB}, red, green and blue"
                ),
            });
        }
        let config = ResNetConfig {
            depth: architecture.depth,
            width: architecture.first_width as i64,
            stem: architecture.stem,
        };
        let network = ResNet::zeroed(&config, device);
        network.tensors().freeze();
        let mut hash = Xxh3::new();
        for (name, shape) in architecture.tensors() {
            let Some((stored, own)) = trunk.get(&name).zip(network.tensors().get(&name)) else {
                return Err(WeightsError::MissingTensor {
                    name,
                    architecture: architecture.to_string(),
                });
            };
            let described = format!("{name} {:?} {shape:?}\n", stored.kind());
            hash.update(described.as_bytes());
            hash.update(stored.bytes());
            let values = floats(&name, stored.kind(), &from_host(stored))?;
            tch::no_grad(|| own.shallow_clone().copy_(&values));
        }
        Ok(Self {
            network,
            config,
            architecture,
            prefix,
            fingerprint: hash.digest128(),
        })
    }
}

/// The values of a tensor, if they can be weights.
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

    use super::super::{Depth, HostViews, Pass, Precision, Stage, Stem};
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
        let tensors = network.tensors().iter();
        let tensors = tensors.map(|named| {
            let host = super::super::to_host(&named.tensor).unwrap();
            (named.name.clone(), host)
        });
        tensors.collect()
    }

    fn open(weights: &Weights) -> Result<TrainedResNet, WeightsError> {
        TrainedResNet::new(weights, String::new(), Device::Cpu)
    }

    #[test]
    fn a_checkpoint_of_moco_is_opened_from_both_formats_to_the_same_network() {
        let zipped = TrainedResNet::open(&golden("moco.pth.tar"), Device::Cpu).unwrap();
        let legacy = TrainedResNet::open(&golden("moco_legacy.pth.tar"), Device::Cpu).unwrap();
        assert_eq!(zipped.prefix, "module.encoder_q.");
        assert_eq!(
            zipped.architecture.to_string(),
            "ResNet-18 of width 1 with a 3 x 3 stem"
        );
        assert_eq!(zipped.fingerprint, legacy.fingerprint);
        let weight = zipped.network.tensors().get("conv1.weight").unwrap();
        assert_eq!(
            weight.double_value(&[0, 0, 0, 1]),
            f64::from(1f64.sin() as f32)
        );
    }

    #[test]
    fn what_was_written_is_opened_and_computes_the_same() {
        let network = ResNet::new(&NARROW, Seed::of_run(1), Device::Cpu);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trunk.safetensors");
        write_safetensors(&path, &weights(&network)).unwrap();
        let opened = TrainedResNet::open(&path, Device::Cpu).unwrap();
        assert_eq!(opened.config, NARROW);
        let views = HostViews::F32((0..2 * 8 * 8 * 3).map(|n| (n as f32).sin()).collect());
        let features = |network: &ResNet| network.encode(&views, 8, Stage::Pooled, Precision::F32);
        assert_eq!(features(&opened.network), features(&network));
    }

    #[test]
    fn every_stage_is_the_mean_of_its_map_and_pooled_is_the_last() {
        let network = ResNet::new(&NARROW, Seed::of_run(1), Device::Cpu);
        let views = HostViews::F32((0..3 * 16 * 16 * 3).map(|n| (n as f32).sin()).collect());
        let precision = Precision::F32;
        let features = |stage| network.encode(&views, 16, stage, precision).unwrap();
        for stage in Stage::ALL {
            let num_units = NARROW.num_features_of(stage) as usize;
            assert_eq!(features(stage).len(), 3 * num_units, "{stage}");
        }
        assert_eq!(NARROW.num_features_of(Stage::Stem), 2);
        assert_eq!(NARROW.num_features_of(Stage::Layer3), 8);
        assert_eq!(NARROW.num_features_of(Stage::Pooled), NARROW.num_features());
        assert_eq!(features(Stage::Layer4), features(Stage::Pooled));
        assert_ne!(features(Stage::Layer3)[..8], features(Stage::Layer4)[..8]);
        let whole =
            tch::no_grad(|| network.forward(&views.tensor(16), Pass::Evaluation { precision }));
        assert_eq!(
            Vec::<f32>::try_from(whole.flatten(0, 1)).unwrap(),
            features(Stage::Pooled)
        );
    }

    #[test]
    fn half_precision_is_widened_and_has_a_fingerprint_of_its_own() {
        let network = ResNet::new(&NARROW, Seed::of_run(1), Device::Cpu);
        let single = weights(&network);
        let mut half = single.clone();
        let halved = network
            .tensors()
            .get("bn1.weight")
            .unwrap()
            .to_kind(Kind::Half);
        half.insert("bn1.weight", super::super::to_host(&halved).unwrap());
        let (single, half) = (open(&single).unwrap(), open(&half).unwrap());
        // Ones are the same in both.
        assert_ne!(single.fingerprint, half.fingerprint);
        let widened = half.network.tensors().get("bn1.weight").unwrap();
        assert_eq!(
            (widened.kind(), widened.double_value(&[0])),
            (Kind::Float, 1.0)
        );
    }

    #[test]
    fn weights_that_cannot_be_used_are_refused_by_name() {
        let network = ResNet::new(&NARROW, Seed::of_run(1), Device::Cpu);
        let with = |name: &str, tensor: HostTensor| {
            let mut weights = weights(&network);
            weights.insert(name, tensor);
            open(&weights).unwrap_err().to_string()
        };
        let nan = HostTensor::from_f32(vec![2], &[1.0, f32::NAN]).unwrap();
        assert_eq!(
            with("bn1.bias", nan),
            "bn1.bias holds infinity or NaN"
        );
        let counts = HostTensor::new(vec![2], ElementKind::I64, vec![0; 16]).unwrap();
        let text = with("bn1.bias", counts);
        assert_eq!(
            text,
            "bn1.bias is of kind int64; expected floating-point numbers"
        );
        let gray = HostTensor::from_f32(vec![2, 1, 3, 3], &[0.0; 18]).unwrap();
        let text = with("conv1.weight", gray);
        assert!(text.contains("takes 1 channels; expected 3"), "{text}");
    }

    #[test]
    fn a_file_without_a_resnet_is_named_once() {
        let err = TrainedResNet::open(&golden("kinds.pth"), Device::Cpu).unwrap_err();
        let text = vidpairs_types::with_causes(&err);
        assert_eq!(text.matches("kinds.pth").count(), 1, "{text}");
        assert!(text.contains("no ResNet in it"), "{text}");
    }
}
