//! Names of objects, sorted so that everything below a folder lies together.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use vidpairs_types::is_left_out_folder;

use super::StoredObject;
use crate::files::is_hidden;

/// Longest name of a file that file systems store, bytes.
const MAX_PART_BYTES: usize = 255;

/// Longest path that systems accept, bytes.
const MAX_NAME_BYTES: usize = 4096;

/// Names, sizes and versions of the objects of a listing, in any order.
///
/// A name takes 32 bytes beside its text and that of its version: about 100 MB for a million names of 40 bytes with ETags.
#[derive(Debug, Default)]
pub struct ObjectNames {
    /// Name and version of each object.
    text: String,
    records: Vec<Record>,
    /// Folders and files whose names cannot be those of files on a disk, with the reason.
    pub(super) unusable: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    /// Place of the name in the text.
    start: usize,
    name_bytes: usize,
    /// The version follows the name.
    version_bytes: usize,
    size_bytes: u64,
}

impl ObjectNames {
    /// Adds an object. A name that ends in `/` and the name `""` are folders. So is an empty object beside names below it: some clients
    /// leave out the `/`. If a name is added twice, the second object counts.
    ///
    /// A name that cannot be a path on a disk is kept aside, and becomes a refusal of the listing: one with an empty part (`a//b`, `/a`), a
    /// part `.` or `..`, a control character, or a part of more than 255 bytes.
    pub fn add(&mut self, object: StoredObject<'_>) {
        let StoredObject {
            name,
            size_bytes,
            version,
        } = object;
        match checked(name, size_bytes) {
            Ok(()) => {
                self.records.push(Record {
                    start: self.text.len(),
                    name_bytes: name.len(),
                    version_bytes: version.len(),
                    size_bytes,
                });
                self.text.push_str(name);
                self.text.push_str(version);
            }
            Err(Unusable::LeftOut) => {}
            Err(Unusable::Part { end, reason }) => {
                let part = name.get(..end).expect("a part ends at a slash").to_owned();
                self.unusable.entry(part).or_insert(reason);
            }
        }
    }

    /// Sorts the names. An object beside a folder of its name is set aside, unless it is empty and so another kind of mark of the folder.
    pub(super) fn sort(&mut self) {
        let text = std::mem::take(&mut self.text);
        let name = |record: &Record| name_in(&text, record);
        self.records
            .sort_unstable_by(|a, b| order(name(a), name(b)).then(a.start.cmp(&b.start)));
        self.records.dedup_by(|later, earlier| {
            let is_same = name(later) == name(earlier);
            if is_same {
                *earlier = *later;
            }
            is_same
        });
        let mut next_names = self.records.iter().skip(1).map(name);
        let mut shadowed = Vec::new();
        for (index, record) in self.records.iter().enumerate() {
            let below = next_names
                .next()
                .and_then(|next| next.strip_prefix(name(record)));
            if !name(record).is_empty() && below.is_some_and(|below| below.starts_with('/')) {
                shadowed.push(index);
            }
        }
        let mut shadowed = shadowed.into_iter().peekable();
        let mut index = 0;
        self.records.retain(|record| {
            let is_shadowed = shadowed.next_if_eq(&index).is_some();
            index += 1;
            if is_shadowed && record.size_bytes > 0 {
                let reason = "both an object and a folder have this name; rename one of them";
                self.unusable
                    .insert(name(record).to_owned(), reason.to_owned());
            }
            !is_shadowed
        });
        self.text = text;
    }

    /// Number of names.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Memory of the names, bytes.
    #[cfg(test)]
    pub(super) fn capacity_bytes(&self) -> usize {
        self.text.capacity() + self.records.capacity() * size_of::<Record>()
    }

