//! Computes how a unit responds along the transformation.

use vidpairs_types::Condition;

/// Number of distinct azimuths above which they are grouped into bins of [`COARSE_DEGREES`].
const MAX_AZIMUTHS: usize = 72;
/// Width of a bin of azimuths, degrees.
const COARSE_DEGREES: f64 = 15.0;

/// Mean response of a unit along the transformation.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitCurve {
    /// Positions of the values.
    pub along: Along,
    /// Threshold of the unit.
    pub threshold: f64,
    /// Whether the unit fires above the threshold rather than below it.
    pub fires_above: bool,
    /// Line of the target, then line of all other images.
    pub lines: Vec<CurveLine>,
}

/// Mean responses at the positions of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveLine {
    /// Name of the images: the target, or `other images`.
    pub name: String,
    /// Mean response at each position; none if no image has this position.
    pub values: Vec<Option<f64>>,
}

/// Positions along a transformation.
#[derive(Debug, Clone, PartialEq)]
pub enum Along {
    /// Azimuths, degrees, ascending; the last position is followed by the first.
    Azimuth(Vec<f64>),
    /// Names of light directions, light colours or cover levels, in their order.
    Named(Vec<String>),
}

impl UnitCurve {
    /// The curve of a unit with these `values`; none if the images have fewer than two positions.
    pub(super) fn of(
        conditions: &[Condition],
        values: &[f32],
        of_target: &[usize],
        target: &str,
        (threshold, fires_above): (f32, bool),
    ) -> Option<Self> {
        let places = Places::of(conditions)?;
        let mut is_of_target = vec![false; values.len()];
        of_target
            .iter()
            .for_each(|&image| is_of_target[image] = true);
        let line = |name: &str, wanted: bool| {
            let mut sums = vec![(0.0f64, 0usize); places.keys.len()];
            let images = conditions.iter().zip(values).zip(&is_of_target);
            for ((&condition, &value), _) in images.filter(|&(_, &is)| is == wanted) {
                if let Some(place) = places.of_image(condition) {
                    sums[place].0 += f64::from(value);
                    sums[place].1 += 1;
                }
            }
            let mean = |(sum, num): (f64, usize)| (num > 0).then(|| sum / num as f64);
            CurveLine {
                name: name.to_owned(),
                values: sums.into_iter().map(mean).collect(),
            }
        };
        Some(Self {
            lines: vec![line(target, true), line("other images", false)],
            along: places.along,
            threshold: f64::from(threshold),
            fires_above,
        })
    }
}

/// Positions of images.
struct Places {
    along: Along,
    /// Sort key of the images at each position, ascending.
    keys: Vec<(u64, u64)>,
    is_coarse: bool,
}

impl Places {
    fn of(conditions: &[Condition]) -> Option<Self> {
        let mut known: Vec<Condition> = conditions.to_vec();
        known.retain(|condition| *condition != Condition::Unknown);
        let mut azimuths: Vec<f64> = known
            .iter()
            .filter_map(|&condition| azimuth(condition))
            .collect();
        if azimuths.is_empty() {
            known.sort_by_key(|&condition| order(condition));
            known.dedup();
            return (known.len() > 1).then(|| Self {
                along: Along::Named(known.iter().map(|&condition| caption(condition)).collect()),
                keys: known.iter().map(|&condition| order(condition)).collect(),
                is_coarse: false,
            });
        }
        azimuths.sort_by(f64::total_cmp);
        azimuths.dedup();
        let is_coarse = azimuths.len() > MAX_AZIMUTHS;
        if is_coarse {
            azimuths
                .iter_mut()
                .for_each(|azimuth| *azimuth = coarse(*azimuth));
            azimuths.sort_by(f64::total_cmp);
            azimuths.dedup();
        }
        (azimuths.len() > 1).then(|| Self {
            keys: azimuths.iter().map(|&azimuth| key(azimuth)).collect(),
            along: Along::Azimuth(azimuths),
            is_coarse,
        })
    }

    fn of_image(&self, condition: Condition) -> Option<usize> {
        let wanted = match azimuth(condition) {
            Some(azimuth) if self.is_coarse => key(coarse(azimuth)),
            Some(azimuth) => key(azimuth),
            None => order(condition),
        };
        self.keys.binary_search(&wanted).ok()
    }
}

impl Along {
    /// Position of an image: degrees, or index of the name.
    pub(super) fn place_of(&self, condition: Condition) -> Option<f64> {
        match self {
            Self::Azimuth(_) => azimuth(condition),
            Self::Named(names) => {
                let name = caption(condition);
                let index = names.iter().position(|other| *other == name);
                index.map(|index| index as f64)
            }
        }
    }
}

/// The condition in short: `40°`, `l3c2`, `i110`, `5/8 seen`; empty if unknown.
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

/// Sort key of images along the transformation.
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

fn azimuth(condition: Condition) -> Option<f64> {
    match condition {
        Condition::View { azimuth, .. } => Some(azimuth.rem_euclid(360.0)),
        _ => None,
    }
}

fn key(azimuth: f64) -> (u64, u64) {
    ((azimuth * 1000.0) as u64, 0)
}

/// Middle of the bin of an azimuth.
fn coarse(azimuth: f64) -> f64 {
    ((azimuth / COARSE_DEGREES).round() * COARSE_DEGREES).rem_euclid(360.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(azimuth: f64) -> Condition {
        Condition::View {
            azimuth,
            elevation: 0.0,
        }
    }

    #[test]
    fn a_curve_has_the_mean_of_the_target_and_of_all_other_images_at_every_azimuth() {
        let conditions = [view(0.0), view(90.0), view(0.0), view(0.0), view(180.0)];
        let values = [1.0, 2.0, 3.0, 5.0, 7.0];
        let curve = UnitCurve::of(&conditions, &values, &[0, 1], "cup", (2.5, true)).unwrap();
        assert_eq!(curve.along, Along::Azimuth(vec![0.0, 90.0, 180.0]));
        assert_eq!(curve.lines[0].values, [Some(1.0), Some(2.0), None]);
        assert_eq!(curve.lines[1].values, [Some(4.0), None, Some(7.0)]);
    }

    #[test]
    fn many_azimuths_are_grouped_into_bins() {
        let conditions: Vec<_> = (0..360).map(|degrees| view(f64::from(degrees))).collect();
        let curve = UnitCurve::of(&conditions, &[1.0; 360], &[0], "cup", (0.0, true)).unwrap();
        let Along::Azimuth(degrees) = curve.along else {
            panic!("no azimuths")
        };
        assert_eq!(degrees.len(), 24);
        assert_eq!(curve.lines[1].values, vec![Some(1.0); 24]);
    }

    #[test]
    fn images_of_unknown_or_of_a_single_condition_have_no_curve() {
        let curve = |conditions: &[Condition]| {
            UnitCurve::of(conditions, &[1.0, 2.0], &[0], "cup", (0.0, true))
        };
        assert_eq!(curve(&[Condition::Unknown; 2]), None);
        assert_eq!(curve(&[Condition::Cover { level: 3 }; 2]), None);
        let light = |lamps| Condition::Light { lamps, camera: 1 };
        let names = vec!["l2c1".to_owned(), "l7c1".to_owned()];
        let along = curve(&[light(7), light(2)]).unwrap().along;
        assert_eq!(along, Along::Named(names));
        assert_eq!(along.place_of(light(7)), Some(1.0));
        assert_eq!(along.place_of(light(3)), None);
    }
}
