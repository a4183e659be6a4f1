//! Why weights could not be read, understood or written.

use std::io;
use std::path::{Path, PathBuf};

use super::pickle::PickleError;
use super::tensor::ElementKind;

/// Why weights could not be read, understood or written. All are final for the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// Something is wrong with a file of weights.
    #[error("cannot use the weights in {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<WeightsError>,
    },
    /// The file cannot be read.
    #[error("cannot read it")]
    Read(#[source] io::Error),
    /// The file cannot be written; nothing is left under its name.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// The zip cannot be made: more or longer records than a zip can hold.
    #[error("cannot make its zip archive")]
    MakeZip(#[source] zip::result::ZipError),
    /// The bytes are of no format that is read.
    #[error("neither safetensors nor a file of torch.save (it begins with {beginning})")]
    UnknownFormat {
        /// The first bytes, in hexadecimal.
        beginning: String,
    },
    /// A tar, as PyTorch wrote before 0.1.10, or one that somebody packed.
    #[error(
        "it is a tar archive: unpack it, or, if PyTorch before 0.1.10 wrote it, convert it there \
         with torch.save(torch.load(FILE), NEW)"
    )]
    Tar,
    /// A pickle that `torch.save` did not write.
    #[error("it is a pickle, but not one of torch.save; save it with torch.save(state_dict, NEW)")]
    OtherPickle,
    /// Numbers with the highest byte first.
    #[error(
        "its numbers are big endian; convert it on the machine that wrote it, with \
         safetensors.torch.save_file(state_dict, NEW)"
    )]
    BigEndian,
    /// A program, not weights.
    #[error(
        "it holds a TorchScript program; save its weights with \
         torch.save(torch.jit.load(FILE).state_dict(), NEW)"
    )]
    TorchScript,
    /// A pickled object in place of a dict.
    #[error(
        "it holds an object of class {class}, which would need that program to run; save its \
         weights alone, with torch.save(model.state_dict(), NEW)"
    )]
    WholeObject {
        /// Module and name.
        class: String,
    },
    /// The header or the layout of a safetensors file is wrong.
    #[error("its safetensors header is damaged")]
    Safetensors(#[source] safetensors::SafeTensorError),
    /// The table of the zip is wrong: damaged, or the file was cut.
    #[error("its zip archive is damaged or cut short")]
    Zip(#[source] zip::result::ZipError),
    /// Something is wrong with a record of the zip.
    #[error("record {record}: {fault}")]
    Record {
        /// Name in the archive.
        record: String,
        /// What is wrong.
        fault: RecordFault,
    },
    /// A pickle cannot be read.
    #[error("in {stream}")]
    Pickle {
        /// `archive/data.pkl`, or which part of a legacy file.
        stream: String,
        /// What is wrong, and where.
        #[source]
        source: PickleError,
    },
    /// A legacy file ends early, or its parts do not fit.
    #[error("{what} at byte {offset}: {needed} bytes needed, {left} left")]
    Truncated {
        /// What was to be read.
        what: String,
        /// Where, in the file.
        offset: usize,
        /// Bytes that it takes.
        needed: u64,
        /// Bytes that there are.
        left: usize,
    },
    /// A storage of a legacy file is not as its tensors say.
    #[error("storage {key} has {stored} elements, its tensors say {expected}")]
    StorageLength {
        /// Its key.
        key: String,
        /// As the file states before the elements.
        stored: u64,
        /// As the pickle states.
        expected: u64,
    },
    /// No tensors where state dicts lie.
    #[error(
        "no state dict in it: expected tensors by name, at the top or under state_dict, model, \
         model_state_dict, teacher or student; found {found}"
    )]
    NoStateDict {
        /// Keys at the top.
        found: String,
    },
    /// A tensor cannot be read.
    #[error("tensor {name}: {fault}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        fault: TensorFault,
    },
    /// Views that unfold to far more than the file holds.
    #[error("its tensors unfold to more than {limit} bytes, from a file of {file_bytes}")]
    Unfolds {
        /// The limit, bytes.
        limit: usize,
        /// Length of the file.
        file_bytes: usize,
    },
    /// Far more entries than a network has.
    #[error("more than {limit} entries in its state dict")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// No ResNet under any prefix.
    #[error(
        "no ResNet in it: expected conv1.weight, bn1.weight and layer1.0.conv1.weight under one \
         prefix; names found: {found}"
    )]
    NoBackbone {
        /// Some names.
        found: String,
    },
    /// More than one ResNet, and no reason to prefer one.
    #[error("several ResNets in it, under {prefixes}; keep one of them in the file")]
    SeveralBackbones {
        /// Their prefixes.
        prefixes: String,
    },
    /// The network is none that is known.
    #[error("a ResNet of unknown architecture: {what}")]
    UnknownArchitecture {
        /// What is not as in any of them.
        what: String,
    },
    /// A tensor that the network needs is missing.
    #[error("{name} is missing, which {architecture} needs")]
    MissingTensor {
        /// Its name.
        name: String,
        /// The network.
        architecture: String,
    },
    /// A tensor has another shape than the network needs.
    #[error("{name} is {got:?}; expected {expected:?} for {architecture}")]
    Shape {
        /// Its name.
        name: String,
        /// As it is.
        got: Vec<usize>,
        /// As it has to be.
        expected: Vec<usize>,
        /// The network.
        architecture: String,
    },
    /// A tensor of the network holds numbers that are no weights.
    #[error("{name} is of kind {kind}; expected floating-point numbers")]
    NotFloats {
        /// Its name.
        name: String,
        /// What its elements are.
        kind: ElementKind,
    },
    /// A tensor of the network holds a value that is no number: the training broke down.
    #[error("{name} holds infinite numbers or none")]
    NotFinite {
        /// Its name.
        name: String,
    },
}

