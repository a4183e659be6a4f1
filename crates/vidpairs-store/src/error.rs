//! Errors of object stores, told apart by what a user or a program does about them.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::location::LocationError;

/// What a request was about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// List keys.
    List,
    /// Read an object or its size.
    Read,
    /// Write or delete an object.
    Write,
}

impl Action {
    fn verb(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    fn permission(self) -> &'static str {
        match self {
            Self::List => "this (S3: s3:ListBucket on the bucket)",
            Self::Read => {
                "this (S3: s3:GetObject on the object, and s3:ListBucket on the bucket, without which a missing object looks the same)"
            }
            Self::Write => "this (S3: s3:PutObject and s3:AbortMultipartUpload on the object)",
        }
    }
}

/// Why an operation on a store failed.
///
/// [`Self::is_of_one_object`] says whether to refuse the object and go on, or to stop the run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL is not one of an object store. Correct it.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The settings do not make sense. Correct them.
    #[error("{url}: {reason}")]
    Setup {
        /// URL of the store.
        url: String,
        /// What is wrong, with the name of the setting, and what to do.
        reason: String,
    },
    /// No credentials were found anywhere.
    #[error(
        "no credentials for {url}: looked {looked_at} ({reason}). For a bucket that anyone may read, set AWS_SKIP_SIGNATURE=true \
         (GOOGLE_SKIP_SIGNATURE, AZURE_SKIP_SIGNATURE)"
    )]
    NoCredentials {
        /// URL of the request.
        url: String,
        /// Where credentials were looked for.
        looked_at: String,
        /// How the last of these places answered.
        reason: String,
    },
    /// There is no object of this name.
    #[error("there is no object {url}")]
    NoSuchObject {
        /// URL of the object.
        url: String,
    },
    /// There is no bucket of this name.
    #[error("there is no bucket `{bucket}` (asked for {url})")]
    NoSuchBucket {
        /// URL of the request.
        url: String,
        /// Name of the bucket.
        bucket: String,
    },
    /// The identity may not do this.
    #[error(
        "may not {} {url} ({reason}) with {identity}; check that its policy and the bucket's allow {}",
        action.verb(), action.permission()
    )]
    AccessDenied {
        /// URL of the request.
        url: String,
        /// What was refused.
        action: Action,
        /// Where the credentials came from.
        identity: String,
        /// The store's answer.
        reason: String,
    },
    /// The credentials are wrong or have expired. Renew them.
    #[error(
        "{url}: the store does not accept {identity} ({reason}); {}",
        credential_hint(reason)
    )]
    BadCredentials {
        /// URL of the request.
        url: String,
        /// Where the credentials came from.
        identity: String,
        /// The store's answer.
        reason: String,
    },
    /// The bucket is in another region.
    #[error("{url} is in the region {region}, not {used}: set AWS_REGION={region}")]
    WrongRegion {
        /// URL of the request.
        url: String,
        /// Region that the store named.
        region: String,
        /// Region that was used.
        used: String,
    },
    /// The object is no longer the version that was expected.
    #[error("{url} has changed since it was listed or read")]
    Changed {
        /// URL of the object.
        url: String,
    },
    /// An object of this name is there already.
    #[error("{url} is there already")]
    AlreadyThere {
        /// URL of the object.
        url: String,
    },
    /// The object is larger than such an object can be.
    #[error("{url} has {num_bytes} bytes; expected at most {max_bytes}")]
    TooLarge {
        /// URL of the object.
        url: String,
        /// Its size.
        num_bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// The object in the store is not as long as what was uploaded.
    #[error(
        "{url} has {num_bytes} bytes after an upload of {expected}; delete it and upload again"
    )]
    WrongLength {
        /// URL of the object.
        url: String,
        /// Its size in the store.
        num_bytes: u64,
        /// Bytes that were uploaded.
        expected: u64,
    },
    /// All tries failed.
    #[error("could not {} {url}: gave up after {num_tries} tries in {:.1} s; the last: {reason}", action.verb(), elapsed.as_secs_f64())]
    GaveUp {
        /// URL of the request.
        url: String,
        /// What was tried.
        action: Action,
        /// Number of tries.
        num_tries: u32,
        /// Time from the first try to the last.
        elapsed: Duration,
        /// Why the last try failed.
        reason: String,
        /// Whether any try reached the store. If not, the network or the endpoint is at fault.
        was_reached: bool,
    },
    /// The store refused the request for another reason.
    #[error("could not {} {url}: {reason}", action.verb())]
    Refused {
        /// URL of the request.
        url: String,
        /// What was refused.
        action: Action,
        /// The store's answer, or what `object_store` made of it.
        reason: String,
    },
    /// The key exists in the store but cannot be written in a request.
    #[error("{url} cannot be asked for: {reason}; rename the object")]
    Inexpressible {
        /// URL of the object.
        url: String,
        /// What the key has.
        reason: &'static str,
    },
    /// A local file could not be read or written: a full disk has the kind [`io::ErrorKind::StorageFull`].
    #[error("local file {}", path.display())]
    Local {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The [`Watch`](crate::Watch) said stop.
    #[error("stopped")]
    Stopped,
}

impl StoreError {
    /// Whether one object is at fault, so that a run can refuse it and go on with the next. Otherwise the same will happen to every
    /// object, or the run itself is at fault: stop it.
    ///
    /// An object that may not be read, or that the store fails to deliver, is at fault itself. Any failed write or list stops the run.
    pub fn is_of_one_object(&self) -> bool {
        match self {
            Self::NoSuchObject { .. }
            | Self::Changed { .. }
            | Self::AlreadyThere { .. }
            | Self::TooLarge { .. }
            | Self::Inexpressible { .. } => true,
            Self::AccessDenied { action, .. } | Self::Refused { action, .. } => {
                *action == Action::Read
            }
            Self::GaveUp {
                action,
                was_reached,
                ..
            } => *action == Action::Read && *was_reached,
            _ => false,
        }
    }
}

/// What to do about credentials that are not accepted.
fn credential_hint(reason: &str) -> &'static str {
    if reason.contains("TimeTooSkewed") {
        "set the clock of this machine"
    } else if reason.contains("Expired") {
        "they have expired: renew them and run the same command again"
    } else if reason.contains("SignatureDoesNotMatch") {
        "check the secret key (AWS_SECRET_ACCESS_KEY)"
    } else {
        "check the access key, and for temporary credentials the session token (AWS_SESSION_TOKEN)"
    }
}
