//! Settings that are possible, and unwise for the data at hand.

/// A queue may hold this share of the data, one in so many.
const QUEUE_SHARE: u64 = 4;

/// What is unwise about training on `num_records` with batches of `batch` records and, where the method has one, a
/// queue of `queue` keys, of which a record gives `keys_per_record`: each a sentence that says what to set instead.
///
/// # Source
/// He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR 2020: a queue of
/// 65,536 keys for 1.28 million images, one in twenty. That one in four is too much is ours: over two epochs,
/// each in an order of its own, the queue of `K` of `n` holds the key of the very record that is asked
/// about with probability `K^2 / (2 n^2)`, one in 32 there, and pushes it away from itself.
pub fn setup_warnings(
    num_records: u64,
    batch: u64,
    keys_per_record: u64,
    queue: Option<u64>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if num_records < batch {
        warnings.push(format!(
            "{num_records} records do not fill a batch of {batch}, so an epoch has no step: set the batch to at \
             most {num_records}"
        ));
    }
    let Some(queue) = queue else {
        return warnings;
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_gives_no_warning() {
        assert_eq!(
            setup_warnings(1_281_167, 256, 1, Some(65_536)),
            [] as [&str; 0]
        );
        assert_eq!(setup_warnings(256, 256, 1, None), [] as [&str; 0]);
    }

    #[test]
    fn a_queue_that_is_too_large_or_uneven_is_told_what_to_be() {
        assert_eq!(
            setup_warnings(100_000, 256, 1, Some(65_536)),
            [
                "a queue of 65536 holds more than a quarter of the 100000 records, so that negatives are \
                 often other views of the image itself: set the queue to at most 24832"
            ]
        );
        assert_eq!(
            setup_warnings(100_000, 256, 1, Some(1000)),
            [
                "a queue of 1000 is no multiple of the batch of 256, so that a batch would not fit into \
                 its end: set the queue to 768 or 1024"
            ]
        );
        let small = setup_warnings(100_000, 256, 1, Some(100));
        assert!(small[0].ends_with("set the queue to 256"), "{small:?}");
    }

    #[test]
    fn too_few_records_for_a_batch_are_told() {
        let warnings = setup_warnings(100, 256, 1, Some(256));
        assert_eq!(
            warnings[0],
            "100 records do not fill a batch of 256, so an epoch has no step: set the batch to at most 100"
        );
        assert!(warnings[1].ends_with("set the batch to at most 25"));
        assert_eq!(warnings.len(), 2);
    }

    #[test]
    fn keys_of_frames_and_regions_are_told_apart_from_records() {
        assert!(setup_warnings(637, 400, 2, None).is_empty());
        assert_eq!(
            setup_warnings(100_000, 256, 2, Some(256)),
            [
                "a queue of 256 is no multiple of the 512 keys of a batch (2 of each of 256 records), so that a \
                 batch would not fit into its end: set the queue to 512"
            ]
        );
        let warnings = setup_warnings(637, 400, 2, Some(800));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].ends_with("set the batch to at most 79"));
        assert!(setup_warnings(637, 79, 2, Some(158)).is_empty());
    }

    #[test]
    fn what_is_advised_raises_no_warning() {
        assert!(setup_warnings(100_000, 256, 1, Some(24_832)).is_empty());
        assert!(setup_warnings(100_000, 256, 1, Some(1024)).is_empty());
        assert!(setup_warnings(100, 25, 1, Some(25)).is_empty());
    }
}
