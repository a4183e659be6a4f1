//! Which images are asked about where not all are.

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// At most `most` of the places `0..len`, ascending; all where `most` is 0.
///
/// One place of each of `most` equal stretches. Where in its stretch goes round by the golden ratio: the middles would
/// be a whole number of images apart, and with 72 views of each object always the same few views.
pub(super) fn spread(len: usize, most: usize) -> impl Iterator<Item = usize> {
    let num = if most == 0 { len } else { most.min(len) };
    let (len, wide) = (len as u128, num as u128);
    (0..num as u64).map(move |stretch| {
        let bound = |stretch: u64| u128::from(stretch) * len / wide;
        let (start, end) = (bound(stretch), bound(stretch + 1));
        let inside = u128::from(stretch.wrapping_mul(GOLDEN)) * (end - start);
        (start + (inside >> 64)) as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_images_are_asked_about_where_the_ceiling_allows() {
        let all: Vec<usize> = (0..7).collect();
        for most in [0, 7, 8] {
            assert_eq!(spread(7, most).collect::<Vec<_>>(), all);
        }
        assert_eq!(spread(0, 10).count(), 0);
    }

    #[test]
    fn queries_are_spread_over_images_and_over_the_views_of_each_object() {
        let (num_objects, num_views, most) = (1000, 72, 1000);
        let queries: Vec<usize> = spread(num_objects * num_views, most).collect();
        assert!(queries.is_sorted_by(|a, b| a < b));
        let mut times = vec![0; num_views];
        for query in &queries {
            times[query % num_views] += 1;
        }
        // 1000 / 72 is 13.9.
        assert!(
            times.iter().all(|times| (10..=18).contains(times)),
            "{times:?}"
        );
    }
}
