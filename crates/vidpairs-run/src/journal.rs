//! The journal of an unfinished run: how it began, then one line for each finished piece of work.
//!
//! A line is written after the bytes that it describes. So after a kill the last line is true. Each line ends with a checksum that
//! covers the lines before it too: a line that is torn, changed, left out or moved ends the part of the journal that counts, and the
//! work after it is done again. Nothing is cut off before the run is known to be the same: a refused command leaves the journal as it is.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vidpairs_types::{NextLine, next_line, open_own, read_regular};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::RunError;
use crate::out::{OutFolder, failed, same_run};

/// Name of the journal in its folder.
pub const JOURNAL_FILE: &str = "progress.jsonl";
/// Longest line, bytes: a hundred thousand times the usual one, so that a file of something else takes no more memory.
const MAX_LINE_BYTES: usize = 64 << 20;
/// Largest manifest of a finished run, bytes.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;
/// Digits of a checksum, behind a tab.
const CHECKSUM_DIGITS: usize = 16;

/// How the runs of one command lie in their folders.
#[derive(Debug, Clone, Copy)]
pub struct RunLayout {
    /// What a folder holds, for errors: `a rendered set`.
    pub what: &'static str,
    /// The file that is written last. A folder with it holds a finished run.
    pub manifest: &'static str,
    /// Key of the manifest that holds the settings of the run.
    pub begin_key: &'static str,
}

/// A run that may continue.
#[derive(Debug)]
pub enum Started<L> {
    /// The folder holds the finished run; this is its manifest.
    Complete(Value),
    /// The run is new or was stopped: its journal, and its lines.
    Open(Journal<L>, Vec<L>),
}

impl RunLayout {
    /// Starts a run with the settings `begin` in `out`, or resumes it.
    ///
    /// # Errors
    /// [`RunError`]: the folder holds something else, a run with other settings, or cannot be written.
    pub fn start<L: Serialize + DeserializeOwned>(
        &self,
        out: &Path,
        begin: &impl Serialize,
    ) -> Result<Started<L>, RunError> {
        let begin = serde_json::to_value(begin).map_err(RunError::of)?;
        let has_journal = OutFolder::has_journal(out);
        if let Some(manifest) = self.finished(out)? {
            same_run(out, self.what, &manifest[self.begin_key], &begin, |_| false)?;
            if !has_journal {
                OutFolder::tidy(out);
                return Ok(Started::Complete(manifest));
            }
        } else if !has_journal {
            OutFolder::check(out, &[])?;
        }
        let mut claimed = OutFolder::claim(out, self.what)?;
        // Once more: another run may have finished since, or a run was stopped while it removed its journal.
        if let Some(manifest) = self.finished(out)? {
            same_run(out, self.what, &manifest[self.begin_key], &begin, |_| false)?;
            claimed.finish()?;
            return Ok(Started::Complete(manifest));
        }
        let same = |theirs: Value| same_run(out, self.what, &theirs, &begin, |_| false);
        let (mut journal, stopped) = Journal::open(claimed, same)?;
        let lines = match stopped {
            Some(stopped) => stopped.lines,
            None => {
                journal.begin(&begin)?;
                Vec::new()
            }
        };
        Ok(Started::Open(journal, lines))
    }

    /// The manifest of a finished run in `out`.
    fn finished(&self, out: &Path) -> Result<Option<Value>, RunError> {
        let path = out.join(self.manifest);
        match read_regular(&path, MAX_MANIFEST_BYTES) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|err| failed("read", &path)(io::Error::other(err))),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(err) if err.kind() == io::ErrorKind::NotADirectory => {
                Err(RunError::NotAFolder(out.to_owned()))
            }
            Err(err) => Err(failed("read", &path)(err)),
        }
    }
}

/// The content of the journal of a stopped run.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped<B, L> {
    /// Settings of the run.
    pub begin: B,
    /// The lines that count.
    pub lines: Vec<L>,
}

/// The journal of a claimed output folder.
#[derive(Debug)]
pub struct Journal<L> {
    out: OutFolder,
    path: PathBuf,
    file: File,
    /// Length and checksum of the journal after its first line, and after each further line.
    ends: Vec<(u64, u64)>,
    lines: PhantomData<fn(L)>,
}

