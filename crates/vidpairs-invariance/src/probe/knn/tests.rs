use super::super::rows::drawn;
use super::*;

fn options(num_neighbours: usize, temperature: f32) -> KnnOptions {
    KnnOptions {
        num_neighbours,
        temperature,
    }
}

fn rows(values: &[f32], num_dims: usize) -> Arc<Features<'_>> {
    Arc::new(Features::new(values, num_dims).unwrap())
}

/// Unit vectors at these angles, degrees.
fn at_angles(angles: &[f32]) -> Vec<f32> {
    let unit = |angle: &f32| [angle.to_radians().cos(), angle.to_radians().sin()];
    angles.iter().flat_map(unit).collect()
}

#[test]
fn one_near_neighbour_outvotes_two_far_ones_only_at_a_low_temperature() {
    let bank = at_angles(&[0.0, 60.0, -60.0]);
    let evaluate = |temperature| {
        let bank = KnnBank::new(&rows(&bank, 2), &[1, 2, 2], &options(3, temperature)).unwrap();
        bank.evaluate(&rows(&at_angles(&[1.0]), 2), &[1]).unwrap()
    };
    let cold = evaluate(0.07);
    assert_eq!((cold.top1(), cold.nearest_top1()), (1.0, 1.0));
    let hot = evaluate(10.0);
    assert_eq!((hot.top1(), hot.nearest_top1()), (0.0, 1.0));
}

#[test]
fn only_the_k_nearest_neighbours_vote() {
    let bank = at_angles(&[0.0, 40.0, 41.0, 42.0]);
    let top1 = |num_neighbours| {
        let bank = KnnBank::new(
            &rows(&bank, 2),
            &[1, 2, 2, 2],
            &options(num_neighbours, 5.0),
        );
        bank.unwrap()
            .evaluate(&rows(&[1.0, 0.0], 2), &[1])
            .unwrap()
            .top1()
    };
    assert_eq!((top1(1), top1(3), top1(200)), (1.0, 0.0, 0.0));
}

#[test]
fn ties_go_to_the_earlier_vector_and_the_smaller_label() {
    let bank = [1.0, 0.0, 1.0, 0.0];
    let nearest = |labels: &[u32], num_neighbours| {
        let bank = KnnBank::new(&rows(&bank, 2), labels, &options(num_neighbours, 0.07)).unwrap();
        let of = |label| bank.evaluate(&rows(&[1.0, 0.0], 2), &[label]).unwrap();
        (of(5).num_nearest_right, of(5).num_right)
    };
    assert_eq!(nearest(&[5, 3], 1), (1, 1)); // the first is nearer, and votes alone
    assert_eq!(nearest(&[5, 3], 2), (1, 0)); // both vote: the smaller label wins
    assert_eq!(nearest(&[3, 5], 1), (0, 0));
}

#[test]
fn chance_is_the_share_of_queries_with_the_most_frequent_label_of_the_bank() {
    let vectors = drawn(10, 1);
    let bank = KnnBank::new(&rows(&vectors, 2), &[4, 4, 2, 2, 9], &options(1, 1.0)).unwrap();
    let tally = bank
        .evaluate(&rows(&drawn(8, 20_000), 2), &[2, 2, 2, 9])
        .unwrap();
    assert_eq!(tally.chance(), 0.75);
}

#[test]
fn results_do_not_depend_on_the_length_of_vectors() {
    let (bank, queries) = (drawn(40 * 5, 3), drawn(7 * 5, 40_000));
    let labels: Vec<u32> = (0..40).map(|at| at % 3).collect();
    let scaled = |values: &[f32]| -> Vec<f32> {
        let rows = values.chunks_exact(5).zip(0..);
        let scaled = rows.flat_map(|(row, at)| row.iter().map(move |x| x * 2f32.powi(at % 9 - 4)));
        scaled.collect()
    };
    let evaluate = |bank: &[f32], queries: &[f32]| {
        let bank = KnnBank::new(&rows(bank, 5), &labels, &options(9, 0.1)).unwrap();
        bank.evaluate(&rows(queries, 5), &[0; 7]).unwrap()
    };
    assert_eq!(
        evaluate(&bank, &queries),
        evaluate(&scaled(&bank), &scaled(&queries))
    );
}

/// Reference: all similarities in f64, neighbours by sorting them all.
fn by_brute_force(
    (bank, bank_labels): (&[f32], &[u32]),
    (queries, labels): (&[f32], &[u32]),
    num_dims: usize,
    options: &KnnOptions,
) -> (u64, u64) {
    let cosine = |a: &[f32], b: &[f32]| {
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let (mut num_right, mut num_nearest_right) = (0, 0);
    for (query, &label) in queries.chunks(num_dims).zip(labels) {
        let mut all: Vec<(f64, u32)> = bank
            .chunks(num_dims)
            .map(|vector| cosine(query, vector))
            .zip(bank_labels.iter().copied())
            .collect();
        all.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap());
        let mut votes = std::collections::HashMap::new();
        for (similarity, label) in all.iter().take(options.num_neighbours) {
            *votes.entry(*label).or_insert(0.0) +=
                (similarity / f64::from(options.temperature)).exp();
        }
        let winner = votes.iter().max_by(|a, b| a.1.partial_cmp(b.1).unwrap());
        num_right += u64::from(*winner.unwrap().0 == label);
        num_nearest_right += u64::from(all[0].1 == label);
    }
    (num_right, num_nearest_right)
}

