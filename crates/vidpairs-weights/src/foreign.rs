//! Recognizes files of other kinds that are often found in the place of weights, and says what to do about them.

use crate::error::WeightsError;

/// A kind of file, known by its first bytes or by the name of a record in it.
struct Kind<T: ?Sized> {
    is: fn(&T) -> bool,
    what: &'static str,
    remedy: &'static str,
}

const TORCH_SAVE: &str =
    "load it with its own program and save the weights with torch.save(model.state_dict(), NEW)";
const UNPACK: &str = "unpack it and give the file of weights in it";

/// Kinds of files by their first bytes.
const KINDS: [Kind<[u8]>; 14] = [
    Kind {
        is: <[u8]>::is_empty,
        what: "an empty file",
        remedy: "download or copy it again",
    },
    Kind {
        is: |bytes| bytes.iter().all(|&byte| byte == 0),
        what: "a file of zeros",
        remedy: "the download or copy was interrupted: repeat it",
    },
    Kind {
        is: |bytes| bytes.starts_with(b"version https://git-lfs.github.com/spec/"),
        what: "a pointer of Git LFS",
        remedy: "fetch the file itself with git lfs pull",
    },
    Kind {
        is: |bytes| bytes.starts_with(b"/annex/objects/"),
        what: "a pointer of git-annex",
        remedy: "fetch the file itself with git annex get",
    },
    Kind {
        is: is_page,
        what: "an HTML or XML page",
        remedy: "the download gave a page of the web site (a log-in, a warning or an error): open the address in a browser, \
                 and download the file itself",
    },
    Kind {
        is: |bytes| bytes.trim_ascii_start().starts_with(b"{") && holds(bytes, b"\"weight_map\""),
        what: "the index of weights in several files",
        remedy: "give the file in which the encoder is, or merge them: safetensors.torch.save_file({name: tensor for file in \
                 files for name, tensor in load_file(file).items()}, NEW)",
    },
    Kind {
        is: |bytes| bytes.trim_ascii_start().starts_with(b"{"),
        what: "a JSON text",
        remedy: "give the file of weights, such as model.safetensors",
    },
    Kind {
        is: |bytes| bytes.starts_with(b"\x89HDF\r\n\x1a\n"),
        what: "an HDF5 file (.h5, Keras or others)",
        remedy: TORCH_SAVE,
    },
    Kind {
        is: is_onnx,
        what: "an ONNX model",
        remedy: "export has folded the weights: give the checkpoint from which it was exported",
    },
    Kind {
        is: |bytes| bytes.starts_with(b"\x93NUMPY"),
        what: "a NumPy array (.npy)",
        remedy: TORCH_SAVE,
    },
    Kind {
        is: |bytes| bytes.get(4..8) == Some(b"TFL3"),
        what: "a TensorFlow Lite model",
        remedy: "give the checkpoint from which it was converted",
    },
    Kind {
        is: |bytes| bytes.starts_with(b"GGUF"),
        what: "a GGUF model",
        remedy: "give the checkpoint from which it was converted",
    },
    Kind {
        is: |bytes| {
            let archives: [&[u8]; 6] = [
                b"\x1f\x8b",
                b"\xfd7zXZ\0",
                b"\x28\xb5\x2f\xfd",
                b"BZh",
                b"7z\xbc\xaf\x27\x1c",
                b"Rar!\x1a\x07",
            ];
            archives.iter().any(|magic| bytes.starts_with(magic))
        },
        what: "a compressed archive",
        remedy: UNPACK,
    },
    Kind {
        is: |bytes| bytes.starts_with(b"PK\x05\x06"),
        what: "an empty zip archive",
        remedy: "download or copy it again",
    },
];

/// Kinds of zip archives by a record in them.
const ZIPS: [Kind<str>; 4] = [
    Kind {
        is: |name| {
            let file = name.rsplit('/').next();
            file == Some("archive_format") || file == Some("serialized_exported_program.json")
        },
        what: "a program of torch.export (.pt2)",
        remedy: "save its weights: torch.save(dict(torch.export.load(FILE).state_dict), NEW)",
    },
    Kind {
        is: |name| name.ends_with(".npy"),
        what: "an archive of NumPy arrays (.npz)",
        remedy: "give features with --features, or save weights with torch.save",
    },
    Kind {
        is: |name| name.ends_with("model.weights.h5"),
        what: "a Keras model",
        remedy: TORCH_SAVE,
    },
    Kind {
        is: |name| {
            let ending = name.rsplit('.').next();
            let endings = ["pth", "pt", "tar", "ckpt", "safetensors", "bin", "torch"];
            ending.is_some_and(|ending| endings.contains(&ending))
        },
        what: "a zip archive of other files",
        remedy: UNPACK,
    },
];

/// The error for a file that begins with these bytes, if its kind is known.
pub(crate) fn file(beginning: &[u8]) -> Option<WeightsError> {
    let kind = KINDS.iter().find(|kind| (kind.is)(beginning))?;
    Some(WeightsError::NotWeights {
        what: kind.what,
        remedy: kind.remedy,
    })
}

/// The error for a zip with these records, if its kind is known.
pub(crate) fn zip<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<WeightsError> {
    let kind = ZIPS.iter().find(|kind| names.clone().any(kind.is))?;
    Some(WeightsError::NotWeights {
        what: kind.what,
        remedy: kind.remedy,
    })
}

fn is_page(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text.trim_ascii_start();
    let beginnings: [&[u8]; 5] = [b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--"];
    beginnings.iter().any(|beginning| {
        text.get(..beginning.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(beginning))
    })
}

/// Protocol buffer of ONNX: the version, 1 to 31, as the first field, then the name of the producer or the graph.
fn is_onnx(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [
            0x08,
            1..=31,
            0x12 | 0x1a | 0x22 | 0x2a | 0x32 | 0x3a | 0x42,
            ..
        ]
    )
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use crate::parse_weights;

    #[test]
    fn a_file_of_another_kind_is_named_with_what_to_do() {
        let zeros = [0; 600];
        for (bytes, what) in [
            (&b""[..], "an empty file"),
            (&zeros, "a file of zeros"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 97800000\n",
                "git lfs pull",
            ),
            (b"/annex/objects/SHA256E-s9--4d7a.pth\n", "git annex get"),
            (b"\n  <!DOCTYPE html>\n<html>", "an HTML or XML page"),
            (b"\xef\xbb\xbf<HTML><head>", "an HTML or XML page"),
            (b"<?xml version=\"1.0\"?><Error/>", "an HTML or XML page"),
            (
                b"{\"metadata\": {\"total_size\": 9}, \"weight_map\": {\"a\": \"b\"}}",
                "the index of weights in several files",
            ),
            (b"{\"error\": \"Not found\"}", "a JSON text"),
            (b"\x89HDF\r\n\x1a\n\0\0", "an HDF5 file"),
            (b"\x08\x07\x12\x07pytorch\x1a\x052.4.0", "an ONNX model"),
            (b"\x93NUMPY\x01\0v\0{", "a NumPy array"),
            (b"\x1f\x8b\x08\0\0\0", "a compressed archive"),
            (b"PK\x05\x06\0\0\0\0", "an empty zip archive"),
        ] {
            let err = parse_weights(bytes).unwrap_err().to_string();
            assert!(err.contains(what), "{bytes:?}: {err}");
        }
    }
}
