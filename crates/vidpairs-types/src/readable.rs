//! Writes numbers for people.

/// The shortest text that reads back as `number`: `0.07`, `1000`; scientific below 1e-4 and from 1e6 on, `1e-30`, `2.5e6`.
///
/// # Examples
/// ```
/// use vidpairs_types::readable;
///
/// let numbers = [0.0, 0.07, -2.0, 1e-4, 9.5e-5, 1e-30, 999_999.5, 1e6, -1.25e300, f64::INFINITY];
/// let texts = ["0", "0.07", "-2", "0.0001", "9.5e-5", "1e-30", "999999.5", "1e6", "-1.25e300", "inf"];
/// assert_eq!(numbers.map(readable), texts);
/// ```
pub fn readable(number: f64) -> String {
    match number.abs() {
        size if size > 0.0 && size.is_finite() && !(1e-4..1e6).contains(&size) => {
            format!("{number:e}")
        }
        _ => number.to_string(),
    }
}
