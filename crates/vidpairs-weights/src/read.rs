//! Detects the format of a file by its bytes and reads it.

use std::io::Read;
use std::path::Path;

use vidpairs_types::open_regular;

use crate::error::WeightsError;
use crate::weights::Weights;
use crate::{foreign, safe, torch};

/// Offset of the magic number in a tar.
const TAR_MAGIC_AT: usize = 257;

/// Number of bytes that identify the format, up to the magic number of a tar.
const MAX_MAGIC_BYTES: u64 = 512;

/// Reads the weights in `path`: safetensors, or a file of `torch.save`. The bytes decide the format, not the name. Of a
/// checkpoint only the state dict is kept. The whole file is held in memory while it is read.
///
/// # Errors
/// [`WeightsError::File`], with the path of the file and the problem as its source.
pub fn read_weights(path: &Path) -> Result<Weights, WeightsError> {
    let read = || {
        let mut file = open_regular(path).map_err(WeightsError::Read)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file)
            .take(MAX_MAGIC_BYTES)
            .read_to_end(&mut bytes)
            .map_err(WeightsError::Read)?;
        // Files of other formats, which may be large, are not read any further.
        let format = Format::of(&bytes)?;
        file.read_to_end(&mut bytes).map_err(WeightsError::Read)?;
        format.parse(&bytes)
    };
    read().map_err(|err: WeightsError| err.in_file(path))
}

/// Like [`read_weights`], for the bytes of a file.
///
/// # Errors
/// [`WeightsError`]. A truncated or damaged file is an error, never a panic.
pub fn parse_weights(bytes: &[u8]) -> Result<Weights, WeightsError> {
    Format::of(bytes)?.parse(bytes)
}

/// Format of a file of weights.
#[derive(Clone, Copy)]
enum Format {
    Zip,
    Stream,
    Safetensors,
}

impl Format {
    fn of(beginning: &[u8]) -> Result<Self, WeightsError> {
        match beginning {
            [b'P', b'K', 3, 4, ..] => Ok(Self::Zip),
            [0x80, 2..=5, ..] => Ok(Self::Stream),
            // Safetensors: the length of the header, then the header, in JSON.
            [_, _, _, _, _, _, _, 0, b'{', ..] => Ok(Self::Safetensors),
            _ if beginning.get(TAR_MAGIC_AT..TAR_MAGIC_AT + 5) == Some(b"ustar") => {
                Err(WeightsError::Tar)
            }
            _ => Err(foreign::file(beginning).unwrap_or_else(|| {
                let bytes = beginning.iter().take(8).map(|byte| format!("{byte:02x}"));
                WeightsError::UnknownFormat {
                    beginning: bytes.collect::<Vec<_>>().join(" "),
                }
            })),
        }
    }

    fn parse(self, bytes: &[u8]) -> Result<Weights, WeightsError> {
        match self {
            Self::Zip => torch::parse_zip(bytes),
            Self::Stream => torch::parse_stream(bytes),
            Self::Safetensors => safe::parse(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_an_unknown_format_states_the_first_bytes() {
        let err = parse_weights(b"GIF89a, and so on").unwrap_err();
        assert!(err.to_string().contains("47 49 46 38"), "{err}");
    }

    #[test]
    fn a_tar_is_an_error_of_its_own() {
        let mut tar = vec![b'a'; 512];
        tar[TAR_MAGIC_AT..TAR_MAGIC_AT + 5].copy_from_slice(b"ustar");
        assert!(matches!(parse_weights(&tar), Err(WeightsError::Tar)));
    }

    #[test]
    fn what_is_not_a_regular_file_is_refused_at_once() {
        for path in ["/dev/zero", "/"] {
            let err = read_weights(Path::new(path)).unwrap_err();
            let text = vidpairs_types::with_causes(&err);
            assert!(text.contains("not a regular file"), "{text}");
        }
    }

    #[test]
    fn the_error_for_a_missing_file_states_its_path() {
        let err = read_weights(Path::new("/nowhere/weights.pth")).unwrap_err();
        assert!(err.to_string().contains("/nowhere/weights.pth"), "{err}");
    }
}
