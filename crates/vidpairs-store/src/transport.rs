//! Watches over the HTTP requests of `object_store`: time-outs, a lowest rate, refusals with their codes, keys in listings.
//!
//! `object_store` retries by itself and hides the reasons. Here every answer that is no success becomes an error of a type that
//! [`find`] gets out of `object_store`'s error again, and the retries are those of [`crate::retry`], the only ones.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::key::encode_listed_keys;
use crate::options::Options;

/// Most characters of a store's message that are shown.
const MAX_MESSAGE: usize = 300;

/// Time-outs and lowest rates of requests.
#[derive(Debug, Clone, Copy)]
struct Pace {
    stall_timeout: Duration,
    min_download_bytes_per_sec: u64,
    min_upload_bytes_per_sec: u64,
}

/// Makes the HTTP clients of one store.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    pace: Pace,
    /// Whether the store itself has ever answered.
    reached: Arc<AtomicBool>,
    /// Number of clients made. `object_store` makes the store's own client last, after those that fetch credentials.
    num_clients: Arc<AtomicUsize>,
}

impl Transport {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            pace: Pace {
                stall_timeout: options.stall_timeout,
                min_download_bytes_per_sec: options.min_download_bytes_per_sec,
                min_upload_bytes_per_sec: options.min_upload_bytes_per_sec.max(1),
            },
            reached: Arc::default(),
            num_clients: Arc::default(),
        }
    }

    /// Whether the store itself has ever answered.
    pub(crate) fn was_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }
}

impl HttpConnector for Transport {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // Without effect if the program has chosen another provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(HttpClient::new(Watched {
            inner: ReqwestConnector::default().connect(options)?,
            nth: self.num_clients.fetch_add(1, Ordering::Relaxed) + 1,
            transport: self.clone(),
        }))
    }
}

#[derive(Debug)]
struct Watched {
    inner: HttpClient,
    nth: usize,
    transport: Transport,
}

impl Watched {
    fn broken(&self, err: HttpError) -> HttpError {
        let kind = err.kind();
        let what = match kind {
            HttpErrorKind::Connect => "cannot connect: ",
            HttpErrorKind::Timeout => "timed out: ",
            _ => "the connection broke: ",
        };
        self.error(kind, format!("{what}{}", innermost(&err)))
    }

    fn error(&self, kind: HttpErrorKind, reason: String) -> HttpError {
        HttpError::new(
            kind,
            Broken {
                reason,
                is_of_credentials: self.is_of_credentials(),
            },
        )
    }

    fn is_of_credentials(&self) -> bool {
        self.nth < self.transport.num_clients.load(Ordering::Relaxed)
    }

    async fn refused(&self, parts: &http::response::Parts, body: HttpResponseBody) -> HttpError {
        let text = body.bytes().await.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
        let refusal = Refusal {
            status: parts.status.as_u16(),
            code: element(&text, "Code").or_else(|| header("x-ms-error-code")),
            message: element(&text, "Message").unwrap_or_else(|| text.trim().to_owned()),
            region: header("x-amz-bucket-region").or_else(|| element(&text, "Region")),
            is_of_credentials: self.is_of_credentials(),
        };
        // A kind that `object_store` does not retry.
        HttpError::new(HttpErrorKind::Unknown, refusal)
    }
}

