//! Converts between keys of objects and the paths of `object_store`.
//!
//! `Path::parse` drops slashes at the ends and refuses empty segments, so `a/` could not be read, and one key `a//b` would make a whole
//! page of a listing fail. Paths are built here segment by segment, and keys in listings are encoded before `object_store` reads them.

use std::borrow::Cow;

use object_store::path::{Path, PathPart};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Path whose text is exactly `key`.
///
/// # Errors
/// The reason, for the few keys that HTTP clients or `object_store` would change on the way.
pub(crate) fn path_of(key: &str) -> Result<Path, &'static str> {
    if key.is_empty() {
        return Err("its key is empty");
    }
    if key.starts_with('/') {
        return Err("its key begins with a slash");
    }
    key.split('/').try_fold(Path::ROOT, |path, segment| {
        let part = PathPart::parse(segment).map_err(|_| match segment {
            "." | ".." => "its key has a segment `.` or `..`, which HTTP clients resolve",
            _ => "its key has a control character",
        })?;
        Ok(path.join(part))
    })
}

/// The answer to a list request with every key percent-encoded, so that each is one segment of letters, digits and `%`.
///
/// The answers of S3, Google and Azure have keys in `<Key>`, `<Name>` and `<Prefix>`.
pub(crate) fn encode_listed_keys(xml: &str) -> String {
    let mut encoded = String::with_capacity(xml.len() * 2);
    for (nth, piece) in xml.split('<').enumerate() {
        if nth > 0 {
            encoded.push('<');
        }
        match piece.split_once('>') {
            Some((tag @ ("Key" | "Name" | "Prefix"), text)) => {
                let key = quick_xml::escape::unescape(text).unwrap_or(Cow::Borrowed(text));
                encoded.push_str(tag);
                encoded.push('>');
                encoded.extend(utf8_percent_encode(&key, NON_ALPHANUMERIC));
            }
            _ => encoded.push_str(piece),
        }
    }
    encoded
}

/// The key that [`encode_listed_keys`] encoded.
pub(crate) fn decode_listed_key(path: &Path) -> String {
    percent_decode_str(path.as_ref())
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_becomes_a_path_of_exactly_its_text() {
        for key in [
            "a", "a/", "a//b", "a///", " a ", "%20", "a%2Fb", "a.b/..c", "é/#?+&", "a/ /b",
        ] {
            assert_eq!(path_of(key).unwrap().as_ref(), key);
        }
    }

    #[test]
    fn a_key_that_cannot_be_expressed_is_refused_with_its_reason() {
        for (key, reason) in [
            ("", "empty"),
            ("/a", "begins with a slash"),
            ("a/../b", "`.` or `..`"),
            (".", "`.` or `..`"),
            ("a\nb", "control character"),
            ("a/\u{7f}", "control character"),
        ] {
            assert!(path_of(key).unwrap_err().contains(reason), "{key:?}");
        }
    }

    #[test]
    fn any_listed_key_survives_the_parser_of_object_store() {
        let keys = [
            "a//b",
            "/a",
            "a/",
            " a ",
            "..",
            "a&amp;b&#13;&#x1;",
            "%2F&lt;",
            "é\tü",
        ];
        let expected = [
            "a//b",
            "/a",
            "a/",
            " a ",
            "..",
            "a&b\r\u{1}",
            "%2F<",
            "é\tü",
        ];
        for (text, key) in keys.into_iter().zip(expected) {
            let xml = format!("<A><Key>{text}</Key><Size>1</Size></A>");
            let encoded = encode_listed_keys(&xml);
            let inner = encoded.strip_prefix("<A><Key>").unwrap();
            let inner = inner.strip_suffix("</Key><Size>1</Size></A>").unwrap();
            assert_eq!(decode_listed_key(&Path::parse(inner).unwrap()), key);
        }
    }
}
