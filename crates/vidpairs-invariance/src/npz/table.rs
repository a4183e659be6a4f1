//! Reads features of images, with the set and class of each image, in the layout that any framework can write.

use std::io::{Read, Seek};
use std::path::Path;

use super::archive::{NpzArchive, room};
use super::error::NpzError;
use super::rounding::Rounding;

/// Largest number of names of labels.
const MAX_LABEL_NAMES: usize = 1 << 22;

/// Features of images, with the set and class of each image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeatureTable {
    /// Features, `N x D`, row-major, finite.
    pub features: Vec<f32>,
    /// Number of units `D`, at least 1.
    pub num_units: usize,
    /// Set of each image, `N`; any numbers.
    pub instances: Vec<i64>,
    /// Class of each image, `N`; any numbers. `None` if each set is its own class.
    pub classes: Option<Vec<i64>>,
    /// Names of instances 0, 1 and so on; all instances are below its length.
    pub instance_names: Option<Vec<String>>,
    /// Names of classes 0, 1 and so on; all classes are below its length.
    pub class_names: Option<Vec<String>>,
}

impl FeatureTable {
    /// Reads the arrays of the `.npz` file at `path`:
    ///
    /// | array | shape and type | content |
    /// |---|---|---|
    /// | `feat` | N x D, `f4`, `f8` (rounded to single precision) or `f2` | one row per image |
    /// | `instance` | N, integers, bools, whole floats or texts | set of each image |
    /// | `class` | N, likewise; optional | target of each image; without it each set is a target |
    /// | `instance_names`, `class_names` | texts; optional | names of the numbers 0, 1 and so on |
    ///
    /// Texts are numbered in alphabetical order, as by `numpy.unique`, and are their own names. Other arrays are ignored.
    ///
    /// # Errors
    /// [`NpzError::File`], which names the file and has the reason as its source.
    pub fn read(path: &Path) -> Result<Self, NpzError> {
        let read = || Self::from_archive(&mut NpzArchive::open(path)?);
        read().map_err(|err| err.in_file(path))
    }

    /// As [`Self::read`], from an open archive.
    ///
    /// # Errors
    /// [`NpzError`]: an array that is missing or has another shape or element type, a feature that is not finite or that single precision
    /// cannot represent, a label that is not a whole number.
    pub fn from_archive<R: Read + Seek>(archive: &mut NpzArchive<R>) -> Result<Self, NpzError> {
        let [num_rows, num_units] = shape_of_features(archive)?;
        // Labels are checked before gigabytes of features are read.
        let (instances, instance_names) =
            labels(archive, ("instance", "instance_names"), num_rows)?;
        let (classes, class_names) = match archive.has("class") {
            true => {
                let (classes, names) = labels(archive, ("class", "class_names"), num_rows)?;
                (Some(classes), names)
            }
            false => (None, None),
        };
        let features = features(archive, num_rows, num_units)?;
        Ok(Self {
            features,
            num_units,
            instances,
            classes,
            instance_names,
            class_names,
        })
    }

    /// Number of images `N`.
    pub fn num_rows(&self) -> usize {
        self.instances.len()
    }
}

/// Number of rows and units of the array `feat`, each at least 1.
pub(super) fn shape_of_features<R: Read + Seek>(
    archive: &mut NpzArchive<R>,
) -> Result<[usize; 2], NpzError> {
    let feat = archive.array("feat")?;
    match *feat.header().shape {
        [rows, units] if rows > 0 && units > 0 => Ok([rows, units]),
        _ => Err(feat.shape("N x D: a row for each image, a column for each unit")),
    }
}

/// The array `feat`, row-major.
pub(super) fn features<R: Read + Seek>(
    archive: &mut NpzArchive<R>,
    num_rows: usize,
    num_units: usize,
) -> Result<Vec<f32>, NpzError> {
    let array = archive.array("feat")?;
    let (is_fortran, is_rounded) = (array.header().is_fortran, array.header().element.size > 4);
    let unit_of = |index| match is_fortran {
        true => index / num_rows,
        false => index % num_units,
    };
    let mut rounding = Rounding::new(num_units);
    let stored = array.into_rounded(|index, value| rounding.round(unit_of(index), value))?;
    if let Some(index) = stored.iter().position(|value| !value.is_finite()) {
        let (row, unit) = match is_fortran {
            true => (index % num_rows, index / num_rows),
            false => (index / num_units, index % num_units),
        };
        // Rounding may have made a finite double-precision number infinite: show the number in the file.
        let value = match is_rounded {
            true => archive.array("feat")?.element_f64(index)?,
            false => f64::from(stored[index]),
        };
        return Err(NpzError::NotFinite { row, unit, value });
    }
    if let Some(lost) = rounding.lost(num_rows) {
        return Err(NpzError::Precision {
            unit: lost.unit,
            mean: lost.mean,
            deviation: lost.deviation,
        });
    }
    if !is_fortran {
        return Ok(stored);
    }
    let mut rows = room("feat", stored.len())?;
    rows.resize(stored.len(), 0.0);
    for (unit, column) in stored.chunks_exact(num_rows).enumerate() {
        let places = rows.iter_mut().skip(unit).step_by(num_units);
        places.zip(column).for_each(|(to, &value)| *to = value);
    }
    Ok(rows)
}

/// The labels of the rows in array `name`, and the names of the labels if there are any.
pub(super) fn labels<R: Read + Seek>(
    archive: &mut NpzArchive<R>,
    (name, names): (&'static str, &'static str),
    num_rows: usize,
) -> Result<(Vec<i64>, Option<Vec<String>>), NpzError> {
    let array = archive.array(name)?;
    if array.header().shape != [num_rows] {
        return Err(array.shape(format!("[{num_rows}], a label for each row of `feat`")));
    }
    if array.header().element.is_text() {
        let labels = array.into_texts()?;
        let mut distinct = labels.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let number = |label| {
            let place = distinct.binary_search(label);
            place.expect("`distinct` holds every label") as i64
        };
        return Ok((labels.iter().map(number).collect(), Some(distinct)));
    }
    let labels = array.into_integers()?;
    if !archive.has(names) {
        return Ok((labels, None));
    }
    let array = archive.array(names)?;
    if !matches!(array.header().shape[..], [num] if num <= MAX_LABEL_NAMES) {
        return Err(array.shape(format!(
            "one dimension, a text for each number, and at most {MAX_LABEL_NAMES} texts"
        )));
    }
    let texts = array.into_texts()?;
    let is_named = |label: i64| usize::try_from(label).is_ok_and(|label| label < texts.len());
    match (0..).zip(&labels).find(|(_, label)| !is_named(**label)) {
        None => Ok((labels, Some(texts))),
        Some((row, &value)) => Err(NpzError::Unnamed {
            name,
            row,
            value,
            names,
            num_names: texts.len(),
        }),
    }
}
