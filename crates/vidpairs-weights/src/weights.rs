//! Named tensors.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use vidpairs_types::printable;

use crate::error::WeightsError;
use crate::tensor::HostTensor;

/// Longest name of a tensor, bytes. Names of networks have about a hundred.
const MAX_NAME_BYTES: usize = 4096;

/// Entry of a state dict that was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Name.
    pub name: String,
    /// Description of the value, such as `torch.float8_e4m3fn` or `an int`.
    pub found: String,
    /// Whether the value may be weights: a tensor of another kind or an object, unlike a number or a text.
    pub may_be_weights: bool,
}

/// Tensors by name, in the order of the file; for safetensors, in the order of their bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weights {
    tensors: IndexMap<String, HostTensor>,
    metadata: BTreeMap<String, String>,
    state_dict_path: String,
    skipped: Vec<Skipped>,
}

/// Refuses names that are longer than any network's: every look at a name takes time and memory in proportion to it.
pub(crate) fn check_name(name: &str) -> Result<(), WeightsError> {
    if name.len() <= MAX_NAME_BYTES {
        return Ok(());
    }
    Err(WeightsError::LongName {
        name: printable(&name.chars().take(60).collect::<String>()).into_owned(),
        length: name.len(),
        limit: MAX_NAME_BYTES,
    })
}

impl Weights {
    /// Weights without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tensor with the given name.
    pub fn get(&self, name: &str) -> Option<&HostTensor> {
        self.tensors.get(name)
    }

    /// Adds a tensor at the end. An existing tensor of the same name is replaced in its place and returned.
    pub fn insert(&mut self, name: impl Into<String>, tensor: HostTensor) -> Option<HostTensor> {
        self.tensors.insert(name.into(), tensor)
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Names of the tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Names and tensors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HostTensor)> {
        self.tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Size of all tensors, bytes.
    pub fn size_bytes(&self) -> usize {
        self.iter().map(|(_, tensor)| tensor.bytes().len()).sum()
    }

    /// Metadata of a safetensors file, `__metadata__`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Sets a value of the metadata, for a safetensors file to be written.
    pub fn set_metadata(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.metadata.insert(key.into(), value.into());
    }

    /// Keys that lead to the state dict in a PyTorch file, joined by dots, such as `state_dict`; empty at the top level.
    pub fn found_under(&self) -> &str {
        &self.state_dict_path
    }

    /// Entries of the state dict that are not tensors of a known kind.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    pub(crate) fn set_found_under(&mut self, state_dict_path: String) {
        self.state_dict_path = state_dict_path;
    }

    pub(crate) fn skip(&mut self, entry: Skipped) {
        self.skipped.push(entry);
    }
}

impl IntoIterator for Weights {
    type Item = (String, HostTensor);
    type IntoIter = indexmap::map::IntoIter<String, HostTensor>;

    fn into_iter(self) -> Self::IntoIter {
        self.tensors.into_iter()
    }
}

impl FromIterator<(String, HostTensor)> for Weights {
    fn from_iter<I: IntoIterator<Item = (String, HostTensor)>>(tensors: I) -> Self {
        Self {
            tensors: tensors.into_iter().collect(),
            ..Self::default()
        }
    }
}
