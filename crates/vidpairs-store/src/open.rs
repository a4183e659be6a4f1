//! Opens the three kinds of stores from the environment.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use crate::error::StoreError;
use crate::location::{Location, Scheme};
use crate::options::Options;
use crate::s3;
use crate::store::Backend;
use crate::transport::Transport;

/// Variables that hold credentials of Google.
const GOOGLE: &[&str] = &[
    "GOOGLE_SKIP_SIGNATURE",
    "GOOGLE_BEARER_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
];

/// Variables that hold credentials of Azure.
const AZURE: &[&str] = &[
    "AZURE_SKIP_SIGNATURE",
    "AZURE_STORAGE_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
];

/// What is known of an opened store.
pub(crate) struct Opened {
    pub(crate) transport: Transport,
    pub(crate) identity: String,
    pub(crate) looked_at: String,
    pub(crate) region: String,
}

pub(crate) fn open(
    location: &Location,
    options: &Options,
) -> Result<(Arc<dyn Backend>, Opened), StoreError> {
    let transport = Transport::new(options);
    let client = ClientOptions::new()
        .with_connect_timeout(options.connect_timeout)
        // It would count the body too. `transport` has time-outs that do not end what makes progress.
        .with_timeout_disabled();
    // `retry` does it, with new signatures and credentials, and counts.
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 0,
        retry_timeout: Duration::ZERO,
    };
    let opened = match location.scheme() {
        Scheme::S3 => s3::open(location, options, client, retry, transport.clone()),
        Scheme::Gs => {
            let builder = GoogleCloudStorageBuilder::new()
                .with_client_options(client.with_allow_http(is_http(options, "GOOGLE_BASE_URL")))
                .with_retry(retry)
                .with_http_connector(transport.clone())
                .with_bucket_name(location.bucket());
            let variables = settings::<GoogleConfigKey>(options, "GOOGLE_");
            let builder = variables.fold(builder, |builder, (key, value)| {
                builder.with_config(key, value)
            });
            built(
                builder.build(),
                options,
                GOOGLE,
                "gcloud's default credentials or the metadata service of Google",
            )
        }
        Scheme::Az => {
            let builder = MicrosoftAzureBuilder::new()
                .with_client_options(
                    client.with_allow_http(is_http(options, "AZURE_STORAGE_ENDPOINT")),
                )
                .with_retry(retry)
                .with_http_connector(transport.clone())
                .with_container_name(location.bucket());
            let variables = settings::<AzureConfigKey>(options, "AZURE_");
            let builder = variables.fold(builder, |builder, (key, value)| {
                builder.with_config(key, value)
            });
            built(
                builder.build(),
                options,
                AZURE,
                "the managed identity of this machine",
            )
        }
    };
    let opened = opened.map_err(|reason| StoreError::Setup {
        url: location.to_string(),
        reason,
    })?;
    let about = Opened {
        transport,
        identity: opened.identity,
        looked_at: opened.looked_at,
        region: opened.region,
    };
    Ok((opened.backend, about))
}

/// The variables that begin with `prefix` and that `object_store` knows.
fn settings<'a, K: FromStr>(
    options: &'a Options,
    prefix: &'a str,
) -> impl Iterator<Item = (K, &'a str)> {
    let variables = options.environment.iter();
    variables
        .filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty())
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.as_str())))
}

/// Whether the user named a server without TLS.
fn is_http(options: &Options, variable: &str) -> bool {
    options
        .var(variable)
        .is_some_and(|url| url.starts_with("http://"))
}

/// - `variables`: those that hold credentials; `otherwise`: where they come from if none is set.
fn built<B: Backend>(
    backend: object_store::Result<B>,
    options: &Options,
    variables: &[&str],
    otherwise: &str,
) -> Result<s3::Opened, String> {
    let set = variables.iter().find(|name| options.var(name).is_some());
    Ok(s3::Opened {
        backend: Arc::new(backend.map_err(|err| err.to_string())?),
        identity: set.map_or_else(
            || otherwise.to_owned(),
            |name| format!("the credentials of {name}"),
        ),
        looked_at: format!("for {} and at {otherwise}", variables.join(", ")),
        region: String::new(),
    })
}
