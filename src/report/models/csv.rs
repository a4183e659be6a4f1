//! Writes lines of figures as CSV.

use serde::{Serialize, Serializer};
use vidpairs_invariance::run::Figure;

use super::number::{ends, finite, known};

/// Lines as CSV, with the names of their fields as the heading (RFC 4180, lines end in CR LF).
pub(in crate::report) fn csv_of(lines: impl IntoIterator<Item = impl Serialize>) -> Vec<u8> {
    let mut table = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for line in lines {
        table.serialize(line).expect("a line has plain fields");
    }
    table.into_inner().expect("memory takes every byte")
}

/// A number, written in full precision; empty if it is unknown or not finite.
#[derive(Clone, Copy, Default)]
pub(in crate::report) struct Number(pub Option<f64>);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.and_then(finite) {
            Some(number) => serializer.collect_str(&number),
            None => serializer.serialize_none(),
        }
    }
}

/// Both ends of an interval; unknown ones if there is none.
pub(in crate::report) fn both_ends(interval: Option<[f64; 2]>) -> [Number; 2] {
    let ends = ends(interval);
    ends.map_or([Number(None); 2], |ends| ends.map(|end| Number(Some(end))))
}

/// The value of a figure, and both ends of its interval.
pub(in crate::report) fn parts_of(figure: Figure) -> [Number; 3] {
    let [low, high] = both_ends(figure.interval);
    [Number(known(figure)), low, high]
}
