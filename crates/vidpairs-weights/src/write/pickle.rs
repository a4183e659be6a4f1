//! Writes pickles with the opcodes that objects of PyTorch and numpy need. `torch.load(weights_only=True)` reads them all.

use crate::pickle::opcodes as op;

/// Pickle under construction. Every method appends a value; [`Pickle::finish`] ends the pickle.
pub struct Pickle {
    bytes: Vec<u8>,
}

impl Pickle {
    pub fn new(protocol: u8) -> Self {
        Self {
            bytes: vec![op::PROTO, protocol],
        }
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(op::STOP);
        self.bytes
    }

    pub fn text(&mut self, text: &str) {
        self.sized(op::BINUNICODE, op::BINUNICODE8, text.as_bytes());
    }

    /// Appends bytes; needs protocol 3.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.sized(op::BINBYTES, op::BINBYTES8, bytes);
    }

    pub fn int(&mut self, int: i64) {
        if let Ok(int) = i32::try_from(int) {
            self.op(op::BININT);
            self.bytes.extend_from_slice(&int.to_le_bytes());
        } else {
            self.bytes.extend_from_slice(&[op::LONG1, 8]);
            self.bytes.extend_from_slice(&int.to_le_bytes());
        }
    }

    pub fn bool(&mut self, value: bool) {
        self.op(if value { op::NEWTRUE } else { op::NEWFALSE });
    }

    pub fn none(&mut self) {
        self.op(op::NONE);
    }

    /// Appends a tuple of the values that `items` appends.
    pub fn tuple(&mut self, items: impl FnOnce(&mut Self)) {
        self.op(op::MARK);
        items(self);
        self.op(op::TUPLE);
    }

    pub fn ints(&mut self, ints: &[usize]) {
        self.tuple(|pickle| ints.iter().for_each(|&int| pickle.int(int as i64)));
    }

    /// Appends a dict. `entries` appends keys and values in turn.
    pub fn dict(&mut self, entries: impl FnOnce(&mut Self)) {
        self.bytes.extend_from_slice(&[op::EMPTY_DICT, op::MARK]);
        entries(self);
        self.op(op::SETITEMS);
    }

    pub fn global(&mut self, module: &str, name: &str) {
        self.op(op::GLOBAL);
        for line in [module, name] {
            self.bytes.extend_from_slice(line.as_bytes());
            self.bytes.push(b'\n');
        }
    }

    /// Appends a call of the function `module.name` with the values that `arguments` appends.
    pub fn call(&mut self, module: &str, name: &str, arguments: impl FnOnce(&mut Self)) {
        self.global(module, name);
        self.tuple(arguments);
        self.op(op::REDUCE);
    }

    /// Sets the state of the last object to the values that `state` appends.
    pub fn build(&mut self, state: impl FnOnce(&mut Self)) {
        self.tuple(state);
        self.op(op::BUILD);
    }

    /// Appends the object with the persistent id that `id` appends.
    pub fn persistent(&mut self, id: impl FnOnce(&mut Self)) {
        self.tuple(id);
        self.op(op::BINPERSID);
    }

    /// Appends an opcode with its length. Readers accept the opcode for 4 GiB and more, which is of protocol 4, in earlier
    /// protocols too.
    fn sized(&mut self, short: u8, long: u8, bytes: &[u8]) {
        if let Ok(length) = u32::try_from(bytes.len()) {
            self.op(short);
            self.bytes.extend_from_slice(&length.to_le_bytes());
        } else {
            self.op(long);
            self.bytes
                .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn op(&mut self, opcode: u8) {
        self.bytes.push(opcode);
    }
}
