//! Reads features of images with their classes and splits, in the layout that any framework can write.

use std::io::{Read, Seek};
use std::path::Path;

use vidpairs_types::Split;

use super::archive::NpzArchive;
use super::error::NpzError;
use super::table::{features, labels, shape_of_features};

/// Features of images, with the classes and the split of each image.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledFeatures {
    /// Features, `N x D`, row-major, finite.
    pub features: Vec<f32>,
    /// Number of units `D`, at least 1.
    pub num_units: usize,
    /// Classes of each image.
    pub classes: TableClasses,
    /// Split of each image, `N`.
    pub splits: Vec<Split>,
}

/// Classes of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableClasses {
    /// One class of each image, `N`; any numbers. The names, if there are any, are those of classes 0, 1 and so on.
    One(Vec<i64>, Option<Vec<String>>),
    /// Any number of classes of each image: `N x C` of -1 (absent), 0 (not counted) and 1 (present), row-major. The names are those of the
    /// columns.
    Many(Vec<i8>, Vec<String>),
}

impl LabelledFeatures {
    /// Reads the arrays of the `.npz` file at `path`:
    ///
    /// | array | shape and type | content |
    /// |---|---|---|
    /// | `feat` | N x D, `f4`, `f8` (rounded to single precision) or `f2` | one row per image |
    /// | `class` | N, integers, bools, whole floats or texts | class of each image |
    /// | `class` | or N x C, of -1, 0 and 1 | for each class: absent, not counted, present |
    /// | `split` | N, texts `train`, `val` or `test`, or numbers 0 (train) and 1 (test) | part of the data set |
    /// | `class_names` | texts; optional | names of the numbers 0, 1 and so on, or of the columns |
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
    /// cannot represent, a label that is none of the accepted ones.
    pub fn from_archive<R: Read + Seek>(archive: &mut NpzArchive<R>) -> Result<Self, NpzError> {
        let [num_rows, num_units] = shape_of_features(archive)?;
        let splits = splits(archive, num_rows)?;
        let is_matrix = matches!(archive.array("class")?.header().shape[..], [_, _]);
        let classes = match is_matrix {
            true => many(archive, num_rows)?,
            false => {
                let (classes, names) = labels(archive, ("class", "class_names"), num_rows)?;
                TableClasses::One(classes, names)
            }
        };
        Ok(Self {
            features: features(archive, num_rows, num_units)?,
            num_units,
            classes,
            splits,
        })
    }
}

fn splits<R: Read + Seek>(
    archive: &mut NpzArchive<R>,
    num_rows: usize,
) -> Result<Vec<Split>, NpzError> {
    let unknown = |row: usize, value: String| NpzError::Label {
        name: "split",
        row,
        value,
        expected: "train, val or test; or 0 for train and 1 for test",
    };
    let (numbers, names) = labels(archive, ("split", "split_names"), num_rows)?;
    let split = |(row, &number): (usize, &i64)| {
        let name = |names: &Vec<String>| names.get(usize::try_from(number).ok()?).cloned();
        let Some(names) = &names else {
            return match number {
                0 => Ok(Split::Train),
                1 => Ok(Split::Test),
                number => Err(unknown(row, number.to_string())),
            };
        };
        let name = name(names).unwrap_or_default();
        match name.as_str() {
            "train" => Ok(Split::Train),
            "val" | "test" => Ok(Split::Test),
            _ => Err(unknown(row, format!("{name:?}"))),
        }
    };
    numbers.iter().enumerate().map(split).collect()
}

