//! Caches features in `OUT/features/KEY.npz`, where KEY is a hash of everything that they depend on.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vidpairs_invariance::npz::{ArrayValues, NamedArray, NpzArchive, NpzError, write_npz};
use vidpairs_invariance::run::{FeatureLabels, LabelColumn};
use vidpairs_run::{Control, Progress, RunError, Unit, failed};
use vidpairs_types::{Beyond, BoxXywh, ImagePart, create_own_folder, replace_whole_by};
use xxhash_rust::xxh3::Xxh3;

use super::encode::PartRows;
use super::load::{BATCH, Unreadable};
use super::parts::Parts;
use super::{PartView, Protocol, View};
use crate::model::{Pooling, Readout, TrainedEncoder, TrainedNetwork, num_layers};

/// Version of the cache: increased when the same images give other features, or the file format changes.
const FORMAT: u32 = 2;
/// Folder of the cache in the output folder.
pub(super) const FOLDER: &str = "features";
/// The work in the output folder that an early end does not lose.
pub(super) const COMPLETE: &str = "features that were complete";

/// One file of the cache.
#[derive(Debug)]
pub(super) struct Cache {
    pub path: PathBuf,
    out: PathBuf,
    key: String,
    about: Model,
}

/// The array `about`: JSON in bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct About {
    format: u32,
    key: String,
    #[serde(flatten)]
    model: Model,
    /// Names of the numbers in arrays of labels, such as `targets`.
    #[serde(flatten)]
    names: Map<String, Value>,
    /// Images that `image` numbers.
    images: Vec<ImageLine>,
    left_out: Vec<LeftOutLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Model {
    network: String,
    weights_xxh3: String,
    stage: String,
    /// Of a ViT, which has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pooling: Option<String>,
    side_px: u32,
    /// How the view is made; none for the view of invariances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<String>,
    precision: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ImageLine {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<BoxXywh>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LeftOutLine {
    image: usize,
    reason: String,
}

impl Cache {
    /// The file of the features of `parts` by `encoder` below `out`. Its name is a hash of the weights, of the protocol, and of each image:
    /// path, length, modification time and box.
    pub fn new(
        out: &Path,
        encoder: &TrainedEncoder,
        (readout, protocol): (Readout, &Protocol),
        (parts, stamps): (&Parts, &[Stamp]),
    ) -> Self {
        let about = Model {
            network: encoder.architecture.to_string(),
            weights_xxh3: format!("{:032x}", encoder.fingerprint),
            stage: readout.stage.name().to_owned(),
            pooling: match (&encoder.network, readout.pooling) {
                (TrainedNetwork::ResNet(_), _) => None,
                (TrainedNetwork::Vit(_), Pooling::ClassToken) => Some("cls".to_owned()),
                (TrainedNetwork::Vit(_), Pooling::Mean) => Some("mean".to_owned()),
            },
            side_px: protocol.side_px(),
            view: view_text(protocol.view),
            precision: protocol.precision.name().to_owned(),
        };
        let beginning = [
            "vidpairs features",
            &FORMAT.to_string(),
            &about.weights_xxh3,
            &num_layers(readout.stage).to_string(),
            &about.side_px.to_string(),
            &about.precision,
        ];
        let further = [&about.pooling, &about.view].into_iter().flatten();
        let words: Vec<&str> = beginning
            .into_iter()
            .chain(further.map(String::as_str))
            .collect();
        let key = key_of(&words, &parts.all, stamps);
        Self {
            path: out.join(FOLDER).join(format!("{key}.npz")),
            out: out.to_owned(),
            key,
            about,
        }
    }

    /// Hash of everything that a pass over `parts` depends on but its stages.
    pub fn key_of_pass(
        encoder: &TrainedEncoder,
        protocol: &Protocol,
        (parts, stamps): (&Parts, &[Stamp]),
    ) -> String {
        let words = [
            "vidpairs unfinished features",
            &FORMAT.to_string(),
            &format!("{:032x}", encoder.fingerprint),
            &protocol.side_px().to_string(),
            protocol.precision.name(),
            &view_text(protocol.view).unwrap_or_default(),
            &BATCH.to_string(),
        ];
        key_of(&words, &parts.all, stamps)
    }

    /// Hash of everything that the features depend on.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The rows of the file, if it exists and is whole, and whether it has these labels: those of another call may differ.
    pub fn read(&self, parts: &Parts, labels: &FeatureLabels) -> Option<(PartRows, bool)> {
        let read = || -> Result<_, NpzError> {
            let mut archive = NpzArchive::open(&self.path)?;
            let about = archive.array("about")?.into_bytes()?;
            let kept = archive.array("image")?.into_integers()?;
            let column = |column: &LabelColumn| archive.array(column.name)?.into_integers();
            let columns: Result<Vec<Vec<i64>>, _> = labels.columns.iter().map(column).collect();
            let array = archive.array("feat")?;
            let shape = array.header().shape.clone();
            Ok((about, kept, columns.ok(), shape, array.into_f32s()?))
        };
        let (about, kept, stored, shape, values) = read().ok()?;
        let about: About = serde_json::from_slice(&about).ok()?;
        let kept: Option<Vec<usize>> = (kept.into_iter())
            .map(|image| usize::try_from(image).ok())
            .collect();
        let (kept, &[num_rows, num_units]) = (kept?, shape.as_slice()) else {
            return None;
        };
        let is_ours = about.key == self.key
            && about.images.len() == parts.all.len()
            && kept.len() == num_rows
            && num_rows + about.left_out.len() == parts.all.len();
        let left_out = about.left_out.into_iter().map(|line| Unreadable {
            part: line.image,
            reason: line.reason,
            is_lasting: true,
        });
        is_ours.then(|| {
            let rows = PartRows {
                values,
                num_units,
                kept,
                left_out: left_out.collect(),
            };
            let own = columns(&rows, parts, labels);
            let are_equal = stored.is_some_and(|stored| {
                stored.iter().eq(own.iter().map(|column| &column.values))
                    && about.names == names_of(labels)
            });
            (rows, are_equal)
        })
    }

    /// Writes the file, whole or not at all: `feat` and the columns of `labels` as in files of other programs, `image` with the number of
    /// each row's image, and `about` with the names behind the numbers.
    ///
    /// For an image that occurs several times, the labels are those of its first place. Other data sets that share the file have theirs not
    /// in it.
    ///
    /// # Errors
    /// [`RunError::File`], or [`RunError::DiskFull`].
    pub fn write(
        &self,
        rows: &PartRows,
        parts: &Parts,
        labels: &FeatureLabels,
    ) -> Result<(), RunError> {
        let about = serde_json::to_vec(&self.about(rows, parts, labels))
            .expect("names and numbers have a JSON form");
        let columns = columns(rows, parts, labels);
        let images: Vec<i64> = rows.kept.iter().map(|&part| part as i64).collect();
        fn array<'a>(name: &'a str, shape: &'a [usize], values: ArrayValues<'a>) -> NamedArray<'a> {
            NamedArray {
                name,
                shape,
                values,
            }
        }
        let (num_rows, num_bytes) = ([rows.kept.len()], [about.len()]);
        let shape = [rows.kept.len(), rows.num_units];
        let mut arrays = vec![array("feat", &shape, ArrayValues::F32(&rows.values))];
        arrays.extend(
            (columns.iter())
                .map(|column| array(column.name, &column.shape, ArrayValues::I64(&column.values))),
        );
        arrays.push(array("image", &num_rows, ArrayValues::I64(&images)));
        arrays.push(array("about", &num_bytes, ArrayValues::U8(&about)));
        let write = || {
            create_own_folder(&self.out.join(FOLDER))?;
            replace_whole_by(&self.path, |file| {
                write_npz(file, &arrays).map_err(|err| match err {
                    NpzError::Write(source) => source,
                    other => io::Error::other(other),
                })
            })
        };
        write()
            .map_err(failed("write", &self.path))
            .map_err(|err| err.named_if_full(&self.out, COMPLETE))
    }

    fn about(&self, rows: &PartRows, parts: &Parts, labels: &FeatureLabels) -> About {
        let image = |part: &ImagePart| ImageLine {
            path: part.path.to_string_lossy().into_owned(),
            region: part.region,
        };
        let left_out = |image: &Unreadable| LeftOutLine {
            image: image.part,
            reason: image.reason.clone(),
        };
        About {
            format: FORMAT,
            key: self.key.clone(),
            model: self.about.clone(),
            names: names_of(labels),
            images: parts.all.iter().map(image).collect(),
            left_out: rows.left_out.iter().map(left_out).collect(),
        }
    }
}

