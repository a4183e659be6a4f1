//! Errors of listing sources and reading annotations.

use std::io;
use std::path::{Path, PathBuf};

use vidpairs_types::{LeftOut, Outcome, Refusal};

use crate::listing::IgnoredFiles;

/// Error of listing a source or reading the annotations of a clip.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The root does not exist. Stop.
    #[error("{root} does not exist")]
    RootMissing {
        /// Root as given.
        root: PathBuf,
    },
    /// The listing of an object store is empty. Stop.
    #[error(
        "no object below {root}; expected the URL of a bucket, of a folder in it, or of one object"
    )]
    NoObjects {
        /// Root as given.
        root: PathBuf,
    },
    /// The operating system or the object store cannot read a file or folder. Stop if [`list`](crate::list) fails; skip the clip if
    /// [`annotations`](crate::annotations()) fails.
    #[error("cannot read {path}")]
    Unreadable {
        /// Path of the file or folder.
        path: PathBuf,
        /// Error of the operating system or of the object store.
        #[source]
        source: io::Error,
    },
    /// A FIFO, socket, device or folder is in place of a file. Stop or skip, as for [`Unreadable`](Self::Unreadable).
    #[error("{path} is {what}, not a regular file")]
    NotRegular {
        /// Path of the file.
        path: PathBuf,
        /// Kind of the file, such as `a FIFO`.
        what: &'static str,
    },
    /// The root does not have the stated layout. Stop.
    #[error(
        "no {wanted} in {root}: looked for {looked_for}; found: {}",
        shortened(found)
    )]
    WrongRoot {
        /// Root as given.
        root: PathBuf,
        /// Contents of a root of this kind.
        wanted: &'static str,
        /// Names that identify them.
        looked_for: &'static str,
        /// Existing names, sorted.
        found: Vec<String>,
    },
    /// A requested split does not exist. Stop.
    #[error("no split `{split}` in {root}; found: {}", shortened(existing))]
    SplitMissing {
        /// Root as given.
        root: PathBuf,
        /// Requested name.
        split: String,
        /// Existing splits.
        existing: Vec<String>,
    },
    /// No split was requested, and the default ones do not exist. Stop.
    #[error(
        "no split {default} in {root}; found: {}; name the splits to list",
        shortened(existing)
    )]
    DefaultSplitMissing {
        /// Root as given.
        root: PathBuf,
        /// Name of the default splits.
        default: &'static str,
        /// Existing splits.
        existing: Vec<String>,
    },
    /// Splits were requested of a kind that has none. Stop.
    #[error(
        "a source of kind {kind} has no splits; requested: {}",
        shortened(splits)
    )]
    KindWithoutSplits {
        /// Name of the kind.
        kind: &'static str,
        /// Requested splits.
        splits: Vec<String>,
    },
    /// The source holds no clip. Stop.
    #[error(
        "no clip in {root}: looked for {looked_for}; found: {ignored}, {}",
        refusal_summary(refused)
    )]
    NoClips {
        /// Root as given.
        root: PathBuf,
        /// Names of clips of this kind.
        looked_for: &'static str,
        /// Other files.
        ignored: IgnoredFiles,
        /// Inputs that look like clips but cannot be used, or are left out by a rule.
        refused: Vec<Refusal>,
    },
    /// The data set holds no image set. Stop.
    #[error(
        "no image set in {root}: looked for {looked_for}; {}",
        left_out_summary(left_out)
    )]
    NoSets {
        /// Root as given.
        root: PathBuf,
        /// Names of the files of a set.
        looked_for: &'static str,
        /// Sets and images that were left out.
        left_out: Vec<LeftOut>,
    },
    /// The images of a split do not lie in folders of their classes. Stop.
    #[error(
        "the images of {folder} do not lie in folders of their classes; expected <class>/<image>: for ImageNet, valprep.sh of PyTorch's \
         examples moves them"
    )]
    FlatSplit {
        /// Folder of the split.
        folder: PathBuf,
    },
    /// Too few classes have training images. Stop.
    #[error(
        "{root} has training images of {} class{} ({}); expected at least {min_classes}; {}",
        classes.len(), if classes.len() == 1 { "" } else { "es" }, shortened(classes), left_out_summary(left_out)
    )]
    FewClasses {
        /// Root as given.
        root: PathBuf,
        /// Classes with a training image.
        classes: Vec<String>,
        /// Smallest number of such classes, in words.
        min_classes: &'static str,
        /// Parts of the data set that were left out.
        left_out: Vec<LeftOut>,
    },
    /// There is nothing to test a classifier on. Stop.
    #[error(
        "{root} has no test image of a class with training images; {}",
        left_out_summary(left_out)
    )]
    NoTestImages {
        /// Root as given.
        root: PathBuf,
        /// Parts of the data set that were left out.
        left_out: Vec<LeftOut>,
    },
    /// A folder of labelled images has too few labels or images. Stop.
    #[error(
        "{root} holds images of {} label{} ({}); expected at least two labels, and two images of one of \
         them; folders without a JPEG or PNG: {}",
        labels.len(), if labels.len() == 1 { "" } else { "s" }, shortened(labels), shortened(empty)
    )]
    FewLabelled {
        /// Root as given.
        root: PathBuf,
        /// Labels with an image.
        labels: Vec<String>,
        /// Label folders without an image.
        empty: Vec<String>,
    },
    /// The requested number of images is too small for a bank and a query image of each label. Stop.
    #[error("max_images is {max_images}; expected at least 2 for each of the {num_labels} labels")]
    MaxImages {
        /// Requested number of images.
        max_images: usize,
        /// Number of labels with an image.
        num_labels: usize,
    },
    /// A text that was given as a list of paths leads to no clip. Stop.
    #[error(
        "{path} is no list of clips: {reason}; expected in each line the path of a video, or of a folder or zip of pictures, \
         relative to the folder of the list"
    )]
    NotAList {
        /// Path of the text.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },
    /// A file is larger than any of its kind can be, and was not read. Stop or skip, as for
    /// [`Unreadable`](Self::Unreadable).
    #[error("{path} has {bytes} bytes; expected at most {max_bytes}")]
    TooLarge {
        /// Path of the file.
        path: PathBuf,
        /// Size of the file, bytes.
        bytes: u64,
        /// Largest size that is read, bytes.
        max_bytes: u64,
    },
    /// An annotation in XML is damaged or of another kind. Leave the image out.
    #[error("{path} is no annotation of Pascal VOC: {reason}")]
    BadXml {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong, with the line and column if it is no XML.
        reason: String,
    },
    /// An annotation file in JSON is damaged or of another kind. Stop.
    #[error("cannot use {path} as an annotation file of MSCOCO: {reason}")]
    BadJson {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong, with the line and column, and what to do.
        reason: String,
    },
    /// The root holds several years of Pascal VOC where one is needed. Stop.
    #[error(
        "{root} holds several years: {}; name the folder of one",
        shortened(years)
    )]
    SeveralYears {
        /// Root as given.
        root: PathBuf,
        /// Names of the folders.
        years: Vec<String>,
    },
    /// A line is not valid. Stop for a list of labels; skip the clip for an annotation.
    #[error("{path} line {line}: {value:?}; expected {expected}")]
    BadLine {
        /// Path of the file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// Text of the line, at most 80 characters.
        value: String,
        /// Valid text.
        expected: &'static str,
    },
}

