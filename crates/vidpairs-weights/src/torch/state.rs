//! Finds and reads the state dict of a checkpoint.

use vidpairs_types::printable;

use super::gather::{Gathered, Storages, gather};
use crate::error::WeightsError;
use crate::pickle::{Node, NodeId, Tree};
use crate::weights::{Skipped, Weights, check_name};

/// Keys of the state dict in checkpoints, by precedence: of MoCo and most others, VISSL, DINO.
const PLACES: [&[&str]; 6] = [
    &["state_dict"],
    &["classy_state_dict", "base_model", "model"],
    &["model_state_dict"],
    &["model"],
    &["teacher"],
    &["student"],
];
/// Largest number of places nested in each other.
const MAX_NESTED: usize = 4;
/// Largest depth of dicts in a state dict; VISSL has one level.
const MAX_DEPTH: usize = 8;
/// Largest number of entries, far above the number of tensors of any network.
const MAX_ENTRIES: usize = 1 << 17;
/// Largest size of all tensors, as a multiple of the file: a view can repeat the elements of its storage.
const MAX_FILE_MULTIPLE: usize = 4;
/// Size of all tensors that is allowed for files of any size, bytes.
const MIN_LIMIT_BYTES: usize = 1 << 26;

/// Reads the tensors of the state dict in `tree`. Nested dicts give names with dots.
pub fn read(tree: &Tree<'_>, storages: &Storages<'_>) -> Result<Weights, WeightsError> {
    let (dict, path) = find(tree);
    let limit = storages
        .file_bytes
        .saturating_mul(MAX_FILE_MULTIPLE)
        .max(MIN_LIMIT_BYTES);
    let mut reader = Reader {
        tree,
        storages,
        weights: Weights::new(),
        entries_left: MAX_ENTRIES,
        bytes_left: limit,
        limit,
    };
    reader.dict(dict, "", 0)?;
    if reader.weights.is_empty() {
        return Err(no_tensors(tree, dict, reader.weights.skipped()));
    }
    reader.weights.set_found_under(path);
    Ok(reader.weights)
}

/// Innermost dict at one of [`PLACES`], or the root, and the keys that lead to it.
fn find(tree: &Tree<'_>) -> (NodeId, String) {
    let mut dict = tree.root;
    let mut keys: Vec<&str> = Vec::new();
    for _ in 0..MAX_NESTED {
        let inner = PLACES.iter().find_map(|place| {
            let found = place
                .iter()
                .try_fold(dict, |dict, key| tree.entry(dict, key));
            Some((found?, place)).filter(|(found, _)| matches!(tree.node(*found), Node::Dict(_)))
        });
        let Some((found, place)) = inner else {
            break;
        };
        keys.extend_from_slice(place);
        dict = found;
    }
    (dict, keys.join("."))
}

/// Error for a file without tensors: an object in their place, or other contents.
fn no_tensors(tree: &Tree<'_>, dict: NodeId, skipped: &[Skipped]) -> WeightsError {
    let places = PLACES
        .iter()
        .filter_map(|place| tree.entry(dict, place.first()?));
    let mut candidates = places.chain([dict]);
    if let Some(object) = candidates.find(|&id| matches!(tree.node(id), Node::Opaque(Some(_)))) {
        return WeightsError::WholeObject {
            class: tree.describe(object),
        };
    }
    if skipped.iter().any(|entry| entry.may_be_weights) {
        return WeightsError::nothing_read(skipped);
    }
    let found = match tree.node(tree.root) {
        Node::Dict(entries) => {
            let words = entries.iter().take(12).map(|&(key, value)| {
                let key = tree
                    .text(key)
                    .map_or_else(|| tree.describe(key), str::to_owned);
                let key: String = key.chars().take(60).collect();
                format!("{} ({})", printable(&key), tree.describe(value))
            });
            words.collect::<Vec<_>>().join(", ")
        }
        _ => tree.describe(tree.root),
    };
    WeightsError::NoStateDict { found }
}

struct Reader<'a, 'b> {
    tree: &'b Tree<'a>,
    storages: &'b Storages<'b>,
    weights: Weights,
    entries_left: usize,
    bytes_left: usize,
    limit: usize,
}

impl Reader<'_, '_> {
    fn dict(&mut self, dict: NodeId, prefix: &str, depth: usize) -> Result<(), WeightsError> {
        let Node::Dict(entries) = self.tree.node(dict) else {
            return Ok(());
        };
        for &(key, value) in entries {
            // A dict can hold itself, and a few dicts can hold each other a billion times.
            self.entries_left = self
                .entries_left
                .checked_sub(1)
                .ok_or(WeightsError::TooManyEntries { limit: MAX_ENTRIES })?;
            let Some(key) = self.tree.text(key) else {
                let name = format!("{prefix}({})", self.tree.describe(key));
                self.skip(name, value);
                continue;
            };
            // Before the two are joined: a long key can be that of many entries.
            check_name(key)?;
            let name = format!("{prefix}{key}");
            check_name(&name)?;
            let left = self.bytes_left.checked_sub(name.len());
            self.bytes_left = left.ok_or_else(|| self.too_large())?;
            if self.weights.get(&name).is_some() {
                let name = printable(&name).into_owned();
                return Err(WeightsError::DuplicateName { name });
            }
            match self.tree.node(value) {
                Node::Dict(_) if depth < MAX_DEPTH => {
                    self.dict(value, &format!("{name}."), depth + 1)?
                }
                Node::Tensor(tensor) => {
                    let gathered = gather(self.tree, tensor, self.storages, self.bytes_left)
                        .map_err(|fault| WeightsError::tensor(&name, fault))?;
                    match gathered {
                        Gathered::Tensor(tensor) => {
                            self.bytes_left -= tensor.bytes().len();
                            self.weights.insert(name, tensor);
                        }
                        Gathered::Unsupported(found) => self.weights.skip(Skipped {
                            name,
                            found,
                            may_be_weights: true,
                        }),
                        Gathered::TooLarge => return Err(self.too_large()),
                    }
                }
                _ => self.skip(name, value),
            }
        }
        Ok(())
    }

    fn skip(&mut self, name: String, value: NodeId) {
        self.weights.skip(Skipped {
            name,
            found: self.tree.describe(value),
            may_be_weights: matches!(
                self.tree.node(value),
                Node::Tensor(_) | Node::Opaque(_) | Node::Dict(_) | Node::Storage(_)
            ),
        });
    }

    fn too_large(&self) -> WeightsError {
        WeightsError::Unfolds {
            limit: self.limit,
            file_bytes: self.storages.file_bytes,
        }
    }
}

#[cfg(test)]
mod tests;
