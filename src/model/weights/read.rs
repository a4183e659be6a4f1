//! Which format a file is of, by its bytes.

use std::fs;
use std::path::Path;

use super::error::WeightsError;
use super::kept::Weights;
use super::{safe, torch};

/// Where a tar says that it is one.
const TAR_MAGIC_AT: usize = 257;

/// Reads the weights in `path`: safetensors, or a file of `torch.save`. The bytes tell which; the name does not
/// matter. Of a checkpoint only the state dict is kept.
///
/// # Errors
/// [`WeightsError::File`], which names the file, with the reason as its source.
pub fn read_weights(path: &Path) -> Result<Weights, WeightsError> {
    fs::read(path)
        .map_err(WeightsError::Read)
        .and_then(|bytes| parse_weights(&bytes))
        .map_err(|err| err.in_file(path))
}

/// As [`read_weights`], from the bytes of a file.
///
/// # Errors
/// [`WeightsError`]; a file that was cut or damaged is an error, never a panic.
pub fn parse_weights(bytes: &[u8]) -> Result<Weights, WeightsError> {
    match bytes {
        [b'P', b'K', 3, 4, ..] => torch::parse_zip(bytes),
        [0x80, 2..=5, ..] => torch::parse_stream(bytes),
        // The length of the header comes first; a header begins as JSON does.
        [_, _, _, _, _, _, _, 0, b'{', ..] => safe::parse(bytes),
        _ if bytes.get(TAR_MAGIC_AT..TAR_MAGIC_AT + 5) == Some(b"ustar") => Err(WeightsError::Tar),
        _ => {
            let beginning = bytes.iter().take(8).map(|byte| format!("{byte:02x}"));
            Err(WeightsError::UnknownFormat {
                beginning: beginning.collect::<Vec<_>>().join(" "),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_weights_is_refused_with_its_first_bytes() {
        let err = parse_weights(b"GIF89a, and so on").unwrap_err();
        assert!(err.to_string().contains("47 49 46 38"), "{err}");
        assert!(parse_weights(b"").is_err());
    }

    #[test]
    fn a_tar_is_refused_with_what_to_do() {
        let mut tar = vec![b'a'; 512];
        tar[TAR_MAGIC_AT..TAR_MAGIC_AT + 5].copy_from_slice(b"ustar");
        assert!(matches!(parse_weights(&tar), Err(WeightsError::Tar)));
    }

    #[test]
    fn a_missing_file_is_named() {
        let err = read_weights(Path::new("/nowhere/weights.pth")).unwrap_err();
        assert!(err.to_string().contains("/nowhere/weights.pth"), "{err}");
    }
}
