//! What the measuring commands share: parses models and data sets, and prints results with the path of their page.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;
use vidpairs_invariance::run::{DataPath, Models, NamedFile, ResultFile};
use vidpairs_source::{NamedKind, UnknownKind, names};

use super::args::MeasuredArgs;
use super::neighbour::Neighbour;
use super::{CliError, Program};

/// Name of the page in the folder of results.
const PAGE: &str = "report.html";

impl MeasuredArgs {
    /// Replaces this process by `vidpairs-torch` if `command` has to compute features and this program lacks libtorch.
    pub fn hand_over(&self, program: &Program<'_>, command: &str) -> Result<(), CliError> {
        if !self.weights.is_empty() && program.engines.libtorch.is_none() {
            match program.hand_to(Neighbour::Torch, &format!("{command} --weights"))? {}
        }
        Ok(())
    }

    /// Parses `--weights`, `--data` and `--features`.
    pub fn models<K>(&self, data: &[String], features: &[String]) -> Result<Models<K>, CliError>
    where
        K: NamedKind + FromStr<Err = UnknownKind<K>>,
    {
        if !features.is_empty() {
            return Ok(Models::Features(named_files("--features", features)?));
        }
        Ok(Models::Encoders {
            weights: named_files("--weights", &self.weights)?,
            prefix: self.prefix.clone(),
            data: data
                .iter()
                .map(|text| of_kind(text))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Prints the result: `text` of the summary and the path of the page, or both as JSON.
    pub fn print<S: Serialize>(&self, summary: S, text: fn(&S) -> String) -> Result<(), CliError> {
        self.common.print(&Printed {
            text: text(&summary),
            summary,
            page: self.out.join(PAGE).display().to_string(),
        })
    }
}

/// The files of results beside the JSON: the scores as CSV, and the page.
pub(super) fn result_files(scores_csv: Vec<u8>, page: String) -> Vec<ResultFile> {
    vec![("scores.csv", scores_csv), (PAGE, page.into_bytes())]
}

/// Output of a command.
#[derive(Serialize)]
struct Printed<S> {
    #[serde(skip)]
    text: String,
    #[serde(flatten)]
    summary: S,
    page: String,
}

impl<S> Display for Printed<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.text, self.page)
    }
}

/// Parses `KIND=PATH` of `--data`.
fn of_kind<K>(text: &str) -> Result<DataPath<K>, CliError>
where
    K: NamedKind + FromStr<Err = UnknownKind<K>>,
{
    let refused = |expected: String| CliError::Option {
        option: "--data",
        value: text.to_owned(),
        expected,
    };
    let names = names::<K>();
    let Some((kind, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
        return Err(refused(format!("KIND=PATH, where KIND is one of {names}")));
    };
    let kind = kind.parse::<K>();
    let kind = kind.map_err(|err| refused(format!("KIND=PATH: {err}")))?;
    Ok(DataPath {
        kind,
        path: path.into(),
    })
}

/// Parses `NAME=FILE` or `FILE` of an option.
fn named_files(option: &'static str, texts: &[String]) -> Result<Vec<NamedFile>, CliError> {
    let named = |text: &String| {
        let file = named_file(text);
        match file.path.as_os_str().is_empty() {
            false => Ok(file),
            true => Err(CliError::Option {
                option,
                value: text.clone(),
                expected: "FILE or NAME=FILE".to_owned(),
            }),
        }
    };
    texts.iter().map(named).collect()
}

/// Parses `NAME=FILE`, or `FILE`. The name of a model defaults to the file name without extension, or for the `backbone.safetensors` of a
/// run to the folder of the run.
fn named_file(text: &str) -> NamedFile {
    // An existing file whose name contains `=` is taken literally.
    if let Some((name, path)) = text.split_once('=')
        && !name.is_empty()
        && !name.contains('/')
        && !Path::new(text).exists()
    {
        return NamedFile {
            name: name.to_owned(),
            path: PathBuf::from(path),
        };
    }
    let path = PathBuf::from(text);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy());
    let folder = path.parent().and_then(Path::file_name);
    let name = match (&stem, folder) {
        (Some(stem), Some(folder)) if stem == "backbone" => folder.to_string_lossy().into_owned(),
        (Some(stem), _) => stem.clone().into_owned(),
        (None, _) => text.to_owned(),
    };
    NamedFile { name, path }
}

#[cfg(test)]
mod tests {
    use vidpairs_source::ImageSetKind;

    use super::*;

    #[test]
    fn a_model_is_named_by_its_option_its_file_or_its_run() {
        let name = |text| named_file(text).name;
        assert_eq!(name("moco=/w/a.pth"), "moco");
        assert_eq!(name("/w/moco_v2_800ep.pth.tar"), "moco_v2_800ep.pth");
        assert_eq!(name("runs/temporal/backbone.safetensors"), "temporal");
        assert_eq!(name("backbone.safetensors"), "backbone");
    }

    #[test]
    fn an_unknown_kind_is_refused_with_the_nearest_kind() {
        let err = of_kind::<ImageSetKind>("aloi-view=/d")
            .unwrap_err()
            .to_string();
        assert!(
            err.starts_with("--data is aloi-view=/d; expected KIND=PATH: "),
            "{err}"
        );
        assert!(err.contains("aloi-viewpoint"), "{err}");
        let err = of_kind::<ImageSetKind>("aloi-viewpoint")
            .unwrap_err()
            .to_string();
        assert!(
            err.contains("got10k-occlusion, pascal3d-viewpoint"),
            "{err}"
        );
    }
}
