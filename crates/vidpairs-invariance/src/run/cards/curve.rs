//! How a unit responds while the transformation runs.

use vidpairs_types::Condition;

use super::place::{Along, COARSE_DEGREES, MAX_AZIMUTHS, caption, order};

/// A unit's mean response along the transformation.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitCurve {
    /// Where the values lie.
    pub along: Along,
    /// Where it begins to fire.
    pub threshold: f64,
    /// Whether it fires above the threshold, or below it.
    pub fires_above: bool,
    /// The target's line, then that of all other images.
    pub lines: Vec<CurveLine>,
}

/// A value for each place; none where no image lies there.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveLine {
    /// Whose images.
    pub name: String,
    /// Mean responses.
    pub values: Vec<Option<f64>>,
}

impl UnitCurve {
    /// The curve of a unit of these `values`; none where images lie nowhere along a transformation, or all at one place.
    pub(super) fn of(
        conditions: &[Condition],
        values: &[f32],
        of_target: &[usize],
        target: &str,
        (threshold, fires_above): (f32, bool),
    ) -> Option<Self> {
        let places = Places::of(conditions)?;
        let mut is_of_target = vec![false; values.len()];
        for &image in of_target {
            *is_of_target.get_mut(image)? = true;
        }
        let mean = |wanted: bool| {
            let mut sums = vec![(0.0f64, 0usize); places.len()];
            let images = conditions.iter().zip(values).zip(&is_of_target);
            for ((&condition, &value), _) in images.filter(|&(_, &is)| is == wanted) {
                let sum = places.of_image(condition).and_then(|at| sums.get_mut(at));
                if let Some((sum, num)) = sum {
                    *sum += f64::from(value);
                    *num += 1;
                }
            }
            let means = sums
                .into_iter()
                .map(|(sum, num)| (num > 0).then(|| sum / num as f64));
            means.collect()
        };
        let line = |name: &str, wanted| CurveLine {
            name: name.to_owned(),
            values: mean(wanted),
        };
        Some(Self {
            lines: vec![line(target, true), line("all others", false)],
            along: places.along,
            threshold: f64::from(threshold),
            fires_above,
        })
    }
}

struct Places {
    along: Along,
    /// Ascending: what images at each place are sorted by.
    keys: Vec<(u64, u64)>,
    is_coarse: bool,
}

impl Places {
    fn of(conditions: &[Condition]) -> Option<Self> {
        let mut known: Vec<Condition> = conditions.to_vec();
        known.retain(|condition| *condition != Condition::Unknown);
        let azimuths = known.iter().filter_map(|&it| azimuth(it));
        let mut azimuths: Vec<f64> = azimuths.collect();
        if azimuths.is_empty() {
            known.sort_by_key(|&it| order(it));
            known.dedup();
            let names = known.iter().map(|&it| caption(it)).collect();
            return (known.len() > 1).then(|| Self {
                along: Along::Named(names),
                keys: known.iter().map(|&it| order(it)).collect(),
                is_coarse: false,
            });
        }
        azimuths.sort_by(f64::total_cmp);
        azimuths.dedup();
        let is_coarse = azimuths.len() > MAX_AZIMUTHS;
        if is_coarse {
            azimuths.iter_mut().for_each(|it| *it = coarse(*it));
            azimuths.sort_by(f64::total_cmp);
            azimuths.dedup();
        }
        (azimuths.len() > 1).then(|| Self {
            keys: azimuths.iter().map(|&it| key(it)).collect(),
            along: Along::Azimuth(azimuths),
            is_coarse,
        })
    }

    fn len(&self) -> usize {
        self.keys.len()
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
    /// Where an image of `condition` lies: degrees, or which of the names.
    pub(super) fn place_of(&self, condition: Condition) -> Option<f64> {
        match self {
            Self::Azimuth(_) => azimuth(condition),
            Self::Named(names) => {
                let name = caption(condition);
                let place = names.iter().position(|it| *it == name);
                place.map(|it| it as f64)
            }
        }
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

/// The middle of the azimuth's bin.
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
    fn a_curve_has_the_mean_of_the_target_and_of_all_others_at_every_azimuth() {
        let conditions = [view(0.0), view(90.0), view(0.0), view(0.0), view(180.0)];
        let values = [1.0, 2.0, 3.0, 5.0, 7.0];
        let curve = UnitCurve::of(&conditions, &values, &[0, 1], "cup", (2.5, true)).unwrap();
        assert_eq!(curve.along, Along::Azimuth(vec![0.0, 90.0, 180.0]));
        assert_eq!(curve.lines[0].values, [Some(1.0), Some(2.0), None]);
        assert_eq!(curve.lines[1].values, [Some(4.0), None, Some(7.0)]);
    }

    #[test]
    fn many_azimuths_are_put_together() {
        let conditions: Vec<_> = (0..360).map(|degrees| view(f64::from(degrees))).collect();
        let curve = UnitCurve::of(&conditions, &[1.0; 360], &[0], "cup", (0.0, true)).unwrap();
        let Along::Azimuth(degrees) = curve.along else {
            panic!("no azimuths")
        };
        assert_eq!(degrees.len(), 24);
        assert_eq!(curve.lines[1].values, vec![Some(1.0); 24]);
    }

    #[test]
    fn images_of_unknown_conditions_or_of_one_have_no_curve() {
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
