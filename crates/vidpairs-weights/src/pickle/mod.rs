//! Reads Python pickles with a stack machine that builds plain values and never calls anything.
//!
//! **Takes** the bytes of a pickle, protocols 2 to 5. **Gives** a [`Tree`] of values; objects of other classes than those
//! of weights are [`Node::Opaque`]. **Fails** with [`PickleError`]: offset, opcode and problem. **Source**: the opcodes
//! as documented by Python's `pickletools`.

mod error;
mod machine;
pub(super) mod opcodes;
mod rebuild;
mod stack;
mod tree;

pub use error::{PickleError, PickleFault};
pub(super) use machine::parse;
pub(super) use stack::MAX_KEY_BYTES;
pub(super) use tree::{Node, NodeId, Storage, StorageType, Tensor, Tree};
