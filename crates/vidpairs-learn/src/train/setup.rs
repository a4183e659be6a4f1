//! Warns of settings that are valid but unwise for the data set.

/// Records for each key of the queue, at least.
const RECORDS_PER_KEY: u64 = 4;

/// Warnings about a queue of `queue` keys over `num_records` records, with batches of `batch` records that give
/// `keys_per_record` keys each. Each warning names a better setting.
///
/// # Source
/// He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR 2020: a queue of
/// 65,536 keys for 1.28 million images, one in twenty. The limit of one in four is ours: over two epochs,
/// each in an order of its own, a queue of `K` keys over `n` records holds a key of the query's own record with
/// probability `K^2 / (2 n^2)`, at one in four 1/32, and training pushes the query away from its own record.
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
        let advice = match below {
            0 => format!("{keys}"),
            below => format!("{below} or {}", below.saturating_add(keys)),
        };
        let of_batch = match keys_per_record {
            1 => format!("the batch of {batch}"),
            num => format!("the {keys} keys of a batch ({num} of each of {batch} records)"),
        };
        warnings.push(format!(
            "a queue of {queue} is no multiple of {of_batch}, so a batch does not fit into its end: set the queue to \
             {advice}"
        ));
    }
    let most = num_records / RECORDS_PER_KEY;
    if queue > most {
        let advice = match most / keys * keys {
            0 => format!(
                "a batch of {batch} is too large for so few records: set the batch to at most {}",
                (most / keys_per_record).max(1)
            ),
            fitting => format!("set the queue to at most {fitting}"),
        };
        warnings.push(format!(
            "a queue of {queue} holds more than a quarter of the {num_records} records, so negatives are often \
             other views of the query's own image: {advice}"
        ));
    }
    warnings
}

/// Warning about `negatives` drawn from a memory of `num_records` vectors, if there are too many.
///
/// # Source
/// Misra and van der Maaten, "Self-Supervised Learning of Pretext-Invariant Representations", CVPR 2020: 32,000 of 1.28
/// million, one in forty. The limit of one for each record is ours: negatives are drawn with replacement, and a repeated one
/// adds nothing.
pub fn negatives_warning(num_records: u64, negatives: u64) -> Option<String> {
    (negatives > num_records).then(|| {
        format!(
            "{negatives} negatives are more than the {num_records} records in the memory, so many are drawn repeatedly: set \
             train.negatives to at most {num_records}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_in_proportion_to_the_data_give_no_warning() {
        assert_eq!(queue_warnings(1_281_167, 256, 1, 65_536), [] as [&str; 0]);
        assert_eq!(negatives_warning(1_281_167, 32_000), None);
        assert_eq!(negatives_warning(32_000, 32_000), None);
    }

    #[test]
    fn a_queue_too_large_or_uneven_gets_advice_that_fits() {
        assert_eq!(
            queue_warnings(100_000, 256, 1, 65_536),
            [
                "a queue of 65536 holds more than a quarter of the 100000 records, so negatives are often \
                 other views of the query's own image: set the queue to at most 24832"
            ]
        );
        assert_eq!(
            queue_warnings(100_000, 256, 1, 1000),
            [
                "a queue of 1000 is no multiple of the batch of 256, so a batch does not fit into its \
                 end: set the queue to 768 or 1024"
            ]
        );
        let small = queue_warnings(100_000, 256, 1, 100);
        assert!(small[0].ends_with("set the queue to 256"), "{small:?}");
    }

    #[test]
    fn a_batch_too_large_for_any_queue_gets_advice() {
        let warnings = queue_warnings(100, 256, 1, 256);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].ends_with("set the batch to at most 25"));
    }

    #[test]
    fn more_negatives_than_records_give_a_warning() {
        assert_eq!(
            negatives_warning(637, 4096).unwrap(),
            "4096 negatives are more than the 637 records in the memory, so many are drawn repeatedly: set \
             train.negatives to at most 637"
        );
    }

    #[test]
    fn advice_counts_keys_where_a_record_gives_several() {
        assert_eq!(
            queue_warnings(100_000, 256, 2, 256),
            [
                "a queue of 256 is no multiple of the 512 keys of a batch (2 of each of 256 records), so a \
                 batch does not fit into its end: set the queue to 512"
            ]
        );
        let warnings = queue_warnings(637, 400, 2, 800);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].ends_with("set the batch to at most 79"));
        assert!(queue_warnings(637, 79, 2, 158).is_empty());
    }

    #[test]
    fn advised_settings_give_no_warning() {
        assert!(queue_warnings(100_000, 256, 1, 24_832).is_empty());
        assert!(queue_warnings(100_000, 256, 1, 1024).is_empty());
        assert!(queue_warnings(100, 25, 1, 25).is_empty());
    }
}
