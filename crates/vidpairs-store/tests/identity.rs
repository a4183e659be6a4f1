//! Where credentials, region and endpoint come from, and what is said when they are wrong.

// Clippy takes functions without the attribute of a test for production code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::{go_on, options};
use vidpairs_fixtures::s3::{Bucket, Fault, Proxy, Server};
use vidpairs_store::{Location, Store, StoreError};

/// A store that has these variables only.
fn opened(url: &str, variables: &[(&str, &str)]) -> Result<Store, StoreError> {
    let variables = variables
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    Store::open(Location::parse(url).unwrap(), options(variables.collect()))
}

fn home_with(credentials: &str, config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
    fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

#[test]
fn a_profile_of_the_aws_files_suffices_to_read_a_bucket() {
    let bucket = Bucket::new();
    bucket.put("clip", b"bytes");
    let endpoint = Server::shared().endpoint();
    let home = home_with(
        "[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = s\n",
        &format!("[profile work]\nregion = eu-west-1\nendpoint_url = {endpoint}\n"),
    );
    let home_path = home.path().to_str().unwrap();
    let variables = [("HOME", home_path), ("AWS_PROFILE", "work")];
    let store = opened(&bucket.url(""), &variables).unwrap();
    assert_eq!(store.read("clip", 10, &go_on).unwrap().0, b"bytes");
    assert!(store.identity().contains("AKIAWORK") && store.identity().contains("`work`"));
    assert!(store.identity().contains(".aws/credentials"));
    // As with the AWS command line, keys in the environment win over those of the profile.
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
    ];
    let variables: Vec<_> = variables.into_iter().chain(keys).collect();
    let store = opened(&bucket.url(""), &variables).unwrap();
    assert!(store.identity().contains("AKIAENV"), "{}", store.identity());
    assert_eq!(store.read("clip", 10, &go_on).unwrap().0, b"bytes");
}

