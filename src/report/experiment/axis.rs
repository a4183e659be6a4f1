//! An axis with round numbers.

/// Number of intervals between numbers that an axis has at most.
const MAX_INTERVALS: f64 = 5.0;

/// Relative difference up to which values are equal: means of equal numbers differ in their last digits.
const SAME: f64 = 1e-12;

/// Numbers from which on an axis has exponents.
const LARGE: f64 = 1e6;

/// An axis with numbers at the multiples of a round step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    first: f64,
    last: f64,
    step: f64,
}

impl Axis {
    /// The axis that holds all `values`; `None` if there are none, or their distance is not finite.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let width = high - low;
        if !width.is_finite() {
            return None;
        }
        // Equal values lie in the middle of an axis as wide as they are large.
        let (low, high) = match width > SAME * high.abs().max(low.abs()) {
            true => (low, high),
            false => match low.abs() {
                0.0 => (0.0, 1.0),
                size => (low - size / 2.0, low + size / 2.0),
            },
        };
        let step = round_up((high - low) / MAX_INTERVALS);
        let first = (low / step).floor();
        let last = (high / step).ceil().max(first + 1.0);
        let axis = Self {
            first: first * step,
            last: last * step,
            step,
        };
        // The ends of numbers beyond all measurements are not finite, and their steps are 0.
        (step.is_normal() && (axis.last - axis.first).is_normal()).then_some(axis)
    }

    /// The axis from 0 to the greatest of `values`, which need not be round; `None` as for [`of`](Self::of).
    pub fn from_0(values: impl Iterator<Item = f64>) -> Option<Self> {
        let high = values.fold(0.0, f64::max);
        let axis = Self::of([0.0, high].into_iter())?;
        Some(Self {
            last: if high > 0.0 { high } else { axis.last },
            ..axis
        })
    }

    /// The numbers on the axis.
    pub fn ticks(self) -> impl Iterator<Item = f64> {
        let intervals = ((self.last - self.first) / self.step + 1e-6).floor() as u32;
        (0..=intervals).map(move |index| self.first + f64::from(index) * self.step)
    }

    /// Position of a value, percent of the axis.
    pub fn along(self, value: f64) -> f64 {
        let share = (value - self.first) / (self.last - self.first);
        (100.0 * share).clamp(0.0, 100.0)
    }

    /// A number on the axis, with as many decimals as the step has.
    pub fn text(self, tick: f64) -> String {
        if self.step < 1e-4 {
            return if tick == 0.0 {
                "0".to_owned()
            } else {
                format!("{tick:.1e}")
            };
        }
        let largest = self.first.abs().max(self.last.abs());
        if largest >= LARGE {
            let digits = (largest.log10() - self.step.log10())
                .ceil()
                .clamp(0.0, 15.0) as usize;
            let text = format!("{tick:.digits$e}");
            return match text.split_once('e') {
                _ if tick.abs() < self.step / 2.0 => "0".to_owned(),
                Some((digits, power)) if digits.contains('.') => {
                    let digits = digits.trim_end_matches('0').trim_end_matches('.');
                    format!("{digits}e{power}")
                }
                _ => text,
            };
        }
        let decimals = (-self.step.log10().floor()).clamp(0.0, 4.0) as usize;
        let text = format!("{tick:.decimals$}");
        match text.trim_start_matches('-').trim_matches(['0', '.']) {
            "" => "0".to_owned(),
            _ => text,
        }
    }
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_up(step: f64) -> f64 {
    let power = 10.0_f64.powf(step.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|factor| factor * power);
    let fits = |candidate: &f64| *candidate >= step * (1.0 - 1e-9);
    steps.into_iter().find(fits).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[f64]) -> Vec<String> {
        let axis = Axis::of(values.iter().copied()).unwrap();
        axis.ticks().map(|tick| axis.text(tick)).collect()
    }

    #[test]
    fn an_axis_has_round_numbers_and_holds_all_values() {
        assert_eq!(texts(&[0.0, 3255.0]), ["0", "1000", "2000", "3000", "4000"]);
        assert_eq!(texts(&[0.71, 1.0]), ["0.7", "0.8", "0.9", "1.0"]);
        assert_eq!(texts(&[-0.1, 0.3]), ["-0.1", "0", "0.1", "0.2", "0.3"]);
        assert_eq!(texts(&[0.0, 1e-12])[..2], ["0", "2.0e-13"]);
        assert_eq!(texts(&[0.0, 1.2e6]), ["0", "5e5", "1e6", "1.5e6"]);
        assert_eq!(texts(&[1.0001e7, 1.0002e7])[..2], ["1.0001e7", "1.00012e7"]);
    }

    #[test]
    fn an_axis_of_steps_ends_with_the_last_step() {
        let axis = Axis::from_0([3255.0, 10.0].into_iter()).unwrap();
        assert_eq!(
            axis.ticks().collect::<Vec<_>>(),
            [0.0, 1000.0, 2000.0, 3000.0]
        );
        assert!((axis.along(3255.0) - 100.0).abs() < 1e-9);
        assert!(Axis::from_0([].into_iter()).is_some());
    }

    #[test]
    fn equal_values_have_an_axis_around_them() {
        let axis = Axis::of([2.0, 2.0].into_iter()).unwrap();
        assert!((axis.along(2.0) - 50.0).abs() < 20.0);
        let mean = Axis::of([0.8, 0.8 + 4.0 * f64::EPSILON].into_iter()).unwrap();
        assert_eq!(mean.text(mean.ticks().next().unwrap()), "0.4");
        assert!(Axis::of([0.0].into_iter()).is_some());
    }

    #[test]
    fn without_a_finite_value_there_is_no_axis() {
        assert_eq!(Axis::of([].into_iter()), None);
        assert_eq!(Axis::of([f64::INFINITY, 1.0].into_iter()), None);
        assert_eq!(Axis::of([f64::MIN, f64::MAX].into_iter()), None);
        assert_eq!(Axis::of([0.0, f64::MAX].into_iter()), None);
        assert_eq!(Axis::of([0.0, f64::MIN_POSITIVE / 1e9].into_iter()), None);
    }
}
