//! The part of a run that `--part` names, by itself or by the variables of a scheduler.

use std::env;

use vidpairs_shard::Part;

use super::CliError;

const EXPECTED: &str = "I/N with I from 0 to N-1 and N up to 99999, slurm, or kubernetes";

/// The part of `--part` and `--parts`.
pub(super) fn part(named: Option<&str>, of: Option<u32>) -> Result<Option<Part>, CliError> {
    let variable = |name: &str| env::var(name).ok();
    let Some(named) = named else {
        return Ok(None);
    };
    match named {
        "slurm" => of_slurm(of, &variable),
        "kubernetes" => of_kubernetes(of, &variable),
        text => of_text(text, of),
    }
    .map(Some)
}

fn refused(value: String, expected: &str) -> CliError {
    CliError::Option {
        option: "--part",
        value,
        expected: expected.to_owned(),
    }
}

fn of_text(text: &str, of: Option<u32>) -> Result<Part, CliError> {
    let numbers = text.split_once('/');
    let part = numbers.and_then(|(index, of)| Part::new(index.parse().ok()?, of.parse().ok()?));
    let part = part.ok_or_else(|| refused(text.to_owned(), EXPECTED))?;
    match of.is_none_or(|of| of == part.of()) {
        true => Ok(part),
        false => Err(refused(
            text.to_owned(),
            "the number of parts that --parts states",
        )),
    }
}

/// Part of a Slurm array: with `--parts`, the number of the task is the index of the part, so that `--array=0,4-7` runs these parts of all.
/// Without it, the tasks of the array are the parts.
fn of_slurm(of: Option<u32>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Part, CliError> {
    let number = |name: &'static str| {
        number(
            name,
            "Slurm sets it in the tasks of an array: sbatch --array=0-99",
            variable,
        )
    };
    let task = number("SLURM_ARRAY_TASK_ID")?;
    if let Some(of) = of {
        return Part::new(task, of).ok_or_else(|| {
            let value = format!("slurm with SLURM_ARRAY_TASK_ID = {task}");
            refused(
                value,
                &format!("a task from 0 to {} of --parts {of}", of.saturating_sub(1)),
            )
        });
    }
    let [count, min, max] = [
        number("SLURM_ARRAY_TASK_COUNT")?,
        number("SLURM_ARRAY_TASK_MIN")?,
        number("SLURM_ARRAY_TASK_MAX")?,
    ];
    // An array without a step has none in some versions.
    let step = variable("SLURM_ARRAY_TASK_STEP").and_then(|step| step.parse::<u32>().ok());
    let step = step.unwrap_or(1).max(1);
    let is_whole = max.checked_sub(min).map(|span| span / step + 1) == Some(count);
    let index = task.checked_sub(min).filter(|offset| offset % step == 0);
    let part = index.and_then(|offset| Part::new(offset / step, count));
    part.filter(|_| is_whole).ok_or_else(|| {
        let value = format!("slurm with an array of {count} tasks from {min} to {max}");
        refused(
            value,
            "an array without gaps, or --parts with the number of all parts",
        )
    })
}

/// Part of an indexed job of Kubernetes.
fn of_kubernetes(
    of: Option<u32>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Part, CliError> {
    let help = "Kubernetes sets it in the pods of a job with completionMode: Indexed";
    let index = number("JOB_COMPLETION_INDEX", help, variable)?;
    let Some(of) = of else {
        let expected = "--parts with the job's `completions` beside it";
        return Err(refused("kubernetes".to_owned(), expected));
    };
    Part::new(index, of).ok_or_else(|| {
        let value = format!("kubernetes with JOB_COMPLETION_INDEX = {index}");
        refused(
            value,
            &format!(
                "an index from 0 to {} of --parts {of}",
                of.saturating_sub(1)
            ),
        )
    })
}

/// Number in the environment.
fn number(
    name: &'static str,
    help: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<u32, CliError> {
    let text = variable(name);
    let number = text.as_deref().and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| CliError::Variable {
        name,
        value: text.map_or_else(|| "not set".to_owned(), |text| format!("{text:?}")),
        help: help.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    fn found(named: &str, of: Option<u32>, variables: Variables) -> Result<(u32, u32), String> {
        let variable = |name: &str| {
            let mut all = variables.iter();
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let part = match named {
            "slurm" => of_slurm(of, &variable),
            "kubernetes" => of_kubernetes(of, &variable),
            text => of_text(text, of),
        };
        part.map(|part| (part.index(), part.of()))
            .map_err(|err| err.to_string())
    }

    #[test]
    fn a_part_is_an_index_below_the_number_of_parts() {
        assert_eq!(found("0/1", None, &[]), Ok((0, 1)));
        assert_eq!(found("6/7", Some(7), &[]), Ok((6, 7)));
        for wrong in [
            "7/7", "1/0", "-1/7", "1", "1/7/2", "a/b", "", "0/100000", "Slurm",
        ] {
            let err = found(wrong, None, &[]).unwrap_err();
            assert!(err.contains("I/N"), "{err}");
        }
        assert!(found("6/7", Some(8), &[]).unwrap_err().contains("--parts"));
    }

    #[test]
    fn a_task_of_a_slurm_array_is_a_part() {
        const WHOLE: Variables = &[
            ("SLURM_ARRAY_TASK_ID", "14"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
            ("SLURM_ARRAY_TASK_MIN", "10"),
            ("SLURM_ARRAY_TASK_MAX", "16"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
        ];
        assert_eq!(found("slurm", None, WHOLE), Ok((2, 4)));
        assert_eq!(found("slurm", Some(40), WHOLE), Ok((14, 40)));
        let err = found("slurm", Some(14), WHOLE).unwrap_err();
        assert!(err.contains("from 0 to 13"), "{err}");
        const GAPS: Variables = &[
            ("SLURM_ARRAY_TASK_ID", "4"),
            ("SLURM_ARRAY_TASK_COUNT", "5"),
            ("SLURM_ARRAY_TASK_MIN", "0"),
            ("SLURM_ARRAY_TASK_MAX", "7"),
        ];
        let err = found("slurm", None, GAPS).unwrap_err();
        assert!(err.contains("--parts"), "{err}");
        let err = found("slurm", None, &[]).unwrap_err();
        assert!(err.contains("SLURM_ARRAY_TASK_ID is not set"), "{err}");
    }

    #[test]
    fn a_pod_of_an_indexed_job_is_a_part_of_the_number_that_is_stated() {
        const POD: Variables = &[("JOB_COMPLETION_INDEX", "3")];
        assert_eq!(found("kubernetes", Some(8), POD), Ok((3, 8)));
        assert!(
            found("kubernetes", None, POD)
                .unwrap_err()
                .contains("completions")
        );
        assert!(
            found("kubernetes", Some(3), POD)
                .unwrap_err()
                .contains("from 0 to 2")
        );
        let err = found("kubernetes", Some(8), &[("JOB_COMPLETION_INDEX", "x")]).unwrap_err();
        assert!(err.contains("JOB_COMPLETION_INDEX is \"x\""), "{err}");
    }
}
