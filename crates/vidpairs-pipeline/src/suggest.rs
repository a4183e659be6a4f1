//! Which word was meant.

use super::keys::{ALL, keys_of, tables};

/// The candidate nearest to `word` in spelling, upper and lower case alike; `None` if none is near.
pub(super) fn nearest(
    word: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    /// Of 1 for the same word: one wrong letter in three still passes, two in four do not.
    const MIN_LIKENESS: f64 = 0.6;
    /// No key is as long; the comparison takes time and memory in the product of the lengths.
    const MAX_BYTES: usize = 64;
    if word.len() > MAX_BYTES {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let likeness = strsim::normalized_damerau_levenshtein(&word, candidate);
            (candidate, likeness)
        })
        .filter(|(_, likeness)| *likeness >= MIN_LIKENESS)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(candidate, _)| candidate)
}

/// What to say of the unknown key `name` in `table` (empty: above the tables).
pub(super) fn hint_for_key(table: &str, name: &str) -> String {
    if let Some(near) = nearest(name, keys_of(table).map(|key| key.name())) {
        return format!("did you mean {near}?");
    }
    let elsewhere = ALL.iter().filter(|key| key.name() == name);
    let paths: Vec<String> = elsewhere
        .map(|key| match key.table() {
            "" => format!("{name}, above every table"),
            _ => key.path(),
        })
        .collect();
    if !paths.is_empty() {
        return format!("did you mean {}?", paths.join(" or "));
    }
    if table.is_empty() {
        return names_at_the_top();
    }
    format!("[{table}] has {}", names(table))
}

/// What to say of the unknown table `table`.
pub(super) fn hint_for_table(table: &str) -> String {
    match nearest(table, tables()) {
        Some(near) => format!("did you mean [{near}]?"),
        None => names_at_the_top(),
    }
}

/// The keys of `table`, in the order of the documentation.
pub(super) fn names(table: &str) -> String {
    let names: Vec<&str> = keys_of(table).map(|key| key.name()).collect();
    names.join(", ")
}

fn names_at_the_top() -> String {
    let tables: Vec<String> = tables().map(|table| format!("[{table}]")).collect();
    format!("a pipeline has {} and {}", names(""), tables.join(", "))
}
