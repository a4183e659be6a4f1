//! The values of a pickle.
//!
//! They lie side by side and refer to each other by number: a list may hold itself, and dropping a deep nest
//! of tuples needs no deep stack.

use std::ops::Range;

use super::super::tensor::ElementKind;

/// The number of a value.
pub type NodeId = usize;

/// A value. Texts are places in the pickle.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, little endian.
    Long(Range<usize>),
    Float,
    Text(Range<usize>),
    Bytes,
    /// A list or a tuple.
    Sequence(Vec<NodeId>),
    Dict(Vec<(NodeId, NodeId)>),
    /// A class or function by name; it is never looked up.
    Global {
        module: Range<usize>,
        name: Range<usize>,
    },
    Storage(Storage),
    /// Boxed: the values of a pickle are many, its tensors few.
    Tensor(Box<Tensor>),
    /// Something that only other programs could build: the value that names its class, if there is one.
    Opaque(Option<NodeId>),
}

/// The memory that tensors are views of.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Under which the file has its bytes.
    pub key: Range<usize>,
    pub kind: StorageType,
    /// Number of elements of the whole storage; bytes where it is untyped.
    pub length: u64,
    /// The first element of the part that is meant (only legacy files have parts).
    pub first: u64,
}

/// What a storage says about its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageType {
    Of(ElementKind),
    /// Bytes; each tensor says its kind.
    Untyped,
    /// Elements that are not read, of so many bytes.
    Other(usize),
}

impl StorageType {
    pub fn element_bytes(self) -> usize {
        match self {
            Self::Of(kind) => kind.size_bytes(),
            Self::Untyped => 1,
            Self::Other(size) => size,
        }
    }
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub storage: NodeId,
    /// Its own kind, where the storage has none.
    pub kind: Option<ElementKind>,
    /// Its first element in the storage.
    pub offset: usize,
    pub shape: Vec<usize>,
    /// Elements from one to the next, by dimension; as many as `shape`.
    pub strides: Vec<usize>,
}

/// All values of a pickle, and the one that it is.
#[derive(Debug)]
pub struct Tree<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) nodes: Vec<Node>,
    pub root: NodeId,
    /// Bytes that the pickle takes.
    pub length: usize,
}

impl<'a> Tree<'a> {
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id).unwrap_or(&Node::None)
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The text at `place`, which was checked when the value was made.
    pub fn text_at(&self, place: &Range<usize>) -> &'a str {
        let bytes = self.bytes.get(place.clone()).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    pub fn bytes_at(&self, place: &Range<usize>) -> &'a [u8] {
        self.bytes.get(place.clone()).unwrap_or_default()
    }

    pub fn text(&self, id: NodeId) -> Option<&'a str> {
        match self.node(id) {
            Node::Text(place) => Some(self.text_at(place)),
            _ => None,
        }
    }

    /// The value under `key` of a dict; the last where there are several, as in Python.
    pub fn entry(&self, dict: NodeId, key: &str) -> Option<NodeId> {
        let Node::Dict(entries) = self.node(dict) else {
            return None;
        };
        let mut found = entries
            .iter()
            .rev()
            .filter(|(name, _)| self.text(*name) == Some(key));
        found.next().map(|(_, value)| *value)
    }

    /// What the value is, for errors: `a dict`, `torch.nn.Linear`.
    pub fn describe(&self, id: NodeId) -> String {
        match self.node(id) {
            Node::None => "None".to_owned(),
            Node::Bool(_) => "a bool".to_owned(),
            Node::Int(_) | Node::Long(_) => "an int".to_owned(),
            Node::Float => "a float".to_owned(),
            Node::Text(_) => "a str".to_owned(),
            Node::Bytes => "bytes".to_owned(),
            Node::Sequence(_) => "a list or tuple".to_owned(),
            Node::Dict(_) => "a dict".to_owned(),
            Node::Global { module, name } => self.dotted(module, name),
            Node::Storage(_) => "a storage".to_owned(),
            Node::Tensor(_) => "a tensor".to_owned(),
            Node::Opaque(class) => match class.map(|class| self.node(class)) {
                Some(Node::Global { module, name }) => self.dotted(module, name),
                _ => "an object".to_owned(),
            },
        }
    }

    fn dotted(&self, module: &Range<usize>, name: &Range<usize>) -> String {
        format!("{}.{}", self.text_at(module), self.text_at(name))
    }
}
