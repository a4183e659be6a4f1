//! Reads the objects of an annotation file.

use vidpairs_types::BoxXywh;

use crate::image_sets::mat::{Array, Fields, MatError, Variable};

/// Object of an image. Fields that the file does not state are `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Object {
    /// Class of the object.
    pub(super) class: Option<String>,
    /// Left, top, right and bottom pixel of the box, counted from 1, all inside the box.
    pub(super) corners: Option<[f64; 4]>,
    /// Viewpoint; `None` for an object without annotation.
    pub(super) viewpoint: Option<Viewpoint>,
}

/// Viewpoint of an object, degrees. Fields that the file does not state are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Viewpoint {
    pub(super) azimuth_coarse: Option<f64>,
    pub(super) elevation_coarse: Option<f64>,
    pub(super) azimuth: Option<f64>,
    pub(super) elevation: Option<f64>,
    /// Distance in units of the object's size; 0 if only the coarse angles are known.
    pub(super) distance: Option<f64>,
}

/// Objects of an annotation file, in its order; `None` if it has no `record`.
pub(super) fn objects(file: &[u8]) -> Result<Option<Vec<Object>>, MatError> {
    let Some(variable) = Variable::read(file, "record")? else {
        return Ok(None);
    };
    let records = variable.array()?.structs()?;
    let Some(objects) = records.first().and_then(|record| record.get("objects")) else {
        return Ok(Some(Vec::new()));
    };
    let objects = objects.structs()?;
    objects
        .iter()
        .map(object)
        .collect::<Result<_, _>>()
        .map(Some)
}

fn object(fields: &Fields<'_>) -> Result<Object, MatError> {
    /// Longest class: a class is one word.
    const MAX_CHARS: usize = 64;
    let text = |array: &Array<'_>| array.text(MAX_CHARS);
    Ok(Object {
        class: fields.get("class").map(text).transpose()?.flatten(),
        corners: corners(fields)?,
        viewpoint: viewpoint(fields)?,
    })
}

fn corners(object: &Fields<'_>) -> Result<Option<[f64; 4]>, MatError> {
    let Some(bbox) = object.get("bbox") else {
        return Ok(None);
    };
    let mut numbers = bbox.numbers()?;
    let mut next = || numbers.next();
    let four = next().zip(next()).zip(next().zip(next()));
    Ok(four.map(|((x1, y1), (x2, y2))| [x1, y1, x2, y2]))
}

fn viewpoint(object: &Fields<'_>) -> Result<Option<Viewpoint>, MatError> {
    let Some(viewpoint) = object.get("viewpoint") else {
        return Ok(None);
    };
    let structs = viewpoint.structs()?;
    let Some(fields) = structs.first() else {
        return Ok(None);
    };
    let number = |name| -> Result<Option<f64>, MatError> {
        let numbers = fields.get(name).map(Array::numbers).transpose()?;
        let first = numbers.and_then(|mut numbers| numbers.next());
        Ok(first.filter(|number| number.is_finite()))
    };
    Ok(Some(Viewpoint {
        azimuth_coarse: number("azimuth_coarse")?,
        elevation_coarse: number("elevation_coarse")?,
        azimuth: number("azimuth")?,
        elevation: number("elevation")?,
        distance: number("distance")?,
    }))
}

impl Object {
    /// Box, px; it may reach out of the image. `None` if it is missing or not valid.
    pub(super) fn bbox(&self) -> Option<BoxXywh> {
        let [x1, y1, x2, y2] = self.corners?;
        let bbox = BoxXywh::from([x1 - 1.0, y1 - 1.0, x2 - x1 + 1.0, y2 - y1 + 1.0]);
        bbox.is_valid().then_some(bbox)
    }
}

impl Viewpoint {
    /// Azimuth and elevation, degrees: the measured ones, or the coarse ones if nobody measured. A missing elevation is 0.
    pub(super) fn angles(&self) -> Option<(f64, f64)> {
        let is_measured = match self.distance {
            Some(distance) => distance > 0.0,
            None => self.azimuth.is_some_and(|azimuth| azimuth != 0.0),
        };
        let measured = self.azimuth.filter(|_| is_measured);
        let (azimuth, elevation) = match measured {
            Some(azimuth) => (azimuth, self.elevation.or(self.elevation_coarse)),
            None => (self.azimuth_coarse?, self.elevation_coarse),
        };
        Some((below_360(azimuth), elevation.unwrap_or(0.0)))
    }