impl WeightsError {
    /// The same, with the file that it is about.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Self {
        Self::File {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }

    pub(super) fn record(record: &str, fault: RecordFault) -> Self {
        Self::Record {
            record: record.to_owned(),
            fault,
        }
    }

    pub(super) fn tensor(name: &str, fault: TensorFault) -> Self {
        Self::Tensor {
            name: name.to_owned(),
            fault,
        }
    }
}

/// What is wrong with a record of a zip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// It is not there.
    #[error("missing")]
    Missing,
    /// It is compressed, which `torch.save` never does.
    #[error("compressed; torch.save stores its records as they are")]
    Compressed,
    /// It lies outside of the file, or over another one.
    #[error("its place in the file is impossible")]
    Place,
    /// Its bytes are not those that were written.
    #[error("its checksum differs: the file is damaged")]
    Checksum,
}

/// What is wrong with a tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorFault {
    /// As many bytes as its shape says are not there.
    #[error("{got} bytes; its shape and kind need {expected}")]
    Size {
        /// By shape and kind.
        expected: usize,
        /// There are.
        got: usize,
    },
    /// No memory could hold it.
    #[error("shape {shape:?} is larger than any memory")]
    Overflow {
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Shape and strides reach beyond the storage.
    #[error(
        "shape {shape:?} with strides {strides:?} from element {offset} reaches beyond the {length} \
         elements of storage {key}"
    )]
    OutOfStorage {
        /// Its shape.
        shape: Vec<usize>,
        /// Elements from one to the next, by dimension.
        strides: Vec<usize>,
        /// Element of the storage that is the first.
        offset: usize,
        /// Elements of the storage.
        length: usize,
        /// The storage.
        key: String,
    },
    /// Its storage is not in the file.
    #[error("its storage {key} is not in the file")]
    NoStorage {
        /// The storage.
        key: String,
    },
    /// Its storage is shorter than the pickle says.
    #[error("its storage {key} has {got} bytes; expected {expected}")]
    StorageSize {
        /// The storage.
        key: String,
        /// By the pickle.
        expected: usize,
        /// In the file.
        got: usize,
    },
}
