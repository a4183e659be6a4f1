//! Natural order of numbered names.

use std::cmp::Ordering;

/// Compares two names so that runs of digits count as numbers: `2.png` comes before `10.png`.
///
/// Everything else is compared byte by byte. Names that differ only in leading zeros (`2`, `02`) are ordered by their
/// bytes, so only equal names compare as equal.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    parts(a).cmp(parts(b)).then_with(|| a.cmp(b))
}

/// Bytes and numbers of a name. A number is a zero, the number of its digits, and the digits, without leading zeros; it
/// may have any length.
fn parts(name: &str) -> impl Iterator<Item = (u8, usize, &[u8])> {
    let are_digits = |a: &u8, b: &u8| a.is_ascii_digit() && b.is_ascii_digit();
    name.as_bytes().chunk_by(are_digits).map(|part| {
        if !part[0].is_ascii_digit() {
            return (part[0], 0, &part[..0]);
        }
        let num_zeros = part.iter().take_while(|&&digit| digit == b'0').count();
        let digits = &part[num_zeros..];
        (b'0', digits.len(), digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_digits_are_compared_as_numbers_anywhere_in_the_name() {
        let sorted = [
            "",
            "0",
            "1",
            "02",
            "2",
            "2.png",
            "10.png",
            "a",
            "a1b2",
            "a1b10",
            "a2",
            "a99999999999999999999999",
            "a100000000000000000000000",
            "aa",
            "é3",
            "é20",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(natural_order(a, b), i.cmp(&j), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn leading_zeros_decide_only_between_otherwise_equal_names() {
        assert!(natural_order("01", "1").is_lt());
        assert!(natural_order("1a", "01b").is_lt());
        assert!(natural_order("01b", "1a").is_gt());
        assert!(natural_order("000", "0").is_gt());
        assert!(natural_order("x7", "x7").is_eq());
    }
}
