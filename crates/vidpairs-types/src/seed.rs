//! Randomness that depends on the run's seed, the clip and the step alone.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::Xxh3;

/// The seed of one step for one clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(u64);

impl Seed {
    /// The seed of a run, as the pipeline file states it.
    pub fn of_run(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed of `step` for the thing named `id` (a clip, say). Neither order nor thread enters.
    pub fn for_step(self, step: &str, id: &str) -> Self {
        let mut hash = Xxh3::with_seed(self.0);
        // Lengths first, so that ("ab", "c") and ("a", "bc") differ.
        for part in [step, id] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.digest())
    }

    /// The seed of one view: of the `view`-th image that is made of record `record` in `epoch`. Neither order nor
    /// thread enters, so that a step of training can be made again alone.
    pub fn for_view(self, epoch: u64, record: u64, view: u32) -> Self {
        let mut hash = Xxh3::with_seed(self.0);
        hash.update(b"view");
        hash.update(&epoch.to_le_bytes());
        hash.update(&record.to_le_bytes());
        hash.update(&view.to_le_bytes());
        Self(hash.digest())
    }

    /// A generator that starts from this seed.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_between_runs_steps_and_clips_and_repeat_for_the_same_three() {
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
    fn views_have_seeds_of_their_own_that_repeat() {
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
