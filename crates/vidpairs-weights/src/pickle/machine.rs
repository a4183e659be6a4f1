//! The stack machine: reads opcodes, builds values.

use std::collections::HashMap;

use super::error::{PickleError, PickleFault};
use super::opcodes as op;
use super::tree::{Node, NodeId, Tree};

/// A checkpoint with the state of an optimiser has a few hundred thousand; a value takes some 60 bytes.
pub(super) const MAX_OPCODES: usize = 1 << 22;

/// Reads the pickle at the start of `bytes`; [`Tree::length`] says where it ends.
pub fn parse(bytes: &[u8]) -> Result<Tree<'_>, PickleError> {
    let mut machine = Machine {
        tree: Tree {
            bytes,
            nodes: Vec::new(),
            root: 0,
            length: 0,
        },
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        copies_left: MAX_OPCODES,
    };
    for _ in 0..MAX_OPCODES {
        let offset = machine.at;
        let byte = bytes.get(offset).copied().unwrap_or_default();
        let failed = |fault| PickleError {
            offset,
            opcode: op::name(byte),
            fault,
        };
        machine.take(1).map_err(failed)?;
        if byte == op::STOP {
            machine.tree.root = machine.pop().map_err(failed)?;
            machine.tree.length = machine.at;
            return Ok(machine.tree);
        }
        machine.step(byte).map_err(failed)?;
    }
    Err(PickleError {
        offset: machine.at,
        opcode: "any",
        fault: PickleFault::TooLong { limit: MAX_OPCODES },
    })
}

pub(super) struct Machine<'a> {
    pub tree: Tree<'a>,
    pub(super) at: usize,
    stack: Vec<NodeId>,
    /// Heights of the stack that were marked.
    marks: Vec<usize>,
    memo: HashMap<u64, NodeId>,
    pub(super) copies_left: usize,
}

pub(super) type Step<T = ()> = Result<T, PickleFault>;

