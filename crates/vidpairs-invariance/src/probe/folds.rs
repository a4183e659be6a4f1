//! Divides images into folds for cross-validation, stratified and by a seed.

use rand::seq::SliceRandom;
use vidpairs_types::Seed;

/// Fold of each image: cross-validation trains on all other folds and judges on this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    of_image: Vec<usize>,
    num_folds: usize,
}

impl Folds {
    /// Draws `num_folds` folds so that the images of each stratum are spread evenly: the numbers of images of one stratum, and the numbers of
    /// all images, differ between folds by at most one. Which images share a fold is drawn from `seed`, within each stratum.
    ///
    /// - `strata`: stratum of each image, its class for example; any numbers.
    /// - `num_folds`: 0 is taken as 1.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_invariance::probe::folds::Folds;
    /// use vidpairs_types::Seed;
    ///
    /// let folds = Folds::stratified(&[0, 0, 0, 0, 0, 0, 1, 1, 1], 3, Seed::of_run(0));
    /// for fold in 0..3 {
    ///     assert_eq!(folds.held_out(fold).filter(|&image| image < 6).count(), 2);
    ///     assert_eq!(folds.held_out(fold).filter(|&image| image >= 6).count(), 1);
    /// }
    /// ```
    pub fn stratified(strata: &[usize], num_folds: usize, seed: Seed) -> Self {
        let num_folds = num_folds.max(1);
        let mut images: Vec<usize> = (0..strata.len()).collect();
        images.shuffle(&mut seed.for_step("folds", "").rng());
        images.sort_by_key(|&image| strata[image]);
        let mut of_image = vec![0; strata.len()];
        for (place, image) in images.into_iter().enumerate() {
            of_image[image] = place % num_folds;
        }
        Self {
            of_image,
            num_folds,
        }
    }

    /// Folds that are given: `of_image[image]` is the fold of each image.
    pub fn given(of_image: Vec<usize>) -> Self {
        let num_folds = of_image.iter().max().map_or(1, |last| last + 1);
        Self {
            of_image,
            num_folds,
        }
    }

    /// Number of folds, at least 1.
    pub fn num_folds(&self) -> usize {
        self.num_folds
    }

    /// Number of images.
    pub fn num_images(&self) -> usize {
        self.of_image.len()
    }

    /// Images of the fold, ascending.
    pub fn held_out(&self, fold: usize) -> impl Iterator<Item = usize> + '_ {
        self.images(move |of_image| of_image == fold)
    }

    /// Images of the other folds, ascending.
    pub fn training(&self, fold: usize) -> impl Iterator<Item = usize> + '_ {
        self.images(move |of_image| of_image != fold)
    }

    fn images<'a>(
        &'a self,
        takes: impl Fn(usize) -> bool + 'a,
    ) -> impl Iterator<Item = usize> + 'a {
        let images = self.of_image.iter().enumerate();
        images.filter_map(move |(image, &fold)| takes(fold).then_some(image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stratum_and_all_images_are_spread_over_the_folds_within_one() {
        let strata: Vec<usize> = (0..101).map(|image| (image * 7 % 10).min(4)).collect();
        for num_folds in [2, 3, 5] {
            let folds = Folds::stratified(&strata, num_folds, Seed::of_run(3));
            let counts = |takes: &dyn Fn(usize) -> bool| -> Vec<usize> {
                (0..num_folds)
                    .map(|fold| folds.held_out(fold).filter(|&image| takes(image)).count())
                    .collect()
            };
            for stratum in 0..5 {
                let counts = counts(&|image| strata[image] == stratum);
                assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
            }
            let counts = counts(&|_| true);
            assert_eq!(counts.iter().sum::<usize>(), 101);
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn a_seed_decides_the_folds_and_another_gives_others() {
        let strata = vec![0; 40];
        let of = |seed| Folds::stratified(&strata, 3, Seed::of_run(seed));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn each_image_is_held_out_once_and_trained_on_otherwise() {
        let folds = Folds::given(vec![2, 0, 1, 0]);
        assert_eq!(folds.num_folds(), 3);
        assert_eq!(folds.held_out(0).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(folds.training(0).collect::<Vec<_>>(), [0, 2]);
    }
}
