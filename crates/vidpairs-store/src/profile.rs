//! Reads profiles of the AWS command line: `~/.aws/credentials` and `~/.aws/config`.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use configparser::ini::{Ini, IniDefault};
use vidpairs_types::read_regular;

use crate::options::Options;

/// More than any such file has.
const MAX_BYTES: u64 = 4 << 20;

type Section = HashMap<String, Option<String>>;

/// One profile of both files.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) credentials_file: PathBuf,
    pub(crate) config_file: PathBuf,
    /// `[name]` of the credentials file.
    credentials: Section,
    /// `[profile name]` of the config file.
    config: Section,
    /// `[services ...]` of the config file that the profile names.
    services: Section,
}

impl Profile {
    /// The profile that `AWS_PROFILE` names, otherwise `default`.
    ///
    /// # Errors
    /// A profile that is named but in neither file, a file that cannot be read or is no INI file, each in words.
    pub(crate) fn load(options: &Options) -> Result<Self, String> {
        let named = options
            .var("AWS_PROFILE")
            .or(options.var("AWS_DEFAULT_PROFILE"));
        let name = named.unwrap_or("default");
        let place = |variable: &str, usual: &str| match options.var(variable) {
            Some(path) => from_home(path, options),
            None => from_home(&format!("~/.aws/{usual}"), options),
        };
        let credentials_file = place("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let config_file = place("AWS_CONFIG_FILE", "config");
        let mut credentials = sections(&credentials_file)?;
        let mut config = sections(&config_file)?;
        let in_credentials = credentials.remove(name);
        let in_config = match name {
            "default" => config.remove("profile default").or(config.remove(name)),
            _ => config.remove(&format!("profile {name}")),
        };
        if named.is_some() && in_credentials.is_none() && in_config.is_none() {
            return Err(format!(
                "AWS_PROFILE is `{name}`, and neither {} has a section [{name}] nor {} a section [profile {name}]",
                credentials_file.display(),
                config_file.display()
            ));
        }
        let in_config = in_config.unwrap_or_default();
        let services = text(&in_config, "services").map(|services| format!("services {services}"));
        let services = services.and_then(|services| config.remove(&services));
        Ok(Self {
            name: name.into(),
            credentials_file,
            config_file,
            credentials: in_credentials.unwrap_or_default(),
            config: in_config,
            services: services.unwrap_or_default(),
        })
    }

    /// Access key, secret key, session token, and the file that has them.
    pub(crate) fn keys(&self) -> Option<(&str, &str, Option<&str>, &Path)> {
        let files = [
            (&self.credentials, self.credentials_file.as_path()),
            (&self.config, self.config_file.as_path()),
        ];
        files.into_iter().find_map(|(section, file)| {
            Some((
                text(section, "aws_access_key_id")?,
                text(section, "aws_secret_access_key")?,
                text(section, "aws_session_token"),
                file,
            ))
        })
    }

    /// A setting of the profile, of whichever file has it.
    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        text(&self.config, key).or(text(&self.credentials, key))
    }

    /// A setting below `s3 =` of the profile.
    pub(crate) fn s3_setting(&self, key: &str) -> Option<&str> {
        nested(&self.config, "s3", key)
    }

    /// The endpoint of S3: that of the profile's services, otherwise that of the profile.
    pub(crate) fn endpoint(&self) -> Option<&str> {
        nested(&self.services, "s3", "endpoint_url")
            .or(self.s3_setting("endpoint_url"))
            .or(self.setting("endpoint_url"))
    }
}

fn text<'a>(section: &'a Section, key: &str) -> Option<&'a str> {
    section.get(key)?.as_deref().filter(|text| !text.is_empty())
}

/// A value in the indented lines below `outer =`.
fn nested<'a>(section: &'a Section, outer: &str, key: &str) -> Option<&'a str> {
    let lines = text(section, outer)?.lines();
    let pairs = lines.filter_map(|line| line.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(key));
    values.next().map(|(_, value)| value.trim())
}