impl SourceError {
    /// Error of reading the file or folder `path`.
    pub(crate) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Unreadable {
            path: path.to_owned(),
            source,
        }
    }

    /// Error of reading the root.
    pub(crate) fn of_root(root: &Path) -> impl Fn(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::RootMissing {
                root: root.to_owned(),
            },
            _ => Self::unreadable(root)(source),
        }
    }
}

/// First three names, and the number of others.
fn shortened(names: &[String]) -> String {
    const NUM_SHOWN: usize = 3;
    let shown: Vec<&str> = names.iter().take(NUM_SHOWN).map(String::as_str).collect();
    match names.len() {
        0 => "nothing".to_owned(),
        1..=NUM_SHOWN => shown.join(", "),
        num => format!("{} (and {} more)", shown.join(", "), num - NUM_SHOWN),
    }
}

/// Numbers of inputs that were refused and skipped, and the first of them with its reason. A refused one comes first: it can be mended.
fn refusal_summary(inputs: &[Refusal]) -> String {
    let is_refused = |input: &&Refusal| input.outcome == Outcome::Refused;
    let num_refused = inputs.iter().filter(is_refused).count();
    let Some(first) = inputs.iter().find(is_refused).or(inputs.first()) else {
        return "none refused".to_owned();
    };
    let counts = match (num_refused, inputs.len() - num_refused) {
        (0, skipped) => format!("{skipped} skipped"),
        (refused, 0) => format!("{refused} refused"),
        (refused, skipped) => format!("{refused} refused and {skipped} skipped"),
    };
    format!("{counts}, the first: {}: {}", first.id, first.reason)
}

fn left_out_summary(left_out: &[LeftOut]) -> String {
    match left_out.first() {
        None => "nothing else was found".to_owned(),
        Some(first) => format!(
            "left out: {}, the first: {}: {}",
            left_out.len(),
            first.what,
            first.reason
        ),
    }
}
