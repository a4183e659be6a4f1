//! Errors of reading and writing weights.

use std::io;
use std::path::{Path, PathBuf};

use vidpairs_types::printable;

use crate::architecture::NetworkKind;
use crate::pickle::PickleError;
use crate::tensor::{ElementKind, TensorFault};
use crate::weights::Skipped;

/// Largest number of names in an error.
const MAX_NAMES: usize = 8;

/// Error of reading or writing weights. The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// A file of weights cannot be used.
    #[error("cannot use the weights in {}", .path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Problem of the file.
        #[source]
        source: Box<WeightsError>,
    },
    /// The file cannot be read.
    #[error("cannot read it")]
    Read(#[source] io::Error),
    /// The file cannot be written. An existing file is unchanged.
    #[error("cannot write {}", .path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The zip cannot be written: it has more or longer records than a zip can hold.
    #[error("cannot write its zip archive")]
    MakeZip(#[source] zip::result::ZipError),
    /// The format is not supported.
    #[error("neither safetensors nor a file of torch.save (it starts with {beginning})")]
    UnknownFormat {
        /// The first bytes, in hexadecimal.
        beginning: String,
    },
    /// A tar, as written by PyTorch before 0.1.10 or by an archiver.
    #[error(
        "it is a tar archive: unpack it, or, if PyTorch before 0.1.10 wrote it, convert it with that \
         version: torch.save(torch.load(FILE), NEW)"
    )]
    Tar,
    /// A file of another kind that is often found in the place of weights.
    #[error("it is {what}, not weights; {remedy}")]
    NotWeights {
        /// Kind of the file.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A zip that `torch.save` did not write.
    #[error(
        "it is a zip archive without the data.pkl of torch.save, which holds {found}; if the weights are in it, unpack it and give their file"
    )]
    OtherZip {
        /// Some names of its records.
        found: String,
    },
    /// A pickle that was not written by `torch.save`.
    #[error("it is a pickle, but not one of torch.save; save it with torch.save(state_dict, NEW)")]
    OtherPickle,
    /// Numbers in big-endian order.
    #[error(
        "its numbers are big endian; convert it on the machine that wrote it: \
         safetensors.torch.save_file(state_dict, NEW)"
    )]
    BigEndian,
    /// A TorchScript program instead of weights.
    #[error(
        "it holds a TorchScript program; save its weights: \
         torch.save(torch.jit.load(FILE).state_dict(), NEW)"
    )]
    TorchScript,
    /// A pickled object instead of a dict.
    #[error(
        "it holds an object of class {class}, which only that program can load; save its weights: \
         torch.save(model.state_dict(), NEW)"
    )]
    WholeObject {
        /// Module and name of the class.
        class: String,
    },
    /// The header or the layout of a safetensors file is damaged.
    #[error("its safetensors header is damaged")]
    Safetensors(#[source] safetensors::SafeTensorError),
    /// The bytes of a safetensors file are not those that were written.
    #[error(
        "it is damaged: its bytes have the checksum {found}, and its metadata state xxh3_128 = {stated}; use a sound copy"
    )]
    Checksum {
        /// xxh3-128 of the bytes.
        found: String,
        /// xxh3-128 that the metadata state.
        stated: String,
    },
    /// The directory of the zip is damaged or missing.
    #[error("its zip archive is damaged or cut short")]
    Zip(#[source] zip::result::ZipError),
    /// A record of the zip cannot be used.
    #[error("record {record}: {fault}")]
    Record {
        /// Name of the record.
        record: String,
        /// Problem of the record.
        fault: RecordFault,
    },
    /// A pickle cannot be read.
    #[error("in {stream}")]
    Pickle {
        /// Name of the record, such as `archive/data.pkl`, or part of a legacy file.
        stream: String,
        /// Problem and its place.
        #[source]
        source: PickleError,
    },
    /// A legacy file ends early.
    #[error("{what} at byte {offset}: {needed} bytes needed, {left} left")]
    Truncated {
        /// Part that is incomplete.
        what: String,
        /// Offset of the part in the file.
        offset: usize,
        /// Length of the part, bytes.
        needed: u64,
        /// Number of bytes left.
        left: usize,
    },
    /// The length of a storage of a legacy file differs from that in the pickle.
    #[error("storage {key} has {stored} elements; the pickle states {expected}")]
    StorageLength {
        /// Key of the storage.
        key: String,
        /// Number of elements stated before the elements.
        stored: u64,
        /// Number of elements stated by the pickle.
        expected: u64,
    },
    /// The file has no tensors at the usual places of a state dict.
    #[error(
        "no state dict in it: expected tensors by name, at the top level or under state_dict, model, \
         model_state_dict, teacher or student; found {found}"
    )]
    NoStateDict {
        /// Keys at the top level.
        found: String,
    },
    /// None of the tensors of the state dict can be read.
    #[error(
        "none of its tensors can be used: {found}; convert them in PyTorch: \
         torch.save({{name: tensor.float() for name, tensor in state_dict.items()}}, NEW)"
    )]
    NothingRead {
        /// Some names of tensors, and why they cannot be used.
        found: String,
    },
    /// Two entries of the state dict have the same name, so it is unknown which one counts.
    #[error("two tensors are called {name}; keep one of them in the file")]
    DuplicateName {
        /// Name of the tensors, without the names of wrappers.
        name: String,
    },
    /// The name of a tensor is longer than that of any network.
    #[error("the name {name}... has {length} bytes; expected at most {limit}")]
    LongName {
        /// Beginning of the name.
        name: String,
        /// Length, bytes.
        length: usize,
        /// Longest accepted length, bytes.
        limit: usize,
    },
    /// A tensor cannot be read.
    #[error("tensor {name}: {fault}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// Problem of the tensor.
        fault: TensorFault,
    },
    /// The tensors are views that would take far more memory than the file.
    #[error("its tensors take more than {limit} bytes, from a file of {file_bytes} bytes")]
    Unfolds {
        /// Limit, bytes.
        limit: usize,
        /// Length of the file, bytes.
        file_bytes: usize,
    },
    /// The state dict has far more entries than a network.
    #[error("more than {limit} entries in its state dict")]
    TooManyEntries {
        /// Largest number of entries.
        limit: usize,
    },
    /// The file has no network under any prefix.
    #[error(
        "no ResNet and no ViT in it: expected, under one prefix, conv1.weight, bn1.weight and layer1.0.conv1.weight \
         (torchvision's ResNets), or patch_embed.proj.weight and blocks.0.norm1.weight (ViTs of timm, DINO, DINOv2 and \
         DINOv3, and DINOv2 of Hugging Face); names found: {found}"
    )]
    NoBackbone {
        /// Some names in the file, and what could not be read.
        found: String,
    },
    /// The file has several networks, and none is known to be the trained one.
    #[error("several networks in it, under {prefixes}; choose one of them with --prefix PREFIX")]
    SeveralBackbones {
        /// Prefixes of the networks.
        prefixes: String,
    },
    /// No network has the prefix that was asked for.
    #[error("no network under --prefix {prefix}; found under {prefixes}")]
    NoSuchPrefix {
        /// Prefix that was asked for.
        prefix: String,
        /// Prefixes of the networks in the file.
        prefixes: String,
    },
    /// The network has layers that no supported network of its kind has, so its features would be wrong without them.
    #[error(
        "{} that no plain {kind} has ({}), and the features would be wrong without it; only plain {kind}s are \
         supported", .names, .kind.foreign_layers()
    )]
    ForeignTensor {
        /// `NAME belongs to a layer`, or several names.
        names: String,
        /// Kind of the network.
        kind: NetworkKind,
    },
    /// A tensor of the network is in the file, but cannot be read.
    #[error(
        "{name} cannot be used: {found}; save the weights as dense floating-point tensors: \
         torch.save({{name: tensor.float() for name, tensor in state_dict.items()}}, NEW)"
    )]
    SkippedTensor {
        /// Name of the tensor.
        name: String,
        /// Description of its value.
        found: String,
    },
    /// The network is not a known one of its kind.
    #[error("a {kind} of unknown architecture: {what}")]
    UnknownArchitecture {
        /// Kind of the network.
        kind: NetworkKind,
        /// Difference from the known ones.
        what: String,
    },
    /// A tensor of the network is missing.
    #[error("{name} is missing, which {architecture} needs")]
    MissingTensor {
        /// Name of the tensor.
        name: String,
        /// Architecture of the network.
        architecture: String,
    },
    /// A tensor of the network has the wrong shape.
    #[error("{name} is {got:?}; expected {expected:?} for {architecture}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Shape in the file.
        got: Vec<usize>,
        /// Shape that the network needs.
        expected: Vec<usize>,
        /// Architecture of the network.
        architecture: String,
    },
    /// A tensor of the network does not hold floating-point numbers.
    #[error("{name} is of kind {kind}; expected floating-point numbers")]
    NotFloats {
        /// Name of the tensor.
        name: String,
        /// Type of its elements.
        kind: ElementKind,
    },
    /// A tensor of the network holds infinity or NaN, because the training diverged.
    #[error("{name} holds infinity or NaN")]
    NotFinite {
        /// Name of the tensor.
        name: String,
    },
}