    /// Bin of the coarse azimuth, one of six of 30 degrees. Azimuths that differ by 180 degrees share a bin.
    pub(super) fn azimuth_bin(&self) -> Option<usize> {
        Some(bin(self.azimuth_coarse?, 180.0))
    }

    /// Bin of the coarse elevation, one of three of 30 degrees. Elevations that differ by 90 degrees share a bin.
    pub(super) fn elevation_bin(&self) -> Option<usize> {
        Some(bin(self.elevation_coarse?, 90.0))
    }
}

/// `(angle mod period) div 30`, with a remainder that is never negative.
fn bin(angle: f64, period: f64) -> usize {
    const STEP: f64 = 30.0;
    // The remainder of a tiny negative angle rounds to the whole period.
    ((angle.rem_euclid(period) / STEP) as usize).min((period / STEP) as usize - 1)
}

fn below_360(azimuth: f64) -> f64 {
    let azimuth = azimuth.rem_euclid(360.0);
    if azimuth < 360.0 { azimuth } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_those_of_the_published_protocol() {
        let azimuth_bin = |azimuth| {
            let view = Viewpoint {
                azimuth_coarse: Some(azimuth),
                ..Viewpoint::default()
            };
            view.azimuth_bin().unwrap()
        };
        let azimuths = [0.0, 15.0, 30.0, 165.0, 180.0, 345.0, 360.0, -15.0, -1e-20];
        assert_eq!(azimuths.map(azimuth_bin), [0, 0, 1, 5, 0, 5, 0, 5, 5]);
        let elevation_bin = |elevation| {
            let view = Viewpoint {
                elevation_coarse: Some(elevation),
                ..Viewpoint::default()
            };
            view.elevation_bin().unwrap()
        };
        let elevations = [0.0, 15.0, 30.0, 75.0, 90.0, -15.0, -45.0, -90.0];
        assert_eq!(elevations.map(elevation_bin), [0, 0, 1, 2, 0, 2, 1, 0]);
    }

    #[test]
    fn measured_angles_take_precedence_over_coarse_ones() {
        let view = Viewpoint {
            azimuth_coarse: Some(345.0),
            elevation_coarse: Some(-15.0),
            azimuth: Some(-8.5),
            elevation: Some(-12.5),
            distance: Some(4.0),
        };
        let with = |distance, azimuth| Viewpoint {
            distance,
            azimuth,
            ..view
        };
        assert_eq!(view.angles(), Some((351.5, -12.5)));
        assert_eq!(with(Some(4.0), Some(0.0)).angles(), Some((0.0, -12.5)));
        assert_eq!(with(Some(0.0), Some(3.0)).angles(), Some((345.0, -15.0)));
        assert_eq!(with(None, Some(0.0)).angles(), Some((345.0, -15.0)));
        assert_eq!(with(None, Some(3.0)).angles(), Some((3.0, -12.5)));
        assert_eq!(with(Some(4.0), None).angles(), Some((345.0, -15.0)));
        let elevation = Viewpoint {
            elevation_coarse: None,
            elevation: None,
            ..view
        };
        assert_eq!(elevation.angles(), Some((351.5, 0.0)));
        assert_eq!(Viewpoint::default().angles(), None);
    }

    #[test]
    fn a_box_includes_its_last_pixels_and_an_inverted_box_is_none() {
        let bbox = |corners| {
            let object = Object {
                corners,
                ..Object::default()
            };
            object.bbox()
        };
        let whole = [0.0, 0.0, 320.0, 240.0].into();
        assert_eq!(bbox(Some([1.0, 1.0, 320.0, 240.0])), Some(whole));
        assert_eq!(bbox(Some([10.0, 1.0, 5.0, 240.0])), None);
        assert_eq!(bbox(Some([f64::NAN, 1.0, 5.0, 240.0])), None);
        assert_eq!(bbox(None), None);
    }
}