/// Names behind the numbers of labels, by key.
fn names_of(labels: &FeatureLabels) -> Map<String, Value> {
    let names = labels.names.iter();
    names
        .map(|(key, names)| ((*key).to_owned(), Value::from(names.clone())))
        .collect()
}

/// An array of labels of the rows.
struct RowLabels {
    name: &'static str,
    shape: Vec<usize>,
    values: Vec<i64>,
}

fn columns(rows: &PartRows, parts: &Parts, labels: &FeatureLabels) -> Vec<RowLabels> {
    let mut first_of = vec![0; parts.all.len()];
    // Backwards, so that the first place of a part wins.
    for (place, &part) in parts.of_images.iter().enumerate().rev() {
        if let Some(first) = first_of.get_mut(part) {
            *first = place;
        }
    }
    let column = |column: &LabelColumn| {
        let width = column.width.unwrap_or(1);
        let of_row = |&part: &usize| {
            let start = first_of.get(part).map_or(0, |first| first * width);
            column.values.iter().skip(start).take(width).copied()
        };
        let mut shape = vec![rows.kept.len()];
        shape.extend(column.width);
        RowLabels {
            name: column.name,
            shape,
            values: rows.kept.iter().flat_map(of_row).collect(),
        }
    };
    labels.columns.iter().map(column).collect()
}

