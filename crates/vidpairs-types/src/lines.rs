//! Reads lines of bounded length.

use std::io::{self, BufRead, ErrorKind};

/// Result of [`next_line`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextLine {
    /// A line. It ends with a line feed, unless the file ends without one.
    Line,
    /// A line that is longer than allowed: it was passed over.
    TooLong,
    /// There are no more lines.
    End,
}

/// Reads the next line into `line`, which is emptied first. A file without line feeds takes no more memory than one line.
///
/// - `max_bytes`: most bytes of a line, its line feed included.
///
/// # Errors
/// Those of `reader`.
pub fn next_line(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
    max_bytes: usize,
) -> io::Result<NextLine> {
    line.clear();
    let mut found = NextLine::End;
    loop {
        let bytes = match reader.fill_buf() {
            Err(err) if err.kind() == ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let len = end.map_or(bytes.len(), |at| at + 1);
        if len == 0 {
            return Ok(found);
        }
        if found != NextLine::TooLong && line.len() + len <= max_bytes {
            line.extend(bytes.iter().take(len));
            found = NextLine::Line;
        } else {
            line.clear();
            found = NextLine::TooLong;
        }
        reader.consume(len);
        if end.is_some() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn lines_up_to_the_limit_are_read_and_longer_ones_passed_over() {
        let text = b"ab\n\n12345\n123456\nlast";
        for capacity in 1..30 {
            let mut reader = BufReader::with_capacity(capacity, &text[..]);
            let mut line = Vec::new();
            let mut read = || {
                let found = next_line(&mut reader, &mut line, 6).unwrap();
                (found, String::from_utf8(line.clone()).unwrap())
            };
            let whole = |text: &str| (NextLine::Line, text.to_owned());
            assert_eq!(read(), whole("ab\n"));
            assert_eq!(read(), whole("\n"));
            assert_eq!(read(), whole("12345\n"));
            assert_eq!(read(), (NextLine::TooLong, String::new()));
            assert_eq!(read(), whole("last"));
            assert_eq!(read(), (NextLine::End, String::new()));
        }
    }
}
