//! Object stores (`s3://`, `gs://`, `az://`) for synchronous programs.
//!
//! **Takes** a [`Location`] and [`Options`]. **Gives** a [`Store`], whose operations block the calling thread: list, read, fetch into a
//! file, put (also only if absent, or only if unchanged), upload a file in parts, delete. **Fails** with [`StoreError`], which says
//! whether one object is at fault or the whole store. **Source** of the protocols: the crate `object_store`; this crate alone names it
//! and tokio.
//!
//! # Stopping
//!
//! Each operation takes a [`Watch`]: ten times a second it gets the number of bytes moved, and answers whether to go on. After `false` the
//! operation ends within a second with [`StoreError::Stopped`].
//!
//! # Retries
//!
//! Answers that ask to come later (500, 502, 503, 504, 429, `SlowDown`), broken connections and time-outs are tried again after a
//! pause that doubles, up to [`Options::max_tries`] and [`Options::max_elapsed`]. [`Store::num_retries`] counts them. A body that was
//! cut is continued where it stopped. Any other answer (400, 403, 404, 412) fails at once.
//!
//! # Settings
//!
//! All come from [`Options::environment`]. S3: the variables and files of the AWS command line (`AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`,
//! `~/.aws/credentials`, `~/.aws/config`), web identity, containers and the metadata service of EC2, and `AWS_SKIP_SIGNATURE=true` for a
//! bucket that anyone may read. A server other than AWS is named by its endpoint, `http://` or `https://`. Google:
//! `GOOGLE_APPLICATION_CREDENTIALS`, `GOOGLE_SERVICE_ACCOUNT` and the other variables of `object_store`. Azure:
//! `AZURE_STORAGE_ACCOUNT_NAME`, `AZURE_STORAGE_ACCOUNT_KEY` and the others.
//!
//! # Unfinished uploads
//!
//! A multipart upload that fails or is stopped is aborted, so nothing of it remains. A process that is killed cannot abort. The store
//! then keeps the parts, invisible but paid for: give the bucket a lifecycle rule (`AbortIncompleteMultipartUpload` after some days).
//! Azure drops such parts by itself after 7 days. An upload that is stopped at the moment it begins may also remain, without parts.
//!
//! # Examples
//!
//! ```no_run
//! use vidpairs_store::{Location, Options, Store};
//!
//! let store = Store::open(Location::parse("s3://bucket/videos")?, Options::from_env())?;
//! for entry in store.list("", &|_| true) {
//!     let entry = entry?;
//!     let path = std::path::Path::new("scratch.mp4");
//!     store.fetch(&entry.name, Some(&entry.version), path, &|_num_bytes| true)?;
//! }
//! # Ok::<(), vidpairs_store::StoreError>(())
//! ```

mod error;
mod fetch;
mod key;
mod list;
mod location;
mod open;
mod options;
mod profile;
mod profile_keys;
mod retry;
mod runtime;
mod s3;
mod store;
mod transport;
mod upload;
mod version;

pub use error::{Action, StoreError};
pub use list::{Entry, LevelEntry};
pub use location::{Location, LocationError, Scheme, is_store_url, store_url};
pub use options::Options;
pub use runtime::Watch;
pub use store::{Meta, Store};
pub use version::Version;
