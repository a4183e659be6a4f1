//! Draws random tensors from seeds. libtorch's generator is not used: its state is shared by all threads.

use rand::RngExt;
use rand_distr::StandardNormal;
use tch::Tensor;
use vidpairs_types::Seed;

/// Tensor of `shape` drawn from N(0, 1), f32 on the CPU. It depends on `seed` only.
pub fn normal(seed: Seed, shape: &[i64]) -> Tensor {
    filled(shape, seed.rng().sample_iter::<f32, _>(StandardNormal))
}

/// Tensor of `shape` drawn uniformly from -1 to below 1, f32 on the CPU. It depends on `seed` only.
pub(super) fn uniform(seed: Seed, shape: &[i64]) -> Tensor {
    let mut rng = seed.rng();
    filled(
        shape,
        std::iter::repeat_with(|| rng.random_range(-1f32..1.0)),
    )
}

fn filled(shape: &[i64], numbers: impl Iterator<Item = f32>) -> Tensor {
    let count = usize::try_from(shape.iter().product::<i64>()).expect("sides are not negative");
    let numbers: Vec<f32> = numbers.take(count).collect();
    Tensor::from_slice(&numbers).view(shape)
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    fn mean_and_std(numbers: &Tensor) -> (f64, f64) {
        let numbers = numbers.to_kind(Kind::Double);
        let mean = numbers.mean(None);
        (mean.double_value(&[]), numbers.std(false).double_value(&[]))
    }

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let drawn = normal(Seed::of_run(1), &[100, 10, 10]);
        assert_eq!(drawn.size(), [100, 10, 10]);
        let (mean, std) = mean_and_std(&drawn);
        // Four standard errors of 10,000 numbers.
        assert!(
            mean.abs() < 0.04 && (std - 1.0).abs() < 0.03,
            "{mean} {std}"
        );
    }

    #[test]
    fn uniform_numbers_cover_the_range() {
        let drawn = uniform(Seed::of_run(1), &[10_000]);
        let (mean, std) = mean_and_std(&drawn);
        assert!(
            mean.abs() < 0.025 && (std - 3f64.sqrt().recip()).abs() < 0.01,
            "{mean} {std}"
        );
        let (least, most) = (drawn.min().double_value(&[]), drawn.max().double_value(&[]));
        assert!(
            (-1.0..-0.99).contains(&least) && (0.99..1.0).contains(&most),
            "{least} {most}"
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        let first = normal(Seed::of_run(1), &[3, 4]);
        let other = normal(Seed::of_run(2), &[3, 4]);
        assert!(normal(Seed::of_run(1), &[3, 4]).equal(&first) && !other.equal(&first));
    }
}
