//! `vidpairs export`: the trunk out of a file of weights, written as another program expects it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use vidpairs_run::counted;
use vidpairs_weights::{
    Architecture, WeightsError, backbone, detectron2_bytes, moco_bytes, read_weights,
    safetensors_bytes, torchvision_bytes, vissl_bytes, write_bytes,
};

/// For which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// facebookresearch/moco, `main_lincls.py --pretrained`.
    Moco,
    /// Detectron2, `MODEL.WEIGHTS`.
    Detectron2,
    /// VISSL, `WEIGHTS_INIT.PARAMS_FILE`.
    Vissl,
    /// torchvision, timm, and all that read torchvision's names.
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

    /// Endings of which a file must have one, where the other program goes by it.
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
    /// A file of weights cannot be read, understood or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The output file exists.
    #[error("{} exists; name another file with --out, or remove it first", .out.display())]
    OutExists {
        /// The file.
        out: PathBuf,
    },
    /// The other program would not read the file under its name.
    #[error("--out is {}; expected a name that ends in .{endings} for {to}", .out.display())]
    Name {
        /// The file.
        out: PathBuf,
        /// The program.
        to: &'static str,
        /// Accepted endings, without the first dot.
        endings: String,
    },
}

/// What `vidpairs export` is asked to do.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// Safetensors, or a file of `torch.save`, with a ResNet in it.
    pub weights: PathBuf,
    /// For which program.
    pub to: ExportFormat,
    /// The file to be written; it must not exist.
    pub out: PathBuf,
}

/// What `vidpairs export` wrote; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportSummary {
    /// The file that was written.
    pub out: PathBuf,
    /// For which program.
    pub to: ExportFormat,
    /// Its length.
    pub bytes: u64,
    /// The network, in words: `ResNet-50`.
    pub network: String,
    /// Tensors that were written.
    pub tensors: u64,
    /// What stood before their names in the file that was read.
    pub prefix: String,
    /// Names in the file that were not written: heads, other encoders, queues.
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
            write!(f, "; taken from {prefix}*")?;
        }
        match self.left_out.len() as u64 {
            0 => Ok(()),
            left_out => write!(f, "; {} left out", counted(left_out, "other tensor")),
        }
    }
}

/// Reads the weights, finds the ResNet in them, and writes it, whole or not at all.
///
/// # Errors
/// [`ExportError::OutExists`] and [`ExportError::Name`] before anything is read, [`ExportError::Weights`] if the file
/// cannot be read, holds no complete ResNet, or cannot be written.
pub fn export(options: &ExportOptions) -> Result<ExportSummary, ExportError> {
    let ExportOptions {
        weights: path,
        to,
        out,
    } = options;
    let ending = out
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    if !to.endings().is_empty() && !to.endings().contains(&ending) {
        return Err(ExportError::Name {
            out: out.clone(),
            to: to.name(),
            endings: to.endings().join(", ."),
        });
    }
    // A link that leads nowhere would be replaced too.
    if out.symlink_metadata().is_ok() {
        return Err(ExportError::OutExists { out: out.clone() });
    }
    let (summary, bytes) = made(path, *to, out)?;
    write_bytes(out, &bytes)?;
    Ok(summary)
}

fn made(
    path: &Path,
    to: ExportFormat,
    out: &Path,
) -> Result<(ExportSummary, Vec<u8>), ExportError> {
    let weights = read_weights(path)?;
    let in_file = |err: WeightsError| err.in_file(path);
    let found = backbone(&weights).map_err(in_file)?;
    drop(weights);
    let network = Architecture::of(&found.trunk).map_err(in_file)?;
    let bytes = match (to, out.extension().and_then(|ending| ending.to_str())) {
        (ExportFormat::Moco, _) => moco_bytes(&found.trunk),
        (ExportFormat::Detectron2, _) => detectron2_bytes(&found.trunk),
        (ExportFormat::Vissl, _) => vissl_bytes(&found.trunk),
        (ExportFormat::Torchvision, Some("safetensors")) => safetensors_bytes(&found.trunk),
        (ExportFormat::Torchvision, _) => torchvision_bytes(&found.trunk),
    };
    let bytes = bytes.map_err(in_file)?;
    let heads = found
        .head
        .names()
        .map(|name| format!("{}{name}", found.prefix));
    let summary = ExportSummary {
        out: out.to_owned(),
        to,
        bytes: bytes.len() as u64,
        network: network.to_string(),
        tensors: found.trunk.len() as u64,
        left_out: heads.chain(found.left_out.iter().cloned()).collect(),
        prefix: found.prefix,
    };
    Ok((summary, bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MOCO: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/weights/moco.pth.tar"
    );

    fn options(to: ExportFormat, out: PathBuf) -> ExportOptions {
        ExportOptions {
            weights: MOCO.into(),
            to,
            out,
        }
    }

    #[test]
    fn what_is_exported_holds_the_query_encoder_and_no_head() {
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
    fn a_file_that_exists_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("trunk.pth");
        fs::write(&out, "precious").unwrap();
        let err = export(&options(ExportFormat::Torchvision, out.clone())).unwrap_err();
        assert!(matches!(err, ExportError::OutExists { .. }), "{err}");
        assert_eq!(fs::read(&out).unwrap(), b"precious");
    }

    #[test]
    fn a_name_that_the_other_program_would_not_read_is_refused() {
        let err = export(&options(ExportFormat::Detectron2, "trunk.pth".into())).unwrap_err();
        assert!(err.to_string().contains(".pkl"), "{err}");
        let err = export(&options(ExportFormat::Torchvision, "trunk.bin".into())).unwrap_err();
        assert!(err.to_string().contains(".safetensors, .pth, .pt"), "{err}");
    }

    #[test]
    fn weights_without_a_resnet_are_named_with_what_was_found() {
        let weights = Path::new(MOCO).with_file_name("kinds.pth");
        let options = ExportOptions {
            weights,
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
    fn the_summary_says_what_was_taken_and_what_was_not() {
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
    }
}
