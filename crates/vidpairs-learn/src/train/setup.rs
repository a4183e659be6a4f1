//! Settings that are possible, and unwise for the data at hand.

/// A queue may hold this share of the data, one in so many.
const QUEUE_SHARE: u64 = 4;

/// What is unwise about a queue of `queue` keys over `num_records` with batches of `batch` records, of which each gives
/// `keys_per_record`: sentences that say what to set instead.
///
/// # Source
/// He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR 2020: a queue of
/// 65,536 keys for 1.28 million images, one in twenty. That one in four is too much is ours: over two epochs,
/// each in an order of its own, the queue of `K` of `n` holds the key of the very record that is asked
/// about with probability `K^2 / (2 n^2)`, one in 32 there, and pushes it away from itself.
pub fn queue_warnings(
    num_records: u64,
    batch: u64,
    keys_per_record: u64,
    queue: u64,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let keys_per_record = keys_per_record.max(1);
    let keys = batch.max(1).saturating_mul(keys_per_record);
    if !queue.is_multiple_of(keys) {
        let below = queue / keys * keys;
        let set = match below {
            0 => format!("{keys}"),
            below => format!("{below} or {}", below.saturating_add(keys)),
        };
        let of_batch = match keys_per_record {
            1 => format!("the batch of {batch}"),
            num => format!("the {keys} keys of a batch ({num} of each of {batch} records)"),
        };
        warnings.push(format!(
            "a queue of {queue} is no multiple of {of_batch}, so that a batch would not fit into its end: set the \
             queue to {set}"
        ));
    }
    let most = num_records / QUEUE_SHARE;
    if queue > most {
        let advice = match most / keys * keys {
            0 => format!(
                "a batch of {batch} is too large for so few records: set the batch to at most {}",
                (most / keys_per_record).max(1)
            ),
            fitting => format!("set the queue to at most {fitting}"),
        };
        warnings.push(format!(
            "a queue of {queue} holds more than a quarter of the {num_records} records, so that negatives are \
             often other views of the image itself: {advice}"
        ));
    }
    warnings
}

/// What is unwise about `negatives` drawn from a memory of `num_records` vectors, if anything is.
///
/// # Source
/// Misra and van der Maaten, "Self-Supervised Learning of Pretext-Invariant Representations", CVPR 2020: 32,000 of 1.28
/// million, one in forty. That as many as there are is the most is ours: they are drawn with replacement, and what is drawn again
/// tells nothing new.
pub fn negatives_warning(num_records: u64, negatives: u64) -> Option<String> {
    (negatives > num_records).then(|| {
        format!(
            "{negatives} negatives are more than the memory of {num_records} records has, so that many are drawn again and \
             again: set train.negatives to at most {num_records}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_gives_no_warning() {
        assert_eq!(queue_warnings(1_281_167, 256, 1, 65_536), [] as [&str; 0]);
        assert_eq!(negatives_warning(1_281_167, 32_000), None);
        assert_eq!(negatives_warning(32_000, 32_000), None);
    }

    #[test]
    fn a_queue_that_is_too_large_or_uneven_is_told_what_to_be() {
        assert_eq!(
            queue_warnings(100_000, 256, 1, 65_536),
            [
                "a queue of 65536 holds more than a quarter of the 100000 records, so that negatives are \
                 often other views of the image itself: set the queue to at most 24832"
            ]
        );
        assert_eq!(
            queue_warnings(100_000, 256, 1, 1000),
            [
                "a queue of 1000 is no multiple of the batch of 256, so that a batch would not fit into \
                 its end: set the queue to 768 or 1024"
            ]
        );
        let small = queue_warnings(100_000, 256, 1, 100);
        assert!(small[0].ends_with("set the queue to 256"), "{small:?}");
    }

    #[test]
    fn a_batch_that_no_queue_fits_is_told_what_to_be() {
        let warnings = queue_warnings(100, 256, 1, 256);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].ends_with("set the batch to at most 25"));
    }

    #[test]
    fn more_negatives_than_records_are_told_how_many_there_are() {
        assert_eq!(
            negatives_warning(637, 4096).unwrap(),
            "4096 negatives are more than the memory of 637 records has, so that many are drawn again and again: set \
             train.negatives to at most 637"
        );
    }

    #[test]
    fn keys_of_frames_and_regions_are_told_apart_from_records() {
        assert_eq!(
            queue_warnings(100_000, 256, 2, 256),
            [
                "a queue of 256 is no multiple of the 512 keys of a batch (2 of each of 256 records), so that a \
                 batch would not fit into its end: set the queue to 512"
            ]
        );
        let warnings = queue_warnings(637, 400, 2, 800);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].ends_with("set the batch to at most 79"));
        assert!(queue_warnings(637, 79, 2, 158).is_empty());
    }

    #[test]
    fn what_is_advised_raises_no_warning() {
        assert!(queue_warnings(100_000, 256, 1, 24_832).is_empty());
        assert!(queue_warnings(100_000, 256, 1, 1024).is_empty());
        assert!(queue_warnings(100, 25, 1, 25).is_empty());
    }
}
