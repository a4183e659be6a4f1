//! Writes the card of a data set.

use std::io::ErrorKind;

use vidpairs_shard::{CARD_FILE, Manifest, card};
use vidpairs_types::read_regular;

use crate::{OutFolder, RunError, failed};

/// Largest card of a user that is read, bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Writes the card of the data set in `out`. Of one that is there only the line of the shards changes, as its user may have written the rest.
///
/// # Errors
/// [`RunError::File`].
pub fn write_card(out: &OutFolder, manifest: &Manifest) -> Result<(), RunError> {
    let path = out.path().join(CARD_FILE);
    let before = match read_regular(&path, MAX_BYTES) {
        Ok(text) => Some(text),
        Err(err) if err.kind() == ErrorKind::NotFound => None,
        Err(err) => return Err(failed("read", &path)(err)),
    };
    let text = before.as_deref().map(String::from_utf8_lossy);
    out.write(CARD_FILE, card(manifest, text.as_deref()).as_bytes())
}
