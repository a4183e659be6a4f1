//! File of a pinned source: a header, then a line of JSON for each clip and each input that was set aside, in the order of their ids.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf, absolute};

use serde::{Deserialize, Serialize};
use vidpairs_pipeline::Pipeline;
use vidpairs_run::{RunError, failed};
use vidpairs_source::IgnoredFiles;
use vidpairs_store::store_url;
use vidpairs_types::{Clip, NextLine, Refusal, SourceKind, next_line, open_regular, stays_below};
use xxhash_rust::xxh64::Xxh64;

use crate::run::ExtractError;
use crate::run::entries::{Entries, Entry, fingerprint};
use crate::run::files::ClipFiles;
use crate::run::stored;

/// Value of `format`, by which a list is told from a list of paths.
const FORMAT: &str = "vidpairs-list";
/// Longest line that is read, bytes: of an image with a hundred thousand objects.
const MAX_LINE_BYTES: usize = 64 << 20;
/// Longest header that is read, bytes.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// First line of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    format: String,
    format_version: u32,
    program_version: String,
    kind: SourceKind,
    splits: Vec<String>,
    /// Whether each annotated box of an image is a pair of its own.
    objects: bool,
    /// Folder below which the paths of the clips are, unless they are absolute.
    root: PathBuf,
    /// Number of further lines.
    clips: u64,
    /// xxh64 of all ids, in order, as in `dataset.json`: 16 hexadecimal digits.
    clips_xxh64: String,
    /// Number of other files of the source, by extension.
    #[serde(default)]
    ignored: IgnoredFiles,
}

/// Any further line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Clip {
        ordinal: u64,
        #[serde(flatten)]
        clip: Clip,
        files: ClipFiles,
    },
    SetAside {
        ordinal: u64,
        set_aside: Refusal,
    },
}

impl Header {
    /// Header of the list of `entries`, which were listed with `pipeline`.
    pub fn new(pipeline: &Pipeline, entries: &Entries) -> io::Result<Self> {
        Ok(Self {
            format: FORMAT.to_owned(),
            format_version: 1,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: pipeline.source.kind,
            splits: pipeline.source.splits.clone(),
            objects: pipeline.source.objects.is_some(),
            root: match &entries.store {
                Some(_) => entries.root.clone(),
                None => folder_of(&entries.root)?,
            },
            clips: entries.len(),
            clips_xxh64: format!("{:016x}", entries.fingerprint),
            ignored: entries.ignored.clone(),
        })
    }

    /// Fails if a run with `pipeline` would list another source.
    fn check(&self, path: &Path, pipeline: &Pipeline) -> Result<(), ExtractError> {
        let source = &pipeline.source;
        let differ = |key, list: String, pipeline: String| match list == pipeline {
            true => Ok(()),
            false => Err(ExtractError::ListOfOtherSource {
                path: path.to_owned(),
                key,
                list,
                pipeline,
            }),
        };
        let quoted = |kind: SourceKind| format!("\"{}\"", kind.name());
        differ("source.kind", quoted(self.kind), quoted(source.kind))?;
        let texts = |splits: &[String]| format!("{splits:?}");
        differ("source.splits", texts(&self.splits), texts(&source.splits))?;
        let boxes = |has: bool| String::from(if has { "boxes" } else { "nothing" });
        let objects = source.objects.is_some();
        differ("source.boxes", boxes(self.objects), boxes(objects))
    }
}

/// The folder of a source: itself, or where the file is.
fn folder_of(root: &Path) -> io::Result<PathBuf> {
    let root = absolute(root)?;
    Ok(match root.parent() {
        Some(folder) if !root.is_dir() => folder.to_owned(),
        _ => root,
    })
}

/// Writes the list line by line. `entries` are those of the header, with the files of each clip.
pub(super) fn write_line(
    file: &mut impl Write,
    header: &Header,
    ordinal: u64,
    entry: &Entry,
    files: Option<ClipFiles>,
) -> io::Result<()> {
    let line = match (entry, files) {
        (Entry::Clip { clip, .. }, Some(files)) => Line::Clip {
            ordinal,
            clip: clip.clone().with_paths(|path| {
                // A URL is no relative path.
                let path = match path.strip_prefix(&header.root) {
                    Ok(below) => return below.to_owned(),
                    Err(_) => absolute(path).unwrap_or_else(|_| path.to_owned()),
                };
                path.strip_prefix(&header.root)
                    .map_or(path.clone(), Path::to_owned)
            }),
            files,
        },
        (Entry::Clip { .. }, None) => return Err(io::ErrorKind::InvalidInput.into()),
        (Entry::SetAside(refusal), _) => Line::SetAside {
            ordinal,
            set_aside: refusal.clone(),
        },
    };
    write_json(file, &line)
}

/// Writes `value` as a line of JSON.
pub(super) fn write_json(file: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *file, value)?;
    file.write_all(b"\n")
}

