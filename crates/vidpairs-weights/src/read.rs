//! Which format a file is of, by its bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::WeightsError;
use super::kept::Weights;
use super::{safe, torch};

/// Where a tar says that it is one.
const TAR_MAGIC_AT: usize = 257;

/// Bytes that tell the format: a tar says last that it is one.
const TELLING: u64 = 512;

/// Reads the weights in `path`: safetensors, or a file of `torch.save`. The bytes tell which; the name does not
/// matter. Of a checkpoint only the state dict is kept. The whole file is in memory meanwhile.
///
/// # Errors
/// [`WeightsError::File`], which names the file, with the reason as its source.
pub fn read_weights(path: &Path) -> Result<Weights, WeightsError> {
    let read = || {
        let mut file = File::open(path).map_err(WeightsError::Read)?;
        let mut bytes = Vec::new();
        let mut beginning = Read::by_ref(&mut file).take(TELLING);
        beginning
            .read_to_end(&mut bytes)
            .map_err(WeightsError::Read)?;
        // Whatever is no weights, may it be a whole disk, is not read any further.
        let format = Format::of(&bytes)?;
        file.read_to_end(&mut bytes).map_err(WeightsError::Read)?;
        format.parse(&bytes)
    };
    read().map_err(|err: WeightsError| err.in_file(path))
}

/// As [`read_weights`], from the bytes of a file.
///
/// # Errors
/// [`WeightsError`]; a file that was cut or damaged is an error, never a panic.
pub fn parse_weights(bytes: &[u8]) -> Result<Weights, WeightsError> {
    Format::of(bytes)?.parse(bytes)
}

/// What a file of weights is.
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
            // The length of the header comes first; a header begins as JSON does.
            [_, _, _, _, _, _, _, 0, b'{', ..] => Ok(Self::Safetensors),
            _ if beginning.get(TAR_MAGIC_AT..TAR_MAGIC_AT + 5) == Some(b"ustar") => {
                Err(WeightsError::Tar)
            }
            _ => {
                let bytes = beginning.iter().take(8).map(|byte| format!("{byte:02x}"));
                Err(WeightsError::UnknownFormat {
                    beginning: bytes.collect::<Vec<_>>().join(" "),
                })
            }
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