#[test]
fn the_endpoint_of_s3_wins_over_the_general_one_and_a_senseless_one_is_refused() {
    let bucket = Bucket::new();
    let endpoint = Server::shared().endpoint();
    let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let with = |more: [(&'static str, &str); 2]| {
        let variables: Vec<_> = keys.into_iter().chain(more).collect();
        opened(&bucket.url(""), &variables)
    };
    let store = with([
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ENDPOINT_URL_S3", &endpoint),
    ]);
    assert_eq!(store.unwrap().list("", &go_on).count(), 0);
    for wrong in ["127.0.0.1:9000", "ftp://x", "http://", "http:///x"] {
        let err = with([("AWS_ENDPOINT_URL", wrong), ("AWS_REGION", "r")]).unwrap_err();
        let text = err.to_string();
        assert!(
            text.contains("AWS_ENDPOINT_URL is") && text.contains(wrong),
            "{text}"
        );
    }
}

#[test]
fn a_profile_that_only_the_aws_command_line_can_use_says_what_to_run() {
    for setting in [
        "sso_session = x",
        "credential_process = /bin/x",
        "role_arn = a\nsource_profile = b",
    ] {
        let home = home_with("", &format!("[profile p]\n{setting}\n"));
        let variables = [
            ("HOME", home.path().to_str().unwrap()),
            ("AWS_PROFILE", "p"),
        ];
        let err = opened("s3://b", &variables).unwrap_err().to_string();
        assert!(
            err.contains("aws configure export-credentials --profile p --format env"),
            "{err}"
        );
        assert!(err.contains(setting.split(' ').next().unwrap()), "{err}");
    }
    let err = opened("s3://b", &[("AWS_ACCESS_KEY_ID", "k")])
        .unwrap_err()
        .to_string();
    assert!(err.contains("without AWS_SECRET_ACCESS_KEY"), "{err}");
}

#[test]
fn without_credentials_an_operation_fails_in_seconds_and_says_where_it_looked() {
    let stalling = Proxy::new(9);
    stalling.fail("", Fault::Stall, usize::MAX);
    let refusing = Proxy::new(9);
    refusing.fail("", Fault::Answer(404, ""), usize::MAX);
    for metadata in [
        // Nobody listens; somebody listens and says nothing; another service answers.
        "http://127.0.0.1:9",
        &stalling.endpoint(),
        &refusing.endpoint(),
    ] {
        let variables = [
            ("HOME", "/nonexistent"),
            ("AWS_METADATA_ENDPOINT", metadata),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ];
        let store = opened("s3://b", &variables).unwrap();
        let started = Instant::now();
        let err = store.list("", &go_on).next().unwrap().unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(5), "{metadata}");
        assert!(
            matches!(err, StoreError::NoCredentials { .. }) && !err.is_of_one_object(),
            "{err}"
        );
        let text = err.to_string();
        for part in [
            "AWS_ACCESS_KEY_ID",
            "`default`",
            ".aws/credentials",
            "AWS_SKIP_SIGNATURE",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
    let variables = [
        ("HOME", "/nonexistent"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let err = opened("s3://b", &variables).unwrap_err().to_string();
    assert!(err.contains("no credentials"), "{err}");
}

#[test]
fn a_public_bucket_is_read_without_credentials() {
    let bucket = Bucket::new();
    let (proxy, endpoint) = {
        let proxy = Proxy::new(Server::shared().port());
        let endpoint = proxy.endpoint();
        (proxy, endpoint)
    };
    proxy.fail("/clip", Fault::Answer(200, "bytes"), 1);
    let variables = [
        ("AWS_SKIP_SIGNATURE", "true"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let store = opened(&bucket.url(""), &variables).unwrap();
    assert_eq!(store.read("clip", 10, &go_on).unwrap().0, b"bytes");
    assert!(store.identity().contains("AWS_SKIP_SIGNATURE"));
}

#[test]
fn keys_that_the_server_does_not_know_are_told_from_a_lack_of_permission() {
    let server = Server::strict();
    let endpoint = server.endpoint();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAWRONG"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let store = opened("s3://b", &variables).unwrap();
    for err in [
        store.list("", &go_on).next().unwrap().unwrap_err(),
        store.read("x", 1, &go_on).unwrap_err(),
        store.head("x", &go_on).unwrap_err(),
        store.put("x", vec![1], &go_on).unwrap_err(),
    ] {
        let text = err.to_string();
        assert!(
            matches!(err, StoreError::BadCredentials { .. }) && !err.is_of_one_object(),
            "{text}"
        );
        assert!(
            text.contains("AKIAWRONG") && text.contains("InvalidAccessKeyId"),
            "{text}"
        );
    }
}

#[test]
fn expired_tokens_and_wrong_clocks_are_told_apart() {
    let bucket = Bucket::new();
    for (status, body, hint) in [
        (
            400,
            "<Error><Code>ExpiredToken</Code></Error>",
            "renew them",
        ),
        (
            403,
            "<Error><Code>RequestTimeTooSkewed</Code></Error>",
            "set the clock",
        ),
        (
            403,
            "<Error><Code>SignatureDoesNotMatch</Code></Error>",
            "check the secret key",
        ),
        (
            400,
            "<Error><Code>InvalidToken</Code></Error>",
            "AWS_SESSION_TOKEN",
        ),
    ] {
        let proxy = Proxy::new(Server::shared().port());
        let store = common::open(&bucket.url(""), options(bucket.env(Some(&proxy))));
        proxy.fail("GET", Fault::Answer(status, body), usize::MAX);
        proxy.fail("HEAD", Fault::Answer(status, ""), usize::MAX);
        for err in [
            store.read("x", 1, &go_on).unwrap_err(),
            store.head("x", &go_on).unwrap_err(),
        ] {
            assert!(matches!(err, StoreError::BadCredentials { .. }), "{err}");
            assert!(err.to_string().contains(hint), "{err}");
        }
        assert_eq!(store.num_retries(), 0);
    }
}

#[test]
fn google_and_azure_stores_open_from_their_variables_and_say_what_is_missing() {
    let google = [("GOOGLE_SKIP_SIGNATURE", "true")];
    let azure = [
        ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
        ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5"),
    ];
    opened("gs://bucket/f", &google).unwrap();
    opened("az://container/f", &azure).unwrap();
    let err = opened("az://container/f", &[]).unwrap_err().to_string();
    assert!(
        err.contains("az://container/f") && err.to_lowercase().contains("account"),
        "{err}"
    );
    let missing = [("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")];
    let err = opened("gs://bucket/f", &missing).unwrap_err().to_string();
    assert!(
        err.contains("gs://bucket/f") && err.contains("/nonexistent/key.json"),
        "{err}"
    );
}

#[test]
fn keys_that_another_program_renews_in_the_file_are_used_at_once() {
    let bucket = Bucket::new();
    bucket.put("clip", b"bytes");
    let file = |token: &str| {
        format!(
            "[default]\naws_access_key_id = A\naws_secret_access_key = s\naws_session_token = {token}\n"
        )
    };
    let home = home_with(&file("old"), "");
    let proxy = Proxy::new(Server::shared().port());
    let endpoint = proxy.endpoint();
    let variables = [
        ("HOME", home.path().to_str().unwrap()),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let store = opened(&bucket.url(""), &variables).unwrap();
    let token_sent = || {
        store.read("clip", 10, &go_on).unwrap();
        proxy.last_head()
    };
    assert!(token_sent().contains("x-amz-security-token: old"));
    let path = home.path().join(".aws/credentials");
    fs::write(&path, file("new")).unwrap();
    let later = std::time::SystemTime::now() + Duration::from_secs(2);
    let written = fs::File::options().write(true).open(&path).unwrap();
    written.set_modified(later).unwrap();
    assert!(token_sent().contains("x-amz-security-token: new"));
    fs::remove_file(&path).unwrap();
    assert!(token_sent().contains("x-amz-security-token: new"));
}

#[test]
fn google_and_azure_list_any_key_and_their_refusals_are_understood() {
    let proxy = Proxy::new(9);
    let endpoint = proxy.endpoint();
    let google = [
        ("GOOGLE_SKIP_SIGNATURE", "true"),
        ("GOOGLE_BASE_URL", endpoint.as_str()),
    ];
    let azure = [
        ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
        ("AZURE_SKIP_SIGNATURE", "true"),
        ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
    ];
    let from_google = "<ListBucketResult><Contents><Key>f/a//b #1 </Key><Size>3</Size>\
         <LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x1&quot;</ETag></Contents></ListBucketResult>";
    let from_azure = "<EnumerationResults><Blobs><Blob><Name>f/a//b #1 </Name><Properties>\
         <Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Content-Length>3</Content-Length>\
         <Content-Type>x</Content-Type><Etag>x1</Etag></Properties></Blob></Blobs><NextMarker /></EnumerationResults>";
    let missing = "<Error><Code>ContainerNotFound</Code></Error>";
    for (store, listing) in [
        (opened("gs://bucket/f", &google).unwrap(), from_google),
        (opened("az://bucket/f", &azure).unwrap(), from_azure),
    ] {
        proxy.fail("GET", Fault::Answer(503, ""), 1);
        proxy.fail("GET", Fault::Answer(200, listing), 1);
        let listed: Vec<_> = store.list("", &go_on).map(|entry| entry.unwrap()).collect();
        assert_eq!(listed.len(), 1);
        assert_eq!(
            (listed[0].name.as_str(), listed[0].num_bytes),
            ("a//b #1 ", 3)
        );
        assert_eq!(listed[0].version.as_str(), "x1");
        assert_eq!(store.num_retries(), 1);
        proxy.fail("GET", Fault::Answer(403, ""), 1);
        let err = store.read(&listed[0].name, 10, &go_on).unwrap_err();
        assert!(matches!(err, StoreError::AccessDenied { .. }), "{err}");
        assert!(err.to_string().contains("SKIP_SIGNATURE"), "{err}");
        proxy.fail("GET", Fault::Answer(404, missing), 1);
        let err = store.read("x", 10, &go_on).unwrap_err();
        assert!(matches!(err, StoreError::NoSuchBucket { .. }), "{err}");
    }
}
