//! The order in which people expect numbered names.

use std::cmp::Ordering;

/// Compares two names so that runs of digits count as numbers: `2.png` before `10.png`.
///
/// All else is compared by its bytes. Names that differ in leading zeros alone (`2`, `02`) are in the
/// order of their bytes, so that only equal names are equal.
///
/// # Examples
/// ```
/// use vidpairs_types::natural_order;
///
/// let mut names = ["10.png", "2.png", "b", "1.png"];
/// names.sort_by(|a, b| natural_order(a, b));
/// assert_eq!(names, ["1.png", "2.png", "10.png", "b"]);
/// ```
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (number_a, number_b) = (digits(rest_a), digits(rest_b));
        let order = if number_a.is_empty() || number_b.is_empty() {
            match (rest_a.split_first(), rest_b.split_first()) {
                (Some((byte_a, after_a)), Some((byte_b, after_b))) => {
                    (rest_a, rest_b) = (after_a, after_b);
                    byte_a.cmp(byte_b)
                }
                // One is the beginning of the other, or what differs was leading zeros.
                _ => return rest_a.len().cmp(&rest_b.len()).then_with(|| a.cmp(b)),
            }
        } else {
            rest_a = rest_a.get(number_a.len()..).unwrap_or_default();
            rest_b = rest_b.get(number_b.len()..).unwrap_or_default();
            let (number_a, number_b) = (significant(number_a), significant(number_b));
            // Of any length: no number is too large.
            (number_a.len(), number_a).cmp(&(number_b.len(), number_b))
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The digits that `text` begins with.
fn digits(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn significant(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers_wherever_they_stand() {
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
    fn leading_zeros_decide_only_where_nothing_else_does() {
        assert!(natural_order("01", "1").is_lt());
        assert!(natural_order("1a", "01b").is_lt());
        assert!(natural_order("01b", "1a").is_gt());
        assert!(natural_order("000", "0").is_gt()); // "0" begins "000"
        assert!(natural_order("x7", "x7").is_eq());
    }
}
