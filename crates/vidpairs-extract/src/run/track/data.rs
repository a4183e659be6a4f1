//! Lists the sequences of all data sets, in order, each with a unique name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vidpairs_run::RunError;
use vidpairs_source::{MotTrack, SourceError, SourceOptions};
use vidpairs_types::{BoxXywh, Clip, Media, Refusal, SourceKind, with_causes};
use xxhash_rust::xxh3::Xxh3;

use super::TrackOptions;
use super::pattern::matches;
use crate::run::TrackRunError;
use crate::run::files::{self, Identity};

/// Layout of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackDataKind {
    /// GOT-10k as distributed.
    Got10k,
    /// TrackingNet as distributed.
    TrackingNet,
    /// Truth in the form of MOTChallenge, beside video or frames.
    Mot,
}

impl TrackDataKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Got10k, Self::TrackingNet, Self::Mot];

    /// The name on the command line and in the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Got10k => SourceKind::Got10k.name(),
            Self::TrackingNet => SourceKind::TrackingNet.name(),
            Self::Mot => "mot",
        }
    }
}

/// An annotated data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackData {
    /// Layout.
    pub kind: TrackDataKind,
    /// The whole set, one split of it, or a file of truth.
    #[serde(serialize_with = "vidpairs_types::path_as_text")]
    pub root: PathBuf,
}

/// One target in one video.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    /// Name of the data set in the output.
    pub data: String,
    pub kind: TrackDataKind,
    /// Id, unique in its data set: `val/GOT-10k_Val_000001`, `street/7`.
    pub id: String,
    /// Name of its files: unique too, and without the split where possible.
    pub name: String,
    pub truth: TruthPlace,
}

/// Place of the boxes.
#[derive(Debug, Clone)]
pub(super) enum TruthPlace {
    Clip(Clip),
    Mot(MotTrack),
}

impl Sequence {
    pub fn media(&self) -> &Media {
        match &self.truth {
            TruthPlace::Clip(clip) => &clip.media,
            TruthPlace::Mot(track) => &track.media,
        }
    }

    /// The name in `refused.jsonl`.
    pub fn full_id(&self) -> String {
        format!("{}/{}", self.data, self.id)
    }
}

/// The sequences of a run.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    pub list: Vec<Sequence>,
    /// Inputs that should have been sequences.
    pub refused: Vec<Refusal>,
}

impl Sequences {
    /// Lists the sequences of `options` that its patterns and its limit select.
    pub fn list(options: &TrackOptions) -> Result<Self, RunError> {
        let mut all = Self::default();
        for (data, name) in options.data.iter().zip(labels(&options.data)) {
            let (mut found, refused) = list_one(data, &name, options)?;
            let is_selected = |id: &str, short: &str| {
                let of_any = |it: &String| matches(it, id) || matches(it, short);
                options.patterns.is_empty() || options.patterns.iter().any(of_any)
            };
            found.retain(|sequence| is_selected(&sequence.id, &sequence.name));
            found.truncate(options.limit.unwrap_or(usize::MAX));
            let refused = refused
                .into_iter()
                .filter(|refusal| is_selected(&refusal.id, last(&refusal.id)));
            all.refused.extend(refused.map(|refusal| Refusal {
                id: format!("{name}/{}", refusal.id),
                retry: RETRY.to_owned(),
                ..refusal
            }));
            all.list.extend(found);
        }
        if all.list.is_empty() {
            return Err(TrackRunError::NoSequence {
                patterns: options.patterns.join(", "),
            }
            .into());
        }
        Ok(all)
    }

    /// Checksum of the names, in order: two listings of the same data agree.
    pub fn fingerprint(&self) -> String {
        let mut hash = Xxh3::new();
        for id in self.list.iter().map(Sequence::full_id) {
            add_text(&id, &mut hash);
        }
        format!("{:016x}", hash.digest())
    }

    /// Checksum of the truth. A file that cannot be read counts with its error.
    pub fn truth_fingerprint(&self) -> String {
        let mut hash = Xxh3::new();
        for sequence in &self.list {
            match &sequence.truth {
                TruthPlace::Clip(clip) => add_annotations(clip, &mut hash),
                TruthPlace::Mot(track) => {
                    hash.update(&(track.rows.len() as u64).to_le_bytes());
                    for row in &track.rows {
                        hash.update(&row.frame.to_le_bytes());
                        add_box(row.bbox, &mut hash);
                        hash.update(&[u8::from(row.is_visible)]);
                    }
                }
            }
        }
        format!("{:016x}", hash.digest())
    }

    /// Checksum over lengths and times of the media. A video with several targets counts once in a row.
    pub fn media_fingerprint(&self) -> String {
        let mut hash = Xxh3::new();
        let mut before = None;
        for media in self.list.iter().map(Sequence::media) {
            if before.replace(media) != Some(media) {
                let files = files::of_media(media, Identity::Content);
                hash.update(&files.unwrap_or_default().to_le_bytes());
            }
        }
        format!("{:016x}", hash.digest())
    }
}

