//! From what was given to `[invariance]`.

use super::super::error::PipelineError;
use super::super::invariance::Measure;
use super::super::keys;
use super::super::settings::Settings;

/// Checks `seed` and `[invariance]`.
pub(in super::super) fn measure(settings: &Settings) -> Result<Measure, PipelineError> {
    let top = settings.get(&keys::TOP)?;
    if top.is_empty() {
        let expected = "a list of at least one whole number, such as [10, 25]".to_owned();
        return Err(settings.refusal(&keys::TOP, expected));
    }
    let size_px = match settings.given(&keys::MEASURED_SIZE) {
        Some(_) => Some(settings.get(&keys::MEASURED_SIZE)?),
        None => None,
    };
    Ok(Measure {
        seed: settings.get(&keys::SEED)?,
        top,
        goodfellow_share: settings.get(&keys::GOODFELLOW_SHARE)?,
        stage: settings.get(&keys::STAGE)?,
        size_px,
        numbers: settings.get(&keys::MEASURED_NUMBERS)?,
        resamples: settings.get(&keys::RESAMPLES)?,
        queries: settings.get(&keys::QUERIES)?,
    })
}