fn many<R: Read + Seek>(
    archive: &mut NpzArchive<R>,
    num_rows: usize,
) -> Result<TableClasses, NpzError> {
    let array = archive.array("class")?;
    let num_classes = match array.header().shape[..] {
        [rows, classes] if rows == num_rows && classes > 0 => classes,
        _ => {
            return Err(array.shape(format!(
                "[{num_rows}], or {num_rows} x C: a row for each row of `feat`, a column for each class"
            )));
        }
    };
    let is_fortran = array.header().is_fortran;
    let stored = array.into_integers()?;
    let mut states = vec![0; stored.len()];
    for (index, value) in stored.into_iter().enumerate() {
        let (row, class) = match is_fortran {
            true => (index % num_rows, index / num_rows),
            false => (index / num_classes, index % num_classes),
        };
        states[row * num_classes + class] = match value {
            -1..=1 => value as i8,
            value => {
                return Err(NpzError::Label {
                    name: "class",
                    row,
                    value: format!("{value} for class {class}"),
                    expected: match num_classes {
                        1 => {
                            "-1 for absent, 0 for not counted, 1 for present; classes by number have the shape N, as of class.ravel()"
                        }
                        _ => "-1 for absent, 0 for not counted, 1 for present",
                    },
                });
            }
        };
    }
    if !states.contains(&-1) {
        return Err(NpzError::Label {
            name: "class",
            row: 0,
            value: "without any -1, so that no image is a negative".to_owned(),
            expected: "-1 for absent, 0 for not counted, 1 for present (of a matrix of 0 and 1: 2 * class - 1)",
        });
    }
    let names = match archive.has("class_names") {
        false => (0..num_classes).map(|class| class.to_string()).collect(),
        true => {
            let array = archive.array("class_names")?;
            if array.header().shape != [num_classes] {
                return Err(array.shape(format!(
                    "[{num_classes}], a name for each column of `class`"
                )));
            }
            array.into_texts()?
        }
    };
    Ok(TableClasses::Many(states, names))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::npz::{ArrayValues, NamedArray, write_npz};

    fn array<'a>(name: &'a str, shape: &'a [usize], values: ArrayValues<'a>) -> NamedArray<'a> {
        NamedArray {
            name,
            shape,
            values,
        }
    }

    fn read(arrays: &[NamedArray<'_>]) -> Result<LabelledFeatures, NpzError> {
        let file = write_npz(Cursor::new(Vec::new()), arrays).unwrap();
        LabelledFeatures::from_archive(&mut NpzArchive::new(file).unwrap())
    }

    const FEAT: NamedArray<'static> = NamedArray {
        name: "feat",
        shape: &[3, 1],
        values: ArrayValues::F32(&[0.5, 1.0, 2.0]),
    };

    #[test]
    fn one_class_or_several_classes_of_an_image_are_read_with_the_split() {
        let split = array("split", &[3], ArrayValues::I64(&[0, 0, 1]));
        let one = array("class", &[3], ArrayValues::I64(&[7, -2, 7]));
        let found = read(&[FEAT, one, split]).unwrap();
        assert_eq!(found.splits, [Split::Train, Split::Train, Split::Test]);
        assert_eq!(found.classes, TableClasses::One(vec![7, -2, 7], None));
        let many = array("class", &[3, 2], ArrayValues::I64(&[1, -1, 0, 1, -1, -1]));
        let found = read(&[FEAT, many, split]).unwrap();
        let names = vec!["0".to_owned(), "1".to_owned()];
        assert_eq!(
            found.classes,
            TableClasses::Many(vec![1, -1, 0, 1, -1, -1], names)
        );
    }

    #[test]
    fn other_labels_and_a_missing_split_are_refused_with_the_row() {
        let one = array("class", &[3], ArrayValues::I64(&[0, 1, 0]));
        let err = read(&[FEAT, one]).unwrap_err().to_string();
        assert!(err.contains("split"), "{err}");
        let split = array("split", &[3], ArrayValues::I64(&[0, 1, 2]));
        assert_eq!(
            read(&[FEAT, one, split]).unwrap_err().to_string(),
            "`split` is 2 in row 2; expected train, val or test; or 0 for train and 1 for test"
        );
        let split = array("split", &[3], ArrayValues::I64(&[0, 1, 1]));
        let many = array("class", &[3, 2], ArrayValues::I64(&[1, -1, 0, 2, -1, -1]));
        assert_eq!(
            read(&[FEAT, many, split]).unwrap_err().to_string(),
            "`class` is 2 for class 1 in row 1; expected -1 for absent, 0 for not counted, 1 for present"
        );
        let column = array("class", &[3, 1], ArrayValues::I64(&[0, 1, 2]));
        let err = read(&[FEAT, column, split]).unwrap_err().to_string();
        assert!(
            err.ends_with("have the shape N, as of class.ravel()"),
            "{err}"
        );
    }
}
