//! Where in a checkpoint the state dict lies.

use super::super::error::WeightsError;
use super::super::kept::Weights;
use super::super::pickle::{Node, NodeId, Tree};
use super::gather::{Gathered, Storages, gather};

/// Where programs put the state dict, the first that is there wins: MoCo and most others, VISSL, DINO.
const PLACES: [&[&str]; 6] = [
    &["state_dict"],
    &["classy_state_dict", "base_model", "model"],
    &["model_state_dict"],
    &["model"],
    &["teacher"],
    &["student"],
];
/// How often one place may lie in another.
const MAX_NESTED: usize = 4;
/// How deep dicts may lie in a state dict; VISSL has one below it.
const MAX_DEPTH: usize = 8;
/// Far more than the tensors of any network.
const MAX_ENTRIES: usize = 1 << 17;
/// A view can repeat what it sees: what tensors may unfold to beyond this, as a multiple of the file.
const MAX_UNFOLDED: usize = 4;
const ALWAYS_UNFOLDED: usize = 1 << 26;

/// The tensors of the state dict in `tree`; dicts in it give names with dots.
pub fn read(tree: &Tree<'_>, storages: &Storages<'_>) -> Result<Weights, WeightsError> {
    let (dict, under) = find(tree);
    let limit = storages
        .file_bytes
        .saturating_mul(MAX_UNFOLDED)
        .max(ALWAYS_UNFOLDED);
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
        return Err(nothing_in(tree, dict));
    }
    reader.weights.set_found_under(under);
    Ok(reader.weights)
}

/// The innermost dict at one of [`PLACES`], else the root, and the keys that lead to it.
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

/// Why there are no tensors: an object in their place, or nothing at all.
fn nothing_in(tree: &Tree<'_>, dict: NodeId) -> WeightsError {
    let places = PLACES
        .iter()
        .filter_map(|place| tree.entry(dict, place.first()?));
    let mut candidates = places.chain([dict]);
    if let Some(object) = candidates.find(|&id| matches!(tree.node(id), Node::Opaque(Some(_)))) {
        return WeightsError::WholeObject {
            class: tree.describe(object),
        };
    }
    let found = match tree.node(tree.root) {
        Node::Dict(entries) => {
            let words = entries.iter().take(12).map(|&(key, value)| {
                let key: String = tree.text(key).unwrap_or("?").chars().take(60).collect();
                format!("{key} ({})", tree.describe(value))
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
            // A dict can be in itself, or a few in each other a billion times.
            self.entries_left = self
                .entries_left
                .checked_sub(1)
                .ok_or(WeightsError::TooManyEntries { limit: MAX_ENTRIES })?;
            let Some(key) = self.tree.text(key) else {
                continue;
            };
            let name = format!("{prefix}{key}");
            let left = self.bytes_left.checked_sub(name.len());
            self.bytes_left = left.ok_or_else(|| self.unfolds())?;
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
                        Gathered::OtherKind => self.weights.skip(name),
                        Gathered::TooLarge => return Err(self.unfolds()),
                    }
                }
                _ => self.weights.skip(name),
            }
        }
        Ok(())
    }

    fn unfolds(&self) -> WeightsError {
        WeightsError::Unfolds {
            limit: self.limit,
            file_bytes: self.storages.file_bytes,
        }
    }
}