#[test]
fn results_are_those_of_brute_force() {
    // Numbers of vectors around those that are compared at once.
    for (num_bank, num_queries, num_dims) in [(1, 1, 1), (15, 3, 2), (16, 4, 7), (333, 101, 12)] {
        let (bank, queries) = (
            drawn(num_bank * num_dims, 5),
            drawn(num_queries * num_dims, 60_000),
        );
        // The label depends on the vector, so that neighbours predict it better than chance.
        let label = |row: &[f32]| u32::from(row[0] > 0.1) * 3 + u32::from(row[row.len() - 1] > 0.0);
        let labels = |values: &[f32]| values.chunks(num_dims).map(label).collect::<Vec<_>>();
        let (bank_labels, labels) = (labels(&bank), labels(&queries));
        for options in [options(1, 0.07), options(5, 0.07), options(200, 0.5)] {
            let built = KnnBank::new(&rows(&bank, num_dims), &bank_labels, &options).unwrap();
            let tally = built.evaluate(&rows(&queries, num_dims), &labels).unwrap();
            let expected = by_brute_force(
                (&bank, &bank_labels),
                (&queries, &labels),
                num_dims,
                &options,
            );
            assert_eq!((tally.num_right, tally.num_nearest_right), expected);
            assert_eq!(tally.num_queries, num_queries as u64);
        }
    }
}

#[test]
fn results_are_those_of_pytorch() {
    // Made by scripts/golden/figures.py with torch 2.11.0.
    let (bank, queries) = (drawn(400 * 12, 0), drawn(150 * 12, 5000));
    let label = |row: &[f32]| u32::from(row[0] > 0.1) * 3 + u32::from(row[11] > 0.0);
    let labels = |values: &[f32]| values.chunks(12).map(label).collect::<Vec<_>>();
    let golden = [
        (1, 0.07, 104),
        (20, 0.07, 114),
        (200, 0.07, 116),
        (200, 1.0, 109),
    ];
    for (num_neighbours, temperature, num_right) in golden {
        let options = options(num_neighbours, temperature);
        let bank = KnnBank::new(&rows(&bank, 12), &labels(&bank), &options).unwrap();
        let tally = bank
            .evaluate(&rows(&queries, 12), &labels(&queries))
            .unwrap();
        let found = (tally.num_right, tally.num_nearest_right);
        assert_eq!(found, (num_right, 104), "{options:?}");
    }
}

#[test]
fn a_large_part_that_all_vectors_share_does_not_hide_what_tells_them_apart() {
    // Made by scripts/golden/knn_shared.py with NumPy in 64 bits; in 32 bits, all similarities round to 1.
    let labels = |rows: &[f32]| -> Vec<u32> {
        let label = |row: &[f32]| u32::from(row[1] > 0.1) * 3 + u32::from(row[11] > 0.0);
        rows.chunks(12).map(label).collect()
    };
    let (bank, queries) = (drawn(400 * 12, 0), drawn(150 * 12, 5000));
    let (bank_labels, labels) = (labels(&bank), labels(&queries));
    let with_shared = |shared: &str, rows: &[f32]| -> Vec<f32> {
        let values = rows.iter().enumerate();
        let values = values.map(|(at, &value)| match (shared, at % 24) {
            ("offset", _) => value + 1e4,
            ("component", 0 | 12) | ("two components", 0) => 1e4,
            ("two components", 12) => -1e4,
            _ => value,
        });
        values.collect()
    };
    for (shared, golden) in [
        ("offset", [(1, 92, 92), (20, 116, 92)]),
        ("component", [(1, 103, 103), (20, 126, 103)]),
        ("two components", [(1, 94, 94), (20, 121, 94)]),
    ] {
        let (bank, queries) = (with_shared(shared, &bank), with_shared(shared, &queries));
        for (num_neighbours, num_right, num_nearest_right) in golden {
            let options = options(num_neighbours, 0.07);
            let bank = KnnBank::new(&rows(&bank, 12), &bank_labels, &options).unwrap();
            let tally = bank.evaluate(&rows(&queries, 12), &labels).unwrap();
            let found = (tally.num_right, tally.num_nearest_right);
            let golden = (num_right, num_nearest_right);
            assert_eq!(found, golden, "{shared}, {options:?}");
        }
    }
}

#[test]
fn vectors_of_zeros_in_the_bank_are_as_far_as_orthogonal_ones() {
    let bank = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.1, 0.0, 0.0, -1.0, 0.1];
    let labels = [1, 2, 3, 4, 5, 6];
    let nearest = |query: &[f32], label| {
        let bank = KnnBank::new(&rows(&bank, 2), &labels, &options(2, 0.07)).unwrap();
        bank.evaluate(&rows(query, 2), &[label])
            .unwrap()
            .nearest_top1()
    };
    assert_eq!(nearest(&[1.0, 0.0], 4), 1.0);
    assert_eq!(nearest(&[0.0, -1.0], 1), 1.0);
    assert_eq!(nearest(&[0.0, 0.0], 1), 1.0);
}

