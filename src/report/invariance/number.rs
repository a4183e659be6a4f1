//! Numbers as people read them, and places on an axis from 0 to 100 %.

use super::view::Estimate;

/// What is written for a number that is not known.
pub(super) const UNKNOWN: &str = "–";

/// The number, if it is one.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl Estimate {
    /// The value, if it is a number.
    pub(super) fn known(&self) -> Option<f64> {
        finite(self.value)
    }

    /// The interval, if both ends are numbers and in order.
    pub(super) fn ends(&self) -> Option<[f64; 2]> {
        self.interval
            .filter(|[low, high]| low <= high && (high - low).is_finite())
    }
}

/// `42.1`.
pub(super) fn tenth(value: Option<f64>) -> String {
    let known = value.and_then(finite);
    known.map_or_else(
        || UNKNOWN.to_owned(),
        |it| unsigned_zero(format!("{it:.1}")),
    )
}

/// A level near 0 keeps two digits that say something: `0.10`, `0.001`.
pub(super) fn level(value: Option<f64>) -> String {
    match value.and_then(finite) {
        Some(it) if it > 0.0 && it < 0.01 => format!("{it:.3}"),
        Some(it) if it > 0.0 && it < 1.0 => format!("{it:.2}"),
        it => tenth(it),
    }
}

/// `[40.3, 44.0]`; nothing where it is not known.
pub(super) fn interval(ends: Option<[f64; 2]>) -> Option<String> {
    ends.map(|[low, high]| format!("[{}, {}]", tenth(Some(low)), tenth(Some(high))))
}

/// `+3.2`, with a minus that is as wide as the plus.
pub(super) fn signed(value: Option<f64>) -> String {
    match value.and_then(finite) {
        Some(it) if unsigned_zero(format!("{it:.1}")) == "0.0" => "0.0".to_owned(),
        Some(it) => format!("{it:+.1}").replace('-', "\u{2212}"),
        None => UNKNOWN.to_owned(),
    }
}

/// Without a tenth that says nothing: `100`, not `100.0`.
pub(super) fn whole(number: String) -> String {
    number
        .strip_suffix(".0")
        .map(str::to_owned)
        .unwrap_or(number)
}

/// `72,000`.
pub(super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 class`, `80 classes`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// A place on an axis whose ends are 0 and 100 %, for an SVG that is as wide as its box.
pub(super) fn along(percent: f64) -> String {
    format!("{:.2}%", percent.clamp(0.0, 100.0))
}

fn unsigned_zero(text: String) -> String {
    match text.as_str() {
        "-0.0" => "0.0".to_owned(),
        _ => text,
    }
}

/// `count` of `items`, as evenly as can be, the first among them.
pub(super) fn evenly<T>(items: &[T], count: usize) -> Vec<&T> {
    let count = count.min(items.len());
    (0..count)
        .filter_map(|it| items.get(it * items.len() / count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_a_dash() {
        assert_eq!(
            (tenth(Some(f64::NAN)), signed(None)),
            ("–".into(), "–".into())
        );
        let broken = Estimate {
            value: f64::INFINITY,
            interval: Some([1.0, f64::NAN]),
        };
        assert_eq!((broken.known(), broken.ends()), (None, None));
    }

    #[test]
    fn nothing_is_neither_more_nor_less() {
        assert_eq!(tenth(Some(-0.04)), "0.0");
        assert_eq!(
            (signed(Some(0.04)), signed(Some(-0.04))),
            ("0.0".into(), "0.0".into())
        );
        assert_eq!(signed(Some(-3.25)), "\u{2212}3.2");
    }

    #[test]
    fn a_small_chance_is_not_written_as_none() {
        assert_eq!(level(Some(0.1)), "0.10");
        assert_eq!(level(Some(0.0012)), "0.001");
        assert_eq!(level(Some(14.52)), "14.5");
    }

    #[test]
    fn some_are_chosen_evenly_and_never_more_than_there_are() {
        assert_eq!(evenly(&[0, 1, 2, 3, 4, 5, 6], 3), [&0, &2, &4]);
        assert_eq!(evenly(&[0, 1], 5), [&0, &1]);
        assert_eq!(evenly::<u8>(&[], 5), Vec::<&u8>::new());
        assert_eq!(evenly(&[1], 0), Vec::<&u8>::new());
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 72_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "72,000", "1,234,567"]
        );
    }
}
