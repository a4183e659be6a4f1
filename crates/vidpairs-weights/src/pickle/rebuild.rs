//! Replaces the calls in pickles of `torch.save`: builds tensors, parameters, storages and ordered dicts. No other call is
//! made.

use super::error::PickleFault;
use super::stack::{MAX_KEY_BYTES, MAX_OPCODES, Machine, Step};
use super::tree::{Node, NodeId, Storage, StorageType, Tensor};
use crate::tensor::ElementKind;

/// Largest number of dimensions, as in PyTorch.
const MAX_DIMENSIONS: usize = 64;

/// Larger than the number of arguments of any supported call.
const MAX_ARGUMENTS: usize = 16;

/// Classes of tensors whose value is the stored tensor.
const PLAIN_TENSORS: [(&str, &str); 4] = [
    ("torch", "Tensor"),
    ("torch._tensor", "Tensor"),
    ("torch.nn.parameter", "Parameter"),
    ("torch.nn.parameter", "Buffer"),
];

/// Storages with unsupported elements, and the size of an element, bytes, which gives the place of the next storage in a
/// legacy file.
const OTHER_STORAGES: [(&str, usize); 7] = [
    ("ComplexFloatStorage", 8),
    ("ComplexDoubleStorage", 16),
    ("QInt8Storage", 1),
    ("QUInt8Storage", 1),
    ("QInt32Storage", 4),
    ("QUInt4x2Storage", 1),
    ("QUInt2x4Storage", 1),
];