#[test]
fn tallies_of_parts_add_up_to_the_tally_of_the_whole() {
    let (bank, queries) = (drawn(50 * 3, 7), drawn(45 * 3, 80_000));
    let labels: Vec<u32> = (0..50).map(|at| at % 4).collect();
    let bank = KnnBank::new(&rows(&bank, 3), &labels, &options(7, 0.2)).unwrap();
    let whole = bank.evaluate(&rows(&queries, 3), &labels[..45]).unwrap();
    let mut sum = KnnTally::default();
    for (part, labels) in queries.chunks(7 * 3).zip(labels[..45].chunks(7)) {
        sum += bank.evaluate(&rows(part, 3), labels).unwrap();
    }
    assert_eq!(sum, whole);
}

#[test]
fn the_lowest_temperature_does_not_overflow_and_a_vector_of_zeros_is_accepted() {
    let bank = [1.0, 0.0, 0.0, 1.0];
    let bank = KnnBank::new(&rows(&bank, 2), &[1, 2], &options(2, 1e-30)).unwrap();
    let top1 = |query: &[f32], label| bank.evaluate(&rows(query, 2), &[label]).unwrap().top1();
    assert_eq!(top1(&[0.1, 1.0], 2), 1.0);
    assert_eq!(top1(&[0.0, 0.0], 1), 1.0);
}

#[test]
fn invalid_banks_and_queries_are_refused() {
    let good = options(1, 0.07);
    let values = [1.0, 0.0];
    let bank =
        |labels: &[u32], options: &KnnOptions| KnnBank::new(&rows(&values, 2), labels, options);
    let words = |err: KnnError| err.to_string();
    assert_eq!(
        words(bank(&[1, 2], &good).unwrap_err()),
        "2 labels for 1 vectors"
    );
    assert_eq!(
        words(bank(&[1], &options(0, 0.07)).unwrap_err()),
        "num_neighbours is 0; expected at least 1"
    );
    assert_eq!(
        words(bank(&[1], &options(1, f32::NAN)).unwrap_err()),
        "temperature is NaN; expected a finite number > 0"
    );
    let bank = bank(&[1], &good).unwrap();
    let narrow = bank.evaluate(&rows(&[1.0], 1), &[1]).unwrap_err();
    assert_eq!(
        words(narrow),
        "the queries have 1 dimensions and the bank 2"
    );
    let many = bank
        .answers(&rows(&values, 2), &[1], [1, 2], 0)
        .unwrap_err();
    assert_eq!(
        words(many),
        "num_neighbours is 2; expected ascending numbers from 1 up to those of the bank"
    );
}

#[test]
fn answers_of_blocks_are_those_of_a_bank_for_each_number_of_neighbours() {
    let (bank, queries) = (drawn(700 * 5, 3), drawn(600 * 5, 50_000));
    let label = |row: &[f32]| u32::from(row[0] > 0.1) * 3 + u32::from(row[4] > 0.0);
    let labels = |values: &[f32]| values.chunks(5).map(label).collect::<Vec<_>>();
    let (bank_labels, labels) = (labels(&bank), labels(&queries));
    let (bank, queries) = (rows(&bank, 5), rows(&queries, 5));
    let several = KnnBank::new(&bank, &bank_labels, &options(50, 0.07)).unwrap();
    let mut all: [Vec<Answer>; 2] = Default::default();
    assert_eq!(KnnBank::num_blocks(600), 3);
    for block in 0..4 {
        let answers = several.answers(&queries, &labels, [3, 50], block).unwrap();
        for (all, answers) in all.iter_mut().zip(answers) {
            all.extend(answers);
        }
    }
    for (answers, k) in all.iter().zip([3, 50]) {
        let alone = KnnBank::new(&bank, &bank_labels, &options(k, 0.07)).unwrap();
        let tally = alone.evaluate(&queries, &labels).unwrap();
        let right = answers.iter().filter(|answer| answer.rank == Some(0));
        assert_eq!(
            (answers.len(), right.count() as u64),
            (600, tally.num_right)
        );
    }
}

#[test]
fn a_label_without_a_vote_is_no_answer() {
    let bank = rows(&[1.0, 0.0, 0.9, 0.1, 0.0, 1.0], 2);
    let bank = KnnBank::new(&bank, &[4, 6, 2], &options(3, 0.07)).unwrap();
    let of = |label| {
        bank.answers(&rows(&[1.0, 0.0], 2), &[label], [2, 3], 0)
            .unwrap()
    };
    let answer = |rank| Answer { predicted: 4, rank };
    assert_eq!(of(6), [vec![answer(Some(1))], vec![answer(Some(1))]]);
    assert_eq!(of(2), [vec![answer(None)], vec![answer(Some(2))]]);
    assert_eq!(of(5), [vec![answer(None)], vec![answer(None)]]);
}