/// The view in words; none for the view of invariances, whose files have no such word.
fn view_text(view: View) -> Option<String> {
    let View::Exact(view) = view else { return None };
    let side_px = view.side_px;
    let beyond = match view.beyond {
        Beyond::Cut => "cut",
        Beyond::Padded => "padded",
    };
    let is_new = view != PartView::of_invariance(side_px);
    is_new.then(|| format!("{} {beyond}", view.framing.name()))
}

/// Length and modification time of a file, by which a change is noticed. A missing file has a stamp too: it is left out until it exists.
#[derive(Debug, Clone, Copy)]
pub(in crate::run) struct Stamp {
    num_bytes: Option<u64>,
    changed: Option<SystemTime>,
}

impl Stamp {
    /// Whether there is no file, or none that may be looked at.
    pub fn is_missing(&self) -> bool {
        self.num_bytes.is_none()
    }
}

/// Stamps of the files of `images`, each of which is looked at once.
///
/// # Errors
/// [`RunError::Stopped`] if the user stopped the run.
pub(in crate::run) fn stamps(
    images: &[ImagePart],
    control: &Control,
) -> Result<Vec<Stamp>, RunError> {
    let unit = Unit::Things("image");
    let mut progress = Progress::new(unit, images.len() as u64, 0, control.verbosity);
    progress.set_note("looking for changed files".to_owned());
    let stamp = |image: &ImagePart| {
        if control.cancel.is_set() {
            return Err(RunError::Stopped);
        }
        let file = fs::metadata(&image.path).ok();
        progress.advance(1);
        Ok(Stamp {
            num_bytes: file.as_ref().map(|file| file.len()),
            changed: file.and_then(|file| file.modified().ok()),
        })
    };
    let stamps = images.iter().map(stamp).collect();
    progress.finish();
    stamps
}

/// Hash of `words` and of the images, in hexadecimal digits: path, length, modification time and box of each.
///
/// - `stamps`: of the images, from [`stamps`].
pub(in crate::run) fn key_of(words: &[&str], images: &[ImagePart], stamps: &[Stamp]) -> String {
    let mut hash = Xxh3::new();
    hash.update(words.join("\n").as_bytes());
    for (image, stamp) in images.iter().zip(stamps) {
        hash_part(&mut hash, image, stamp);
    }
    format!("{:032x}", hash.digest128())
}

fn hash_part(hash: &mut Xxh3, part: &ImagePart, stamp: &Stamp) {
    let path = part.path.as_os_str().as_encoded_bytes();
    hash.update(&(path.len() as u64).to_le_bytes());
    hash.update(path);
    let since = stamp
        .changed
        .map(|changed| match changed.duration_since(UNIX_EPOCH) {
            Ok(after) => (1, after),
            Err(before) => (-1, before.duration()),
        });
    let described = format!(
        "{:?} {:?} {:?}",
        stamp.num_bytes,
        since.map(|(sign, time)| (sign, time.as_nanos())),
        part.region_bits()
    );
    hash.update(&(described.len() as u64).to_le_bytes());
    hash.update(described.as_bytes());
}
