//! Runs `vidpairs export`: finds the ResNet trunk in a weights file and writes it in the format of another program.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use vidpairs_run::counted;
use vidpairs_types::printable;
use vidpairs_weights::{
    Architecture, WeightsError, backbone_under, detectron2_bytes, moco_bytes, read_weights,
    safetensors_bytes, torchvision_bytes, vissl_bytes, write_bytes,
};

/// Program that shall read the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// facebookresearch/moco, `main_lincls.py --pretrained`.
    Moco,
    /// Detectron2, `MODEL.WEIGHTS`.
    Detectron2,
    /// VISSL, `WEIGHTS_INIT.PARAMS_FILE`.
    Vissl,
    /// torchvision, timm, and other programs that read torchvision's names.
    Torchvision,
}

impl ExportFormat {
    fn name(self) -> &'static str {
        match self {
            Self::Moco => "moco",
            Self::Detectron2 => "detectron2",
            Self::Vissl => "vissl",
            Self::Torchvision => "torchvision",
        }
    }

    /// Accepted endings of the file name, if the program checks it; else empty.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Moco | Self::Vissl => &[],
            Self::Detectron2 => &["pkl"],
            Self::Torchvision => &["safetensors", "pth", "pt"],
        }
    }
}

/// Why an export failed. Every variant is final; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A weights file cannot be read, parsed or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The network is not a ResNet.
    #[error(
        "the network in {} is a {network}; vidpairs export writes ResNets only: the programs of --to read no ViTs", .weights.display()
    )]
    NotResNet {
        /// The weights file.
        weights: PathBuf,
        /// Architecture of the network.
        network: String,
    },
    /// The output file exists.
    #[error("{} exists; name another file with --out, or remove it first", .out.display())]
    OutExists {
        /// The file.
        out: PathBuf,
    },
    /// The program would not accept a file of this name.
    #[error("--out is {}; expected a name that ends in .{endings} for {to}", .out.display())]
    Name {
        /// The file.
        out: PathBuf,
        /// Name of the program.
        to: &'static str,
        /// Accepted endings, without the first dot.
        endings: String,
    },
}

/// Options of `vidpairs export`.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// Weights file with a ResNet: safetensors, or a file of `torch.save`.
    pub weights: PathBuf,
    /// Prefix of the tensor names of the ResNet to take; `None` for the one trained ResNet in the file.
    pub prefix: Option<String>,
    /// Program that shall read the weights.
    pub to: ExportFormat,
    /// File to write; must not exist.
    pub out: PathBuf,
}

/// Result of `vidpairs export`; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportSummary {
    /// File that was written.
    #[serde(serialize_with = "vidpairs_types::path_as_text")]
    pub out: PathBuf,
    /// Program that shall read it.
    pub to: ExportFormat,
    /// Size of the file, bytes.
    pub bytes: u64,
    /// Name of the network, such as `ResNet-50`.
    pub network: String,
    /// Number of tensors written.
    pub tensors: u64,
    /// Prefix of their names in the file that was read.
    pub prefix: String,
    /// Names of the tensors that were not written: heads, other encoders, queues.
    pub left_out: Vec<String>,
}

impl fmt::Display for ExportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tensors = counted(self.tensors, "tensor");
        let (size, out) = (indicatif::HumanBytes(self.bytes), self.out.display());
        let Self {
            network, prefix, ..
        } = self;
        write!(
            f,
            "{out}: {network} for {}, {tensors}, {size}",
            self.to.name()
        )?;
        if !prefix.is_empty() {
            write!(f, "; taken from {}*", printable(prefix))?;
        }
        match self.left_out.len() as u64 {
            0 => Ok(()),
            left_out => write!(f, "; {} left out", counted(left_out, "other tensor")),
        }
    }
}

