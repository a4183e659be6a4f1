//! Decides which failed requests are tried again, and what the others mean.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Action, StoreError};
use crate::location::Location;
use crate::options::Options;
use crate::transport::{Broken, Refusal, Transport, find};

/// Tries that a request has in any case, however long they take.
const MIN_TRIES: u32 = 3;

/// Tries of a request to a store that has never answered: the endpoint is then probably wrong.
const MAX_TRIES_UNREACHED: u32 = 5;

/// Tries of a request for credentials: most machines have no metadata service, and waiting for it would look like a hang.
const MAX_TRIES_CREDENTIALS: u32 = 2;

/// Codes by which stores ask to come later, whatever the status.
const LATER: &[&str] = &[
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "InternalError",
    "ServiceUnavailable",
    "OperationAborted",
    "ConditionalRequestConflict",
    "ServerBusy",
    "OperationTimedOut",
];

/// Codes that blame the credentials.
const CREDENTIALS: &[&str] = &[
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
    "InvalidToken",
    "InvalidSecurity",
    "RequestTimeTooSkewed",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
];

/// What all requests to a store share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) location: Location,
    pub(crate) options: Options,
    pub(crate) transport: Transport,
    /// Where the credentials come from, in words.
    pub(crate) identity: String,
    /// Where credentials were looked for, in words.
    pub(crate) looked_at: String,
    pub(crate) region: String,
    pub(crate) num_retries: AtomicU64,
}

impl Context {
    /// Makes a request, again and again until it succeeds or fails for good.
    pub(crate) async fn retry<T>(
        &self,
        trial: &mut Trial<'_>,
        mut request: impl AsyncFnMut() -> object_store::Result<T>,
    ) -> Result<T, StoreError> {
        loop {
            match request().await {
                Ok(answer) => return Ok(answer),
                Err(err) => trial.pause_after(&err).await?,
            }
        }
    }

    /// The tries of one request that begin now.
    pub(crate) fn trial(&self, action: Action, url: String) -> Trial<'_> {
        Trial {
            context: self,
            action,
            url,
            num_failed: 0,
            started: Instant::now(),
        }
    }

    /// What the store's answer means, if trying again will not help.
    fn meaning_of(&self, refusal: &Refusal, action: Action, url: &str) -> StoreError {
        let (url, reason) = (url.to_owned(), refusal.to_string());
        let identity = self.identity.clone();
        let is = |codes: &[&str]| refusal.has_code(codes);
        if refusal.is_of_credentials {
            return StoreError::NoCredentials {
                url,
                looked_at: self.looked_at.clone(),
                reason,
            };
        }
        if let Some(region) = &refusal.region
            && *region != self.region
            && matches!(refusal.status, 301 | 307 | 400)
        {
            return StoreError::WrongRegion {
                url,
                region: region.clone(),
                used: self.region.clone(),
            };
        }
        match refusal.status {
            _ if is(CREDENTIALS) => StoreError::BadCredentials {
                url,
                identity,
                reason,
            },
            401 => StoreError::BadCredentials {
                url,
                identity,
                reason,
            },
            403 => StoreError::AccessDenied {
                url,
                action,
                identity,
                reason,
            },
            404 if is(&["NoSuchBucket", "ContainerNotFound"]) => StoreError::NoSuchBucket {
                url,
                bucket: self.location.bucket().to_owned(),
            },
            404 if action != Action::List => StoreError::NoSuchObject { url },
            409 if is(&["BlobAlreadyExists"]) => StoreError::AlreadyThere { url },
            412 | 304 => StoreError::Changed { url },
            _ => StoreError::Refused {
                url,
                action,
                reason: format!("the store answered {reason}"),
            },
        }
    }
}

/// The tries of one request.
pub(crate) struct Trial<'a> {
    context: &'a Context,
    action: Action,
    pub(crate) url: String,
    pub(crate) num_failed: u32,
    started: Instant,
}

impl Trial<'_> {
    /// Waits before the next try.
    ///
    /// # Errors
    /// The meaning of `err`, if no further try would help or the tries are used up.
    pub(crate) async fn pause_after(
        &mut self,
        err: &object_store::Error,
    ) -> Result<(), StoreError> {
        let pause = self.next_pause(err)?;
        self.context.num_retries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Begins the count anew, because the request has made progress.
    pub(crate) fn begin_anew(&mut self) {
        self.num_failed = 0;
        self.started = Instant::now();
    }

    fn next_pause(&mut self, err: &object_store::Error) -> Result<Duration, StoreError> {
        let (context, options) = (self.context, &self.context.options);
        self.num_failed += 1;
        let refusal = find::<Refusal>(err);
        let broken = find::<Broken>(err);
        let reason = match (refusal, broken) {
            (Some(refusal), _) => refusal.to_string(),
            (_, Some(broken)) => broken.to_string(),
            // An answer that is not understood, or a file of credentials that cannot be read.
            _ => {
                return Err(StoreError::Refused {
                    url: self.url.clone(),
                    action: self.action,
                    reason: err.to_string(),
                });
            }
        };
        if let Some(refusal) = refusal
            && !asks_to_come_later(refusal)
        {
            return Err(context.meaning_of(refusal, self.action, &self.url));
        }
        let is_of_credentials = refusal.is_some_and(|refusal| refusal.is_of_credentials)
            || broken.is_some_and(|broken| broken.is_of_credentials);
        if is_of_credentials && self.num_failed >= MAX_TRIES_CREDENTIALS {
            return Err(StoreError::NoCredentials {
                url: self.url.clone(),
                looked_at: context.looked_at.clone(),
                reason,
            });
        }
        let was_reached = context.transport.was_reached();
        let is_used_up = self.num_failed >= options.max_tries
            || (!was_reached && self.num_failed >= MAX_TRIES_UNREACHED)
            || (self.num_failed >= MIN_TRIES && self.started.elapsed() >= options.max_elapsed);
        if is_used_up {
            return Err(StoreError::GaveUp {
                url: self.url.clone(),
                action: self.action,
                num_tries: self.num_failed,
                elapsed: self.started.elapsed(),
                reason,
                was_reached,
            });
        }
        let doubled = options.first_pause * 2u32.saturating_pow((self.num_failed - 1).min(16));
        // Between a half and the whole, so that many machines do not come back together.
        let share = 0.5 + RandomState::new().hash_one(0) as f64 / u64::MAX as f64 / 2.0;
        Ok(doubled.min(options.max_pause).mul_f64(share))
    }
}

fn asks_to_come_later(refusal: &Refusal) -> bool {
    let is_passing = match refusal.status {
        // Of a failure in the body of a success, only codes could say that it is for good. S3 documents none.
        200..300 => true,
        408 | 429 => true,
        501 | 505 => false,
        status => status >= 500,
    };
    is_passing || refusal.has_code(LATER)
}
