//! Reads opcodes and builds values.

use super::error::{PickleError, PickleFault};
use super::opcodes as op;
use super::stack::{MAX_OPCODES, Machine, Step};
use super::tree::{Node, NodeId, Tree};

/// Reads the pickle at the start of `bytes`; [`Tree::length`] is its length.
pub(crate) fn parse(bytes: &[u8]) -> Result<Tree<'_>, PickleError> {
    let mut machine = Machine::new(bytes);
    for _ in 0..MAX_OPCODES {
        let offset = machine.at;
        let error = |opcode, fault| PickleError {
            offset,
            opcode,
            fault,
        };
        let byte = machine.u8().map_err(|fault| error("missing", fault))?;
        let failed = |fault| error(op::name(byte), fault);
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

impl<'a> Machine<'a> {
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

    /// Opcodes that call something. Known functions are replaced by code here; other results are opaque.
    fn object(&mut self, byte: u8) -> Step {
        match byte {
            op::BUILD => {
                // State of an object, or attributes of a dict, such as `_metadata` of state dicts.
                self.pop()?;
                let top = self.top()?;
                if let Some(Node::Tensor(tensor)) = self.tree.nodes.get_mut(top) {
                    tensor.is_replaced = true;
                }
                Ok(())
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
                let value = self.rebuild(callable, arguments)?;
                self.stack.push(value);
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
        let id = self.memo.get(&index).ok_or(PickleFault::NoMemo { index })?;
        self.stack.push(*id);
        Ok(())
    }

    fn pop_value_or_mark(&mut self) -> Step {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    fn integer(&mut self, byte: u8) -> Step {
        let length = match byte {
            op::BININT => {
                let int = i32::from_le_bytes(self.array()?);
                return self.push(Node::Int(int.into()));
            }
            op::BININT1 => {
                let int = self.u8()?;
                return self.push(Node::Int(int.into()));
            }
            op::BININT2 => {
                let int = u16::from_le_bytes(self.array()?);
                return self.push(Node::Int(int.into()));
            }
            op::LONG1 => u64::from(self.u8()?),
            _ => u64::from(u32::from_le_bytes(self.array()?)),
        };
        let digits = self.take(length)?;
        let negative = digits.last().is_some_and(|&digit| digit >= 0x80);
        let mut whole = [if negative { 0xff } else { 0 }; 8];
        match whole.get_mut(..digits.len()) {
            Some(low) => {
                low.copy_from_slice(digits);
                self.push(Node::Int(i64::from_le_bytes(whole)))
            }
            None => self.push(Node::Long(digits)),
        }
    }

    fn text(&mut self, byte: u8) -> Step {
        let length = self.length(byte)?;
        let bytes = self.take(length)?;
        // Python 2 wrote bytes as text.
        let may_be_bytes = matches!(byte, op::BINSTRING | op::SHORT_BINSTRING);
        match std::str::from_utf8(bytes) {
            Ok(text) => self.push(Node::Text(text)),
            Err(_) if may_be_bytes => self.push(Node::Bytes),
            Err(_) => Err(PickleFault::Text),
        }
    }

    /// Reads the length of a text or of bytes.
    fn length(&mut self, byte: u8) -> Step<u64> {
        match byte {
            op::SHORT_BINSTRING | op::SHORT_BINUNICODE | op::SHORT_BINBYTES => {
                self.u8().map(u64::from)
            }
            op::BINSTRING | op::BINUNICODE | op::BINBYTES => {
                let length = u32::from_le_bytes(self.array()?);
                Ok(u64::from(length))
            }
            _ => self.array().map(u64::from_le_bytes),
        }
    }

    fn global(&mut self, byte: u8) -> Step {
        let (module, name) = if byte == op::GLOBAL {
            (self.line()?, self.line()?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            (self.expect_text(module)?, self.expect_text(name)?)
        };
        self.push(Node::Global { module, name })
    }

    fn expect_text(&self, id: NodeId) -> Step<&'a str> {
        self.tree.text(id).ok_or_else(|| self.wrong(id, "a str"))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
