//! Why a catalogue could not be read, or a file of an object.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use java_properties::PropertiesError;
use vidpairs_types::Refusal;
use zip::result::ZipError;

use super::files::MAX_FILE_BYTES;

/// Why a catalogue could not be read, or a file of an object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// No root was given. Stop: ask for one.
    #[error(
        "no objects to render: expected the path of a .sh3f file, or of a folder of .sh3f or .obj files"
    )]
    NoRoot,
    /// The root is not there. Stop.
    #[error("{root} does not exist")]
    RootMissing {
        /// As it was given.
        root: PathBuf,
    },
    /// A FIFO, a socket or a device stands where a catalogue should be. Stop.
    #[error("{root} is neither a file nor a folder")]
    NotRegular {
        /// As it was given.
        root: PathBuf,
    },
    /// There is not one object. Stop.
    #[error(
        "no object in {root}: looked for .sh3f catalogues and .obj files; found: {}, {}",
        files_in_words(*num_ignored),
        set_aside_in_words(set_aside)
    )]
    NoObject {
        /// As it was given.
        root: PathBuf,
        /// Number of files that are neither.
        num_ignored: u64,
        /// What should have been objects.
        set_aside: Vec<Refusal>,
    },
    /// The operating system refuses to read it. Stop if [`Catalog::read`](super::Catalog::read) says so; skip
    /// the object if [`ObjectFiles`](super::ObjectFiles) does.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The file is not a ZIP, or its directory is damaged. Stop if it was given; below a folder it is set
    /// aside.
    #[error("{catalogue} is not a catalogue: not a sound ZIP (of OBJ files, name the folder)")]
    NotAZip {
        /// The file.
        catalogue: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ZipError,
    },
    /// A ZIP, but of something else. Stop or set aside, as for [`NotAZip`](Self::NotAZip).
    #[error("{catalogue} is not a catalogue: no PluginFurnitureCatalog.properties in it")]
    NoProperties {
        /// The file.
        catalogue: PathBuf,
    },
    /// The list of the objects can't be parsed. Stop or set aside, as for [`NotAZip`](Self::NotAZip).
    #[error("PluginFurnitureCatalog.properties in {catalogue} is malformed")]
    BadProperties {
        /// The file.
        catalogue: PathBuf,
        /// Where and why.
        #[source]
        source: PropertiesError,
    },
    /// A file that the model names is not there. Render without it, or skip the object.
    #[error("no file {name:?} for {model}")]
    FileMissing {
        /// As the model names it.
        name: String,
        /// Whose.
        model: String,
    },
    /// A model names a file by an absolute path, or outside its catalogue or root; it is never opened. Render
    /// without it, or skip the object.
    #[error("{name:?} for {model} lies outside the catalogue")]
    FileOutside {
        /// As the model names it.
        name: String,
        /// Whose.
        model: String,
    },
    /// A file is larger than any of its kind should be, and was not read. Skip the object.
    #[error("{name:?} for {model} has {bytes} bytes or more; expected at most {MAX_FILE_BYTES}")]
    FileTooLarge {
        /// As the model names it.
        name: String,
        /// Whose.
        model: String,
        /// What is known of its size.
        bytes: u64,
    },
    /// The file is in the ZIP, but damaged there. Skip the object.
    #[error("{name:?} in {catalogue} is damaged")]
    FileDamaged {
        /// As it is called there.
        name: String,
        /// The catalogue.
        catalogue: PathBuf,
        /// What is wrong with it.
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

    /// The error and what lies behind it, for a [`Refusal`].
    pub(super) fn in_words(&self) -> String {
        match self.source() {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

fn files_in_words(num: u64) -> String {
    match num {
        1 => "1 other file".to_owned(),
        _ => format!("{num} other files"),
    }
}

fn set_aside_in_words(set_aside: &[Refusal]) -> String {
    match set_aside.first() {
        None => "none set aside".to_owned(),
        Some(first) => format!(
            "{} set aside, the first: {}: {}",
            set_aside.len(),
            first.id,
            first.reason
        ),
    }
}
