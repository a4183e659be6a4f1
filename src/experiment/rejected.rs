//! Chooses rejected tracklets to show, with the frames that they start in.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use vidpairs_shard::{DatasetReader, ShardError, read_tracklets};
use vidpairs_types::{EncodedMember, Role, SizePx, TrackletLine};

use crate::inspect::encoded;

/// Maximum number of rejected tracklets of a data set.
pub const MAX_REJECTED: usize = 12;
/// Maximum number of rejected tracklets for one reason.
const MAX_PER_REASON: usize = 3;
/// Maximum number of bytes of `tracks.jsonl.zst` that are read, after decompression: about a hundred thousand tracklets.
const MAX_TRACKS_BYTES: u64 = 256 << 20;
/// Maximum number of clips whose first pair is remembered.
const MAX_CLIPS: usize = 1 << 16;
/// Maximum number of tracklets that start in one frame and are looked at.
const MAX_IN_FRAME: usize = 1_000;

/// A rejected tracklet.
#[derive(Debug, Clone)]
pub struct RejectedTracklet {
    /// Its boxes and the reason.
    pub line: TrackletLine,
    /// Size of the frames of its clip; `None` if no record of the clip can be read.
    pub frame_size: Option<SizePx>,
    /// The frame that it starts in, if a pair of the same frame was stored with whole frames.
    pub picture: Option<PictureOfFrame>,
}

/// A stored picture of a whole frame.
#[derive(Debug, Clone)]
pub struct PictureOfFrame {
    /// The stored image.
    pub member: EncodedMember,
    /// Its size.
    pub size: SizePx,
}

/// Where a stored pair of the same clip is found.
#[derive(Debug, Clone, PartialEq)]
struct StoredPair {
    number: u64,
    key: String,
    is_of_same_frame: bool,
}

type Candidate = (TrackletLine, Option<StoredPair>);

/// Some tracklets of each reason, evenly spread over the data set in `dir`. Those with a stored frame are preferred.
///
/// # Errors
/// [`ShardError`] if the tracklets or the manifest cannot be read.
pub(super) fn read(dir: &Path, max_bytes: u64) -> Result<Vec<RejectedTracklet>, ShardError> {
    let dataset = DatasetReader::open(dir)?;
    let mut choice = Choice::default();
    let files: Vec<_> = dataset.manifest().tracks_files().collect();
    let max_tracks_bytes = MAX_TRACKS_BYTES / files.len().max(1) as u64;
    for (first_record, file) in files {
        choice.num_trusted = first_record;
        for line in read_tracklets(dir, file, max_tracks_bytes)? {
            choice.add(line?);
        }
    }
    let mut bytes = 0;
    let chosen = choice.finish().into_iter();
    Ok(chosen
        .map(|(line, pair)| {
            let stored = pair.and_then(|pair| stored_frame(&dataset, &pair, &line.clip));
            let (frame_size, picture) = match stored {
                Some((size, picture)) => (Some(size), picture),
                None => (None, None),
            };
            let picture = picture.filter(|_| bytes < max_bytes);
            bytes += picture
                .iter()
                .map(|picture| picture.member.bytes.len() as u64)
                .sum::<u64>();
            RejectedTracklet {
                line,
                frame_size,
                picture,
            }
        })
        .collect())
}

/// Size of the frames of a pair, and its anchor frame if it is stored and asked for. `None` if the pair cannot be read, or is of another clip
/// than `clip`.
fn stored_frame(
    dataset: &DatasetReader,
    pair: &StoredPair,
    clip: &str,
) -> Option<(SizePx, Option<PictureOfFrame>)> {
    let record = encoded(&dataset.stored_record(pair.number).ok()?).ok()?;
    if record.meta.key != pair.key || record.meta.clip != clip {
        return None;
    }
    let view = record.meta.anchor_frame.as_ref();
    let mut members = record.members.into_iter();
    let member = members.find(|member| member.role == Role::AnchorFrame);
    let picture = view.zip(member).map(|(view, member)| PictureOfFrame {
        member,
        size: view.image_size,
    });
    let picture = picture.filter(|_| pair.is_of_same_frame);
    Some((record.meta.anchor.frame_size, picture))
}

/// Tracklets of each reason, chosen from lines in the order of the file.
#[derive(Default)]
struct Choice {
    by_reason: BTreeMap<String, OfReason>,
    /// Number of the record of the next trusted tracklet, in the order of the shards. Each has one, in the same order.
    num_trusted: u64,
    /// Rejected tracklets of the clip and anchor that is being read, and a pair of the clip.
    open: Vec<TrackletLine>,
    /// The first pair of each clip, for the size of its frames.
    of_clips: HashMap<String, StoredPair>,
    place: Option<(String, u64)>,
    pair: Option<StoredPair>,
}

#[derive(Default)]
struct OfReason {
    num: u64,
    with_frame: Spread<Candidate>,
    without_frame: Spread<Candidate>,
}

impl Choice {
    fn add(&mut self, line: TrackletLine) {
        let place = (line.clip.clone(), line.anchor);
        if self.place.as_ref() != Some(&place) {
            self.close();
            let is_same_clip = self
                .place
                .as_ref()
                .is_some_and(|(clip, _)| *clip == line.clip);
            self.pair = self.pair.take().filter(|_| is_same_clip);
            if let Some(pair) = &mut self.pair {
                pair.is_of_same_frame = false;
            }
            self.place = Some(place);
        }
        match &line.key {
            Some(key) => {
                let pair = StoredPair {
                    number: self.num_trusted,
                    key: key.clone(),
                    is_of_same_frame: true,
                };
                self.num_trusted += 1;
                if self.pair.is_none() && self.of_clips.len() < MAX_CLIPS {
                    let mut of_clip = pair.clone();
                    of_clip.is_of_same_frame = false;
                    self.of_clips.insert(line.clip, of_clip);
                }
                self.pair = Some(pair);
            }
            None if self.open.len() < MAX_IN_FRAME => self.open.push(line),
            None => {}
        }
    }