/// Reads the weights and writes the ResNet in them, as a whole file or not at all.
///
/// # Errors
/// [`ExportError::OutExists`] and [`ExportError::Name`] before anything is read, [`ExportError::NotResNet`] for a
/// ViT, [`ExportError::Weights`] if the file cannot be read, holds no complete ResNet, or cannot be written.
pub fn export(options: &ExportOptions) -> Result<ExportSummary, ExportError> {
    let ExportOptions {
        weights: path,
        prefix,
        to,
        out,
    } = options;
    let ending = out.extension().and_then(|ending| ending.to_str());
    let endings = to.endings();
    if !endings.is_empty() && ending.is_none_or(|ending| !endings.contains(&ending)) {
        return Err(ExportError::Name {
            out: out.clone(),
            to: to.name(),
            endings: endings.join(", ."),
        });
    }
    // A dangling link would be replaced too.
    if out.symlink_metadata().is_ok() {
        return Err(ExportError::OutExists { out: out.clone() });
    }
    let weights = read_weights(path)?;
    let in_file = |err: WeightsError| err.in_file(path);
    let found = backbone_under(&weights, prefix.as_deref()).map_err(in_file)?;
    drop(weights);
    let network = Architecture::of(&found.trunk).map_err(in_file)?;
    if let Architecture::Vit(_) = network {
        return Err(ExportError::NotResNet {
            weights: path.clone(),
            network: network.to_string(),
        });
    }
    let bytes = match (to, ending) {
        (ExportFormat::Moco, _) => moco_bytes(&found.trunk),
        (ExportFormat::Detectron2, _) => detectron2_bytes(&found.trunk),
        (ExportFormat::Vissl, _) => vissl_bytes(&found.trunk),
        (ExportFormat::Torchvision, Some("safetensors")) => safetensors_bytes(&found.trunk),
        (ExportFormat::Torchvision, _) => torchvision_bytes(&found.trunk),
    };
    let bytes = bytes.map_err(in_file)?;
    write_bytes(out, &bytes)?;
    let heads = found
        .head
        .names()
        .map(|name| format!("{}{name}", found.prefix));
    Ok(ExportSummary {
        out: out.clone(),
        to: *to,
        bytes: bytes.len() as u64,
        network: network.to_string(),
        tensors: found.trunk.len() as u64,
        left_out: heads.chain(found.left_out.iter().cloned()).collect(),
        prefix: found.prefix,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use vidpairs_weights::{
        ElementKind, HostTensor, LayerScale, Positions, QkvForm, VitArchitecture, VitSize,
        backbone, write_safetensors,
    };

    use super::*;

    const MOCO: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/weights/moco.pth.tar"
    );

    fn options(to: ExportFormat, out: PathBuf) -> ExportOptions {
        ExportOptions {
            weights: MOCO.into(),
            prefix: None,
            to,
            out,
        }
    }

    #[test]
    fn the_exported_file_holds_the_query_encoder_without_its_head() {
        let folder = tempfile::tempdir().unwrap();
        for (to, name) in [
            (ExportFormat::Moco, "moco.pth.tar"),
            (ExportFormat::Vissl, "vissl.torch"),
            (ExportFormat::Torchvision, "trunk.pth"),
            (ExportFormat::Torchvision, "trunk.safetensors"),
        ] {
            let summary = export(&options(to, folder.path().join(name))).unwrap();
            let written = backbone(&read_weights(&summary.out).unwrap()).unwrap();
            let original = backbone(&read_weights(MOCO.as_ref()).unwrap()).unwrap();
            assert_eq!(
                (&written.trunk, written.left_out.len()),
                (&original.trunk, 0),
                "{name}"
            );
            assert_eq!(summary.bytes, fs::metadata(&summary.out).unwrap().len());
        }
        export(&options(
            ExportFormat::Detectron2,
            folder.path().join("d2.pkl"),
        ))
        .unwrap();
    }

    #[test]
    fn an_existing_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("trunk.pth");
        fs::write(&out, "precious").unwrap();
        let err = export(&options(ExportFormat::Torchvision, out.clone())).unwrap_err();
        assert!(matches!(err, ExportError::OutExists { .. }), "{err}");
        assert_eq!(fs::read(&out).unwrap(), b"precious");
    }

    #[test]
    fn a_file_name_that_the_program_would_not_accept_is_refused() {
        let err = export(&options(ExportFormat::Detectron2, "trunk.pth".into())).unwrap_err();
        assert!(err.to_string().contains(".pkl"), "{err}");
        let err = export(&options(ExportFormat::Torchvision, "trunk.bin".into())).unwrap_err();
        assert!(err.to_string().contains(".safetensors, .pth, .pt"), "{err}");
    }

    #[test]
    fn the_error_for_weights_without_a_resnet_names_the_file() {
        let weights = Path::new(MOCO).with_file_name("kinds.pth");
        let options = ExportOptions {
            weights,
            prefix: None,
            to: ExportFormat::Moco,
            out: "never.pth.tar".into(),
        };
        let text = vidpairs_types::with_causes(&export(&options).unwrap_err());
        assert!(
            text.contains("kinds.pth") && text.contains("no ResNet"),
            "{text}"
        );
    }

    #[test]
    fn a_vit_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let vit = VitArchitecture {
            size: VitSize::Tiny,
            patch_px: 16,
            in_channels: 3,
            has_class_token: true,
            num_registers: 0,
            positions: Positions::Learned {
                grid: 14,
                has_class: true,
            },
            qkv: QkvForm::Joint,
            layer_scale: LayerScale::Absent,
            has_fc_norm: false,
        };
        let tensors = vit.tensors().into_iter().map(|(name, shape)| {
            let bytes = vec![0; shape.iter().product()];
            (
                name,
                HostTensor::new(shape, ElementKind::U8, bytes).unwrap(),
            )
        });
        let weights = folder.path().join("vit.safetensors");
        write_safetensors(&weights, &tensors.collect()).unwrap();
        let options = ExportOptions {
            weights,
            ..options(ExportFormat::Moco, folder.path().join("out.pth.tar"))
        };
        let text = export(&options).unwrap_err().to_string();
        assert!(text.contains("vit.safetensors is a ViT-Ti/16"), "{text}");
        assert!(!options.out.exists());
    }

    #[test]
    fn the_prefix_chooses_the_encoder_that_is_exported() {
        let folder = tempfile::tempdir().unwrap();
        let key = ExportOptions {
            prefix: Some("module.encoder_k".to_owned()),
            ..options(
                ExportFormat::Torchvision,
                folder.path().join("k.safetensors"),
            )
        };
        let summary = export(&key).unwrap();
        assert_eq!(summary.prefix, "module.encoder_k.");
        let all = read_weights(MOCO.as_ref()).unwrap();
        let written = read_weights(&summary.out).unwrap();
        for (name, tensor) in written.iter() {
            assert_eq!(all.get(&format!("module.encoder_k.{name}")), Some(tensor));
        }
        let none = ExportOptions {
            prefix: Some("encoder_z".to_owned()),
            ..options(ExportFormat::Moco, folder.path().join("z.pth.tar"))
        };
        let text = vidpairs_types::with_causes(&export(&none).unwrap_err());
        assert!(
            text.contains("module.encoder_q., module.encoder_k."),
            "{text}"
        );
    }

    #[test]
    fn the_summary_tells_the_prefix_and_the_number_of_tensors_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let summary = export(&options(
            ExportFormat::Moco,
            folder.path().join("q.pth.tar"),
        ))
        .unwrap();
        let text = summary.to_string();
        assert!(
            text.contains("taken from module.encoder_q.*; 126 other tensors left out"),
            "{text}"
        );
        let prefix = "\u{1b}[2J.".to_owned();
        let text = ExportSummary { prefix, ..summary }.to_string();
        assert!(text.contains(r"taken from \u{1b}[2J.*"), "{text}");
    }
}
