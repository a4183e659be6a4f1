//! Why a source could not be listed, or an annotation not be read.

use std::io;
use std::path::PathBuf;

use vidpairs_types::{LeftOut, Refusal};

/// Why a source could not be listed, or the boxes of a clip not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The root is not there. Stop.
    #[error("{root} does not exist")]
    RootMissing {
        /// As it was given.
        root: PathBuf,
    },
    /// The operating system refuses to read it. Stop if [`list`](super::list) says so; skip the clip if
    /// [`annotations`](super::annotations) does.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// A FIFO, a socket, a device or a folder stands where a file should be. Stop or skip, as for
    /// [`Unreadable`](Self::Unreadable).
    #[error("{path} is {what}, not a regular file")]
    NotRegular {
        /// The place.
        path: PathBuf,
        /// What it is: `a FIFO`, say.
        what: &'static str,
    },
    /// The root does not have the layout it was said to have. Stop.
    #[error(
        "no {wanted} in {root}: looked for {looked_for}; found: {}",
        shortened(found)
    )]
    WrongRoot {
        /// As it was given.
        root: PathBuf,
        /// What a root of this kind holds.
        wanted: &'static str,
        /// The names that would have told it.
        looked_for: &'static str,
        /// The names that are there, sorted.
        found: Vec<String>,
    },
    /// A split that was asked for is not there. Stop.
    #[error("no split `{split}` in {root}; found: {}", shortened(existing))]
    SplitMissing {
        /// As it was given.
        root: PathBuf,
        /// The name asked for.
        split: String,
        /// The splits that are there.
        existing: Vec<String>,
    },
    /// No split was asked for, and those taken by default are not there. Stop.
    #[error(
        "no split {default} in {root}; found: {}; name the splits to take",
        shortened(existing)
    )]
    DefaultSplitMissing {
        /// As it was given.
        root: PathBuf,
        /// What is taken by default.
        default: &'static str,
        /// The splits that are there.
        existing: Vec<String>,
    },
    /// Splits were asked for in a kind that has none. Stop.
    #[error(
        "a source of kind {kind} has no splits; asked for: {}",
        shortened(splits)
    )]
    KindWithoutSplits {
        /// The kind's name.
        kind: &'static str,
        /// The splits asked for.
        splits: Vec<String>,
    },
    /// There is not one clip. Stop.
    #[error(
        "no clip in {root}: looked for {looked_for}; found: {num_ignored} other files, {}",
        refused_in_words(refused)
    )]
    NoClips {
        /// As it was given.
        root: PathBuf,
        /// What would have been a clip.
        looked_for: &'static str,
        /// Number of files that are no video.
        num_ignored: u64,
        /// What should have been clips.
        refused: Vec<Refusal>,
    },
    /// There is not one set of images. Stop.
    #[error(
        "no set of images in {root}: looked for {looked_for}; {}",
        left_out_in_words(left_out)
    )]
    NoSets {
        /// As it was given.
        root: PathBuf,
        /// What would have been a set.
        looked_for: &'static str,
        /// What should have been sets or images of them.
        left_out: Vec<LeftOut>,
    },
    /// A folder of labelled images has too little to compare. Stop.
    #[error(
        "{root} holds images of {} label{} ({}); expected two labels or more, and two images of one of \
         them; folders without a JPEG or PNG: {}",
        labels.len(), if labels.len() == 1 { "" } else { "s" }, shortened(labels), shortened(empty)
    )]
    FewLabelled {
        /// As it was given.
        root: PathBuf,
        /// Labels that have an image.
        labels: Vec<String>,
        /// Folders of labels without one.
        empty: Vec<String>,
    },
    /// So few images were asked for that some label would have none to know or none to ask about. Stop.
    #[error("max_images is {max_images}; expected at least 2 for each of the {num_labels} labels")]
    MaxImages {
        /// As it was given.
        max_images: usize,
        /// Labels that have an image.
        num_labels: usize,
    },
    /// A text file is larger than any of its kind could be, and was not read. Stop or skip, as for
    /// [`Unreadable`](Self::Unreadable).
    #[error("{path} has {bytes} bytes; expected at most {max_bytes}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size that is read.
        max_bytes: u64,
    },
    /// A line is not what it should be. Stop if it is a list of labels; skip the clip if it is an annotation.
    #[error("{path} line {line}: {value:?}; expected {expected}")]
    BadLine {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What it says, at most 80 characters of it.
        value: String,
        /// What it should say.
        expected: &'static str,
    },
}

/// The first three names, and how many there are besides.
fn shortened(names: &[String]) -> String {
    const NUM_SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(NUM_SHOWN).map(String::as_str).collect();
    match names.len() {
        0 => "nothing".to_owned(),
        1..=NUM_SHOWN => shown.join(", "),
        num => format!("{} (and {} more)", shown.join(", "), num - NUM_SHOWN),
    }
}

fn refused_in_words(refused: &[Refusal]) -> String {
    match refused.first() {
        None => "none refused".to_owned(),
        Some(first) => format!(
            "{} refused, the first: {}: {}",
            refused.len(),
            first.id,
            first.reason
        ),
    }
}

fn left_out_in_words(left_out: &[LeftOut]) -> String {
    match left_out.first() {
        None => "found nothing of them".to_owned(),
        Some(first) => format!(
            "left out: {}, the first: {}: {}",
            left_out.len(),
            first.what,
            first.reason
        ),
    }
}
