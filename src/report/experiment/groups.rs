//! Groups training runs that differ in their seed alone.

use serde_json::Value;

use crate::experiment::{Experiment, Part, TrainingRun};
use crate::report::models::number::{finite, tenth};

/// Setting in which the runs of a group may differ.
const SEED: &str = "seed";

/// Training runs whose settings differ in `seed` alone. A page shows them as one.
pub(super) struct Group<'a> {
    /// What the names of its runs have in common.
    pub name: String,
    pub runs: Vec<&'a Part<TrainingRun>>,
    /// Indices of the runs in the experiment.
    pub indices: Vec<usize>,
    /// Settings by name, the seed not among them.
    pub settings: Vec<(String, String)>,
}

/// The groups, in the order of their first runs.
pub(super) fn groups(experiment: &Experiment) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (index, run) in experiment.runs.iter().enumerate() {
        let settings = settings(experiment, &run.results);
        match groups.iter_mut().find(|group| group.settings == settings) {
            Some(group) => {
                group.runs.push(run);
                group.indices.push(index);
            }
            None => groups.push(Group {
                name: String::new(),
                runs: vec![run],
                indices: vec![index],
                settings,
            }),
        }
    }
    for group in &mut groups {
        let names: Vec<&str> = group.runs.iter().map(|run| run.name.as_str()).collect();
        group.name = common_name(&names);
    }
    groups
}

impl Group<'_> {
    /// The values of all runs, as far as they are finite numbers.
    pub fn values(&self, value: impl Fn(&TrainingRun) -> Option<f64>) -> Vec<f64> {
        let values = self.runs.iter().filter_map(|run| value(&run.results));
        values.filter_map(finite).collect()
    }

    /// Seeds of the runs: `1, 2, 3`.
    pub fn seeds(&self) -> String {
        let seeds = self.runs.iter().map(|run| run.results.setting("/seed"));
        let seeds: Vec<String> = seeds.flatten().map(plain).collect();
        seeds.join(", ")
    }
}

/// Every setting of a run but its seed, by name.
fn settings(experiment: &Experiment, run: &TrainingRun) -> Vec<(String, String)> {
    let mut all = Vec::new();
    flatten("", &run.settings, &mut all);
    all.retain(|(name, _)| name != SEED);
    let data = match run
        .data_set
        .and_then(|index| experiment.data_sets.get(index))
    {
        Some(set) => set.name.clone(),
        None => format!("shards {}", run.dataset_xxh64),
    };
    all.insert(0, ("data".to_owned(), data));
    if let Some(init) = &run.init {
        flatten("init", init, &mut all);
    }
    all.push(("program_version".to_owned(), run.program_version.clone()));
    all
}

fn flatten(prefix: &str, value: &Value, all: &mut Vec<(String, String)>) {
    match value {
        Value::Object(values) => {
            for (key, value) in values {
                let name = match prefix {
                    "" => key.clone(),
                    prefix => format!("{prefix}.{key}"),
                };
                flatten(&name, value, all);
            }
        }
        value => all.push((prefix.to_owned(), plain(value))),
    }
}

/// A value without JSON's quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(plain).collect();
            format!("[{}]", values.join(", "))
        }
        value => value.to_string(),
    }
}

/// What the names of runs with several seeds have in common: `run-scenes` of `run-scenes-1` and `run-scenes-2`.
pub(super) fn common_name(names: &[&str]) -> String {
    let [first, rest @ ..] = names else {
        return String::new();
    };
    if rest.is_empty() {
        return (*first).to_owned();
    }
    let is_common = |&(at, letter): &(usize, char)| {
        let end = at + letter.len_utf8();
        rest.iter().all(|name| name.get(..end) == first.get(..end))
    };
    let end = first.char_indices().take_while(is_common).last();
    let end = end.map_or(0, |(at, letter)| at + letter.len_utf8());
    let is_separator = |letter: char| !letter.is_alphanumeric();
    let trimmed = first[..end].trim_end_matches(is_separator);
    let trimmed = trimmed.strip_suffix(SEED).unwrap_or(trimmed);
    match trimmed.trim_end_matches(is_separator) {
        "" => format!("{first} and {} more", rest.len()),
        name => name.to_owned(),
    }
}

/// Name of a model without its seed, `scenes` of `scenes-1` or `scenes/seed2`; `None` if it does not end in a number.
pub(super) fn without_seed(name: &str) -> Option<&str> {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let without = stem.trim_end_matches(['-', '_', '/', '.', ' ']);
    let without = without.strip_suffix(SEED).unwrap_or(without);
    let without = without.trim_end_matches(['-', '_', '/', '.', ' ']);
    // A number within a word, as in `resnet50`, is no seed.
    let is_apart = stem.len() > without.len();
    (stem.len() < name.len() && is_apart && !without.is_empty()).then_some(without)
}

/// Mean, and smallest and greatest value; `None` without values.
pub(super) fn mean_and_ends(values: &[f64]) -> Option<(f64, [f64; 2])> {
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Some((mean, [low, high]))
}

/// `42.1 to 44.0` with one decimal.
pub(super) fn tenths([low, high]: [f64; 2]) -> String {
    format!("{} to {}", tenth(Some(low)), tenth(Some(high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_the_name_that_its_runs_have_in_common() {
        assert_eq!(common_name(&["run-a-1", "run-a-2", "run-a-10"]), "run-a");
        assert_eq!(common_name(&["a/seed-1", "a/seed-2"]), "a");
        assert_eq!(common_name(&["only-1"]), "only-1");
        assert_eq!(common_name(&["é1", "é2"]), "é");
        assert_eq!(common_name(&["x", "y", "z"]), "x and 2 more");
    }

    #[test]
    fn the_seed_of_a_model_is_a_number_at_its_end_that_stands_apart() {
        assert_eq!(without_seed("scenes-1"), Some("scenes"));
        assert_eq!(without_seed("scenes/seed12"), Some("scenes"));
        assert_eq!(without_seed("resnet50"), None);
        assert_eq!(without_seed("scenes"), None);
        assert_eq!(without_seed("-1"), None);
    }
}