#[async_trait::async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let pace = self.transport.pace;
        let query = request.uri().query().unwrap_or_default();
        let is_list = query.contains("list-type=2") || query.contains("comp=list");
        let is_list = is_list && request.method() == http::Method::GET;
        // S3 answers 200 before it has joined the parts, and tells of a failure in the body.
        let is_completion = query.contains("uploadId=") && request.method() == http::Method::POST;
        let upload_secs = request.body().content_length() as u64 / pace.min_upload_bytes_per_sec;
        let limit = pace.stall_timeout + Duration::from_secs(upload_secs);

        let response = match timeout(limit, self.inner.execute(request)).await {
            Ok(response) => response.map_err(|err| self.broken(err))?,
            Err(_) => {
                let reason = format!("timed out: no answer within {} s", limit.as_secs_f32());
                return Err(self.error(HttpErrorKind::Timeout, reason));
            }
        };
        if !self.is_of_credentials() {
            self.transport.reached.store(true, Ordering::Relaxed);
        }
        let (mut parts, body) = response.into_parts();
        let body = HttpResponseBody::new(PacedBody::new(body, pace, self.is_of_credentials()));
        if !parts.status.is_success() {
            return Err(self.refused(&parts, body).await);
        }
        if !is_list && !is_completion {
            return Ok(HttpResponse::from_parts(parts, body));
        }
        let bytes = body.bytes().await?;
        let text = String::from_utf8_lossy(&bytes);
        if is_completion && text.contains("<Error>") {
            return Err(self.refused(&parts, bytes.into()).await);
        }
        parts.headers.remove(http::header::CONTENT_LENGTH);
        let body = match is_list {
            true => encode_listed_keys(&text).into(),
            false => bytes.into(),
        };
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// Body that fails when it becomes slower than the lowest rate, over the time that it is waited for.
struct PacedBody {
    inner: HttpResponseBody,
    pace: Pace,
    is_of_credentials: bool,
    /// Bytes and waiting time since the rate was last measured.
    num_bytes: u64,
    waited: Duration,
    waiting_since: Option<Instant>,
    wake: Pin<Box<Sleep>>,
}

impl PacedBody {
    fn new(inner: HttpResponseBody, pace: Pace, is_of_credentials: bool) -> Self {
        Self {
            inner,
            pace,
            is_of_credentials,
            num_bytes: 0,
            waited: Duration::ZERO,
            waiting_since: None,
            wake: Box::pin(sleep_until(Instant::now())),
        }
    }

    /// The error of a body that is too slow, at the end of a measured time.
    fn measure(&mut self, now: Instant) -> Result<(), HttpError> {
        let num_secs = self.pace.stall_timeout.as_secs_f64();
        let num_bytes = std::mem::take(&mut self.num_bytes);
        self.waited = Duration::ZERO;
        self.waiting_since = Some(now);
        if num_bytes as f64 >= self.pace.min_download_bytes_per_sec as f64 * num_secs {
            return Ok(());
        }
        let broken = Broken {
            reason: format!("timed out: {num_bytes} bytes within {num_secs} s are too few"),
            is_of_credentials: self.is_of_credentials,
        };
        Err(HttpError::new(HttpErrorKind::Timeout, broken))
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            if let Some(since) = this.waiting_since.take() {
                this.waited += since.elapsed();
                // The timer below would have ended a wait of that length. So it was the reader who did not come.
                if this.waited > this.pace.stall_timeout {
                    this.waited = Duration::ZERO;
                    this.num_bytes = 0;
                }
            }
            let frame = frame.map(|frame| {
                frame.map_err(|err| {
                    let broken = Broken {
                        reason: format!("the answer was cut: {}", innermost(&err)),
                        is_of_credentials: this.is_of_credentials,
                    };
                    HttpError::new(HttpErrorKind::Interrupted, broken)
                })
            });
            if let Some(Ok(frame)) = &frame {
                this.num_bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
            }
            return Poll::Ready(frame);
        }
        loop {
            let now = Instant::now();
            let since = *this.waiting_since.get_or_insert(now);
            let waited = this.waited + (now - since);
            match this.pace.stall_timeout.checked_sub(waited) {
                Some(rest) if !rest.is_zero() => {
                    this.wake.as_mut().reset(now + rest);
                    ready!(this.wake.as_mut().poll(context));
                }
                _ => {
                    if let Err(err) = this.measure(now) {
                        return Poll::Ready(Some(Err(err)));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Answer that is no success.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The store's own code, `SlowDown` for instance. An answer to HEAD has none.
    pub(crate) code: Option<String>,
    message: String,
    /// Region of the bucket, if the store says so.
    pub(crate) region: Option<String>,
    /// Whether it is the answer to a request for credentials.
    pub(crate) is_of_credentials: bool,
}

impl Refusal {
    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.code
            .as_deref()
            .is_some_and(|code| codes.contains(&code))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {}", vidpairs_types::printable(code))?;
        }
        if self.message.is_empty() {
            return Ok(());
        }
        let cut: String = self.message.chars().take(MAX_MESSAGE).collect();
        write!(f, ": {}", vidpairs_types::printable(&cut))
    }
}

impl Error for Refusal {}

/// Request or answer that did not come through.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    reason: String,
    /// Whether it was a request for credentials.
    pub(crate) is_of_credentials: bool,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for Broken {}

/// The error of an answer that has less bytes than it should.
pub(crate) fn ended_early() -> object_store::Error {
    let broken = Broken {
        reason: "the answer ended early".into(),
        is_of_credentials: false,
    };
    object_store::Error::Generic {
        store: "store",
        source: Box::new(broken),
    }
}

/// The [`Refusal`] or [`Broken`] that an error of `object_store` comes from.
pub(crate) fn find<T: Error + 'static>(err: &object_store::Error) -> Option<&T> {
    causes(err).find_map(|err| err.downcast_ref())
}

/// The innermost reason of an error.
fn innermost(err: &(dyn Error + 'static)) -> String {
    causes(err)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

/// An error and all that it comes from.
fn causes<'a>(err: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(err);
    std::iter::from_fn(move || {
        let err = next?;
        next = err.source();
        Some(err)
    })
}

/// Text of the first element of this name, in an answer of S3, Google or Azure.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let text = quick_xml::escape::unescape(text).unwrap_or(text.into());
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::task::Waker;
    use std::thread::sleep;

    use super::*;
    use crate::runtime::runtime;

    const WINDOW: Duration = Duration::from_millis(100);

    /// Body that gives what it is told: so many bytes, or nothing yet.
    #[derive(Debug)]
    struct Scripted(VecDeque<Option<usize>>);

    impl Body for Scripted {
        type Data = Bytes;
        type Error = HttpError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
            match self.0.pop_front() {
                Some(Some(len)) => Poll::Ready(Some(Ok(Frame::data(vec![0; len].into())))),
                Some(None) => Poll::Pending,
                None => Poll::Ready(None),
            }
        }
    }