fn add_text(text: &str, hash: &mut Xxh3) {
    hash.update(&(text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

fn add_box(bbox: BoxXywh, hash: &mut Xxh3) {
    for side in <[f64; 4]>::from(bbox) {
        hash.update(&side.to_le_bytes());
    }
}

fn add_annotations(clip: &Clip, hash: &mut Xxh3) {
    let error = |err: SourceError, hash: &mut Xxh3| add_text(&with_causes(&err), hash);
    match vidpairs_source::annotations(clip) {
        Ok(found) => {
            hash.update(&(found.boxes.len() as u64).to_le_bytes());
            for found in found.boxes {
                hash.update(&[u8::from(found.is_some())]);
                if let Some(found) = found {
                    add_box(found.bbox, hash);
                    hash.update(&[u8::from(found.absent)]);
                }
            }
            add_text(&found.label.unwrap_or_default(), hash);
        }
        Err(err) => error(err, hash),
    }
    match vidpairs_source::cover(clip) {
        Ok(cover) => {
            let cover = cover.unwrap_or_default();
            hash.update(&(cover.len() as u64).to_le_bytes());
            hash.update(&cover);
        }
        Err(err) => error(err, hash),
    }
}

/// Advice for a refused sequence.
pub(super) const RETRY: &str = "repair it and run the command again with a new --out";

fn list_one(
    data: &TrackData,
    name: &str,
    options: &TrackOptions,
) -> Result<(Vec<Sequence>, Vec<Refusal>), RunError> {
    let kind = match data.kind {
        TrackDataKind::Got10k => SourceKind::Got10k,
        TrackDataKind::TrackingNet => SourceKind::TrackingNet,
        TrackDataKind::Mot => return list_mot(data, name, options),
    };
    let splits = options.splits.clone();
    let listing = vidpairs_source::list(&data.root, &SourceOptions { kind, splits })
        .map_err(TrackRunError::from)?;
    let mut num_of_name: HashMap<&str, u64> = HashMap::new();
    for clip in &listing.clips {
        *num_of_name.entry(last(&clip.id)).or_default() += 1;
    }
    let is_unique = |id: &str| num_of_name.get(last(id)) == Some(&1);
    let sequence = |clip: &Clip| Sequence {
        data: name.to_owned(),
        kind: data.kind,
        name: if is_unique(&clip.id) {
            last(&clip.id)
        } else {
            &clip.id
        }
        .to_owned(),
        id: clip.id.clone(),
        truth: TruthPlace::Clip(clip.clone()),
    };
    let sequences = listing.clips.iter().map(sequence).collect();
    Ok((sequences, listing.refused))
}

fn list_mot(
    data: &TrackData,
    name: &str,
    options: &TrackOptions,
) -> Result<(Vec<Sequence>, Vec<Refusal>), RunError> {
    let listing = vidpairs_source::mot_tracks(&data.root, options.media.as_deref())
        .map_err(TrackRunError::from)?;
    let sequence = |track: MotTrack| Sequence {
        data: name.to_owned(),
        kind: data.kind,
        id: track.id.clone(),
        name: track.id.replace('/', "_"),
        truth: TruthPlace::Mot(track),
    };
    let sequences = listing.tracks.into_iter().map(sequence).collect();
    Ok((sequences, listing.refused))
}

fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Name of each data set: its kind, and its folder if there are several of a kind.
pub(super) fn labels(data: &[TrackData]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for it in data {
        let kind = it.kind.name();
        let is_only = data.iter().filter(|other| other.kind == it.kind).count() == 1;
        let label = match is_only {
            true => kind.to_owned(),
            false => format!("{kind}-{}", own_name(&it.root)),
        };
        let free = (2..).map(|number| format!("{label}-{number}"));
        let mut free = std::iter::once(label.clone()).chain(free);
        labels.extend(free.find(|label| !labels.contains(label)));
    }
    labels
}

/// Name of the folder; for a split that of the folder above.
fn own_name(root: &Path) -> String {
    let whole = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let parts: Vec<_> = whole
        .components()
        .rev()
        .map(|folder| folder.as_os_str().to_string_lossy())
        .collect();
    let is_split =
        |name: &str| ["train", "val", "test", "TEST"].contains(&name) || name.starts_with("TRAIN_");
    match parts.as_slice() {
        [split, set, ..] if is_split(split) => format!("{set}-{split}"),
        [name, ..] => name.trim_end_matches(".txt").replace('/', ""),
        [] => "data".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(kind: TrackDataKind, root: &str) -> TrackData {
        TrackData {
            kind,
            root: root.into(),
        }
    }

    #[test]
    fn several_sets_of_a_kind_are_told_by_their_folders() {
        let sets = [
            data(TrackDataKind::Got10k, "/no/calm/val"),
            data(TrackDataKind::Got10k, "/no/fast"),
            data(TrackDataKind::Got10k, "/other/fast"),
            data(TrackDataKind::Mot, "/no/gt.txt"),
        ];
        let expected = ["got10k-calm-val", "got10k-fast", "got10k-fast-2", "mot"];
        assert_eq!(labels(&sets), expected);
    }
}
