//! Lists and reads the pictures of a zip, in place.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::{ControlFlow, Range};
use std::path::Path;

use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{Frame, is_left_out_folder, open_regular};
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipArchive};

use super::numbers::ImagesIndex;
use super::store::{PictureStore, is_picture, read_exactly};
use super::version::ZipVersion;
use crate::decode::Decoded;
use crate::decode::error::DecodeError;

/// Smallest entry of a zip's directory, bytes.
const MIN_ENTRY_BYTES: u64 = 46;

/// Smallest header before the data of a member, without its name, bytes.
const MIN_HEADER_BYTES: u64 = 30;

/// Size up to which a member may be inflated whatever its ratio, bytes.
const MAX_FREE_BYTES: u64 = 4 << 20;

/// Largest ratio of the size of a larger member to its stored size. Pictures that are compressed already hardly shrink; a black
/// uncompressed one shrinks up to 1000 times.
const MAX_RATIO: u64 = 100;

/// Indexes the zip at `path` as by [`super::index`].
///
/// # Errors
/// As [`super::index`], and [`DecodeError::Changed`] if the zip was replaced or written to meanwhile.
pub(in crate::decode) fn index_zip(
    path: &Path,
    fps: Option<f64>,
    first_number: Option<u64>,
    heartbeat: &Heartbeat,
) -> Result<(ImagesIndex, ZipVersion), DecodeError> {
    let (mut store, version) = PictureZip::open(path)?;
    let index = super::index(&mut store, fps, first_number, heartbeat)?;
    version.check(path)?;
    Ok((index, version))
}

/// Decodes frames of the zip at `path` as by [`super::decode_wanted`].
///
/// # Errors
/// As [`super::decode_wanted`], and [`DecodeError::Changed`] if the zip is not `version`, that of the index, before and after.
pub(in crate::decode) fn decode_zip(
    path: &Path,
    (index, version): (&ImagesIndex, ZipVersion),
    wanted: &[u64],
    heartbeat: &Heartbeat,
    each: &mut dyn FnMut(Frame) -> ControlFlow<()>,
) -> Result<Decoded, DecodeError> {
    version.check(path)?; // before a changed zip is found to be damaged
    let (mut store, opened) = PictureZip::open(path)?;
    version.check_same(opened)?;
    let decoded = super::decode_wanted(&mut store, index, wanted, heartbeat, each)?;
    version.check(path)?;
    Ok(decoded)
}

/// A zip of pictures.
pub(in crate::decode) struct PictureZip(ZipArchive<BufReader<File>>);

impl PictureZip {
    /// Opens the zip at `path` and reads its directory. Also gives the version of the file.
    ///
    /// # Errors
    /// [`DecodeError`] if the file cannot be read, is no sound zip, or has several pictures of the same name.
    fn open(path: &Path) -> Result<(Self, ZipVersion), DecodeError> {
        let unreadable = |err| DecodeError::unreadable("the zip", err);
        let file = open_regular(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        if size == 0 {
            return Err(DecodeError::Empty);
        }
        let version = ZipVersion::of(&file)?;
        let mut reader = BufReader::new(file);
        // The archive reserves memory for as many members as its end states.
        let num_members = listed(&mut reader)?.len();
        if num_members as u64 > size / MIN_ENTRY_BYTES {
            let text = format!("{num_members} members in a file of {size} bytes");
            return Err(DecodeError::Zip(text));
        }
        let archive = ZipArchive::new(reader).map_err(|err| zip_error("the zip", err))?;
        if !archive.has_duplicate_names() {
            return Ok((Self(archive), version));
        }
        // The archive keeps one member of each name.
        let mut reader = archive.into_inner();
        refuse_repeated_pictures(&mut reader)?;
        let archive = ZipArchive::new(reader).map_err(|err| zip_error("the zip", err))?;
        Ok((Self(archive), version))
    }
}

impl PictureStore for PictureZip {
    fn names(&mut self) -> Result<Vec<String>, DecodeError> {
        let mut names = Vec::new();
        let mut stretches = Vec::new();
        for at in 0..self.0.len() {
            let member = self.0.by_index_data(at);
            let member = member.map_err(|err| zip_error("the zip", err))?;
            stretches.push(stretch(&member));
            // A member whose name is not text is not a frame: it could not be read by name.
            if let Ok(name) = member.name()
                && is_frame(&name)
            {
                check_method(&name, &member)?;
                names.push(name.into_owned());
            }
        }
        refuse_overlaps(stretches)?;
        let Some(first) = names.first() else {
            return Err(DecodeError::NoPicture {
                place: "in the zip",
                found: self.0.len(),
            });
        };
        let folder = split(first).0;
        if let Some(other) = names.iter().find(|name| split(name).0 != folder) {
            return Err(DecodeError::SeveralFolders {
                first: folder.to_owned(),
                second: split(other).0.to_owned(),
            });
        }
        Ok(names)
    }

