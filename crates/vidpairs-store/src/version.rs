//! Versions of objects, by which a change is noticed.

use std::fmt;

use object_store::{GetOptions, ObjectMeta, PutResult, UpdateVersion};

/// Marks a text that is a time, for a store that lists no etags.
const MODIFIED: &str = "modified ";

/// Version of an object: its etag, or the time of its last change where the store gives no etag.
///
/// Its text can be kept in a file and parsed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    text: String,
    /// Google's number, which its conditional writes need. A listing does not give it.
    generation: Option<String>,
}

impl Version {
    /// The version of a text that [`Self::as_str`] gave.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            generation: None,
        }
    }

    /// The etag without quotes, or `modified` and a time.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn of_meta(meta: &ObjectMeta) -> Self {
        let etag = meta.e_tag.as_deref().filter(|etag| !etag.is_empty());
        Self {
            text: match etag {
                Some(etag) => bare(etag).to_owned(),
                None => format!("{MODIFIED}{}", meta.last_modified.to_rfc3339()),
            },
            generation: meta.version.clone(),
        }
    }

    /// The version that a put made; `None` if the store does not say.
    pub(crate) fn of_put(put: &PutResult) -> Option<Self> {
        Some(Self {
            text: bare(put.e_tag.as_deref()?).to_owned(),
            generation: put.version.clone(),
        })
    }

    /// Lets a request fail unless the object still has this version.
    pub(crate) fn require(&self, request: &mut GetOptions) {
        match self.text.strip_prefix(MODIFIED) {
            Some(time) => request.if_unmodified_since = time.parse().ok(),
            None => request.if_match = Some(self.quoted()),
        }
    }

    /// Whether `meta`, from the answer to a request, shows this version. Stores that do not know conditions answer all the same.
    pub(crate) fn is_that_of(&self, meta: &ObjectMeta) -> bool {
        match self.text.strip_prefix(MODIFIED) {
            // Times in headers are whole seconds.
            Some(time) => time
                .parse()
                .map(|time| [time, meta.last_modified].map(|time| time.timestamp()))
                .is_ok_and(|[expected, found]| expected == found),
            None => meta
                .e_tag
                .as_deref()
                .is_none_or(|etag| bare(etag) == self.text),
        }
    }

    pub(crate) fn to_update(&self) -> UpdateVersion {
        UpdateVersion {
            e_tag: Some(self.quoted()),
            version: self.generation.clone(),
        }
    }

    fn quoted(&self) -> String {
        match self.text.starts_with("W/") {
            true => self.text.clone(),
            false => format!("\"{}\"", self.text),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An etag without its quotes: some stores list them without.
fn bare(etag: &str) -> &str {
    let inner = etag
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(etag)
}