impl Machine<'_> {
    fn step(&mut self, byte: u8) -> Step {
        match byte {
            op::PROTO => match self.u8()? {
                2..=5 => Ok(()),
                protocol => Err(PickleFault::Protocol { protocol }),
            },
            op::FRAME => self.take(8).map(drop),
            op::MARK => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            op::POP => self.pop_value_or_mark(),
            op::POP_MARK => self.pop_to_mark().map(drop),
            op::DUP => {
                let top = self.top()?;
                self.stack.push(top);
                Ok(())
            }
            op::NONE => self.push(Node::None),
            op::NEWTRUE => self.push(Node::Bool(true)),
            op::NEWFALSE => self.push(Node::Bool(false)),
            op::BININT | op::BININT1 | op::BININT2 | op::LONG1 | op::LONG4 => self.integer(byte),
            op::BINFLOAT => {
                self.take(8)?;
                self.push(Node::Float)
            }
            op::BINSTRING
            | op::SHORT_BINSTRING
            | op::BINUNICODE
            | op::SHORT_BINUNICODE
            | op::BINUNICODE8 => self.text(byte),
            op::BINBYTES | op::SHORT_BINBYTES | op::BINBYTES8 | op::BYTEARRAY8 => {
                let length = self.length(byte)?;
                self.take(length)?;
                self.push(Node::Bytes)
            }
            op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.store(byte),
            op::BINGET | op::LONG_BINGET => self.fetch(byte),
            op::GLOBAL | op::STACK_GLOBAL => self.global(byte),
            op::BINPERSID => {
                let id = self.pop()?;
                let node = self.persistent(id)?;
                self.push(node)
            }
            op::REDUCE | op::NEWOBJ | op::NEWOBJ_EX | op::OBJ | op::BUILD => self.object(byte),
            _ => self.collection(byte),
        }
    }

    fn collection(&mut self, byte: u8) -> Step {
        match byte {
            op::EMPTY_LIST | op::EMPTY_TUPLE | op::EMPTY_SET => {
                self.push(Node::Sequence(Vec::new()))
            }
            op::EMPTY_DICT => self.push(Node::Dict(Vec::new())),
            op::LIST | op::TUPLE | op::FROZENSET => {
                let items = self.pop_to_mark()?;
                self.push(Node::Sequence(items))
            }
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let mut items = Vec::new();
                for _ in op::TUPLE1..=byte {
                    items.push(self.pop()?);
                }
                items.reverse();
                self.push(Node::Sequence(items))
            }
            op::DICT => {
                let items = self.pop_to_mark()?;
                self.push(Node::Dict(Vec::new()))?;
                self.set_items(&items)
            }
            op::APPEND => {
                let item = self.pop()?;
                self.append(&[item])
            }
            op::APPENDS | op::ADDITEMS => {
                let items = self.pop_to_mark()?;
                self.append(&items)
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set_items(&[key, value])
            }
            op::SETITEMS => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)
            }
            byte => Err(PickleFault::Opcode { byte }),
        }
    }

    /// What would call something: known rebuilders are followed, all else becomes opaque.
    fn object(&mut self, byte: u8) -> Step {
        match byte {
            op::BUILD => {
                // The state of an object; of a dict its attributes, as `_metadata` of state dicts.
                self.pop()?;
                self.top().map(drop)
            }
            op::OBJ => {
                let items = self.pop_to_mark()?;
                self.push(Node::Opaque(items.first().copied()))
            }
            op::NEWOBJ_EX => {
                self.pop()?;
                self.pop()?;
                let class = self.pop()?;
                self.push(Node::Opaque(Some(class)))
            }
            _ => {
                let arguments = self.pop()?;
                let callable = self.pop()?;
                let made = self.rebuild(callable, arguments)?;
                self.stack.push(made);
                Ok(())
            }
        }
    }

    fn append(&mut self, items: &[NodeId]) -> Step {
        let top = self.top()?;
        match self.tree.nodes.get_mut(top) {
            Some(Node::Sequence(list)) => {
                list.extend_from_slice(items);
                Ok(())
            }
            Some(Node::Opaque(_)) => Ok(()),
            _ => Err(self.wrong(top, "a list")),
        }
    }

    fn set_items(&mut self, items: &[NodeId]) -> Step {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(PickleFault::OddPairs);
        }
        let top = self.top()?;
        match self.tree.nodes.get_mut(top) {
            Some(Node::Dict(entries)) => {
                entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            Some(Node::Opaque(_)) => Ok(()),
            _ => Err(self.wrong(top, "a dict")),
        }
    }

    fn store(&mut self, byte: u8) -> Step {
        let index = match byte {
            op::BINPUT => u64::from(self.u8()?),
            op::LONG_BINPUT => u64::from(u32::from_le_bytes(self.array()?)),
            _ => self.memo.len() as u64,
        };
        let top = self.top()?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn fetch(&mut self, byte: u8) -> Step {
        let index = match byte {
            op::BINGET => u64::from(self.u8()?),
            _ => u64::from(u32::from_le_bytes(self.array()?)),
        };
        let id = self
            .memo
            .get(&index)
            .copied()
            .ok_or(PickleFault::NoMemo { index })?;
        self.stack.push(id);
        Ok(())
    }

    fn pop_value_or_mark(&mut self) -> Step {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    pub(super) fn pop(&mut self) -> Step<NodeId> {
        let id = self.top()?;
        self.stack.pop();
        Ok(id)
    }

    fn top(&self) -> Step<NodeId> {
        let floor = self.marks.last().copied().unwrap_or_default();
        match self.stack.last() {
            Some(&id) if self.stack.len() > floor => Ok(id),
            _ => Err(PickleFault::EmptyStack),
        }
    }

    fn pop_to_mark(&mut self) -> Step<Vec<NodeId>> {
        let mark = self.marks.pop().ok_or(PickleFault::NoMark)?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    pub(super) fn push(&mut self, node: Node) -> Step {
        let id = self.add(node);
        self.stack.push(id);
        Ok(())
    }

    pub(super) fn add(&mut self, node: Node) -> NodeId {
        self.tree.nodes.push(node);
        self.tree.nodes.len() - 1
    }

    pub(super) fn wrong(&self, id: NodeId, expected: &'static str) -> PickleFault {
        PickleFault::Type {
            found: self.tree.describe(id),
            expected,
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