    /// Polls once for each step of the script, and sleeps so long before each poll. 1,000 bytes in a window are enough.
    fn poll_all(steps: &[(Duration, Option<usize>)]) -> Result<(), String> {
        let _runtime = runtime().unwrap().enter();
        let pace = Pace {
            stall_timeout: WINDOW,
            min_download_bytes_per_sec: 10_000,
            min_upload_bytes_per_sec: 1,
        };
        let script = Scripted(steps.iter().map(|(_, step)| *step).collect());
        let mut body = PacedBody::new(HttpResponseBody::new(script), pace, false);
        for (pause, _) in steps {
            sleep(*pause);
            let polled = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(Some(Err(err))) = polled {
                return Err(innermost(&err));
            }
        }
        Ok(())
    }

    #[test]
    fn a_body_that_brings_too_little_while_it_is_waited_for_is_broken() {
        let late = WINDOW + Duration::from_millis(20);
        let err = poll_all(&[(Duration::ZERO, None), (late, None)]).unwrap_err();
        assert!(err.contains("0 bytes within 0.1 s are too few"), "{err}");
        let little = [
            (Duration::ZERO, Some(999)),
            (Duration::ZERO, None),
            (late, None),
        ];
        assert!(poll_all(&little).unwrap_err().contains("999 bytes"));
        let enough = [
            (Duration::ZERO, Some(1000)),
            (Duration::ZERO, None),
            (late, None),
        ];
        poll_all(&enough).unwrap();
        let half = WINDOW / 2 + Duration::from_millis(10);
        let trickle = [
            (Duration::ZERO, None),
            (half, Some(1)),
            (Duration::ZERO, None),
            (half, None),
        ];
        assert!(poll_all(&trickle).unwrap_err().contains("1 bytes"));
    }

    #[test]
    fn the_time_that_the_reader_takes_is_not_the_servers() {
        let late = WINDOW + Duration::from_millis(20);
        // Busy between two frames, and busy while a frame has come.
        let busy = [(Duration::ZERO, Some(1)), (late, Some(1)), (late, None)];
        poll_all(&busy).unwrap();
        let waiting = [
            (Duration::ZERO, None),
            (late, Some(1)),
            (Duration::ZERO, None),
        ];
        poll_all(&waiting).unwrap();
    }
}
