//! Warns of settings that are valid but unwise for the data set.

/// Records for each key of the queue, at least.
const RECORDS_PER_KEY: u64 = 4;

/// Maximum of `train.queue`, keys.
const MAX_QUEUE: u64 = 16_777_216;

/// Warnings about a queue of `queue` keys over `num_records` records, with batches of `batch` records that give
/// `keys_per_record` keys each. Each warning names settings that the pipeline accepts and that give no warning.
///
/// - `more_records`: what gives more records, as advice.
/// - `largest_batch`: the largest possible batch of at most so many records.
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
    more_records: &str,
    largest_batch: impl Fn(u64) -> Option<u32>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let keys_per_record = keys_per_record.max(1);
    let keys = batch.max(1).saturating_mul(keys_per_record);
    let most = num_records / RECORDS_PER_KEY;
    if queue > most {
        let advice = match most.min(MAX_QUEUE) / keys * keys {
            0 => match largest_batch(most / keys_per_record) {
                Some(batch) => format!(
                    "set train.batch to {batch} and train.queue to {}",
                    u64::from(batch) * keys_per_record
                ),
                None => more_records.to_owned(),
            },
            fitting => format!("set train.queue to at most {fitting}, in steps of {keys}"),
        };
        warnings.push(format!(
            "a queue of {queue} holds more than a quarter of the {num_records} records, so negatives are often \
             other views of the query's own image: {advice}"
        ));
    } else if !queue.is_multiple_of(keys) {
        let below = queue / keys * keys;
        let lengths = [below, below.saturating_add(keys)];
        let lengths = lengths
            .into_iter()
            .filter(|length| (1..=most.min(MAX_QUEUE)).contains(length));
        let lengths: Vec<String> = lengths.map(|length| length.to_string()).collect();
        let advice = match lengths.is_empty() {
            true => more_records.to_owned(),
            false => format!("set train.queue to {}", lengths.join(" or ")),
        };
        let of_batch = match keys_per_record {
            1 => format!("the batch of {batch}"),
            num => format!("the {keys} keys of a batch ({num} of each of {batch} records)"),
        };
        warnings.push(format!(
            "a queue of {queue} is no multiple of {of_batch}, so a batch does not fit into its end: {advice}"
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

    /// Warnings where a batch must be a multiple of 8 records, and at least 16.
    fn warnings(num_records: u64, batch: u64, keys_per_record: u64, queue: u64) -> Vec<String> {
        let largest = |max: u64| (max >= 16).then_some((max / 8 * 8) as u32);
        queue_warnings(
            num_records,
            batch,
            keys_per_record,
            queue,
            "extract more",
            largest,
        )
    }

    #[test]
    fn settings_in_proportion_to_the_data_give_no_warning() {
        assert_eq!(warnings(1_281_167, 256, 1, 65_536), [] as [&str; 0]);
        assert_eq!(negatives_warning(1_281_167, 32_000), None);
        assert_eq!(negatives_warning(32_000, 32_000), None);
    }

    #[test]
    fn a_queue_too_large_or_uneven_gets_advice_that_fits() {
        assert_eq!(
            warnings(100_000, 256, 1, 65_536),
            [
                "a queue of 65536 holds more than a quarter of the 100000 records, so negatives are often \
                 other views of the query's own image: set train.queue to at most 24832, in steps of 256"
            ]
        );
        assert_eq!(
            warnings(100_000, 256, 1, 1000),
            [
                "a queue of 1000 is no multiple of the batch of 256, so a batch does not fit into its \
                 end: set train.queue to 768 or 1024"
            ]
        );
        let small = warnings(100_000, 256, 1, 100);
        assert!(small[0].ends_with("set train.queue to 256"), "{small:?}");
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
            warnings(100_000, 256, 2, 256),
            [
                "a queue of 256 is no multiple of the 512 keys of a batch (2 of each of 256 records), so a \
                 batch does not fit into its end: set train.queue to 512"
            ]
        );
    }

    /// Follows the advice until there is none: it must not be refused, nor give another warning.
    #[test]
    fn advised_settings_are_possible_and_give_no_warning() {
        let number_after = |text: &str, key: &str| -> Option<u64> {
            let rest = &text[text.find(key)? + key.len()..];
            rest.split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        };
        let mut num_advised = 0;
        for num_records in [1, 7, 63, 64, 65, 100, 637, 5000, 100_000] {
            for batch in [16u64, 24, 256, 400] {
                for keys_per_record in [1, 2, 4] {
                    for queue in [1, 7, 16, 100, 256, 1000, 65_536, MAX_QUEUE] {
                        let given = warnings(num_records, batch, keys_per_record, queue);
                        let Some(text) = given.first() else { continue };
                        if text.ends_with("extract more") {
                            continue;
                        }
                        num_advised += 1;
                        let batch = number_after(text, "train.batch to ").unwrap_or(batch);
                        let queue = number_after(text, "train.queue to at most ")
                            .or_else(|| number_after(text, "train.queue to "));
                        let queue = queue.unwrap();
                        assert!(batch >= 16 && batch.is_multiple_of(8), "{text}");
                        assert!((1..=MAX_QUEUE).contains(&queue), "{text}");
                        let again = warnings(num_records, batch, keys_per_record, queue);
                        assert!(again.is_empty(), "{text}: {again:?}");
                    }
                }
            }
        }
        assert!(num_advised > 100, "{num_advised}");
    }
}