impl WeightsError {
    /// Adds the path of the file.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        Self::File {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }

    pub(crate) fn unknown(kind: NetworkKind, what: String) -> Self {
        Self::UnknownArchitecture { kind, what }
    }

    /// Error for tensors of layers that no network of the kind has; `None` without any.
    pub(crate) fn foreign(kind: NetworkKind, names: &[&str]) -> Option<Self> {
        let first = printable(names.first()?);
        let names = match names {
            [_] => format!("{first} belongs to a layer"),
            [_, second] => format!("{first} and {} belong to a layer", printable(second)),
            _ => {
                let shown = names.iter().take(MAX_NAMES).map(|name| printable(name));
                let shown = shown.collect::<Vec<_>>().join(", ");
                let num_more = names.len().saturating_sub(MAX_NAMES);
                let more = match num_more {
                    0 => String::new(),
                    _ => format!(" and {num_more} more"),
                };
                format!("{shown}{more} belong to a layer")
            }
        };
        Some(Self::ForeignTensor { names, kind })
    }

    pub(crate) fn record(record: &str, fault: RecordFault) -> Self {
        Self::Record {
            record: printable(record).into_owned(),
            fault,
        }
    }

    pub(crate) fn tensor(name: &str, fault: TensorFault) -> Self {
        Self::Tensor {
            name: printable(name).into_owned(),
            fault,
        }
    }

    /// Error for a state dict of which every tensor was skipped.
    pub(crate) fn nothing_read(skipped: &[Skipped]) -> Self {
        let tensors = skipped.iter().filter(|entry| entry.may_be_weights);
        let mut names: Vec<String> = tensors
            .take(MAX_NAMES)
            .map(|entry| format!("{} ({})", printable(&entry.name), entry.found))
            .collect();
        if skipped.len() > names.len() {
            names.push("...".to_owned());
        }
        Self::NothingRead {
            found: names.join(", "),
        }
    }
}

/// Problem of a record of a zip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// The record is compressed, unlike those of `torch.save`.
    #[error("compressed; torch.save stores records uncompressed")]
    Compressed,
    /// The record lies outside the file or overlaps another one.
    #[error("it lies outside the file or overlaps another record")]
    Place,
    /// The bytes do not match their checksum.
    #[error("its checksum differs: the file is damaged")]
    Checksum,
}
