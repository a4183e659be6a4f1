//! Why a pickle could not be read.

/// Why a pickle could not be read, and where. Final for the file.
#[derive(Debug, thiserror::Error)]
#[error("at byte {offset}, opcode {opcode}: {fault}")]
pub struct PickleError {
    /// Where in the pickle the opcode is.
    pub offset: usize,
    /// Its name.
    pub opcode: &'static str,
    /// What is wrong with it.
    pub fault: PickleFault,
}

/// What is wrong with an opcode of a pickle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleFault {
    /// The bytes end before it does.
    #[error("{needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that it takes.
        needed: u64,
        /// Bytes that there are.
        left: usize,
    },
    /// No opcode that a protocol from 2 to 5 writes for weights.
    #[error("not an opcode that is read (0x{byte:02x})")]
    Opcode {
        /// The byte.
        byte: u8,
    },
    /// A protocol that is not read.
    #[error("protocol {protocol}; expected 2 to 5")]
    Protocol {
        /// Of the pickle.
        protocol: u8,
    },
    /// A value is needed, and the stack has none above the last mark.
    #[error("the stack is empty")]
    EmptyStack,
    /// A mark is needed, and there is none.
    #[error("there is no mark on the stack")]
    NoMark,
    /// Keys and values are needed by pairs.
    #[error("a key has no value")]
    OddPairs,
    /// A value is fetched that was never stored.
    #[error("memo {index} was never stored")]
    NoMemo {
        /// Its number.
        index: u64,
    },
    /// Text that is not UTF-8.
    #[error("its text is not UTF-8")]
    Text,
    /// A value has the wrong type.
    #[error("found {found}; expected {expected}")]
    Type {
        /// What is there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// More opcodes than any checkpoint needs.
    #[error("more than {limit} opcodes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}
