//! Numbers, texts and names: what opcodes carry with them, every length checked before it is used.

use std::ops::Range;

use super::error::PickleFault;
use super::machine::{Machine, Step};
use super::opcodes as op;
use super::tree::{Node, NodeId};

impl Machine<'_> {
    pub(super) fn integer(&mut self, byte: u8) -> Step {
        let length = match byte {
            op::BININT => {
                return self
                    .array()
                    .map(i32::from_le_bytes)
                    .and_then(|int| self.push_int(int));
            }
            op::BININT1 => return self.u8().and_then(|int| self.push_int(int)),
            op::BININT2 => {
                return self
                    .array()
                    .map(u16::from_le_bytes)
                    .and_then(|int| self.push_int(int));
            }
            op::LONG1 => u64::from(self.u8()?),
            _ => u64::from(u32::from_le_bytes(self.array()?)),
        };
        let place = self.take(length)?;
        let digits = self.tree.bytes_at(&place);
        let negative = digits.last().is_some_and(|&digit| digit >= 0x80);
        let mut whole = [if negative { 0xff } else { 0 }; 8];
        match whole.get_mut(..digits.len()) {
            Some(low) => {
                low.copy_from_slice(digits);
                self.push(Node::Int(i64::from_le_bytes(whole)))
            }
            None => self.push(Node::Long(place)),
        }
    }

    fn push_int(&mut self, int: impl Into<i64>) -> Step {
        self.push(Node::Int(int.into()))
    }

    pub(super) fn text(&mut self, byte: u8) -> Step {
        let length = self.length(byte)?;
        let place = self.take(length)?;
        // Python 2 wrote bytes as text.
        let bytes_allowed = matches!(byte, op::BINSTRING | op::SHORT_BINSTRING);
        match self.checked_text(place) {
            Err(_) if bytes_allowed => self.push(Node::Bytes),
            place => self.push(Node::Text(place?)),
        }
    }

    fn checked_text(&self, place: Range<usize>) -> Step<Range<usize>> {
        match std::str::from_utf8(self.tree.bytes_at(&place)) {
            Ok(_) => Ok(place),
            Err(_) => Err(PickleFault::Text),
        }
    }

    /// The length that an opcode of texts or bytes begins with.
    pub(super) fn length(&mut self, byte: u8) -> Step<u64> {
        match byte {
            op::SHORT_BINSTRING | op::SHORT_BINUNICODE | op::SHORT_BINBYTES => {
                self.u8().map(u64::from)
            }
            op::BINSTRING | op::BINUNICODE | op::BINBYTES => self
                .array()
                .map(|bytes| u64::from(u32::from_le_bytes(bytes))),
            _ => self.array().map(u64::from_le_bytes),
        }
    }

    pub(super) fn global(&mut self, byte: u8) -> Step {
        let (module, name) = if byte == op::GLOBAL {
            (self.line()?, self.line()?)
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            (self.text_place(module)?, self.text_place(name)?)
        };
        self.push(Node::Global { module, name })
    }

    fn text_place(&self, id: NodeId) -> Step<Range<usize>> {
        match self.tree.node(id) {
            Node::Text(place) => Ok(place.clone()),
            _ => Err(self.wrong(id, "a str")),
        }
    }

    fn line(&mut self) -> Step<Range<usize>> {
        let rest = self.tree.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(PickleFault::Truncated {
                needed: rest.len() as u64 + 1,
                left: rest.len(),
            });
        };
        let place = self.take(length as u64 + 1)?;
        self.checked_text(place.start..place.end - 1)
    }

    pub(super) fn u8(&mut self) -> Step<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let place = self.take(N as u64)?;
        let bytes = self.tree.bytes_at(&place);
        bytes.try_into().map_err(|_| PickleFault::Truncated {
            needed: N as u64,
            left: bytes.len(),
        })
    }

    pub(super) fn take(&mut self, needed: u64) -> Step<Range<usize>> {
        let left = self.tree.bytes.len().saturating_sub(self.at);
        match usize::try_from(needed) {
            Ok(length) if length <= left => {
                let start = self.at;
                self.at += length;
                Ok(start..self.at)
            }
            _ => Err(PickleFault::Truncated { needed, left }),
        }
    }
}
