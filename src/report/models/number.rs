//! Formats numbers, positions on an axis from 0 to 100 %, and names.

use indicatif::HumanCount;
use unicode_width::UnicodeWidthChar;
use vidpairs_invariance::run::Figure;

/// Text for an unknown number.
pub(in crate::report) const UNKNOWN: &str = "–";

/// The number, if it is finite.
pub(in crate::report) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The value of a figure, if it is finite.
pub(in crate::report) fn known(figure: Figure) -> Option<f64> {
    finite(figure.value)
}

/// The interval, if its ends are finite and in order.
pub(in crate::report) fn ends(interval: Option<[f64; 2]>) -> Option<[f64; 2]> {
    interval.filter(|[low, high]| low <= high && (high - low).is_finite())
}

/// One decimal: `42.1`.
pub(in crate::report) fn tenth(value: Option<f64>) -> String {
    let text = value.and_then(finite).map(|value| format!("{value:.1}"));
    match text.as_deref() {
        None => UNKNOWN.to_owned(),
        Some("-0.0") => "0.0".to_owned(),
        Some(text) => text.to_owned(),
    }
}

/// As [`tenth`], with more decimals near 0: `0.10`, `0.001`.
pub(in crate::report) fn level(value: Option<f64>) -> String {
    match value.and_then(finite) {
        Some(value) if value > 0.0 && value < 0.01 => format!("{value:.3}"),
        Some(value) if value > 0.0 && value < 1.0 => format!("{value:.2}"),
        value => tenth(value),
    }
}

/// `[40.3, 44.0]`; none if the interval is unknown.
pub(in crate::report) fn interval(interval: Option<[f64; 2]>) -> Option<String> {
    let [low, high] = ends(interval)?;
    Some(format!("[{}, {}]", tenth(Some(low)), tenth(Some(high))))
}

/// With its sign: `+3.2`. The minus is as wide as the plus.
pub(in crate::report) fn signed(value: Option<f64>) -> String {
    match (value.and_then(finite), tenth(value).as_str()) {
        (None, unknown) => unknown.to_owned(),
        (Some(_), "0.0") => "0.0".to_owned(),
        (Some(value), _) => format!("{value:+.1}").replace('-', "\u{2212}"),
    }
}

/// Without a decimal of 0: `100`, not `100.0`.
pub(in crate::report) fn whole(number: &str) -> &str {
    number.strip_suffix(".0").unwrap_or(number)
}

/// `72,000`.
pub(in crate::report) fn grouped(count: usize) -> HumanCount {
    HumanCount(count as u64)
}

/// `1 class`, `80 classes`.
pub(in crate::report) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// Position on an axis from 0 to 100 %, for an SVG as wide as its box.
pub(in crate::report) fn along(percent: f64) -> String {
    format!("{:.2}%", percent.clamp(0.0, 100.0))
}

/// At most `count` of `items`, evenly spaced, the first among them.
pub(in crate::report) fn evenly<T>(items: &[T], count: usize) -> Vec<&T> {
    let count = count.min(items.len());
    (0..count)
        .map(|index| &items[index * items.len() / count])
        .collect()
}

/// Width of a text, in columns of a terminal or letters of usual width.
pub(in crate::report) fn width_of(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// `name` if it is no wider than `width`; else its two ends, where names of checkpoints differ, around `gap`.
pub(in crate::report) fn shortened(name: &str, width: usize, gap: &str) -> String {
    if width_of(name) <= width {
        return name.to_owned();
    }
    let room = width.saturating_sub(width_of(gap));
    let start = fitting(name.chars(), room.div_ceil(2));
    let end = fitting(name.chars().rev(), room / 2);
    let end: String = end.chars().rev().collect();
    format!("{start}{gap}{end}")
}

fn fitting(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or(0);
        taken <= width
    };
    chars.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_finite_is_a_dash() {
        assert_eq!(
            (tenth(Some(f64::NAN)), signed(None)),
            ("–".into(), "–".into())
        );
        let broken = Figure {
            value: f64::INFINITY,
            interval: Some([1.0, f64::NAN]),
        };
        assert_eq!((known(broken), ends(broken.interval)), (None, None));
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(tenth(Some(-0.04)), "0.0");
        assert_eq!(
            (signed(Some(0.04)), signed(Some(-0.04))),
            ("0.0".into(), "0.0".into())
        );
        assert_eq!(signed(Some(-3.25)), "\u{2212}3.2");
    }

    #[test]
    fn a_small_chance_is_not_written_as_0() {
        assert_eq!(level(Some(0.1)), "0.10");
        assert_eq!(level(Some(0.0012)), "0.001");
        assert_eq!(level(Some(14.52)), "14.5");
    }

    #[test]
    fn items_are_chosen_evenly_and_never_more_than_there_are() {
        assert_eq!(evenly(&[0, 1, 2, 3, 4, 5, 6], 3), [&0, &2, &4]);
        assert_eq!(evenly(&[0, 1], 5), [&0, &1]);
        assert_eq!(evenly::<u8>(&[], 5), Vec::<&u8>::new());
        assert_eq!(evenly(&[1], 0), Vec::<&u8>::new());
    }

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
