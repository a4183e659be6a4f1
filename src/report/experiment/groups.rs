//! Groups training runs that differ in their seed alone.

use serde_json::Value;
use vidpairs_pipeline::WatchKeys;

use crate::experiment::{Experiment, Extension, Part, TrainingRun};
use crate::report::models::number::{finite, tenth};

/// Setting in which the runs of a group differ.
const SEED: &str = "seed";

/// Training runs with different seeds and otherwise equal settings. A page shows them as one.
pub(super) struct Group<'a> {
    /// What the names of its runs have in common. No two groups have the same name.
    pub name: String,
    pub runs: Vec<&'a Part<TrainingRun>>,
    /// Indices of the runs in the experiment.
    pub indices: Vec<usize>,
    /// Settings that change the training, by name, the seed not among them.
    pub settings: Vec<(String, String)>,
    /// Name of the group that holds runs with the same settings and the same seeds.
    pub copy_of: Option<String>,
}

/// The groups, in the order of their first runs. A run with the seed of another one is in another group.
pub(super) fn groups(experiment: &Experiment) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (index, run) in experiment.runs.iter().enumerate() {
        let settings = settings(experiment, &run.results);
        let seed = seed(&run.results);
        let takes = |group: &&mut Group<'_>| {
            let has_seed = group
                .runs
                .iter()
                .any(|run| self::seed(&run.results) == seed);
            group.settings == settings && !has_seed
        };
        match groups.iter_mut().find(takes) {
            Some(group) => {
                group.runs.push(run);
                group.indices.push(index);
            }
            None => groups.push(Group {
                name: String::new(),
                runs: vec![run],
                indices: vec![index],
                settings,
                copy_of: None,
            }),
        }
    }
    let names = groups.iter().map(|group| {
        let names: Vec<&str> = group.runs.iter().map(|run| run.name.as_str()).collect();
        (common_name(&names), names)
    });
    let names = distinct(names.collect());
    for (group, name) in groups.iter_mut().zip(names) {
        group.name = name;
    }
    for index in 1..groups.len() {
        let (before, rest) = groups.split_at_mut(index);
        let first = before
            .iter()
            .find(|group| group.settings == rest[0].settings);
        rest[0].copy_of = first.map(|group| group.name.clone());
    }
    groups
}

impl Group<'_> {
    /// Runs that reached their end; all runs while none has.
    fn at_end(&self) -> impl Iterator<Item = &TrainingRun> {
        let is_one_finished = self.is_one_finished();
        let runs = self.runs.iter().map(|run| &run.results);
        runs.filter(move |run| !is_one_finished || !run.is_unfinished)
    }

    /// Whether a run has reached its end.
    pub fn is_one_finished(&self) -> bool {
        self.runs.iter().any(|run| !run.results.is_unfinished)
    }

    /// The values at the end of the runs, of those that are finished and have a finite one. While no run is finished, the values so far.
    pub fn values(&self, value: impl Fn(&TrainingRun) -> Option<f64>) -> Vec<f64> {
        self.at_end().filter_map(value).filter_map(finite).collect()
    }

    /// Seeds of the runs: `1, 2, 3`.
    pub fn seeds(&self) -> String {
        let seeds = self.runs.iter().filter_map(|run| seed(&run.results));
        seeds.collect::<Vec<_>>().join(", ")
    }
}

/// Seed of a run as text.
pub(super) fn seed(run: &TrainingRun) -> Option<String> {
    run.setting("/seed").map(plain)
}

/// Every setting of a run that changes its training, by name, but its seed.
fn settings(experiment: &Experiment, run: &TrainingRun) -> Vec<(String, String)> {
    let mut all = Vec::new();
    flatten("", &run.settings, &mut all);
    let watch = WatchKeys::paths();
    all.retain(|(name, _)| name != SEED && !watch.contains(name));
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
    if !run.extended.is_empty() {
        let text = |extension: &Extension| {
            format!("{} epochs until step {}", extension.epochs, extension.steps)
        };
        let extended: Vec<String> = run.extended.iter().map(text).collect();
        all.push(("extended".to_owned(), extended.join(", ")));
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
    let stem = without_seed(first);
    if let Some(stem) = stem.filter(|_| rest.iter().all(|name| without_seed(name) == stem)) {
        return stem.to_owned();
    }
    let is_common = |&(at, letter): &(usize, char)| {
        let end = at + letter.len_utf8();
        rest.iter().all(|name| name.get(..end) == first.get(..end))
    };
    let end = first.char_indices().take_while(is_common).last();
    let end = end.map_or(0, |(at, letter)| at + letter.len_utf8());
    let is_digit = |letter: char| letter.is_ascii_digit();
    let is_within_number = names.iter().any(|name| name[end..].starts_with(is_digit));
    let common = match is_within_number {
        true => first[..end].trim_end_matches(is_digit),
        false => &first[..end],
    };
    let is_separator = |letter: char| !letter.is_alphanumeric();
    let trimmed = common.trim_end_matches(is_separator);
    let trimmed = trimmed.strip_suffix(SEED).unwrap_or(trimmed);
    match trimmed.trim_end_matches(is_separator) {
        "" => and_more(names),
        name => name.to_owned(),
    }
}

/// The names of groups. A group of several members whose name another group has is named after its first member.
///
/// - `groups`: name of each group, and the different names of its members.
pub(super) fn distinct(groups: Vec<(String, Vec<&str>)>) -> Vec<String> {
    let has_other = |name: &str| groups.iter().filter(|(other, _)| other == name).count() > 1;
    let named = groups.iter().map(
        |(name, members)| match members.len() > 1 && has_other(name) {
            true => and_more(members),
            false => name.clone(),
        },
    );
    named.collect()
}

/// `run-1 and 2 more`.
fn and_more(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
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
        let tens = ["run-10", "run-11", "run-12", "run-13", "run-14"];
        assert_eq!(common_name(&tens), "run");
        assert_eq!(common_name(&["net50a", "net51a"]), "net");
        assert_eq!(common_name(&["only-1"]), "only-1");
        assert_eq!(common_name(&["é1", "é2"]), "é");
        assert_eq!(common_name(&["x", "y", "z"]), "x and 2 more");
    }

    #[test]
    fn no_two_groups_have_the_same_name() {
        let groups = vec![
            ("b".to_owned(), vec!["b"]),
            ("b".to_owned(), vec!["b-1", "b-2"]),
            ("b".to_owned(), vec!["b-3", "b-4", "b-5"]),
            ("c".to_owned(), vec!["c-1", "c-2"]),
        ];
        let names = distinct(groups);
        assert_eq!(names, ["b", "b-1 and 1 more", "b-3 and 2 more", "c"]);
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
