//! Numbers with their nouns.

use indicatif::HumanCount;

/// `1 record`, `1,234 records`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}
