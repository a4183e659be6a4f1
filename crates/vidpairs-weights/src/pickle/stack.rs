//! State of the stack machine: reads bytes, with every length checked, and moves values.

use std::collections::HashMap;

use super::error::PickleFault;
use super::tree::{Node, NodeId, Tree};

/// Largest number of opcodes. A checkpoint with the state of an optimizer has a few hundred thousand; a value takes
/// about 60 bytes.
pub(super) const MAX_OPCODES: usize = 1 << 22;

/// Longest key of a storage, bytes. PyTorch writes numbers and addresses.
pub const MAX_KEY_BYTES: usize = 256;

pub(super) struct Machine<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) tree: Tree<'a>,
    /// Position in the pickle, at most its length.
    pub(super) at: usize,
    pub(super) stack: Vec<NodeId>,
    /// Marked heights of the stack, ascending. The stack is never lower than the last one.
    pub(super) marks: Vec<usize>,
    pub(super) memo: HashMap<u64, NodeId>,
    /// Number of values that may still be copied.
    pub(super) copies_left: usize,
}

pub(super) type Step<T = ()> = Result<T, PickleFault>;

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            tree: Tree {
                nodes: Vec::new(),
                root: 0,
                length: 0,
            },
            at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            copies_left: MAX_OPCODES,
        }
    }

    /// Takes the next `needed` bytes.
    pub(super) fn take(&mut self, needed: u64) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(needed)
            .ok()
            .and_then(|length| rest.get(..length))
            .ok_or(PickleFault::Truncated {
                needed,
                left: rest.len(),
            })?;
        self.at += taken.len();
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let bytes = self.take(N as u64)?;
        Ok(bytes.try_into().expect("`take` returns N bytes"))
    }

    pub(super) fn u8(&mut self) -> Step<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Takes a line, without the line feed.
    pub(super) fn line(&mut self) -> Step<&'a str> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(rest.len()) as u64;
        let line = self.take(length + 1)?;
        std::str::from_utf8(&line[..line.len() - 1]).map_err(|_| PickleFault::Text)
    }

    /// Adds a value and pushes it.
    pub(super) fn push(&mut self, node: Node<'a>) -> Step {
        let id = self.add(node);
        self.stack.push(id);
        Ok(())
    }

    /// Adds a value without pushing it.
    pub(super) fn add(&mut self, node: Node<'a>) -> NodeId {
        self.tree.nodes.push(node);
        self.tree.nodes.len() - 1
    }

    pub(super) fn pop(&mut self) -> Step<NodeId> {
        let id = self.top()?;
        self.stack.pop();
        Ok(id)
    }

    /// Value on top of the stack, above the last mark.
    pub(super) fn top(&self) -> Step<NodeId> {
        let floor = self.marks.last().map_or(0, |&mark| mark);
        match self.stack[floor..].last() {
            Some(&id) => Ok(id),
            None => Err(PickleFault::EmptyStack),
        }
    }

    /// Removes the last mark and the values above it, and returns them.
    pub(super) fn pop_to_mark(&mut self) -> Step<Vec<NodeId>> {
        let mark = self.marks.pop().ok_or(PickleFault::NoMark)?;
        Ok(self.stack.split_off(mark))
    }

    pub(super) fn wrong(&self, id: NodeId, expected: &'static str) -> PickleFault {
        PickleFault::Type {
            found: self.tree.describe(id),
            expected,
        }
    }
}
