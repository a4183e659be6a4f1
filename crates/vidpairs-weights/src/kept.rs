//! Tensors by name, in the order of the file.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::tensor::HostTensor;

/// Tensors by name, in the order of the file (safetensors: of their bytes).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weights {
    tensors: IndexMap<String, HostTensor>,
    metadata: BTreeMap<String, String>,
    under: String,
    skipped: Vec<String>,
}

impl Weights {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&HostTensor> {
        self.tensors.get(name)
    }

    /// Adds a tensor at the end, or puts it in the place of the one with its name, which is returned.
    pub fn insert(&mut self, name: impl Into<String>, tensor: HostTensor) -> Option<HostTensor> {
        self.tensors.insert(name.into(), tensor)
    }

    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Names and tensors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HostTensor)> {
        let tensors = self.tensors.iter();
        tensors.map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Bytes of all tensors.
    pub fn size_bytes(&self) -> usize {
        self.iter().map(|(_, tensor)| tensor.bytes().len()).sum()
    }

    /// What the file says beside its tensors: safetensors' `__metadata__`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Says something beside the tensors, for a safetensors file to be written.
    pub fn set_metadata(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.metadata.insert(key.into(), value.into());
    }

    /// The keys under which the state dict lay in a file of PyTorch: `state_dict`; empty at its top.
    pub fn found_under(&self) -> &str {
        &self.under
    }

    /// Entries of the state dict that are no tensors of a known kind, by name.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    pub(super) fn set_found_under(&mut self, under: String) {
        self.under = under;
    }

    pub(super) fn skip(&mut self, name: String) {
        self.skipped.push(name);
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