/// The sections of a file; none if there is no file.
fn sections(path: &Path) -> Result<HashMap<String, Section>, String> {
    let failed = |reason: String| format!("the AWS file {}: {reason}", path.display());
    let bytes = match read_regular(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(err)
            if matches!(
                err.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(HashMap::new());
        }
        Err(err) => return Err(failed(err.to_string())),
    };
    let text = String::from_utf8(bytes).map_err(|err| failed(err.to_string()))?;
    // As botocore reads them: a `#` inside a value belongs to it (secret keys have any character), indented lines continue a value.
    let mut rules = IniDefault::default();
    rules.case_sensitive = true;
    rules.multiline = true;
    rules.delimiters = vec!['=', ':'];
    rules.comment_symbols = vec!['#', ';'];
    rules.enable_inline_comments = false;
    Ini::new_from_defaults(rules).read(text).map_err(failed)
}

/// A path whose `~/` stands for the home folder.
fn from_home(path: &str, options: &Options) -> PathBuf {
    match (path.strip_prefix("~/"), options.var("HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn options(home: &Path, variables: &[(&str, &str)]) -> Options {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let home = ("HOME".to_owned(), home.display().to_string());
        Options::with_environment(variables.chain([home]))
    }

    fn home_with(credentials: &str, config: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        fs::write(home.path().join(".aws/config"), config).unwrap();
        home
    }

    #[test]
    fn keys_region_and_endpoint_come_from_both_files() {
        let home = home_with(
            "# comment\n[default]\naws_access_key_id = D\naws_secret_access_key = d\n\n[work]\n\
             aws_access_key_id=AKIA\naws_secret_access_key = a#b;c=/+:\naws_session_token = t==\n",
            "[default]\nregion = eu-west-1\n[profile work]\nregion = us-west-2\nservices = mine\ns3 =\n  addressing_style = virtual\n\
             endpoint_url = http://general\n[services mine]\ndynamodb =\n  endpoint_url = http://wrong\ns3 =\n    endpoint_url = http://right\n",
        );
        let default = Profile::load(&options(home.path(), &[])).unwrap();
        assert_eq!(default.keys().unwrap().0, "D");
        assert_eq!(default.setting("region"), Some("eu-west-1"));
        assert_eq!(default.endpoint(), None);

        let work = Profile::load(&options(home.path(), &[("AWS_PROFILE", "work")])).unwrap();
        let (key, secret, token, file) = work.keys().unwrap();
        assert_eq!((key, secret, token), ("AKIA", "a#b;c=/+:", Some("t==")));
        assert!(file.ends_with(".aws/credentials"));
        assert_eq!(work.setting("region"), Some("us-west-2"));
        assert_eq!(work.s3_setting("addressing_style"), Some("virtual"));
        assert_eq!(work.endpoint(), Some("http://right"));
    }

    #[test]
    fn files_can_be_elsewhere_or_missing() {
        let home = home_with("", "");
        let elsewhere = home.path().join("keys");
        fs::write(
            &elsewhere,
            "[p]\naws_access_key_id = K\naws_secret_access_key = s\n",
        )
        .unwrap();
        let variables = [
            ("AWS_PROFILE", "p"),
            ("AWS_SHARED_CREDENTIALS_FILE", elsewhere.to_str().unwrap()),
            ("AWS_CONFIG_FILE", "~/nowhere"),
        ];
        let profile = Profile::load(&options(home.path(), &variables)).unwrap();
        assert_eq!(profile.keys().unwrap().0, "K");
        assert!(
            Profile::load(&options(Path::new("/nowhere"), &[]))
                .unwrap()
                .keys()
                .is_none()
        );
    }

    #[test]
    fn a_profile_that_is_in_neither_file_is_refused_by_its_name() {
        let home = home_with("[a]\n", "[profile b]\n");
        let err = Profile::load(&options(home.path(), &[("AWS_PROFILE", "c")])).unwrap_err();
        assert!(
            err.contains("AWS_PROFILE is `c`") && err.contains("[profile c]"),
            "{err}"
        );
    }
}
