//! Rounds double-precision features to single precision, and finds units that lose what tells images apart.

/// Largest root mean square of the rounding errors of a unit, as a share of its standard deviation.
const MAX_LOSS: f64 = 1e-3;
/// Standard deviation over mean below which a unit is constant but for the rounding of double precision.
const CONSTANT: f64 = 1e-12;

/// Sums of one unit's values, relative to its first, and of its rounding errors.
#[derive(Debug, Clone, Copy, Default)]
struct Unit {
    first: Option<f64>,
    sum: f64,
    sum_squares: f64,
    sum_squared_errors: f64,
}

/// Rounds the values of units and keeps account of what is lost.
#[derive(Debug)]
pub(super) struct Rounding {
    units: Vec<Unit>,
}

/// A unit that single precision cannot represent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LostUnit {
    pub unit: usize,
    pub mean: f64,
    pub deviation: f64,
}

impl Rounding {
    pub fn new(num_units: usize) -> Self {
        Self {
            units: vec![Unit::default(); num_units],
        }
    }

    /// Rounds a value of unit `unit` to nearest.
    pub fn round(&mut self, unit: usize, value: f64) -> f32 {
        let rounded = value as f32;
        if let Some(unit) = self.units.get_mut(unit) {
            let apart = value - *unit.first.get_or_insert(value);
            unit.sum += apart;
            unit.sum_squares += apart * apart;
            unit.sum_squared_errors += (value - f64::from(rounded)).powi(2);
        }
        rounded
    }

    /// First unit whose values differ by too little for single precision, if there is one.
    ///
    /// - `num_rows`: number of values of each unit.
    pub fn lost(&self, num_rows: usize) -> Option<LostUnit> {
        let num = num_rows as f64;
        self.units.iter().enumerate().find_map(|(index, unit)| {
            let apart = unit.sum / num;
            let mean = unit.first? + apart;
            let deviation = (unit.sum_squares / num - apart * apart).max(0.0).sqrt();
            let loss = (unit.sum_squared_errors / num).sqrt();
            // Values that underflow in single precision count as zeros, as in every program that computes with it.
            let is_lost = loss > MAX_LOSS * deviation
                && deviation > (CONSTANT * mean.abs()).max(f64::from(f32::MIN_POSITIVE));
            is_lost.then_some(LostUnit {
                unit: index,
                mean,
                deviation,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(values: impl Iterator<Item = f64>) -> Option<LostUnit> {
        let mut rounding = Rounding::new(1);
        let num = values.map(|value| rounding.round(0, value)).count();
        rounding.lost(num)
    }

    #[test]
    fn a_unit_is_lost_if_its_values_differ_by_less_than_single_precision_holds() {
        let drawn = || (0..1000).map(|at| f64::from(at * 7919 % 1009) / 504.5 - 1.0);
        for offset in [0.0, 1.0, -1e3] {
            assert_eq!(lost(drawn().map(|value| value + offset)), None, "{offset}");
        }
        for offset in [1e6, -1e9, 1e11] {
            let lost = lost(drawn().map(|value| value + offset)).unwrap();
            assert!((lost.mean - offset).abs() < 0.1, "{lost:?}");
            assert!((lost.deviation - 0.577).abs() < 0.01, "{lost:?}");
        }
    }

    #[test]
    fn a_constant_unit_and_one_of_single_precision_lose_nothing() {
        assert_eq!(lost(std::iter::repeat_n(0.1, 10)), None);
        assert_eq!(lost((0..10).map(|at| 0.1 + f64::from(at) * 1e-17)), None);
        let single = (0..10).map(|at| f64::from((1e8 + f64::from(at) * 64.0) as f32));
        assert_eq!(lost(single), None);
    }
}
