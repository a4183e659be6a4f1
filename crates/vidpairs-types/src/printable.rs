//! Makes text of strangers safe to print: file names, values of JSON files, messages of libraries.

use std::borrow::Cow;
use std::fmt::Write;

/// Text of more characters is cut.
const MAX_CHARS: usize = 2000;

/// The text with escapes in place of characters that a terminal obeys or hides: control characters (`\u{1b}`, `\n`, `\t`), controls
/// of the writing direction, and invisible characters. Text of more than 2,000 characters is cut in the middle, and the number of
/// characters left out is written there.
///
/// Text that is printable already is returned as it is.
pub fn printable(text: &str) -> Cow<'_, str> {
    // A character has at least one byte.
    let num_chars = match text.len() > MAX_CHARS {
        true => text.chars().count(),
        false => 0,
    };
    if num_chars > MAX_CHARS {
        let half = MAX_CHARS / 2;
        let starts = |nth: usize| text.char_indices().nth(nth).map_or(0, |(at, _)| at);
        let (head, tail) = (&text[..starts(half)], &text[starts(num_chars - half)..]);
        let left_out = num_chars - 2 * half;
        return Cow::Owned(format!(
            "{}[... {left_out} of {num_chars} characters left out ...]{}",
            escaped(head),
            escaped(tail)
        ));
    }
    escaped(text)
}

fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' | '\r' | '\t' => safe.extend(char.escape_default()),
            char if is_unprintable(char) => {
                let _ = write!(safe, "{}", char.escape_unicode()); // A String takes all.
            }
            char => safe.push(char),
        }
    }
    Cow::Owned(safe)
}

/// Control characters, line separators, controls of the writing direction (Unicode's Bidi_Control), and characters of no width that no
/// script needs. The joiners U+200C and U+200D stay: some scripts and emoji need them.
fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_of_any_script_stays_as_it_is() {
        for text in [
            "",
            "clips/a b.mp4",
            "żółw 観覧車 שלום",
            "नी\u{200d}",
            "👩\u{200d}🔬",
            r"C:\new",
        ] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_a_terminal_obeys_or_hides_is_shown_as_escapes() {
        for (text, shown) in [
            ("\u{1b}[2J\u{7}", r"\u{1b}[2J\u{7}"),
            ("a\nvidpairs: done\r\t", r"a\nvidpairs: done\r\t"),
            ("\u{9b}31m\u{7f}\0", r"\u{9b}31m\u{7f}\u{0}"),
            ("gnp.\u{202e}mp4\u{2066}", r"gnp.\u{202e}mp4\u{2066}"),
            ("\u{feff}a\u{200b}b\u{2028}", r"\u{feff}a\u{200b}b\u{2028}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn long_text_keeps_its_ends_and_tells_how_much_is_left_out() {
        let text = format!("é{}\u{1b}", "x".repeat(5000));
        let shown = printable(&text);
        assert!(shown.starts_with("éxxx"));
        assert!(shown.ends_with(r"xxx\u{1b}"));
        assert!(shown.contains("[... 3002 of 5002 characters left out ...]"));
        assert!(shown.chars().count() < 2100);
        assert_eq!(printable(&"é".repeat(2000)), "é".repeat(2000));
    }
}