    /// Takes the tracklets of a frame, now that its pairs are known.
    fn close(&mut self) {
        for line in self.open.drain(..) {
            let of_reason = self.by_reason.entry(line.outcome.clone()).or_default();
            of_reason.num += 1;
            let list = match &self.pair {
                Some(pair) if pair.is_of_same_frame => &mut of_reason.with_frame,
                _ => &mut of_reason.without_frame,
            };
            list.add((line, self.pair.clone()));
        }
    }

    /// The chosen tracklets; the most frequent reason first.
    fn finish(mut self) -> Vec<Candidate> {
        self.close();
        let mut reasons: Vec<OfReason> = self.by_reason.into_values().collect();
        reasons.sort_by_key(|of_reason| std::cmp::Reverse(of_reason.num));
        reasons.truncate(MAX_REJECTED);
        let per_reason = (MAX_REJECTED / reasons.len().max(1)).min(MAX_PER_REASON);
        let choose = |of_reason: OfReason| {
            let mut chosen = of_reason.with_frame.chosen(per_reason);
            let rest = per_reason - chosen.len();
            chosen.extend(of_reason.without_frame.chosen(rest));
            chosen
        };
        let chosen = reasons.into_iter().flat_map(choose);
        let with_size = chosen.map(|(line, pair)| {
            let pair = pair.or_else(|| self.of_clips.get(&line.clip).cloned());
            (line, pair)
        });
        with_size.collect()
    }
}

/// Items spread evenly over a sequence of unknown length, in little memory.
struct Spread<T> {
    kept: Vec<T>,
    /// Every `stride`-th item is kept.
    stride: u64,
    num: u64,
}

impl<T> Default for Spread<T> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            stride: 1,
            num: 0,
        }
    }
}

impl<T> Spread<T> {
    /// Items that are kept at most.
    const MAX_KEPT: usize = 4 * MAX_PER_REASON;

    fn add(&mut self, item: T) {
        if self.num.is_multiple_of(self.stride) {
            if self.kept.len() == Self::MAX_KEPT {
                let mut index = 0;
                self.kept.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.stride *= 2;
            }
            if self.num.is_multiple_of(self.stride) {
                self.kept.push(item);
            }
        }
        self.num += 1;
    }

    /// At most `count` of the items, evenly spread.
    fn chosen(self, count: usize) -> Vec<T> {
        let num = self.kept.len();
        let wanted: Vec<usize> = vidpairs_run::middles(num as u64, count.min(num) as u64)
            .map(|index| index as usize)
            .collect();
        let kept = self.kept.into_iter().enumerate();
        kept.filter(|(index, _)| wanted.contains(index))
            .map(|(_, item)| item)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(clip: &str, anchor: u64, outcome: &str, key: Option<&str>) -> TrackletLine {
        TrackletLine {
            clip: clip.to_owned(),
            key: key.map(str::to_owned),
            anchor,
            k: 30,
            region: 0,
            tracker: "dcf".to_owned(),
            outcome: outcome.to_owned(),
            forward_backward_iou: None,
            boxes: Vec::new(),
        }
    }

    fn chosen(lines: impl IntoIterator<Item = TrackletLine>) -> Vec<Candidate> {
        let mut choice = Choice::default();
        lines.into_iter().for_each(|line| choice.add(line));
        choice.finish()
    }

    #[test]
    fn a_rejected_tracklet_is_shown_over_the_frame_of_a_pair_that_starts_in_the_same_frame() {
        let lines = [
            line("a", 0, "lost", None),
            line("a", 15, "lost", None),
            line("a", 15, "trusted", Some("k0")),
            line("a", 30, "too_small", None),
            line("b", 0, "too_small", None),
        ];
        let chosen = chosen(lines);
        let pairs: Vec<_> = chosen
            .iter()
            .map(|(line, pair)| {
                let of_same = pair
                    .as_ref()
                    .map(|pair| (pair.number, pair.is_of_same_frame));
                (line.clip.as_str(), line.anchor, of_same)
            })
            .collect();
        let expected = [
            ("a", 15, Some((0, true))),
            ("a", 0, Some((0, false))),
            ("a", 30, Some((0, false))),
            ("b", 0, None),
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn tracklets_are_chosen_evenly_for_each_reason_and_the_most_frequent_reason_is_first() {
        let lost = (0..1_000).map(|anchor| line("a", anchor, "lost", None));
        let small = (1_000..1_010).map(|anchor| line("a", anchor, "too_small", None));
        let chosen = chosen(small.chain(lost));
        let places: Vec<_> = chosen.iter().map(|(line, _)| line.anchor).collect();
        let (lost, small) = places.split_at(MAX_PER_REASON);
        assert!(
            lost[0] < 400 && (300..800).contains(&lost[1]) && lost[2] > 600,
            "{lost:?}"
        );
        assert!(small.iter().all(|anchor| *anchor >= 1_000) && small.len() == MAX_PER_REASON);
    }

    #[test]
    fn no_more_tracklets_are_shown_than_the_limit_however_many_reasons_there_are() {
        let lines = (0..100).map(|n| line("a", n, &format!("reason {:02}", n % 20), None));
        assert_eq!(chosen(lines).len(), MAX_REJECTED);
    }
}
