//! Means over seeds, with Student's interval.
//!
//! **Takes** one value for each seed. **Gives** an [`OverSeeds`]. **Fails** never. **Source**: Student's t distribution; its quantiles
//! beyond the table by Abramowitz and Stegun, 26.7.5.

/// 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom.
const T_QUANTILES: [f64; 9] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262,
];
/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A mean over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct OverSeeds {
    pub mean: f64,
    /// 95 % interval of the mean; `None` for one seed.
    pub interval: Option<[f64; 2]>,
}

impl OverSeeds {
    /// Mean and interval of finite values; `None` without a value.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let num = values.len();
        let mean = values.iter().sum::<f64>() / num as f64;
        let interval = (num > 1).then(|| {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            let error = (squares / (num - 1) as f64 / num as f64).sqrt();
            let margin = t_quantile(num - 1) * error;
            [mean - margin, mean + margin]
        });
        Some(Self { mean, interval })
    }
}

/// 97.5 % quantile of Student's t; beyond the table within 0.001.
///
/// - `degrees`: degrees of freedom, from 1.
fn t_quantile(degrees: usize) -> f64 {
    if let Some(quantile) = T_QUANTILES.get(degrees - 1) {
        return *quantile;
    }
    let n = degrees as f64;
    let terms = [
        Z,
        (Z.powi(3) + Z) / 4.0,
        (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
        (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
    ];
    terms
        .into_iter()
        .rev()
        .fold(0.0, |sum, term| sum / n + term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // As printed in statistical tables.
        for (degrees, expected) in [
            (1, 12.7062),
            (2, 4.3027),
            (9, 2.2622),
            (10, 2.2281),
            (30, 2.0423),
            (200, 1.9719),
        ] {
            let quantile = t_quantile(degrees);
            assert!((quantile - expected).abs() < 0.001, "{degrees}: {quantile}");
        }
    }

    #[test]
    fn the_interval_is_that_of_a_t_test_and_one_seed_has_none() {
        // Python 3.11: fmean -+ 4.302653 * stdev / sqrt(3) of 40, 44, 45.
        let OverSeeds { mean, interval, .. } = OverSeeds::of(&[40.0, 44.0, 45.0]).unwrap();
        let [low, high] = interval.unwrap();
        assert!((mean - 43.0).abs() < 1e-9, "{mean}");
        assert!((low - 36.4276).abs() < 0.001 && (high - 49.5724).abs() < 0.001);
        assert_eq!(OverSeeds::of(&[40.0]).unwrap().interval, None);
        assert_eq!(OverSeeds::of(&[]), None);
    }
}
