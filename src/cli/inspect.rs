//! Runs `vidpairs inspect`: a summary, one record, or a page of pairs.

use std::process::ExitCode;

use super::args::InspectArgs;
use super::output::{Output, PAGE, Shown, Written, check_output};
use super::{CliError, refuse_url};
use crate::inspect;
use crate::report::gallery;

pub(super) fn inspect(args: &InspectArgs) -> Result<ExitCode, CliError> {
    refuse_url("DIR", &args.dir)?;
    if let Some(number) = args.record {
        let record = inspect::inspect_record(&args.dir, number)?;
        args.common.print(&record)?;
        let num = record.damage.len() as u64;
        args.common.report_damage(num, record.damage.first());
        return Ok(exit_code(record.damage.is_empty()));
    }
    check_output(args.gallery.as_ref(), PAGE, None)?;
    let inspection = inspect::inspect(&args.dir, &args.common.control()?)?;
    let gallery = match &args.gallery {
        Some(path) => {
            let (max_records, max_bytes) = (gallery::MAX_RECORDS, gallery::MAX_IMAGE_BYTES);
            let records = inspect::sample_records(&args.dir, max_records, max_bytes)?;
            let shown = Shown::Records {
                records: records.len() as u64,
                of_records: inspection.totals.records,
            };
            let html = gallery::render(&inspection, &records);
            Some(Written::write(path, &html, shown)?)
        }
        None => None,
    };
    let output = Output {
        preface: String::new(),
        summary: inspection,
        plot: None,
        gallery,
    };
    args.common.print(&output)?;
    let inspection = &output.summary;
    args.common
        .report_damage(inspection.num_damage, inspection.damage.first());
    Ok(exit_code(inspection.num_damage == 0))
}

/// 0 for a sound data set or record, 2 for a damaged one.
pub(super) fn exit_code(is_sound: bool) -> ExitCode {
    ExitCode::from(if is_sound { 0 } else { 2 })
}
