//! S3 for tests: moto's server, and a proxy between it and the program that makes requests fail.

mod proxy;
mod server;

pub use proxy::{Fault, Proxy};
pub use server::{Bucket, Server};
