//! The reasons in `refused.jsonl`, grouped: ten thousand lines have a handful of causes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use serde::Serialize;
use vidpairs_types::{NextLine, Outcome, Refusal, Stage, next_line, open_regular};

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

/// Longest line that is read, bytes.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Largest file that is read, bytes: of twenty million clips.
const MAX_BYTES: u64 = 8 << 30;

/// Reads `refused.jsonl` in `dir`; without such a file nothing was set aside.
///
/// # Errors
/// [`RunError::File`] if it cannot be read. A line that cannot be understood is counted.
pub fn read(dir: &Path) -> Result<SetAside, RunError> {
    let mut groups = Groups::default();
    each_line(dir, |line| {
        match line.and_then(|line| serde_json::from_slice(line).ok()) {
            Some(refusal) => groups.add(refusal),
            None => groups.unreadable_lines += 1,
        }
        Ok(())
    })?;
    Ok(groups.into_set_aside())
}

/// All lines of `refused.jsonl` in `dir`; none if there is no such file.
///
/// # Errors
/// [`RunError::File`] if it cannot be read, or a line is no refusal.
pub fn read_all(dir: &Path) -> Result<Vec<Refusal>, RunError> {
    let mut all = Vec::new();
    each_line(dir, |line| {
        let line = line.ok_or_else(|| io::Error::other("a line is too long"))?;
        all.push(serde_json::from_slice(line).map_err(io::Error::other)?);
        Ok(())
    })?;
    Ok(all)
}

/// Counts the lines of `refused.jsonl` in `dir` by outcome: refused, skipped, partial. Lines that cannot be understood are left out.
///
/// # Errors
/// [`RunError::File`] if it cannot be read.
pub fn count(dir: &Path) -> Result<[u64; 3], RunError> {
    let mut counts = [0; 3];
    each_line(dir, |line| {
        let refusal = line.and_then(|line| serde_json::from_slice::<Refusal>(line).ok());
        if let Some(refusal) = refusal {
            let place = match refusal.outcome {
                Outcome::Refused => 0,
                Outcome::Skipped => 1,
                Outcome::Partial => 2,
            };
            counts[place] += 1;
        }
        Ok(())
    })?;
    Ok(counts)
}

/// Calls `each` with each line of `refused.jsonl` in `dir`, but empty ones; with `None` for a line that is too long.
fn each_line(
    dir: &Path,
    mut each: impl FnMut(Option<&[u8]>) -> io::Result<()>,
) -> Result<(), RunError> {
    let path = dir.join(REFUSED_FILE);
    let mut read = || {
        let file: File = match open_regular(&path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        if file.metadata()?.len() > MAX_BYTES {
            let err =
                format!("it has more than {MAX_BYTES} bytes, the most that such a file can have");
            return Err(io::Error::other(err));
        }
        let mut reader = BufReader::with_capacity(64 << 10, file);
        let mut line = Vec::new();
        loop {
            match next_line(&mut reader, &mut line, MAX_LINE_BYTES)? {
                NextLine::End => return Ok(()),
                NextLine::TooLong => each(None)?,
                NextLine::Line if line.trim_ascii().is_empty() => {}
                NextLine::Line => each(Some(line.trim_ascii()))?,
            }
        }
    };
    read().map_err(failed("read", &path))
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
        let folder = tempfile::tempdir().unwrap();
        let lines = [
            refusal("a", "9 frames; a pair 30 frames apart needs 31."),
            refusal("b", "bad zip"),
            refusal("c", "12 frames; a pair 30 frames apart needs 31."),
        ];
        let lines = lines.map(|line| serde_json::to_string(&line).unwrap() + "\n");
        let path = folder.path().join(REFUSED_FILE);
        std::fs::write(&path, lines.concat() + "{\"id\": \"cut\n\n").unwrap();
        let set_aside = read(folder.path()).unwrap();
        let shown: Vec<_> = set_aside
            .reasons
            .iter()
            .map(|group| (group.clips, group.reason.as_str(), group.example.as_str()))
            .collect();
        let frames = "N frames; a pair 30 frames apart needs 31.";
        assert_eq!(shown, [(2, frames, "a"), (1, "bad zip", "b")]);
        assert_eq!(set_aside.unreadable_lines, 1);
        assert_eq!(count(folder.path()).unwrap(), [0, 3, 0]);
        assert!(read_all(folder.path()).is_err());
        std::fs::write(&path, lines.concat()).unwrap();
        assert_eq!(read_all(folder.path()).unwrap().len(), 3);
    }

    #[test]
    fn a_sparse_file_takes_neither_memory_nor_time() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), SetAside::default());
        let file = File::create(folder.path().join(REFUSED_FILE)).unwrap();
        file.set_len(64 << 20).unwrap();
        assert_eq!(read(folder.path()).unwrap().unreadable_lines, 1);
        file.set_len(1 << 42).unwrap();
        let err = read(folder.path()).unwrap_err();
        assert!(
            vidpairs_types::with_causes(&err).contains("more than"),
            "{err}"
        );
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
