//! Random seeds that depend only on the seed of the run and on what they are for.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::Xxh3;

/// Random seed of a run, or of one of its steps for one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(u64);

impl Seed {
    /// Seed of a run, as stated in the pipeline file.
    pub fn of_run(seed: u64) -> Self {
        Self(seed)
    }

    /// Seed of the step `step` for the item `id`, such as a clip. It does not depend on order or threads.
    pub fn for_step(self, step: &str, id: &str) -> Self {
        let mut hash = Xxh3::with_seed(self.0);
        // Lengths first, so that ("ab", "c") and ("a", "bc") differ.
        for part in [step, id] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.digest())
    }

    /// Seed of the `view`-th augmented view of record `record` in epoch `epoch`. It does not depend on order or
    /// threads, so a single training step can be repeated.
    pub fn for_view(self, epoch: u64, record: u64, view: u32) -> Self {
        let mut hash = Xxh3::with_seed(self.0);
        hash.update(b"view");
        hash.update(&epoch.to_le_bytes());
        hash.update(&record.to_le_bytes());
        hash.update(&view.to_le_bytes());
        Self(hash.digest())
    }

    /// Random generator that starts from this seed.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_equal_for_equal_run_step_and_clip_and_differ_otherwise() {
        let seed = |run, step, id| Seed::of_run(run).for_step(step, id);
        assert_eq!(seed(0, "sample", "a"), seed(0, "sample", "a"));
        let all = [
            seed(0, "sample", "a"),
            seed(1, "sample", "a"),
            seed(0, "track", "a"),
            seed(0, "sample", "b"),
            seed(0, "samplea", ""),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn seeds_of_views_are_equal_for_equal_arguments_and_differ_otherwise() {
        let seed = |run, epoch, record, view| Seed::of_run(run).for_view(epoch, record, view);
        assert_eq!(seed(7, 1, 2, 3), seed(7, 1, 2, 3));
        let all = [
            seed(7, 1, 2, 3),
            seed(8, 1, 2, 3),
            seed(7, 2, 1, 3),
            seed(7, 1, 3, 2),
            seed(7, 1, 2, 0),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }
}
