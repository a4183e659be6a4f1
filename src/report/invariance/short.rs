//! Names that have no room: their beginning and their end, where names of checkpoints differ.

use unicode_width::UnicodeWidthChar;

/// Columns that a name takes in a terminal, letters of usual width on a page.
pub(super) fn width_of(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// `name` where it is no wider than `width`; else its two ends around `gap`.
pub(super) fn shortened(name: &str, width: usize, gap: &str) -> String {
    if width_of(name) <= width {
        return name.to_owned();
    }
    let room = width.saturating_sub(width_of(gap));
    let start = fitting(name.chars(), room.div_ceil(2));
    let end: String = fitting(name.chars().rev(), room / 2)
        .chars()
        .rev()
        .collect();
    format!("{start}{gap}{end}")
}

fn fitting(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = 0;
    let fits = |it: &char| {
        taken += it.width().unwrap_or(0);
        taken <= width
    };
    chars.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_two_ends() {
        assert_eq!(
            shortened("runs/long/name/epoch-200", 12, ".."),
            "runs/..h-200"
        );
        assert_eq!(shortened("short", 12, ".."), "short");
        assert_eq!(width_of(&shortened("視点視点視点視点視点", 12, "…")), 11);
    }
}
