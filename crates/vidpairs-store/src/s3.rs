//! Opens S3: credentials, region and endpoint as the AWS command line finds them.
//!
//! Credentials, in this order: the environment, web identity, the profile's keys, the container's service, the metadata service of
//! EC2. `object_store` knows all but profiles.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{ClientOptions, RetryConfig};

use crate::location::Location;
use crate::options::Options;
use crate::profile::Profile;
use crate::profile_keys::ProfileKeys;
use crate::store::Backend;
use crate::transport::Transport;

/// Region of a store that does not care about it.
const DEFAULT_REGION: &str = "us-east-1";

/// Variables that this module reads itself.
const OWN: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_BUCKET",
    "AWS_BUCKET_NAME",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_ALLOW_HTTP",
    "AWS_S3_EXPRESS",
];

/// How S3 will be reached.
pub(crate) struct Opened {
    pub(crate) backend: Arc<dyn Backend>,
    /// Where the credentials come from, in words.
    pub(crate) identity: String,
    /// Where credentials were looked for, in words.
    pub(crate) looked_at: String,
    pub(crate) region: String,
}

/// # Errors
/// A setting that does not make sense, in words.
pub(crate) fn open(
    location: &Location,
    options: &Options,
    client: ClientOptions,
    retry: RetryConfig,
    transport: Transport,
) -> Result<Opened, String> {
    let profile = Profile::load(options)?;
    let bucket = location.bucket();
    let region = options
        .var("AWS_REGION")
        .or(options.var("AWS_DEFAULT_REGION"));
    let region = region
        .or(profile.setting("region"))
        .unwrap_or(DEFAULT_REGION);
    let endpoint = endpoint(options, &profile)?;
    let is_http = endpoint
        .as_deref()
        .is_some_and(|url| url.starts_with("http://"));

    let mut builder = AmazonS3Builder::new()
        .with_client_options(client.with_allow_http(is_http))
        .with_retry(retry)
        .with_http_connector(transport)
        .with_bucket_name(bucket)
        .with_region(region)
        // One request for each object: not all stores know the request for many.
        .with_disable_bulk_delete(true);
    for (name, value) in &options.environment {
        if name.starts_with("AWS_")
            && !value.is_empty()
            && !OWN.contains(&name.as_str())
            && let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>()
        {
            builder = builder.with_config(key, value);
        }
    }
    if bucket.ends_with("--x-s3") {
        builder = builder.with_s3_express(true);
    } else {
        let is_virtual = options.is_set("AWS_VIRTUAL_HOSTED_STYLE_REQUEST")
            || profile.s3_setting("addressing_style") == Some("virtual");
        let (url, is_virtual) = address(bucket, region, endpoint.as_deref(), is_virtual);
        builder = builder
            .with_endpoint(url)
            .with_virtual_hosted_style_request(is_virtual);
    }
    let (builder, identity) = with_credentials(builder, options, &profile)?;
    let backend = builder.build().map_err(|err| err.to_string())?;
    Ok(Opened {
        backend: Arc::new(backend),
        identity,
        looked_at: looked_at(&profile),
        region: region.to_owned(),
    })
}

/// The endpoint that the user named.
fn endpoint(options: &Options, profile: &Profile) -> Result<Option<String>, String> {
    if options.is_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
        return Ok(None);
    }
    let variables = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
    let found = variables
        .into_iter()
        .find_map(|name| Some((name.to_owned(), options.var(name)?)))
        .or_else(|| {
            let place = format!("endpoint_url of the profile `{}`", profile.name);
            Some((place, profile.endpoint()?))
        });
    let Some((place, url)) = found else {
        return Ok(None);
    };
    let host = url.strip_prefix("https://").or(url.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') => {
            Ok(Some(url.trim_end_matches('/').to_owned()))
        }
        _ => Err(format!(
            "{place} is `{url}`; expected http://HOST or https://HOST"
        )),
    }
}

/// URL of the server, and whether it names the bucket (virtual-hosted style). AWS wants the bucket in the host, where its certificates
/// allow it; other servers expect it in the path, unless the user says otherwise.
fn address(bucket: &str, region: &str, endpoint: Option<&str>, is_virtual: bool) -> (String, bool) {
    let aws = || {
        let suffix = match region.starts_with("cn-") {
            true => ".cn",
            false => "",
        };
        format!("https://s3.{region}.amazonaws.com{suffix}")
    };
    let is_virtual = is_virtual || (endpoint.is_none() && !bucket.contains('.'));
    let url = endpoint.map_or_else(aws, str::to_owned);
    match is_virtual {
        true => (url.replacen("://", &format!("://{bucket}."), 1), true),
        false => (url, false),
    }
}