impl<'a> Machine<'a> {
    /// Result of `callable(*arguments)`; an opaque value if the function is unknown.
    pub(super) fn rebuild(&mut self, callable: NodeId, arguments: NodeId) -> Step<NodeId> {
        let opaque = Node::Opaque(Some(callable));
        let (module, name) = self.tree.global_name(callable);
        let arguments = self.sequence(arguments, "a tuple of arguments")?;
        Ok(match (module, name) {
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => {
                self.tensor(&arguments, None, arguments.get(6).copied())?
            }
            ("torch._utils", "_rebuild_tensor_v3") => {
                let dtype = argument(&arguments, 6)?;
                self.tensor(&arguments, Some(dtype), arguments.get(7).copied())?
            }
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
                argument(&arguments, 0)?
            }
            ("torch._tensor", "_rebuild_from_type_v2") => {
                let (inner, inner_arguments) = (argument(&arguments, 0)?, argument(&arguments, 2)?);
                let class = argument(&arguments, 1)?;
                // Other classes may compute their value from the tensor. A single level: PyTorch does not nest these calls, and a
                // hostile file must not.
                match (self.tree.global_name(inner), self.tree.global_name(class)) {
                    (("torch._utils", _), class) if PLAIN_TENSORS.contains(&class) => {
                        self.rebuild(inner, inner_arguments)?
                    }
                    _ => self.add(Node::Opaque(Some(class))),
                }
            }
            ("collections", "OrderedDict" | "defaultdict") => self.ordered_dict(&arguments)?,
            ("torch", "Size") => argument(&arguments, 0)?,
            _ => self.add(opaque),
        })
    }

    /// Storage of a persistent id: `("storage", class, key, location, length)`, in legacy files followed by the part of the
    /// storage, `(key, first, length)` or None.
    pub(super) fn persistent(&self, id: NodeId) -> Step<Node<'a>> {
        let parts = self.sequence(id, "a persistent id")?;
        let kind = argument(&parts, 0)?;
        match self.tree.text(kind) {
            Some("storage") => {}
            // Class with its source code, in old files of whole modules.
            Some("module") => return Ok(Node::Opaque(parts.get(1).copied())),
            _ => return Err(self.wrong(kind, "\"storage\"")),
        }
        let (class, key) = (argument(&parts, 1)?, argument(&parts, 2)?);
        let key = (self.tree.text(key))
            .filter(|text| text.len() <= MAX_KEY_BYTES)
            .ok_or_else(|| self.wrong(key, "a str of at most 256 bytes as the key of a storage"))?;
        let first = match parts.get(5).map(|&part| (part, self.tree.node(part))) {
            Some((_, Node::Sequence(part))) => self.count(argument(part, 1)?)?,
            Some((part, node)) if *node != Node::None => {
                return Err(self.wrong(part, "a part of a storage"));
            }
            _ => 0,
        };
        Ok(Node::Storage(Storage {
            key,
            kind: self.storage_type(class)?,
            length: self.count(argument(&parts, 4)?)? as u64,
            first: first as u64,
        }))
    }

    fn tensor(
        &mut self,
        arguments: &[NodeId],
        dtype: Option<NodeId>,
        metadata: Option<NodeId>,
    ) -> Step<NodeId> {
        let storage = argument(arguments, 0)?;
        if !matches!(self.tree.node(storage), Node::Storage(_)) {
            return Err(self.wrong(storage, "a storage"));
        }
        let offset = self.count(argument(arguments, 1)?)?;
        let shape = self.counts(argument(arguments, 2)?)?;
        let strides = self.counts(argument(arguments, 3)?)?;
        if shape.len() != strides.len() {
            return Err(self.wrong(argument(arguments, 3)?, "as many strides as dimensions"));
        }
        self.charge(2 * shape.len())?;
        Ok(self.add(Node::Tensor(Box::new(Tensor {
            storage,
            dtype,
            metadata,
            is_replaced: false,
            offset,
            shape,
            strides,
        }))))
    }

    /// Ordered dict. Python 2 wrote its entries as a list of pairs.
    fn ordered_dict(&mut self, arguments: &[NodeId]) -> Step<NodeId> {
        let mut entries = Vec::new();
        if let Some(Node::Sequence(pairs)) = arguments.first().map(|&pairs| self.tree.node(pairs)) {
            for &pair in pairs {
                if entries.len() >= self.copies_left {
                    return Err(PickleFault::TooLong { limit: MAX_OPCODES });
                }
                match self.tree.node(pair) {
                    Node::Sequence(pair) if pair.len() == 2 => {
                        entries.push((argument(pair, 0)?, argument(pair, 1)?));
                    }
                    _ => return Err(self.wrong(pair, "a pair of key and value")),
                }
            }
        }
        self.charge(entries.len())?;
        Ok(self.add(Node::Dict(entries)))
    }

    fn storage_type(&self, class: NodeId) -> Step<StorageType> {
        let (module, name) = self.tree.global_name(class);
        let known = ElementKind::ALL
            .into_iter()
            .find(|kind| kind.torch_storage() == name);
        let other = OTHER_STORAGES.iter().find(|(other, _)| *other == name);
        match (module, known, other) {
            ("torch" | "torch.cuda", Some(kind), _) => Ok(StorageType::Of(kind)),
            ("torch" | "torch.cuda", _, Some(&(_, size))) => Ok(StorageType::Other(size)),
            ("torch.storage" | "torch", ..) if name.ends_with("UntypedStorage") => {
                Ok(StorageType::Untyped)
            }
            _ => Err(self.wrong(class, "a storage class, such as torch.FloatStorage")),
        }
    }

    /// First [`MAX_ARGUMENTS`] values of a tuple.
    fn sequence(&self, id: NodeId, expected: &'static str) -> Step<Vec<NodeId>> {
        match self.tree.node(id) {
            Node::Sequence(items) => Ok(items.iter().copied().take(MAX_ARGUMENTS).collect()),
            _ => Err(self.wrong(id, expected)),
        }
    }

    fn counts(&self, id: NodeId) -> Step<Vec<usize>> {
        match self.tree.node(id) {
            Node::Sequence(items) if items.len() <= MAX_DIMENSIONS => {
                items.iter().map(|&item| self.count(item)).collect()
            }
            _ => Err(self.wrong(id, "a tuple of at most 64 ints")),
        }
    }

    fn count(&self, id: NodeId) -> Step<usize> {
        let count = match self.tree.node(id) {
            Node::Int(int) => usize::try_from(*int).ok(),
            _ => None,
        };
        count.ok_or_else(|| self.wrong(id, "an int >= 0"))
    }

    /// Counts copied values like opcodes, since every call can copy a tuple that is stored once.
    fn charge(&mut self, copied: usize) -> Step {
        let left = self.copies_left.checked_sub(copied);
        self.copies_left = left.ok_or(PickleFault::TooLong { limit: MAX_OPCODES })?;
        Ok(())
    }
}

fn argument(arguments: &[NodeId], index: usize) -> Step<NodeId> {
    arguments
        .get(index)
        .copied()
        .ok_or_else(|| PickleFault::Type {
            found: format!("{} arguments", arguments.len()),
            expected: "more",
        })
}
