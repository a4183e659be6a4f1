//! A running server of moto, and buckets on it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Proxy;
use crate::python;

/// Server of moto in a process of its own, which ends with this one.
pub struct Server {
    port: u16,
    /// Its standard input is open as long as this process lives.
    _child: Child,
}

impl Server {
    /// The server that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// A server that refuses unknown access keys. It knows none.
    pub fn strict() -> Self {
        Self::start(&["--strict"])
    }

    fn start(args: &[&str]) -> Self {
        let mut child = python::command("s3_server.py")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse();
        Self {
            port: port.expect("moto does not start: run scripts/setup.sh"),
            _child: child,
        }
    }

    /// Port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// URL of the server.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answers a request. `path` is percent-encoded.
    ///
    /// # Panics
    /// If the answer is no success.
    pub fn request(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let length = body.len();
        // moto wants an identity and does not check its signature.
        let identity = "Authorization: AWS4-HMAC-SHA256 \
                        Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{identity}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let head_len = answer
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8_lossy(&answer[..head_len]).into_owned();
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {head}");
        answer.split_off(head_len + 4)
    }
}

/// New bucket on the shared server.
pub struct Bucket {
    /// Name of the bucket.
    pub name: String,
}

impl Bucket {
    pub fn new() -> Self {
        static NUM_BUCKETS: AtomicUsize = AtomicUsize::new(0);
        let nth = NUM_BUCKETS.fetch_add(1, Ordering::Relaxed);
        let name = format!("bucket-{nth}");
        Server::shared().request("PUT", &format!("/{name}"), b"");
        Self { name }
    }

    /// `s3://` URL of a key.
    pub fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Variables by which a program reaches the bucket, through a proxy if one is given.
    pub fn env(&self, proxy: Option<&Proxy>) -> Vec<(String, String)> {
        let endpoint = proxy.map_or_else(|| Server::shared().endpoint(), Proxy::endpoint);
        variables(&endpoint)
    }

    /// Puts an object. `key` has no characters that a URL encodes.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        Server::shared().request("PUT", &format!("/{}/{key}", self.name), bytes);
    }

    /// Puts every file below `folder` under its name there.
    pub fn put_folder(&self, folder: &Path) {
        let endpoint = Server::shared().endpoint();
        let folder = folder.to_str().unwrap();
        python::run("s3_objects.py", ["upload", &endpoint, &self.name, folder]);
    }

    /// Writes every object into `folder`, under its key.
    pub fn get_folder(&self, folder: &Path) {
        let endpoint = Server::shared().endpoint();
        let folder = folder.to_str().unwrap();
        python::run("s3_objects.py", ["download", &endpoint, &self.name, folder]);
    }

    /// Removes an object. `key` is percent-encoded.
    pub fn remove(&self, key: &str) {
        Server::shared().request("DELETE", &format!("/{}/{key}", self.name), b"");
    }

    /// The bytes of an object. `key` has no characters that a URL encodes.
    pub fn get(&self, key: &str) -> Vec<u8> {
        Server::shared().request("GET", &format!("/{}/{key}", self.name), b"")
    }

    /// Number of multipart uploads that were neither completed nor aborted.
    pub fn num_open_uploads(&self) -> usize {
        let path = format!("/{}?uploads", self.name);
        let answer = Server::shared().request("GET", &path, b"");
        String::from_utf8(answer)
            .unwrap()
            .matches("<Upload>")
            .count()
    }
}

/// Variables of an S3 client for the server at `endpoint`, and no others of this machine.
fn variables(endpoint: &str) -> Vec<(String, String)> {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
    ];
    let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    owned.to_vec()
}