impl<L: Serialize + DeserializeOwned> Journal<L> {
    /// Opens the journal of `out` and reads it; `None` if no run was begun. The part that does not count is cut off.
    ///
    /// - `same`: checks that the settings of the stopped run, perhaps of another version of this program, are those of this one. After
    ///   an error the journal is unchanged.
    ///
    /// # Errors
    /// Those of `same`; [`RunError::Journal`] if the first line is damaged, or another is none of this version; [`RunError::File`].
    pub fn open<B>(
        out: OutFolder,
        same: impl FnOnce(Value) -> Result<B, RunError>,
    ) -> Result<(Self, Option<Stopped<B, L>>), RunError> {
        let path = out.journal_folder().join(JOURNAL_FILE);
        let opened = open_own(File::options().read(true).append(true).create(true), &path);
        let file = opened.map_err(failed("open", &path))?;
        let unreadable = || RunError::Journal { path: path.clone() };
        let Parsed {
            lines,
            ends,
            is_first_torn,
        } = parse(&file).map_err(failed("read", &path))?;
        let stopped = match lines.split_first() {
            Some((first, lines)) => {
                let begin = serde_json::from_slice(first).map_err(|_| unreadable())?;
                let begin = same(begin)?;
                let lines = lines.iter().map(|json| serde_json::from_slice(json));
                let lines = lines.collect::<Result<_, _>>();
                let lines = lines.map_err(|_| unreadable())?;
                Some(Stopped { begin, lines })
            }
            None if is_first_torn => None,
            None => return Err(unreadable()),
        };
        let mut journal = Self {
            out,
            path,
            file,
            ends,
            lines: PhantomData,
        };
        journal.cut()?;
        Ok((journal, stopped))
    }

    /// The error for lines that do not follow from each other, although their checksums are right.
    pub fn refused(&self) -> RunError {
        RunError::Journal {
            path: self.path.clone(),
        }
    }

    /// The output folder.
    pub fn out(&self) -> &OutFolder {
        &self.out
    }

    /// Length of the lines that count, bytes.
    pub fn bytes(&self) -> u64 {
        self.ends.last().map_or(0, |(bytes, _)| *bytes)
    }

    /// Writes the settings of a new run.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn begin(&mut self, begin: &impl Serialize) -> Result<(), RunError> {
        self.append(begin)
    }

    /// Appends a line. After an error it does not count.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn add(&mut self, line: &L) -> Result<(), RunError> {
        self.append(line)
    }

    fn append(&mut self, line: &impl Serialize) -> Result<(), RunError> {
        let (bytes, checksum) = self.ends.last().copied().unwrap_or_default();
        let mut text =
            serde_json::to_vec(line).map_err(|err| self.failed("write")(io::Error::other(err)))?;
        if text.len() + CHECKSUM_DIGITS + 2 > MAX_LINE_BYTES {
            let reason = format!("a line of {} bytes, more than is read again", text.len());
            return Err(self.failed("write")(io::Error::other(reason)));
        }
        let checksum = xxh3_64_with_seed(&text, checksum);
        text.extend(format!("\t{checksum:0CHECKSUM_DIGITS$x}\n").bytes());
        if let Err(err) = self.file.write_all(&text) {
            let _ = self.file.set_len(bytes); // a torn line; reading would drop it too
            return Err(self.failed("write")(err));
        }
        self.ends.push((bytes + text.len() as u64, checksum));
        Ok(())
    }

    /// Waits until the disk has all lines.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn sync(&self) -> Result<(), RunError> {
        self.file.sync_data().map_err(self.failed("write"))
    }

    /// Forgets all lines but the first `count`: a power cut took the bytes that the others describe.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn keep(&mut self, count: usize) -> Result<(), RunError> {
        self.ends.truncate(count + 1);
        self.cut()
    }

    fn cut(&mut self) -> Result<(), RunError> {
        let (bytes, _) = self.ends.last().copied().unwrap_or_default();
        self.file.set_len(bytes).map_err(self.failed("shorten"))
    }

    /// Ends the run: the journal is removed, its lines first, so that a kill in between leaves the journal of no run.
    ///
    /// # Errors
    /// [`RunError::File`].
    pub fn finish(self) -> Result<(), RunError> {
        let Self {
            mut out,
            path,
            file,
            ..
        } = self;
        // NFS and FUSE keep the name of an open file.
        drop(file);
        fs::remove_file(&path).map_err(failed("remove", &path))?;
        out.finish()
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> RunError + use<L> {
        failed(action, &self.path)
    }
}