/// Whether the file `path` is a pinned list, by its first bytes; or is meant to be one, by its name.
pub(in crate::run) fn is_list(path: &Path) -> bool {
    let Ok(file) = open_regular(path) else {
        return false;
    };
    if path
        .extension()
        .is_some_and(|extension| extension == "jsonl")
    {
        return true;
    }
    let mut start = Vec::new();
    let read = io::Read::read_to_end(&mut io::Read::take(file, 64), &mut start);
    let start: Vec<u8> = start.into_iter().filter(|byte| *byte != b' ').collect();
    read.is_ok() && start.starts_with(format!("{{\"format\":\"{FORMAT}\"").as_bytes())
}

/// Reads the list `path`, made for the source of `pipeline`.
///
/// # Errors
/// [`ExtractError::List`] names the line; [`ExtractError::ListOfOtherSource`]; [`RunError::File`].
pub(in crate::run) fn read(path: &Path, pipeline: &Pipeline) -> Result<Entries, RunError> {
    let opened = open_regular(path).map_err(failed("read", path))?;
    let mut file = BufReader::with_capacity(1 << 18, opened);
    let mut lines = Lines {
        path,
        number: 0,
        text: Vec::new(),
    };
    let header: Header = match lines.next(&mut file, MAX_HEADER_BYTES)? {
        true => lines.parse()?,
        false => return Err(lines.damaged("it is empty".to_owned()).into()),
    };
    if header.format_version != 1 {
        let version = header.format_version;
        let why =
            format!("format_version is {version}; this program reads 1: use a newer vidpairs");
        return Err(lines.damaged(why).into());
    }
    header.check(path, pipeline)?;
    let is_url = store_url(&header.root).is_some();
    let mut list = Vec::new();
    // The folder may be mounted elsewhere on each machine, so the header is left out.
    let mut hash = Xxh64::new(0);
    while lines.next(&mut file, MAX_LINE_BYTES)? {
        hash.update(&lines.text);
        let line = lines.parse().map_err(|_| {
            // Of a line with two forms, the parser does not say what is wrong.
            lines.damaged("it describes neither a clip nor an input that was set aside".to_owned())
        })?;
        let (ordinal, entry) = match line {
            Line::Clip {
                ordinal,
                clip,
                files,
            } => {
                let is_stored = matches!(files, ClipFiles::Stored { .. });
                if is_url && !(is_stored && clip.paths().into_iter().all(stays_below)) {
                    let why = format!(
                        "clip {} is not an object below {}: make the list anew with `vidpairs list`",
                        clip.id,
                        header.root.display()
                    );
                    return Err(lines.damaged(why).into());
                }
                let clip = clip.with_paths(|path| header.root.join(path));
                let pinned = Some(files);
                (ordinal, Entry::Clip { clip, pinned })
            }
            Line::SetAside { ordinal, set_aside } => (ordinal, Entry::SetAside(set_aside)),
        };
        if ordinal != list.len() as u64 {
            let expected = list.len();
            let why = format!(
                "ordinal is {ordinal}; expected {expected}: a line is missing, or was moved"
            );
            return Err(lines.damaged(why).into());
        }
        list.push(entry);
    }
    let found = fingerprint(&list);
    if list.len() as u64 != header.clips || format!("{found:016x}") != header.clips_xxh64 {
        let (stated, found) = (header.clips, list.len());
        let why = format!(
            "it ends after {found} of {stated} clips, or their ids were changed: copy it again, or make it anew with `vidpairs list`"
        );
        return Err(lines.damaged(why).into());
    }
    let Header { root, ignored, .. } = header;
    let store = match is_url {
        true => Some(stored::open(&root)?),
        false => None,
    };
    Ok(Entries {
        store,
        ..Entries::new(list, root, ignored, Some(hash.digest()))
    })
}

struct Lines<'a> {
    path: &'a Path,
    /// Number of the line, from 1.
    number: u64,
    text: Vec<u8>,
}

impl Lines<'_> {
    /// Reads a line; `false` at the end.
    fn next(&mut self, file: &mut impl BufRead, max_bytes: usize) -> Result<bool, RunError> {
        self.number += 1;
        let read = next_line(file, &mut self.text, max_bytes);
        match read.map_err(failed("read", self.path))? {
            NextLine::End => Ok(false),
            NextLine::Line => Ok(true),
            NextLine::TooLong => {
                let why = format!("it has more than {max_bytes} bytes");
                Err(self.damaged(why).into())
            }
        }
    }

    fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ExtractError> {
        serde_json::from_slice(&self.text).map_err(|err| self.damaged(err.to_string()))
    }

    fn damaged(&self, reason: String) -> ExtractError {
        ExtractError::List {
            path: self.path.to_owned(),
            line: self.number,
            reason,
        }
    }
}
