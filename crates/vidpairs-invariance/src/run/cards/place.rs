//! Where an image lies along a transformation.

use vidpairs_types::Condition;

/// The places along a transformation.
#[derive(Debug, Clone, PartialEq)]
pub enum Along {
    /// Degrees, ascending; the last is followed by the first.
    Azimuth(Vec<f64>),
    /// Names, in their order.
    Named(Vec<String>),
}

/// More azimuths than this are put together by [`COARSE_DEGREES`].
pub(super) const MAX_AZIMUTHS: usize = 72;
/// Width of a bin of azimuths, where there are too many.
pub(super) const COARSE_DEGREES: f64 = 15.0;

/// What varies, in a word.
pub(super) fn caption(condition: Condition) -> String {
    match condition {
        Condition::Unknown => String::new(),
        Condition::View {
            azimuth,
            elevation: 0.0,
        } => format!("{azimuth:.0}°"),
        Condition::View { azimuth, elevation } => format!("{azimuth:.0}°, {elevation:.0}° up"),
        Condition::Light { lamps, camera } => format!("l{lamps}c{camera}"),
        Condition::LightColor { code } => format!("i{code}"),
        Condition::Cover { level } => format!("{level}/8 seen"),
    }
}

/// What images are sorted by.
pub(super) fn order(condition: Condition) -> (u64, u64) {
    match condition {
        Condition::Unknown => (0, 0),
        Condition::View { azimuth, elevation } => (
            (azimuth.rem_euclid(360.0) * 1000.0) as u64,
            ((elevation + 360.0) * 1000.0) as u64,
        ),
        Condition::Light { lamps, camera } => (u64::from(lamps), u64::from(camera)),
        Condition::LightColor { code } => (u64::from(code), 0),
        Condition::Cover { level } => (u64::from(level), 0),
    }
}