    /// The object at `index`, in the order of [`sort`](Self::sort).
    pub(super) fn get(&self, index: usize) -> Option<StoredObject<'_>> {
        let record = self.records.get(index)?;
        let version_start = record.start + record.name_bytes;
        let version = version_start..version_start + record.version_bytes;
        Some(StoredObject {
            name: name_in(&self.text, record),
            size_bytes: record.size_bytes,
            version: self.text.get(version).expect("the text holds all versions"),
        })
    }

    /// The object of this name.
    pub(super) fn find(&self, name: &str) -> Option<StoredObject<'_>> {
        let found = self
            .records
            .binary_search_by(|record| order(name_in(&self.text, record), name));
        self.get(found.ok()?)
    }

    /// Places of all names that start with `prefix`, a folder with its `/`, or nothing.
    pub(super) fn below(&self, prefix: &str) -> Range<usize> {
        let name = |record: &Record| name_in(&self.text, record);
        let start = self
            .records
            .partition_point(|record| order(name(record), prefix).is_lt());
        start..self.end_of(start, prefix)
    }

    /// End of the names from `start` on that start with `prefix`.
    pub(super) fn end_of(&self, start: usize, prefix: &str) -> usize {
        let from_start = self.records.get(start..).unwrap_or_default();
        start + from_start.partition_point(|record| name_in(&self.text, record).starts_with(prefix))
    }

    /// Entries directly in the folder `prefix`, in the order of their names.
    pub(super) fn children<'a>(&'a self, prefix: &str) -> impl Iterator<Item = Child<'a>> {
        let mut places = self.below(prefix);
        std::iter::from_fn(move || {
            loop {
                let object = self.get(places.next()?)?;
                let rest = object.name.get(prefix.len()..)?;
                match rest.split_once('/') {
                    // The mark of the folder itself.
                    None if rest.is_empty() => {}
                    None => {
                        return Some(Child {
                            name: rest,
                            object: Some(object),
                        });
                    }
                    Some((name, _)) => {
                        let all_below = object.name.get(..prefix.len() + name.len() + 1)?;
                        places.start = self.end_of(places.start, all_below);
                        return Some(Child { name, object: None });
                    }
                }
            }
        })
    }
}

/// Entry of a folder.
pub(super) struct Child<'a> {
    /// Name in the folder.
    pub name: &'a str,
    /// The object; `None` for a folder.
    pub object: Option<StoredObject<'a>>,
}

fn name_in<'a>(text: &'a str, record: &Record) -> &'a str {
    let name = text.get(record.start..record.start + record.name_bytes);
    name.expect("the text holds all names")
}

/// Order of paths, part by part: a folder comes before a name that only begins with its name.
fn order(a: &str, b: &str) -> Ordering {
    // Names have no control characters, so a slash comes first.
    let key = |byte: u8| if byte == b'/' { 0 } else { byte };
    let mut pairs = a.bytes().zip(b.bytes());
    match pairs.find(|(a, b)| a != b) {
        Some((a, b)) => key(a).cmp(&key(b)),
        None => a.len().cmp(&b.len()),
    }
}

/// Why a name is no path on a disk.
enum Unusable {
    /// It lies in a hidden folder or one that is left out by its name.
    LeftOut,
    /// The part before `end` cannot be the name of a folder or file.
    Part { end: usize, reason: String },
}

fn checked(name: &str, size_bytes: u64) -> Result<(), Unusable> {
    let unusable = |end, reason: &str| {
        let reason = format!("{reason}, so it has no place on a disk; rename it");
        Err(Unusable::Part { end, reason })
    };
    let path = name.strip_suffix('/').unwrap_or(name);
    let is_mark = path.len() < name.len();
    if is_mark && size_bytes > 0 {
        return unusable(name.len(), "its name ends in `/`, but it is not empty");
    }
    if name.len() > MAX_NAME_BYTES {
        return unusable(name.len(), "its name has more than 4096 bytes");
    }
    if name.is_empty() {
        return Ok(());
    }
    let mut start = 0;
    let mut is_left_out = false;
    for part in path.split('/') {
        let end = start + part.len();
        let is_folder = end < name.len();
        let reason = match part {
            "" => "its name has an empty part, `//` or a leading `/`",
            "." | ".." => "its name has a part `.` or `..`",
            _ if part.contains(char::is_control) => "its name has a control character",
            _ if part.len() > MAX_PART_BYTES => "its name has a part of more than 255 bytes",
            _ => {
                is_left_out |= is_hidden(part) || (is_folder && is_left_out_folder(part));
                start = end + 1;
                continue;
            }
        };
        if is_left_out {
            return Err(Unusable::LeftOut);
        }
        // With the slash after a folder.
        return unusable(end + usize::from(is_folder), reason);
    }
    Ok(())
}
