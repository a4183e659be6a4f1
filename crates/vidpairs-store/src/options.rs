//! Limits and settings of a store.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Limits and settings of a [`Store`](crate::Store). The defaults suit a data centre and a home connection alike.
#[derive(Clone)]
pub struct Options {
    /// Variables that hold credentials, endpoint and region: `AWS_*`, `GOOGLE_*`, `AZURE_*`, and `HOME` for the AWS files.
    pub environment: BTreeMap<String, String>,
    /// Most tries of one request, 1 or more. Tries begin anew when a body that is continued has gained 1 MiB.
    pub max_tries: u32,
    /// Time after which a request is not tried again, unless it had fewer than 3 tries.
    pub max_elapsed: Duration,
    /// Pause before the second try. It doubles with each try, up to [`Self::max_pause`], and varies at random by a half.
    pub first_pause: Duration,
    /// Longest pause between two tries.
    pub max_pause: Duration,
    /// Longest time until a connection is made.
    pub connect_timeout: Duration,
    /// Longest time until an answer begins, beside the time that the upload of the request may take. Also the time over which
    /// [`Self::min_download_bytes_per_sec`] is measured.
    pub stall_timeout: Duration,
    /// A body that is slower counts as broken. It is then continued by another request.
    pub min_download_bytes_per_sec: u64,
    /// An upload request that is slower counts as broken. It cannot be continued, so the limit leaves room for slow links.
    pub min_upload_bytes_per_sec: u64,
    /// Files and objects of more bytes move in parts of this many bytes. S3 wants 5 MiB or more.
    pub part_bytes: u64,
    /// Parts in flight at once, 1 or more. An upload holds that many parts in memory.
    pub num_parallel: usize,
}

impl Options {
    /// The default limits, with the environment of this process.
    pub fn from_env() -> Self {
        let text = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::with_environment(text)
    }

    /// The default limits, with the given variables only.
    pub fn with_environment(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            environment: environment.into_iter().collect(),
            max_tries: 10,
            max_elapsed: Duration::from_secs(180),
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(30),
            min_download_bytes_per_sec: 4 << 10,
            min_upload_bytes_per_sec: 32 << 10,
            part_bytes: 8 << 20,
            num_parallel: 4,
        }
    }

    /// A variable of [`Self::environment`], unless it is empty.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// Whether a variable says yes.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        let is_yes =
            |value: &str| matches!(&*value.to_ascii_lowercase(), "1" | "true" | "yes" | "on");
        self.var(name).is_some_and(is_yes)
    }
}

/// The names of the variables without their values: some are secret.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("environment", &self.environment.keys())
            .field("max_tries", &self.max_tries)
            .field("max_elapsed", &self.max_elapsed)
            .finish_non_exhaustive()
    }
}
