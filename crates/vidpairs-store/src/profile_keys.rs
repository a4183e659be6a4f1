//! Keys of an AWS profile, read again when their file changes: in a long run, another program renews temporary keys there.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

use crate::options::Options;
use crate::profile::Profile;

/// Gives the keys of a profile to `object_store`.
pub(crate) struct ProfileKeys {
    options: Options,
    file: PathBuf,
    /// The keys, and the time of the file that they are from.
    last: Mutex<(Option<SystemTime>, Arc<AwsCredential>)>,
}

impl ProfileKeys {
    /// The keys that `profile` has; `None` if it has none.
    pub(crate) fn new(options: &Options, profile: &Profile) -> Option<Self> {
        let (.., file) = profile.keys()?;
        Some(Self {
            options: options.clone(),
            file: file.to_owned(),
            last: Mutex::new((modified(file), keys_of(profile)?)),
        })
    }
}

#[async_trait::async_trait]
impl CredentialProvider for ProfileKeys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let modified = modified(&self.file);
        // A file that is just being written is read again with the next request.
        if modified != last.0
            && let Ok(profile) = Profile::load(&self.options)
            && let Some(keys) = keys_of(&profile)
        {
            *last = (modified, keys);
        }
        Ok(Arc::clone(&last.1))
    }
}

impl fmt::Debug for ProfileKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileKeys({})", self.file.display())
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

fn keys_of(profile: &Profile) -> Option<Arc<AwsCredential>> {
    let (key, secret, token, _) = profile.keys()?;
    Some(Arc::new(AwsCredential {
        key_id: key.to_owned(),
        secret_key: secret.to_owned(),
        token: token.map(str::to_owned),
    }))
}
