//! Looks up kinds of data sets by their names on the command line.

use std::fmt::{self, Debug, Display, Formatter};

/// An enum whose variants have names on the command line.
pub trait NamedKind: Copy + Debug + 'static {
    /// All kinds.
    const ALL: &'static [Self];
    /// Word for a kind, such as `kind of image sets`.
    const WORD: &'static str;

    /// Name on the command line.
    fn name(self) -> &'static str;
}

/// No kind has this name. Stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKind<K> {
    /// Name as given.
    pub name: String,
    /// Kind with a similar name.
    pub nearest: Option<K>,
}

impl<K: NamedKind> Display for UnknownKind<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let known = names::<K>();
        write!(f, "`{}` is not a {}; ", self.name, K::WORD)?;
        match self.nearest {
            Some(kind) => write!(f, "did you mean {}? Known: {known}", kind.name()),
            None => write!(f, "known: {known}"),
        }
    }
}

impl<K: NamedKind> std::error::Error for UnknownKind<K> {}

/// Names of all kinds: `a, b, c`.
pub fn names<K: NamedKind>() -> String {
    let names: Vec<&str> = K::ALL.iter().map(|kind| kind.name()).collect();
    names.join(", ")
}

/// The kind of this name.
pub(crate) fn kind_named<K: NamedKind>(name: &str) -> Result<K, UnknownKind<K>> {
    let kind = K::ALL.iter().find(|kind| kind.name() == name).copied();
    kind.ok_or_else(|| UnknownKind {
        name: name.to_owned(),
        nearest: nearest(name),
    })
}

/// Kind with the most similar name, ignoring case; `None` if no name is similar.
fn nearest<K: NamedKind>(name: &str) -> Option<K> {
    /// Least similarity, 1 for equal names: one wrong letter in three passes, two in four do not.
    const MIN_SIMILARITY: f64 = 0.6;
    /// Longer than any name. The comparison takes time and memory proportional to the product of the lengths.
    const MAX_BYTES: usize = 64;
    if name.len() > MAX_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    let similarity = |kind: K| strsim::normalized_damerau_levenshtein(&name, kind.name());
    let similar = K::ALL.iter().map(|&kind| (kind, similarity(kind)));
    similar
        .filter(|(_, similarity)| *similarity >= MIN_SIMILARITY)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(kind, _)| kind)
}
