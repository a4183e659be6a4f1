//! Errors of reading catalogues and the files of objects.

use std::io;
use std::path::{Path, PathBuf};

use java_properties::PropertiesError;
use vidpairs_run::counted;
use vidpairs_types::Refusal;
use zip::result::ZipError;

/// Why a catalogue, or a file of an object, could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// No root was given. Stop: the user must name one.
    #[error(
        "no objects to render: expected the path of a .sh3f file, or of a folder of .sh3f or .obj files"
    )]
    NoRoot,
    /// The root does not exist. Stop.
    #[error("{root} does not exist")]
    RootMissing {
        /// Path as given.
        root: PathBuf,
    },
    /// The root is a FIFO, a socket or a device. Stop.
    #[error("{root} is neither a file nor a folder")]
    NotRegular {
        /// Path as given.
        root: PathBuf,
    },
    /// The root holds no object. Stop.
    #[error(
        "no object in {root}: expected .sh3f catalogues or .obj files; it holds {}, {}",
        counted(*num_ignored, "other file"),
        in_words(set_aside)
    )]
    NoObject {
        /// Path as given.
        root: PathBuf,
        /// Number of other files.
        num_ignored: u64,
        /// Refused catalogues and objects.
        set_aside: Vec<Refusal>,
    },
    /// The operating system refuses to read the path. Stop if [`Catalog::read`](super::Catalog::read) returns this; skip
    /// the object if [`ObjectFiles`](super::ObjectFiles) does.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The file is not a ZIP, or its directory is damaged. Stop if the file was given as a root; refuse it if it lies in a
    /// folder.
    #[error("{catalogue} is not a catalogue: not a sound ZIP (of OBJ files, name the folder)")]
    NotAZip {
        /// The file.
        catalogue: PathBuf,
        /// Error of the ZIP library.
        #[source]
        source: ZipError,
    },
    /// The file is a ZIP without a list of objects. Stop or refuse it, as for [`NotAZip`](Self::NotAZip).
    #[error("{catalogue} is not a catalogue: no PluginFurnitureCatalog.properties in it")]
    NoProperties {
        /// The file.
        catalogue: PathBuf,
    },
    /// The list of objects cannot be parsed. Stop or refuse the file, as for [`NotAZip`](Self::NotAZip).
    #[error("PluginFurnitureCatalog.properties in {catalogue} is malformed")]
    BadProperties {
        /// The file.
        catalogue: PathBuf,
        /// Error of the parser, with the line.
        #[source]
        source: PropertiesError,
    },
    /// A file that the model names does not exist. Skip the object.
    #[error("no file {name:?} for {model}")]
    FileMissing {
        /// Name in the model.
        name: String,
        /// Location of the model.
        model: String,
    },
    /// A model names a file by an absolute path, or outside its catalogue or root. The file is not opened. Skip the object.
    #[error("{name:?} for {model} lies outside the catalogue")]
    FileOutside {
        /// Name in the model.
        name: String,
        /// Location of the model.
        model: String,
    },
    /// A file is larger than any file of an object should be. Skip the object.
    #[error("{name:?} for {model} has {bytes} bytes or more; expected at most {max_bytes}")]
    FileTooLarge {
        /// Name in the model.
        name: String,
        /// Location of the model.
        model: String,
        /// Lower bound of the size.
        bytes: u64,
        /// Maximum size.
        max_bytes: u64,
    },
    /// A member of a catalogue is damaged. Skip the object.
    #[error("{name:?} in {catalogue} is damaged")]
    FileDamaged {
        /// Name of the member.
        name: String,
        /// The catalogue.
        catalogue: PathBuf,
        /// Error of the ZIP library.
        #[source]
        source: ZipError,
    },
}

impl CatalogError {
    pub(super) fn of_root(root: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::RootMissing {
                root: root.to_owned(),
            },
            _ => Self::unreadable(root, source),
        }
    }

    pub(super) fn unreadable(path: &Path, source: io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            source,
        }
    }
}

fn in_words(set_aside: &[Refusal]) -> String {
    let refused = counted(set_aside.len() as u64, "refused file");
    match set_aside.first() {
        None => refused,
        Some(first) => format!("{refused}; the first, {}: {}", first.id, first.reason),
    }
}
