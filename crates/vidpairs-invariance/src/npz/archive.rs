//! Opens the zip archive and its arrays, and checks an array before memory is allocated for it.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use vidpairs_types::{open_regular, printable};
use zip::ZipArchive;
use zip::read::ZipFile;

use super::error::NpzError;
use super::header::{ArrayHeader, text_place};

/// File extension of an array in the zip.
pub(super) const ENDING: &str = ".npy";
/// Bytes that an array may unpack to: this multiple of its bytes in the file, and an allowance. Features of networks compress to a third or
/// half, and to a tenth if most units are 0; deflate compresses zeros to 1/1032.
const MAX_RATIO: u64 = 100;
const ALLOWANCE: u64 = 1 << 28;
/// Names for errors, at most.
const MAX_NAMES: usize = 20;

/// The arrays of a `.npz` file.
#[derive(Debug)]
pub struct NpzArchive<R> {
    zip: ZipArchive<R>,
    names: Vec<String>,
}

impl NpzArchive<BufReader<File>> {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// As [`Self::new`]; the error does not name the file.
    pub fn open(path: &Path) -> Result<Self, NpzError> {
        let file = open_regular(path).map_err(NpzError::Read)?;
        Self::new(BufReader::new(file))
    }
}

impl<R: Read + Seek> NpzArchive<R> {
    /// Opens an archive.
    ///
    /// # Errors
    /// [`NpzError::Zip`] if it is not a zip, [`NpzError::SingleArray`] if it is a `.npy`, [`NpzError::Read`].
    pub fn new(mut file: R) -> Result<Self, NpzError> {
        let mut beginning = Vec::new();
        let read = Read::by_ref(&mut file).take(12).read_to_end(&mut beginning);
        read.and_then(|_| file.rewind()).map_err(NpzError::Read)?;
        if let Ok(beginning) = beginning.try_into()
            && text_place(beginning).is_ok()
        {
            return Err(NpzError::SingleArray);
        }
        let zip = ZipArchive::new(file).map_err(NpzError::Zip)?;
        let names = zip.file_names().filter_map(|name| {
            let name = name.ok()?;
            Some(name.strip_suffix(ENDING)?.to_owned())
        });
        let names = names.collect();
        Ok(Self { zip, names })
    }

    /// Names of the arrays, as NumPy shows them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there is an array `name`.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|other| other == name)
    }

    /// Opens the array `name`: reads its header and checks it against the size of the array.
    ///
    /// # Errors
    /// [`NpzError::Missing`], which lists the arrays; [`NpzError::Header`], [`NpzError::Size`], [`NpzError::Ratio`],
    /// [`NpzError::Damaged`].
    pub fn array(&mut self, name: &str) -> Result<ArrayReader<'_, R>, NpzError> {
        if !self.has(name) {
            let names = self.names.iter().take(MAX_NAMES);
            let mut found: Vec<_> = names.map(|name| printable(name)).collect();
            match self.names.len() {
                0 => found.push("none".into()),
                num if num > MAX_NAMES => found.push("...".into()),
                _ => {}
            }
            return Err(NpzError::Missing {
                name: name.to_owned(),
                found: found.join(", "),
            });
        }
        let file = self.zip.by_name(&format!("{name}{ENDING}"));
        ArrayReader::open(name, file.map_err(NpzError::Zip)?)
    }
}

/// An open array whose elements have not been read yet.
pub struct ArrayReader<'a, R: Read> {
    pub(super) name: String,
    pub(super) header: ArrayHeader,
    pub(super) elements: ZipFile<'a, R>,
}

impl<'a, R: Read> ArrayReader<'a, R> {
    fn open(name: &str, mut file: ZipFile<'a, R>) -> Result<Self, NpzError> {
        let (stated, stored) = (file.size(), file.compressed_size());
        if stated > stored.saturating_mul(MAX_RATIO).saturating_add(ALLOWANCE) {
            return Err(NpzError::Ratio {
                name: name.to_owned(),
                stated,
                stored,
            });
        }
        let damaged = |source| NpzError::Damaged {
            name: name.to_owned(),
            source,
        };
        let wrong = |reason: String| NpzError::Header {
            name: name.to_owned(),
            reason: printable(&reason).into_owned(),
        };
        let mut beginning = [0; 12];
        file.read_exact(&mut beginning).map_err(damaged)?;
        let (before, len) = text_place(beginning).map_err(wrong)?;
        // In version 1.0 the text begins two bytes earlier: they have been read already.
        let mut text = beginning[before..].to_vec();
        let left = len.saturating_sub(text.len()) as u64;
        let read = Read::by_ref(&mut file).take(left).read_to_end(&mut text);
        read.map_err(damaged)?;
        if text.len() < len {
            return Err(wrong("incomplete".to_owned()));
        }
        let text = std::str::from_utf8(&text).map_err(|err| wrong(err.to_string()))?;
        let header = ArrayHeader::parse(text).map_err(wrong)?;
        let got = stated.saturating_sub((before + len) as u64);
        let expected = match header.element.letter {
            'O' => {
                return Err(kind(
                    name,
                    &header,
                    "numbers or text, not Python objects (convert with .astype)",
                ));
            }
            // On overflow, a number that no file has.
            _ => header.num_bytes().unwrap_or(u128::MAX),
        };
        if expected != u128::from(got) {
            return Err(NpzError::Size {
                name: name.to_owned(),
                expected,
                got,
            });
        }
        Ok(Self {
            name: name.to_owned(),
            header,
            elements: file,
        })
    }

    /// Element type, shape and memory order.
    pub fn header(&self) -> &ArrayHeader {
        &self.header
    }

    /// An error about the element type.
    pub(super) fn kind(&self, expected: &'static str) -> NpzError {
        kind(&self.name, &self.header, expected)
    }

    /// An error about the shape.
    pub(super) fn shape(&self, expected: impl Into<String>) -> NpzError {
        NpzError::Shape {
            name: self.name.clone(),
            got: self.header.shape.clone(),
            expected: expected.into(),
        }
    }
}

/// Room for `count` values of the array `name`.
///
/// # Errors
/// [`NpzError::Memory`].
pub(super) fn room<T>(name: &str, count: usize) -> Result<Vec<T>, NpzError> {
    let mut values = Vec::new();
    match values.try_reserve_exact(count) {
        Ok(()) => Ok(values),
        Err(_) => Err(NpzError::Memory {
            name: name.to_owned(),
            bytes: count as u128 * size_of::<T>() as u128,
        }),
    }
}

fn kind(name: &str, header: &ArrayHeader, expected: &'static str) -> NpzError {
    NpzError::Kind {
        name: name.to_owned(),
        got: header.element.to_string(),
        expected,
    }
}
