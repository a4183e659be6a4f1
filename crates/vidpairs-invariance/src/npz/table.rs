//! Features of images, each of a set and a class, as any framework may hand them in.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Seek};
use std::path::Path;

use super::archive::NpzArchive;
use super::error::NpzError;

/// Features of images, each of a set and a class.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeatureTable {
    /// `N x D`, row-major, finite.
    pub features: Vec<f32>,
    /// D, at least 1.
    pub num_units: usize,
    /// N: the set that an image belongs to; any numbers.
    pub instances: Vec<i64>,
    /// N: the class of the image; any numbers. `None`: its set is its class.
    pub classes: Option<Vec<i64>>,
    /// What instance 0, 1 and so on are called; none has another number then.
    pub instance_names: Option<Vec<String>>,
    /// What class 0, 1 and so on are called; none has another number then.
    pub class_names: Option<Vec<String>>,
}

impl FeatureTable {
    /// Reads the arrays of the `.npz` file at `path`:
    ///
    /// | array | | |
    /// |---|---|---|
    /// | `feat` | N x D, `f4`, `f8` (rounded to single precision) or `f2` | a row for each image |
    /// | `instance` | N, integers, bools, whole floats or texts | images of one number, or text, are one set |
    /// | `class` | N, likewise; may be absent | the target of the set; without it each set is its own |
    /// | `instance_names`, `class_names` | texts; may be absent | what 0, 1 and so on are called |
    ///
    /// Texts get the numbers of their alphabetical order, as `numpy.unique` has them, and are their own names. Other arrays are not
    /// looked at.
    ///
    /// # Errors
    /// [`NpzError::File`], which names the file, with the reason as its source.
    pub fn read(path: &Path) -> Result<Self, NpzError> {
        let read = || Self::from_archive(&mut NpzArchive::open(path)?);
        read().map_err(|err| err.in_file(path))
    }

    /// As [`Self::read`], from an archive that is open.
    ///
    /// # Errors
    /// [`NpzError`]: an array that is missing or of another shape or kind, a feature that is not finite, a label that is not
    /// whole.
    pub fn from_archive<R: Read + Seek>(archive: &mut NpzArchive<R>) -> Result<Self, NpzError> {
        // Small ones first: what is wrong with them is said before gigabytes are read.
        let num_rows = archive.array("feat")?.header().shape.first().copied();
        let (instances, instance_names) =
            labels(archive, ("instance", "instance_names"), num_rows)?;
        let (classes, class_names) = match archive.has("class") {
            true => {
                let (classes, names) = labels(archive, ("class", "class_names"), num_rows)?;
                (Some(classes), names)
            }
            false => (None, None),
        };
        let (features, num_units) = features(archive)?;
        Ok(Self {
            features,
            num_units,
            instances,
            classes,
            instance_names,
            class_names,
        })
    }

    /// N.
    pub fn num_rows(&self) -> usize {
        self.instances.len()
    }

    /// How many sets there are.
    pub fn num_instances(&self) -> usize {
        self.instances.iter().collect::<HashSet<_>>().len()
    }
}

/// `feat`, row-major, and D.
fn features<R: Read + Seek>(archive: &mut NpzArchive<R>) -> Result<(Vec<f32>, usize), NpzError> {
    let array = archive.array("feat")?;
    let header = array.header().clone();
    let [num_rows, num_units] = match *header.shape {
        [rows, units] if rows > 0 && units > 0 => [rows, units],
        _ => return Err(array.shape("N x D, a row for each image, a column for each unit")),
    };
    let is_rounded = header.element.size > 4;
    let stored = array.into_f32s()?;
    let bad = stored.iter().position(|value| !value.is_finite());
    if let Some(place) = bad {
        let (row, unit) = match header.is_fortran {
            true => (place % num_rows, place / num_rows),
            false => (place / num_units, place % num_units),
        };
        // A finite number of double precision may have become infinite: which one is in the file.
        let value = match is_rounded {
            true => archive.array("feat")?.element_f64(place)?,
            false => f64::from(stored.get(place).copied().unwrap_or(f32::NAN)),
        };
        return Err(NpzError::NotFinite { row, unit, value });
    }
    if !header.is_fortran {
        return Ok((stored, num_units));
    }
    let mut rows = vec![0.0; stored.len()];
    for (unit, column) in stored.chunks_exact(num_rows).enumerate() {
        let places = rows.iter_mut().skip(unit).step_by(num_units);
        places.zip(column).for_each(|(to, &value)| *to = value);
    }
    Ok((rows, num_units))
}

/// The labels of the rows, and what 0, 1 and so on are called where that is stored.
fn labels<R: Read + Seek>(
    archive: &mut NpzArchive<R>,
    (name, names): (&'static str, &'static str),
    num_rows: Option<usize>,
) -> Result<(Vec<i64>, Option<Vec<String>>), NpzError> {
    let array = archive.array(name)?;
    match (array.header().shape.as_slice(), num_rows) {
        (&[got], Some(rows)) if got == rows => {}
        (_, Some(rows)) => {
            return Err(array.shape(format!("[{rows}], a label for each row of `feat`")));
        }
        // `feat` is a scalar, which is said when it is read.
        (_, None) => return Ok((Vec::new(), None)),
    }
    if array.header().element.is_text() {
        let (numbers, texts) = numbered(array.into_texts()?);
        return Ok((numbers, Some(texts)));
    }
    let numbers = array.into_integers()?;
    let texts = match archive.has(names) {
        true => Some(named(archive, (name, names), &numbers)?),
        false => None,
    };
    Ok((numbers, texts))
}

/// The place of each text among the different ones, and these in their order.
fn numbered(texts: Vec<String>) -> (Vec<i64>, Vec<String>) {
    let mut places: BTreeMap<&str, i64> = texts.iter().map(|text| (text.as_str(), 0)).collect();
    for (number, place) in (0..).zip(places.values_mut()) {
        *place = number;
    }
    let number_of = |text: &String| places.get(text.as_str()).copied().unwrap_or_default();
    let numbers = texts.iter().map(number_of).collect();
    let names = places.into_keys().map(str::to_owned).collect();
    (numbers, names)
}

/// The names of `labels`.
fn named<R: Read + Seek>(
    archive: &mut NpzArchive<R>,
    (name, names): (&'static str, &'static str),
    labels: &[i64],
) -> Result<Vec<String>, NpzError> {
    let array = archive.array(names)?;
    if array.header().shape.len() != 1 {
        return Err(array.shape("one dimension, a text for each number"));
    }
    let texts = array.into_texts()?;
    let is_named = |label: i64| usize::try_from(label).is_ok_and(|label| label < texts.len());
    match labels.iter().position(|&label| !is_named(label)) {
        None => Ok(texts),
        Some(row) => Err(NpzError::Unnamed {
            name,
            row,
            value: labels.get(row).copied().unwrap_or_default(),
            names,
            num_names: texts.len(),
        }),
    }
}
