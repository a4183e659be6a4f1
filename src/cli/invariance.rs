//! Runs `vidpairs invariance`: converts arguments to options and prints the results.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use vidpairs_invariance::run::{
    self, InvarianceData, InvarianceOptions, InvarianceSummary, MeasuredModels, NamedFile,
};
use vidpairs_pipeline::Measure;
use vidpairs_source::{ImageSetKind, names};

use super::args::InvarianceArgs;
use super::neighbour::Neighbour;
use super::{CliError, Program};
use crate::report::invariance::{render, render_table, scores_csv};

/// Name of the page in the folder of results.
const PAGE: &str = "report.html";

pub(super) fn invariance(
    args: &InvarianceArgs,
    program: &Program<'_>,
) -> Result<ExitCode, CliError> {
    if !args.weights.is_empty() && program.engines.libtorch.is_none() {
        match program.hand_to(Neighbour::Torch, "vidpairs invariance --weights")? {}
    }
    let options = options(args, program)?;
    let summary = run::invariance(&options, |summary| {
        let html = render(summary).into_bytes();
        vec![("scores.csv", scores_csv(summary)), (PAGE, html)]
    })?;
    args.common.print(&Printed {
        summary,
        page: args.out.join(PAGE).display().to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Output of the command.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    summary: InvarianceSummary,
    page: String,
}

impl Display for Printed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", render_table(&self.summary).trim_end())?;
        let panels = self.summary.panels.iter();
        let left_out = panels.flat_map(|panel| &panel.left_out);
        let num: usize = left_out.map(|group| group.count).sum();
        if num > 0 {
            writeln!(
                f,
                "\n{num} left out; the page and invariance.json give the reasons"
            )?;
        }
        write!(f, "\n{}", self.page)
    }
}

fn options(args: &InvarianceArgs, program: &Program<'_>) -> Result<InvarianceOptions, CliError> {
    let models = if args.features.is_empty() {
        MeasuredModels::Encoders {
            weights: named_files("--weights", &args.weights)?,
            prefix: args.prefix.clone(),
            data: args
                .data
                .iter()
                .map(|text| data(text))
                .collect::<Result<_, _>>()?,
        }
    } else {
        MeasuredModels::Features(named_files("--features", &args.features)?)
    };
    Ok(InvarianceOptions {
        measure: Measure::read(args.pipeline.as_deref(), &args.set)?,
        models,
        out: args.out.clone(),
        encoders: program.engines.libtorch.map(|libtorch| libtorch as _),
        device: args.device.clone(),
        control: args.common.control()?,
    })
}

/// Parses `KIND=PATH`.
fn data(text: &str) -> Result<InvarianceData, CliError> {
    let refused = |expected: String| CliError::Option {
        option: "--data",
        value: text.to_owned(),
        expected,
    };
    let names = names::<ImageSetKind>();
    let Some((kind, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
        return Err(refused(format!("KIND=PATH, where KIND is one of {names}")));
    };
    let kind = kind.parse::<ImageSetKind>();
    Ok(InvarianceData {
        kind: kind.map_err(|err| refused(format!("KIND=PATH: {err}")))?,
        path: PathBuf::from(path),
    })
}

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
        let err = data("aloi-view=/d").unwrap_err().to_string();
        assert!(
            err.starts_with("--data is aloi-view=/d; expected KIND=PATH: "),
            "{err}"
        );
        assert!(err.contains("aloi-viewpoint"), "{err}");
        let err = data("aloi-viewpoint").unwrap_err().to_string();
        assert!(
            err.contains("got10k-occlusion, pascal3d-viewpoint"),
            "{err}"
        );
    }
}
