//! Values of a pickle.
//!
//! They are stored in one list and refer to each other by index, so a list may hold itself, and dropping deeply nested
//! tuples needs no recursion.

use vidpairs_types::printable;

use crate::tensor::ElementKind;

/// Index of a value.
pub type NodeId = usize;

/// Value. Texts are parts of the pickle, checked once when they are read.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// Integer of more than 64 bits, little endian.
    Long(&'a [u8]),
    Float,
    Text(&'a str),
    Bytes,
    /// List or tuple.
    Sequence(Vec<NodeId>),
    Dict(Vec<(NodeId, NodeId)>),
    /// Name of a class or function. It is never resolved.
    Global {
        module: &'a str,
        name: &'a str,
    },
    Storage(Storage<'a>),
    /// Boxed, since a pickle has many values and few tensors.
    Tensor(Box<Tensor>),
    /// Object of an unknown class, with the value that names the class, if there is one.
    Opaque(Option<NodeId>),
}

/// Storage, of which tensors are views.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage<'a> {
    /// Key of its bytes in the file.
    pub key: &'a str,
    pub kind: StorageType,
    /// Number of elements of the whole storage; of bytes if it is untyped.
    pub length: u64,
    /// First element of the used part; only legacy files have parts.
    pub first: u64,
}

/// Type of the elements of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageType {
    Of(ElementKind),
    /// Bytes; each tensor states its own kind.
    Untyped,
    /// Unsupported elements of this size, bytes.
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

/// Tensor, a view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub storage: NodeId,
    /// Name of the type of the elements, if the storage is untyped.
    pub dtype: Option<NodeId>,
    /// Bits that change the value of the elements, such as `{"neg": True}`, if there are any.
    pub metadata: Option<NodeId>,
    /// Whether a state was set that replaces the view.
    pub is_replaced: bool,
    /// Index of the first element in the storage.
    pub offset: usize,
    pub shape: Vec<usize>,
    /// Stride of each dimension, elements; as many as `shape`.
    pub strides: Vec<usize>,
}

/// All values of a pickle.
#[derive(Debug)]
pub struct Tree<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// Value of the pickle.
    pub root: NodeId,
    /// Length of the pickle, bytes.
    pub length: usize,
}

impl<'a> Tree<'a> {
    pub fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id]
    }

    pub fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    pub fn text(&self, id: NodeId) -> Option<&'a str> {
        match *self.node(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Module and name of a class or function; empty for other values.
    pub fn global_name(&self, id: NodeId) -> (&'a str, &'a str) {
        match *self.node(id) {
            Node::Global { module, name } => (module, name),
            _ => ("", ""),
        }
    }

    /// Type of the elements of an untyped storage, such as `torch.float32`.
    pub fn element_kind(&self, dtype: NodeId) -> Option<ElementKind> {
        let (module, name) = self.global_name(dtype);
        ElementKind::ALL
            .into_iter()
            .find(|kind| module == "torch" && kind.torch_dtype() == name)
    }

    /// Value of `key` in a dict; the last one if there are several, as in Python.
    pub fn entry(&self, dict: NodeId, key: &str) -> Option<NodeId> {
        let Node::Dict(entries) = self.node(dict) else {
            return None;
        };
        entries
            .iter()
            .rfind(|(name, _)| self.text(*name) == Some(key))
            .map(|(_, value)| *value)
    }

    /// Description of a value for errors, such as `a dict` or `torch.nn.Linear`.
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
            Node::Global { module, name } => dotted(module, name),
            Node::Storage(_) => "a storage".to_owned(),
            Node::Tensor(_) => "a tensor".to_owned(),
            Node::Opaque(class) => match class.map(|class| self.node(class)) {
                Some(Node::Global { module, name }) => dotted(module, name),
                _ => "an object".to_owned(),
            },
        }
    }
}

fn dotted(module: &str, name: &str) -> String {
    format!("{}.{}", printable(module), printable(name))
}
