//! Errors of reading pickles.

/// Error of reading a pickle. The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("at byte {offset}, opcode {opcode}: {fault}")]
pub struct PickleError {
    /// Offset of the opcode in the pickle.
    pub offset: usize,
    /// Name of the opcode.
    pub opcode: &'static str,
    /// Problem of the opcode.
    pub fault: PickleFault,
}

/// Problem of an opcode of a pickle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleFault {
    /// The pickle ends early.
    #[error("{needed} bytes needed, {left} left")]
    Truncated {
        /// Number of bytes that the opcode takes.
        needed: u64,
        /// Number of bytes left.
        left: usize,
    },
    /// The opcode is not one that protocols 2 to 5 use for weights.
    #[error("not a supported opcode (0x{byte:02x})")]
    Opcode {
        /// Byte of the opcode.
        byte: u8,
    },
    /// The protocol is not supported.
    #[error("protocol {protocol}; expected 2 to 5")]
    Protocol {
        /// Protocol of the pickle.
        protocol: u8,
    },
    /// The stack has no value above the last mark.
    #[error("the stack is empty")]
    EmptyStack,
    /// The stack has no mark.
    #[error("there is no mark on the stack")]
    NoMark,
    /// The last key of a dict has no value.
    #[error("a key has no value")]
    OddPairs,
    /// The memo has no value of this number.
    #[error("memo {index} was never stored")]
    NoMemo {
        /// Number in the memo.
        index: u64,
    },
    /// A text is not UTF-8.
    #[error("its text is not UTF-8")]
    Text,
    /// A value has the wrong type.
    #[error("found {found}; expected {expected}")]
    Type {
        /// Type of the value.
        found: String,
        /// Expected type.
        expected: &'static str,
    },
    /// The pickle has more opcodes than any checkpoint.
    #[error("more than {limit} opcodes")]
    TooLong {
        /// Largest number of opcodes.
        limit: usize,
    },
}
