//! Serializes paths that may not be UTF-8.

use std::path::Path;

use serde::Serializer;

/// Serializes `path` as text, for `#[serde(serialize_with)]`. A byte that is not UTF-8 becomes U+FFFD, where serde would fail.
///
/// # Errors
/// Those of the serializer.
pub fn path_as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Written {
        #[serde(serialize_with = "path_as_text")]
        out: PathBuf,
    }

    #[test]
    fn a_path_that_is_not_utf_8_is_written_too() {
        for (bytes, expected) in [
            (&b"a/b.mp4"[..], r#"{"out":"a/b.mp4"}"#),
            (b"nu\xff/a", "{\"out\":\"nu\u{fffd}/a\"}"),
        ] {
            let out = OsStr::from_bytes(bytes).into();
            assert_eq!(serde_json::to_string(&Written { out }).unwrap(), expected);
        }
    }
}
