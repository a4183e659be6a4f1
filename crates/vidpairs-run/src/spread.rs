//! Numbers spread evenly over a range: what is shown of more than can be shown.

/// The middles of `num_stretches` equally long stretches of `0..len`.
pub fn middles(len: u64, num_stretches: u64) -> impl Iterator<Item = u64> {
    let (len, num) = (u128::from(len), u128::from(num_stretches));
    (0..num).map(move |stretch| ((2 * stretch + 1) * len / (2 * num)) as u64)
}

/// The first and the last of `0..len`, and what lies evenly between them: `num` at most, each once.
pub fn from_end_to_end(len: u64, num: u64) -> impl Iterator<Item = u64> {
    let num = u128::from(num.min(len));
    let (last, gaps) = (
        u128::from(len.saturating_sub(1)),
        num.saturating_sub(1).max(1),
    );
    (0..num).map(move |index| ((2 * index * last + gaps) / (2 * gaps)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampled_numbers_are_spread_evenly_and_are_all_where_there_are_few() {
        let numbers = |len, num| middles(len, num).collect::<Vec<_>>();
        assert_eq!(numbers(1000, 4), [125, 375, 625, 875]);
        assert_eq!(numbers(5, 5), [0, 1, 2, 3, 4]);
        assert_eq!(numbers(1, 1), [0]);
        assert_eq!(numbers(0, 0), [] as [u64; 0]);
        assert!(numbers(u64::MAX, 48).is_sorted());
    }

    #[test]
    fn a_video_is_shown_from_its_first_to_its_last_frame() {
        let numbers = |len, num| from_end_to_end(len, num).collect::<Vec<_>>();
        assert_eq!(numbers(90, 8), [0, 13, 25, 38, 51, 64, 76, 89]);
        assert_eq!(numbers(3, 8), [0, 1, 2]);
        assert_eq!(numbers(5, 1), [0]);
        assert_eq!(numbers(0, 8), [] as [u64; 0]);
        assert_eq!(numbers(u64::MAX, 2), [0, u64::MAX - 1]);
    }
}
