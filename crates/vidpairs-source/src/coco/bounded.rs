//! Limits the memory that parsing an untrusted JSON text can take.

use std::io::{self, Read};

/// Most bytes of a string, number or stretch of white space. Segmentations in run lengths have some KiB.
const MAX_TOKEN_BYTES: u64 = 16 << 20;

/// Most lists and objects inside each other.
const MAX_DEPTH: u32 = 100;

/// Reader that fails where a token is too long or nested too deeply. A parser keeps at most one token and one level for each opened
/// bracket, so its memory is bounded.
pub(super) struct BoundedJson<R> {
    inner: R,
    state: State,
}

#[derive(Default)]
struct State {
    is_in_string: bool,
    is_escaped: bool,
    token_bytes: u64,
    depth: u32,
}

impl<R: Read> BoundedJson<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            state: State::default(),
        }
    }
}

impl<R: Read> Read for BoundedJson<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let num = self.inner.read(buffer)?;
        for &byte in buffer.iter().take(num) {
            self.state.add(byte)?;
        }
        Ok(num)
    }
}

impl State {
    fn add(&mut self, byte: u8) -> io::Result<()> {
        self.token_bytes += 1;
        if self.token_bytes > MAX_TOKEN_BYTES {
            let reason = format!("a string or number of more than {MAX_TOKEN_BYTES} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        if self.is_in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_string = false,
                _ => {}
            }
            return Ok(());
        }
        match byte {
            b'"' => self.is_in_string = true,
            b',' | b':' => self.token_bytes = 0,
            b'[' | b'{' => {
                self.token_bytes = 0;
                self.depth += 1;
            }
            b']' | b'}' => {
                self.token_bytes = 0;
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
        if self.depth > MAX_DEPTH {
            let reason = format!("more than {MAX_DEPTH} lists and objects inside each other");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(text: &[u8]) -> io::Result<u64> {
        io::copy(&mut BoundedJson::new(text), &mut io::sink())
    }

    #[test]
    fn long_tokens_and_deep_nesting_end_the_reading_wherever_quotes_stand() {
        let sound = br#"{"a\\": ["\"[[[[", -1.5e3, {}, []], "b": "x"}"#;
        assert_eq!(passed(sound).unwrap(), sound.len() as u64);
        let len = MAX_TOKEN_BYTES as usize;
        for start in [&b"[\""[..], b"[\"\\\"", b"[1", b"[\"\\\\\\\"[,"] {
            let long = [start, &vec![b'5'; len]].concat();
            let reason = passed(&long).unwrap_err().to_string();
            assert!(reason.contains("16777216 bytes"), "{reason}");
        }
        let escapes = [&b"[\""[..], &b"\\\"".repeat(len / 2 + 1)].concat();
        assert!(passed(&escapes).is_err());
        assert!(passed(&b"[".repeat(100)).is_ok());
        let reason = passed(&b"[{".repeat(51)).unwrap_err().to_string();
        assert!(reason.contains("more than 100"), "{reason}");
        // Many lists beside each other are not nested.
        assert!(passed(&b"[],".repeat(1000)).is_ok());
    }
}
