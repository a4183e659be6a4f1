//! The reasons in `refused.jsonl`, grouped: ten thousand lines have a handful of causes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Serialize;
use vidpairs_types::{Outcome, Refusal, Stage};

use crate::RunError;
use crate::out::{REFUSED_FILE, failed};

/// So many groups are kept apart while reading; whatever comes after is counted.
const MAX_GROUPS: usize = 1 << 12;

/// So many groups are shown.
const MAX_SHOWN: usize = 10;

/// Clips, or other inputs, that were set aside for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonGroup {
    /// How many.
    pub clips: u64,
    /// What became of them.
    pub outcome: Outcome,
    /// Where.
    pub stage: Stage,
    /// Why; a number that is not the same for all of them is `#`.
    pub reason: String,
    /// Id of the first of them.
    pub example: String,
}

/// What was set aside, by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SetAside {
    /// The most frequent first, ten at most.
    pub reasons: Vec<ReasonGroup>,
    /// Other reasons.
    pub more_reasons: u64,
    /// Clips set aside for other reasons.
    pub more_clips: u64,
    /// Lines of `refused.jsonl` that cannot be understood.
    pub unreadable_lines: u64,
}

/// Reads `refused.jsonl` in `dir`; without such a file nothing was set aside.
///
/// # Errors
/// [`RunError::File`] if it cannot be read. A line that cannot be understood is counted.
pub fn read(dir: &Path) -> Result<SetAside, RunError> {
    let path = dir.join(REFUSED_FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(SetAside::default()),
        Err(err) => return Err(failed("read", &path)(err)),
    };
    let mut groups = Groups::default();
    for line in BufReader::new(file).split(b'\n') {
        groups.add_line(&line.map_err(failed("read", &path))?);
    }
    Ok(groups.into_set_aside())
}

/// All lines of `refused.jsonl` in `dir`; none if there is no such file.
///
/// # Errors
/// [`RunError::File`] if it cannot be read, or a line is no refusal.
pub fn read_all(dir: &Path) -> Result<Vec<Refusal>, RunError> {
    let path = dir.join(REFUSED_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(err) => return Err(failed("read", &path)(err)),
    };
    let refusal = |line| {
        serde_json::from_str(line).map_err(|err| failed("read", &path)(io::Error::other(err)))
    };
    text.lines().map(refusal).collect()
}

/// Stands for a number in a template; no reason that is printed holds it.
const NUMBER: char = '\0';

/// Outcome, stage, and the reason with [`NUMBER`] for each number.
type Cause = (Outcome, Stage, String);

#[derive(Default)]
struct Groups {
    by_cause: BTreeMap<Cause, Group>,
    clips_beyond: u64,
    unreadable_lines: u64,
}

struct Group {
    first: Refusal,
    clips: u64,
    /// The numbers of the reason, each while it is the same in all lines.
    numbers: Vec<Option<String>>,
}

impl Groups {
    fn add_line(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match serde_json::from_slice(line) {
            Ok(refusal) => self.add(refusal),
            Err(_) => self.unreadable_lines += 1,
        }
    }

    fn add(&mut self, refusal: Refusal) {
        let (template, numbers) = split_numbers(&refusal.reason.replace(NUMBER, " "));
        let cause = (refusal.outcome, refusal.stage, template);
        if let Some(group) = self.by_cause.get_mut(&cause) {
            group.clips += 1;
            for (kept, number) in group.numbers.iter_mut().zip(numbers) {
                kept.take_if(|kept| *kept != number);
            }
        } else if self.by_cause.len() < MAX_GROUPS {
            let group = Group {
                first: refusal,
                clips: 1,
                numbers: numbers.into_iter().map(Some).collect(),
            };
            self.by_cause.insert(cause, group);
        } else {
            self.clips_beyond += 1;
        }
    }

    fn into_set_aside(self) -> SetAside {
        let groups = self.by_cause.into_iter();
        let mut reasons: Vec<ReasonGroup> = groups
            .map(|((_, _, template), group)| ReasonGroup {
                clips: group.clips,
                outcome: group.first.outcome,
                stage: group.first.stage,
                reason: fill_in(&template, group.numbers),
                example: group.first.id,
            })
            .collect();
        reasons.sort_by_key(|group| std::cmp::Reverse(group.clips));
        let more = reasons.split_off(MAX_SHOWN.min(reasons.len()));
        SetAside {
            reasons,
            more_reasons: more.len() as u64,
            more_clips: more.iter().map(|group| group.clips).sum::<u64>() + self.clips_beyond,
            unreadable_lines: self.unreadable_lines,
        }
    }
}

/// A reason with [`NUMBER`] for each number, and the numbers.
fn split_numbers(reason: &str) -> (String, Vec<String>) {
    let (mut template, mut numbers) = (String::new(), Vec::new());
    let mut rest = reason;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from_number) = rest.split_at(start);
        let is_inside = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
        let end = from_number
            .find(|c| !is_inside(c))
            .unwrap_or(from_number.len());
        // A full stop or a comma after a number belongs to the sentence.
        let (run, _) = from_number.split_at(end);
        let number = run.trim_end_matches(['.', ',']);
        template.push_str(before);
        template.push(NUMBER);
        numbers.push(number.to_owned());
        rest = from_number.get(number.len()..).unwrap_or_default();
    }
    template.push_str(rest);
    (template, numbers)
}

fn fill_in(template: &str, numbers: Vec<Option<String>>) -> String {
    let mut parts = template.split(NUMBER);
    let mut reason = parts.next().unwrap_or_default().to_owned();
    for (part, number) in parts.zip(numbers) {
        reason.push_str(number.as_deref().unwrap_or("N"));
        reason.push_str(part);
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(id: &str, reason: &str) -> Refusal {
        Refusal {
            id: id.to_owned(),
            path: String::new(),
            outcome: Outcome::Skipped,
            stage: Stage::Sample,
            reason: reason.to_owned(),
            retry: String::new(),
        }
    }

    #[test]
    fn reasons_that_differ_in_numbers_only_are_one_and_keep_the_numbers_they_share() {
        let mut groups = Groups::default();
        groups.add(refusal("a", "9 frames; a pair 30 frames apart needs 31."));
        groups.add(refusal("b", "bad zip"));
        groups.add(refusal("c", "12 frames; a pair 30 frames apart needs 31."));
        groups.add_line(b"{\"id\": \"cut");
        groups.add_line(b"");
        let set_aside = groups.into_set_aside();
        let shown: Vec<_> = set_aside
            .reasons
            .iter()
            .map(|group| (group.clips, group.reason.as_str(), group.example.as_str()))
            .collect();
        let frames = "N frames; a pair 30 frames apart needs 31.";
        assert_eq!(shown, [(2, frames, "a"), (1, "bad zip", "b")]);
        assert_eq!(set_aside.unreadable_lines, 1);
    }

    #[test]
    fn a_reason_that_is_alone_keeps_its_words() {
        for reason in ["", "frame 3, of 4,096.", "1.5", "no number", "é9é"] {
            let (template, numbers) = split_numbers(reason);
            let numbers = numbers.into_iter().map(Some).collect();
            assert_eq!(fill_in(&template, numbers), reason);
        }
    }
}
