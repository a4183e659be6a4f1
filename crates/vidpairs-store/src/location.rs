//! Parses URLs of object stores. The text after the bucket is the key, literally: nothing is decoded or encoded.

use std::fmt;
use std::str::FromStr;

/// Kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `s3://`: Amazon S3, MinIO, Ceph and others with the same protocol.
    S3,
    /// `gs://`: Google Cloud Storage.
    Gs,
    /// `az://`: Azure Blob Storage. The bucket is a container of the account `AZURE_STORAGE_ACCOUNT_NAME`.
    Az,
}

impl Scheme {
    const ALL: [Self; 3] = [Self::S3, Self::Gs, Self::Az];

    /// The text before `://`.
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gs => "gs",
            Self::Az => "az",
        }
    }
}

/// Why a text is not the URL of an object store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// The text has no scheme, or one of another protocol.
    #[error(
        "{url} begins with none of s3://, gs://, az://: these are the object stores that can be used"
    )]
    UnknownScheme {
        /// The text.
        url: String,
    },
    /// A known scheme without two slashes.
    #[error("{url} has no // after the scheme; expected {scheme}://BUCKET/KEY")]
    MissingSlashes {
        /// The text.
        url: String,
        /// The known scheme.
        scheme: &'static str,
    },
    /// The bucket is missing or has characters that no bucket has.
    #[error("{url} names the bucket `{bucket}`; expected letters, digits, `.`, `-` and `_`")]
    BadBucket {
        /// The text.
        url: String,
        /// What stands in place of the bucket.
        bucket: String,
    },
}

/// Place in an object store: a bucket, and a key or the beginning of keys. It prints as the user typed it.
///
/// As a folder, it holds the objects whose keys begin with its key and a slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    scheme: Scheme,
    bucket: String,
    key: String,
    typed: String,
}