/// The builder with the first credentials that are found, and where they come from.
fn with_credentials(
    builder: AmazonS3Builder,
    options: &Options,
    profile: &Profile,
) -> Result<(AmazonS3Builder, String), String> {
    if options.is_set("AWS_SKIP_SIGNATURE") {
        return Ok((builder, "no identity (AWS_SKIP_SIGNATURE)".into()));
    }
    match (
        options.var("AWS_ACCESS_KEY_ID"),
        options.var("AWS_SECRET_ACCESS_KEY"),
    ) {
        (Some(key), Some(secret)) => {
            let builder = builder
                .with_access_key_id(key)
                .with_secret_access_key(secret);
            let builder = match options.var("AWS_SESSION_TOKEN") {
                Some(token) => builder.with_token(token),
                None => builder,
            };
            return Ok((
                builder,
                format!("the access key {key} of AWS_ACCESS_KEY_ID"),
            ));
        }
        (Some(_), None) => {
            return Err("AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY".into());
        }
        (None, Some(_)) => {
            return Err("AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID".into());
        }
        (None, None) => {}
    }
    if let (Some(file), Some(role)) = (
        options.var("AWS_WEB_IDENTITY_TOKEN_FILE"),
        options.var("AWS_ROLE_ARN"),
    ) {
        return Ok((
            builder,
            format!("the role {role} of the web identity {file}"),
        ));
    }
    if let Some(keys) = ProfileKeys::new(options, profile)
        && let Some((key, .., file)) = profile.keys()
    {
        let (name, file) = (&profile.name, file.display());
        let identity = format!("the access key {key} of the profile `{name}` in {file}");
        return Ok((builder.with_credentials(Arc::new(keys)), identity));
    }
    // What only the AWS command line can turn into keys.
    let others = [
        "sso_session",
        "sso_start_url",
        "credential_process",
        "role_arn",
        "web_identity_token_file",
        "login_session",
    ];
    if let Some(other) = others
        .into_iter()
        .find(|key| profile.setting(key).is_some())
    {
        let name = &profile.name;
        return Err(format!(
            "the profile `{name}` has {other}, which only the AWS command line can use; run first: \
             eval \"$(aws configure export-credentials --profile {name} --format env)\""
        ));
    }
    let container = [
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    if let Some(variable) = container
        .into_iter()
        .find(|name| options.var(name).is_some())
    {
        return Ok((builder, format!("the container's credentials ({variable})")));
    }
    if options.is_set("AWS_EC2_METADATA_DISABLED") {
        return Err(format!(
            "no credentials: looked {}, which AWS_EC2_METADATA_DISABLED switches off. For a bucket that anyone may read, set \
             AWS_SKIP_SIGNATURE=true",
            looked_at(profile)
        ));
    }
    Ok((
        builder,
        "the role of this machine (metadata service of EC2)".into(),
    ))
}

fn looked_at(profile: &Profile) -> String {
    format!(
        "for AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, the profile `{}` in {} and {}, \
         AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and at the metadata service of EC2",
        profile.name,
        profile.credentials_file.display(),
        profile.config_file.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_is_in_the_host_for_aws_and_in_the_path_for_other_servers() {
        for (bucket, region, endpoint, is_virtual, url) in [
            (
                "b",
                "eu-west-1",
                None,
                false,
                ("https://b.s3.eu-west-1.amazonaws.com", true),
            ),
            (
                "b.c",
                "eu-west-1",
                None,
                false,
                ("https://s3.eu-west-1.amazonaws.com", false),
            ),
            (
                "b",
                "cn-north-1",
                None,
                false,
                ("https://b.s3.cn-north-1.amazonaws.com.cn", true),
            ),
            (
                "b",
                "r",
                Some("http://127.0.0.1:9000"),
                false,
                ("http://127.0.0.1:9000", false),
            ),
            (
                "b",
                "r",
                Some("https://oss.example"),
                true,
                ("https://b.oss.example", true),
            ),
        ] {
            let (found, found_virtual) = address(bucket, region, endpoint, is_virtual);
            assert_eq!((found.as_str(), found_virtual), url);
        }
    }
}