    fn read_head(&mut self, name: &str, max_bytes: u64) -> Result<Vec<u8>, DecodeError> {
        let member = self.0.by_name(name).map_err(|err| zip_error(name, err))?;
        let size = member.size().min(max_bytes);
        read_exactly(member, name, size)
    }

    fn read(&mut self, name: &str) -> Result<Vec<u8>, DecodeError> {
        let mut member = self.0.by_name(name).map_err(|err| zip_error(name, err))?;
        let (size, stored) = (member.size(), member.compressed_size());
        if size > MAX_FREE_BYTES.max(stored.saturating_mul(MAX_RATIO)) {
            let text = format!("{name} grows from {stored} to {size} bytes, as no picture does");
            return Err(DecodeError::Zip(text));
        }
        let bytes = read_exactly(&mut member, name, size)?;
        // The checksum is compared at the end of the data.
        match member.read(&mut [0]) {
            Ok(0) => Ok(bytes),
            Ok(_) => Err(DecodeError::Zip(format!(
                "{name} has more than the {size} bytes that the zip states"
            ))),
            Err(err) => Err(DecodeError::unreadable(name, err)),
        }
    }
}

fn listed(reader: &mut BufReader<File>) -> Result<ZipIterable<&mut BufReader<File>>, DecodeError> {
    ZipIterable::try_new(reader, Config::default()).map_err(|err| zip_error("the zip", err))
}

fn refuse_repeated_pictures(reader: &mut BufReader<File>) -> Result<(), DecodeError> {
    let error = |err| zip_error("the zip", err);
    let mut seen = HashSet::new();
    for member in listed(reader)?.files().map_err(error)? {
        let member = member.map_err(error)?;
        let Ok(name) = member.name() else { continue };
        if is_frame(&name) && !seen.insert(name.to_string()) {
            let name = name.into_owned();
            return Err(DecodeError::RepeatedName { name });
        }
    }
    Ok(())
}

/// The bytes that a member takes at least: header, name and data.
fn stretch(member: &ZipFileEntry<'_>) -> Range<u64> {
    let start = member.header_start();
    let header = MIN_HEADER_BYTES + member.name_raw().len() as u64;
    start
        ..start
            .saturating_add(header)
            .saturating_add(member.compressed_size())
}

/// Refuses members that share bytes: many names for the same data make a small file endless work.
fn refuse_overlaps(mut stretches: Vec<Range<u64>>) -> Result<(), DecodeError> {
    stretches.sort_unstable_by_key(|stretch| stretch.start);
    let mut pairs = stretches.windows(2);
    match pairs.any(|pair| pair[1].start < pair[0].end) {
        true => Err(DecodeError::Zip("members share the same bytes".to_owned())),
        false => Ok(()),
    }
}

/// Refuses a member that is locked, or compressed by a method that cannot be read.
fn check_method(name: &str, member: &ZipFileEntry<'_>) -> Result<(), DecodeError> {
    let what = match member.compression() {
        _ if member.encrypted() => format!("{name} is locked with a password"),
        CompressionMethod::Stored | CompressionMethod::Deflated => return Ok(()),
        method => format!("{name} is compressed with {method}"),
    };
    Err(DecodeError::ZipMethod { what })
}

fn zip_error(what: &str, err: ZipError) -> DecodeError {
    match err {
        ZipError::Io(err) => DecodeError::unreadable(what, err),
        ZipError::UnsupportedArchive(text) => DecodeError::ZipMethod {
            what: format!("{what}: {text}"),
        },
        err => DecodeError::Zip(err.to_string()),
    }
}

/// Whether a member is a frame, by its path.
fn is_frame(member: &str) -> bool {
    let (folder, name) = split(member);
    is_picture(name) && !folder.split('/').any(is_left_out_folder)
}

/// Folder and file name of a member.
fn split(member: &str) -> (&str, &str) {
    member.rsplit_once('/').unwrap_or(("", member))
}