impl Location {
    /// Parses `scheme://bucket/key`.
    ///
    /// # Errors
    /// [`LocationError`], which names the text and what was expected.
    ///
    /// # Examples
    /// ```
    /// use vidpairs_store::Location;
    ///
    /// let location = Location::parse("s3://bucket/a%20b #1/c?d")?;
    /// assert_eq!(location.key(), "a%20b #1/c?d");
    /// # Ok::<(), vidpairs_store::LocationError>(())
    /// ```
    pub fn parse(url: &str) -> Result<Self, LocationError> {
        let named = |scheme: &Scheme| {
            let head = url.get(..scheme.name().len())?;
            let rest = &url[scheme.name().len()..];
            let rest = rest.strip_prefix(':')?;
            head.eq_ignore_ascii_case(scheme.name()).then_some(rest)
        };
        let found = Scheme::ALL
            .into_iter()
            .find_map(|scheme| Some((scheme, named(&scheme)?)));
        let Some((scheme, rest)) = found else {
            return Err(LocationError::UnknownScheme { url: url.into() });
        };
        let Some(rest) = rest.strip_prefix("//") else {
            return Err(LocationError::MissingSlashes {
                url: url.into(),
                scheme: scheme.name(),
            });
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if bucket.is_empty() || !bucket.chars().all(is_allowed) {
            return Err(LocationError::BadBucket {
                url: url.into(),
                bucket: bucket.into(),
            });
        }
        Ok(Self {
            scheme,
            bucket: bucket.into(),
            key: key.into(),
            typed: url.into(),
        })
    }

    /// Kind of the store.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Name of the bucket or container.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The text after the bucket's slash.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The folder and the name of the object that this is the URL of; `None` if the name is empty.
    ///
    /// `s3://bucket/lists/clips.jsonl` gives `s3://bucket/lists` and `clips.jsonl`.
    pub fn split(&self) -> Option<(Self, &str)> {
        let (folder, name) = match self.key.rfind('/') {
            Some(at) => (&self.key[..at], &self.key[at + 1..]),
            None => ("", self.key.as_str()),
        };
        if name.is_empty() {
            return None;
        }
        // Of several slashes, all belong to the folder. A folder adds one only where its key ends in none.
        let key =
            match self.key.len() == name.len() || !(folder.is_empty() || folder.ends_with('/')) {
                true => folder.to_owned(),
                false => format!("{folder}/"),
            };
        let typed = format!("{}://{}/{key}", self.scheme.name(), self.bucket);
        let folder = Self {
            key,
            typed,
            ..self.clone()
        };
        Some((folder, name))
    }

    /// The folder `name` below this one.
    pub fn join(&self, name: &str) -> Self {
        let slash = match self.typed.ends_with('/') {
            true => "",
            false => "/",
        };
        Self {
            key: self.key_of(name),
            typed: format!("{}{slash}{name}", self.typed),
            ..self.clone()
        }
    }

    /// Key of the object `name` of this folder.
    pub(crate) fn key_of(&self, name: &str) -> String {
        format!("{}{name}", self.prefix())
    }

    /// What all keys of this folder begin with: nothing, or the key with a slash at its end.
    pub(crate) fn prefix(&self) -> String {
        match self.key.is_empty() || self.key.ends_with('/') {
            true => self.key.clone(),
            false => format!("{}/", self.key),
        }
    }

    /// URL of the object `name` of this folder, for messages.
    pub fn url_of(&self, name: &str) -> String {
        format!(
            "{}://{}/{}",
            self.scheme.name(),
            self.bucket,
            self.key_of(name)
        )
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(url: &str) -> Result<Self, LocationError> {
        Self::parse(url)
    }
}

/// Whether a user means a URL rather than a local path: a scheme of two or more letters, a colon and a slash (`s3://x`, also `http://x`
/// and `s3:/x`, which [`Location::parse`] refuses by name). A local path of that shape is written `./s3:/x`.
pub fn is_store_url(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(":/") else {
        return false;
    };
    scheme.len() >= 2
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

/// The URL, if a user means one by a path: see [`is_store_url`].
pub fn store_url(path: &std::path::Path) -> Option<&str> {
    path.to_str().filter(|text| is_store_url(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_literal_text_after_the_bucket_and_a_location_prints_as_typed() {
        for (url, bucket, key) in [
            ("s3://b", "b", ""),
            ("s3://b/", "b", ""),
            ("gs://b.c-d_e/f", "b.c-d_e", "f"),
            ("az://b/f/", "b", "f/"),
            ("s3://b/a b/#1/%20+?x=y&z", "b", "a b/#1/%20+?x=y&z"),
            ("s3://b//a//b/../.", "b", "/a//b/../."),
            ("s3://b/é e\u{301} ", "b", "é e\u{301} "),
            ("S3://b/x", "b", "x"),
        ] {
            let location = Location::parse(url).unwrap();
            assert_eq!((location.bucket(), location.key()), (bucket, key), "{url}");
            assert_eq!(location.to_string(), url);
        }
    }

    #[test]
    fn a_url_that_is_not_of_an_object_store_is_refused_with_the_known_schemes() {
        for url in ["http://b/k", "hdfs://b/k", "file:///k", "b/k", "", "é3://b"] {
            let err = Location::parse(url).unwrap_err().to_string();
            assert!(
                err.contains("s3://, gs://, az://") && err.contains(url),
                "{err}"
            );
        }
        let err = Location::parse("s3:/b/k").unwrap_err().to_string();
        assert!(err.contains("expected s3://BUCKET/KEY"), "{err}");
        for url in [
            "s3://",
            "s3:///k",
            "s3://my bucket/k",
            "s3://user@b/k",
            "s3://é/k",
        ] {
            let err = Location::parse(url).unwrap_err();
            assert!(
                matches!(err, LocationError::BadBucket { .. }),
                "{url}: {err}"
            );
        }
    }

    #[test]
    fn a_url_is_told_from_a_local_path() {
        for url in [
            "s3://b", "gs://b/k", "http://x", "hdfs://x", "s3:/x", "S3://b",
        ] {
            assert!(is_store_url(url), "{url}");
        }
        for path in [
            "", "/a/b", "a/b", "./s3:/x", "a b:/c", "c:/x", ":/x", "s3", "a/b:/c",
        ] {
            assert!(!is_store_url(path), "{path}");
        }
    }

    #[test]
    fn names_are_joined_to_the_folder_with_one_slash() {
        for (url, key, joined) in [
            ("s3://b", "a", "s3://b/a"),
            ("s3://b/", "a", "s3://b/a"),
            ("s3://b/f", "f/a", "s3://b/f/a"),
            ("s3://b/f/", "f/a", "s3://b/f/a"),
            ("s3://b/f//", "f//a", "s3://b/f//a"),
        ] {
            let location = Location::parse(url).unwrap();
            assert_eq!(location.key_of("a"), key);
            assert_eq!(location.url_of("a"), joined);
            assert_eq!(location.join("a").to_string(), joined);
            assert_eq!(location.join("a").key(), key);
        }
    }

    #[test]
    fn an_object_is_split_into_its_folder_and_name() {
        for (url, folder, name) in [
            ("s3://b/f/g/a.jsonl", "s3://b/f/g", "a.jsonl"),
            ("s3://b/a.jsonl", "s3://b/", "a.jsonl"),
            ("s3://b/f//a", "s3://b/f//", "a"),
            ("s3://b//a", "s3://b//", "a"),
        ] {
            let location = Location::parse(url).unwrap();
            let (found, found_name) = location.split().unwrap();
            assert_eq!((found.to_string().as_str(), found_name), (folder, name));
            assert_eq!(found.key_of(name), location.key(), "{url}");
        }
        for url in ["s3://b", "s3://b/", "s3://b/f/"] {
            assert_eq!(Location::parse(url).unwrap().split(), None);
        }
    }
}