/// The part of a journal that counts.
#[derive(Default)]
struct Parsed {
    /// JSON of each line.
    lines: Vec<Vec<u8>>,
    /// Length and checksum of the journal after each.
    ends: Vec<(u64, u64)>,
    /// Whether there is nothing but the start of a line: a kill tore the first one.
    is_first_torn: bool,
}

fn parse(file: &File) -> io::Result<Parsed> {
    let mut parsed = Parsed::default();
    let (mut bytes, mut checksum) = (0, 0);
    let mut reader = BufReader::new(file);
    let mut raw = Vec::new();
    loop {
        // No more of an endless line is read than of the longest.
        let mut bounded = (&mut reader).take(MAX_LINE_BYTES as u64 + 1);
        let read = next_line(&mut bounded, &mut raw, MAX_LINE_BYTES)?;
        let Some(json) = checked(&raw, checksum) else {
            let is_torn = read != NextLine::TooLong && !raw.ends_with(b"\n");
            parsed.is_first_torn = parsed.lines.is_empty() && is_torn;
            return Ok(parsed);
        };
        bytes += raw.len() as u64;
        checksum = xxh3_64_with_seed(json, checksum);
        parsed.lines.push(json.to_owned());
        parsed.ends.push((bytes, checksum));
    }
}

/// The JSON of a whole line whose checksum is right after `before`.
fn checked(raw: &[u8], before: u64) -> Option<&[u8]> {
    let line = raw.strip_suffix(b"\n")?;
    let (json, checksum) = line.split_at_checked(line.len().checked_sub(CHECKSUM_DIGITS)?)?;
    let json = json.strip_suffix(b"\t")?;
    let stated = format!("{:0CHECKSUM_DIGITS$x}", xxh3_64_with_seed(json, before));
    (checksum == stated.as_bytes()).then_some(json)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LAYOUT: RunLayout = RunLayout {
        what: "numbers",
        manifest: "numbers.json",
        begin_key: "run",
    };

    fn begin(k: u32) -> Value {
        json!({"program_version": "1", "k": k})
    }

    fn start(out: &Path, k: u32) -> Result<(Journal<u32>, Vec<u32>), RunError> {
        match LAYOUT.start(out, &begin(k))? {
            Started::Open(journal, lines) => Ok((journal, lines)),
            Started::Complete(manifest) => panic!("{manifest}"),
        }
    }

    fn start_in(out: &Path, k: u32) -> (Journal<u32>, Vec<u32>) {
        start(out, k).unwrap()
    }

    #[test]
    fn a_journal_of_no_lines_without_end_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        drop(start(out, 1).unwrap());
        let path = out.join(".journal/progress.jsonl");
        File::create(&path).unwrap().set_len(1 << 30).unwrap();
        let err = start(out, 1).unwrap_err();
        assert!(matches!(err, RunError::Journal { .. }), "{err}");
    }

    #[test]
    fn a_stopped_run_has_its_lines_again_and_a_finished_one_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let out = &folder.path().join("out");
        let (mut journal, lines) = start(out, 1).unwrap();
        assert_eq!(lines, [] as [u32; 0]);
        journal.add(&7).unwrap();
        journal.add(&8).unwrap();
        drop(journal);
        let (mut journal, lines) = start(out, 1).unwrap();
        assert_eq!(lines, [7, 8]);
        journal.keep(1).unwrap();
        journal.add(&9).unwrap();
        drop(journal);
        let (journal, lines) = start(out, 1).unwrap();
        assert_eq!(lines, [7, 9]);
        let manifest = json!({"run": begin(1)});
        journal.out().write_json("numbers.json", &manifest).unwrap();
        journal.finish().unwrap();
        let again = LAYOUT.start::<u32>(out, &begin(1)).unwrap();
        assert!(matches!(again, Started::Complete(found) if found == manifest));
        let other = LAYOUT.start::<u32>(out, &begin(2)).unwrap_err().to_string();
        assert!(other.contains("k was 1, is 2"), "{other}");
    }

    #[test]
    fn a_line_that_is_torn_changed_left_out_or_moved_ends_what_counts() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let (mut journal, _) = start(out, 1).unwrap();
        for line in [10, 20, 30] {
            journal.add(&line).unwrap();
        }
        drop(journal);
        let path = out.join(".journal/progress.jsonl");
        let whole = fs::read(&path).unwrap();
        let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
        let resumed = |text: Vec<u8>| {
            fs::write(&path, text).unwrap();
            start(out, 1).unwrap().1
        };
        for cut in 1..lines[3].len() {
            assert_eq!(resumed(whole[..whole.len() - cut].to_vec()), [10, 20]);
        }
        // A change in line n keeps the lines before n, exactly.
        let mut start = lines[0].len();
        for (line, kept) in lines[1..].iter().zip([&[][..], &[10], &[10, 20]]) {
            for place in start..start + line.len() {
                for bit in 0..8 {
                    let mut changed = whole.clone();
                    changed[place] ^= 1 << bit;
                    assert_eq!(resumed(changed), kept, "bit {bit} of byte {place}");
                }
                let (head, tail) = whole.split_at(place);
                assert_eq!(
                    resumed([head, &tail[1..]].concat()),
                    kept,
                    "without byte {place}"
                );
                assert_eq!(
                    resumed([head, b"0", tail].concat()),
                    kept,
                    "more at byte {place}"
                );
            }
            start += line.len();
        }
        // Lines of another run, and lines twice.
        let other = folder.path().join("other");
        let (mut journal, _) = start_in(&other, 2);
        for line in [10, 20, 30] {
            journal.add(&line).unwrap();
        }
        drop(journal);
        let foreign = fs::read(other.join(".journal/progress.jsonl")).unwrap();
        let foreign: Vec<&[u8]> = foreign.split_inclusive(|&byte| byte == b'\n').collect();
        assert_eq!(resumed([lines[0], foreign[1]].concat()), [] as [u32; 0]);
        assert_eq!(
            resumed([lines[0], lines[1], foreign[2], foreign[3]].concat()),
            [10]
        );
        for twice in 1..4 {
            let mut all = lines.clone();
            all.insert(twice, lines[twice]);
            let kept = [10, 20, 30];
            assert_eq!(resumed(all.concat()), kept[..twice], "line {twice} twice");
        }
        assert_eq!(resumed([lines[0], lines[1], lines[3]].concat()), [10]);
        assert_eq!(
            resumed([lines[0], lines[2], lines[1], lines[3]].concat()),
            [] as [u32; 0]
        );
        assert_eq!(resumed(whole.clone()), [10, 20, 30]);
        assert_eq!(resumed(lines[0][..9].to_vec()), [] as [u32; 0]);
    }

    #[test]
    fn a_refused_command_leaves_the_journal_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let (mut journal, _) = start(out, 1).unwrap();
        journal.add(&10).unwrap();
        drop(journal);
        let path = out.join(".journal/progress.jsonl");
        let whole = fs::read(&path).unwrap();
        let refused = |err: RunError, words: &str| {
            assert!(err.to_string().contains(words), "{err}");
            assert_eq!(fs::read(&path).unwrap(), whole, "{err}");
        };
        refused(start(out, 2).unwrap_err(), "k was 1, is 2");
        let words = RunLayout {
            what: "words",
            ..LAYOUT
        };
        let err = words.start::<String>(out, &begin(1)).unwrap_err();
        refused(err, "an unfinished run that writes numbers");
        let err = LAYOUT.start::<String>(out, &begin(1)).unwrap_err();
        refused(err, "another version");
    }

    #[test]
    fn a_journal_whose_first_line_is_damaged_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let (mut journal, _) = start(out, 1).unwrap();
        journal.add(&10).unwrap();
        drop(journal);
        let path = out.join(".journal/progress.jsonl");
        let mut text = fs::read(&path).unwrap();
        text[3] ^= 0x01;
        fs::write(&path, &text).unwrap();
        let err = start(out, 1).unwrap_err();
        assert!(matches!(err, RunError::Journal { .. }), "{err}");
        assert_eq!(fs::read(&path).unwrap(), text);
    }
}
