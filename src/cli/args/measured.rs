//! Defines the options of the measuring commands, `vidpairs invariance` and `vidpairs probe`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::Common;

/// Place of `--features` in the help: that of `--out`, which it precedes by its name. Counted from 0, without `--features`: PIPELINE, `--data`,
/// then [`MeasuredArgs`].
const FEATURES_ORDER: usize = 4;

/// Options of the measuring commands.
#[derive(Debug, Args)]
pub(in crate::cli) struct MeasuredArgs {
    /// Encoder (repeatable), a ResNet or a ViT: a checkpoint of `vidpairs train`, safetensors, or a file of
    /// torch.save; docs/WEIGHTS.md lists the formats and the networks.
    #[arg(long, value_name = "[NAME=]FILE", requires = "data")]
    pub weights: Vec<String>,
    /// Prefix of the encoder's tensor names, such as module.encoder_k [default: the one trained encoder in a file].
    #[arg(long, value_name = "PREFIX", requires = "weights")]
    pub prefix: Option<String>,
    /// Output folder: new, empty, or of earlier results.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Device: cpu, cuda or cuda:N [default: the first GPU, or the CPU without one].
    #[arg(long, value_name = "NAME", conflicts_with = "features")]
    pub device: Option<String>,
    /// Setting that overrides the pipeline file (repeatable).
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("models").required(true).args(["weights", "features"]))]
pub(in crate::cli) struct InvarianceArgs {
    /// Pipeline file (TOML) with the table [invariance], whose keys pipelines/README.md describes [default: no file, every
    /// key at its default].
    pub pipeline: Option<PathBuf>,
    /// Images to measure on (repeatable): got10k-occlusion, pascal3d-viewpoint, pascal3d-instance, aloi-viewpoint,
    /// aloi-direction or aloi-color (the data sets as distributed), or folders (<class>/<set>/<image>).
    #[arg(long, value_name = "KIND=PATH", requires = "weights")]
    pub data: Vec<String>,
    /// Features of another program (repeatable): .npz with `feat` (N x D), `instance` (N) and optionally `class` (N).
    #[arg(long, value_name = "[NAME=]FILE", conflicts_with = "data", display_order = FEATURES_ORDER)]
    pub features: Vec<String>,
    #[command(flatten)]
    pub measured: MeasuredArgs,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("probed").required(true).args(["weights", "features"]))]
pub(in crate::cli) struct ProbeArgs {
    /// Pipeline file (TOML) with the table [probe], whose keys pipelines/README.md describes [default: no file, every key at
    /// its default].
    pub pipeline: Option<PathBuf>,
    /// Labelled images to probe on (repeatable): voc07, voc07-boxes, imagenet or ade20k (the data sets as distributed), or
    /// folders (<class>/<image>, perhaps in train/ and val/ or test/).
    #[arg(long, value_name = "KIND=PATH", requires = "weights")]
    pub data: Vec<String>,
    /// Features of another program (repeatable): .npz with `feat` (N x D), `class` (N, or N x C of -1, 0 and 1) and `split` (N).
    #[arg(long, value_name = "[NAME=]FILE", conflicts_with = "data", display_order = FEATURES_ORDER)]
    pub features: Vec<String>,
    #[command(flatten)]
    pub measured: MeasuredArgs,
}
