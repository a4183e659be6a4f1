//! Python's pickles, read without Python: a stack machine that builds plain values and never calls anything.
//!
//! **Takes** the bytes of a pickle, protocols 2 to 5. **Gives** a [`Tree`] of values; an object of a class that
//! weights don't need is kept as [`Node::Opaque`]. **Fails** with [`PickleError`]: opcode, offset, what is wrong.
//! **Source**: the opcodes as `pickletools` documents them.

mod error;
mod machine;
pub(super) mod opcodes;
mod rebuild;
mod scalars;
mod tree;

pub use error::{PickleError, PickleFault};
pub(super) use machine::parse;
pub(super) use tree::{Node, NodeId, Storage, StorageType, Tensor, Tree};
