//! Makes the pairs of a piece in rounds: those that span a shot cut are drawn anew and made in the next round.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use vidpairs_pipeline::Pipeline;
use vidpairs_run::RunError;
use vidpairs_types::parallel::Heartbeat;
use vidpairs_types::{EncodedRecord, PairPlan, Stage, with_causes};

use super::job::ExtractJob;
use super::piece::{Piece, PieceRecords, frames_of};
use super::plan::clip_frames;
use super::regions::Tracks;
use super::view::LostPair;
use super::watch::{Watch, ends, stored};
use crate::cuts::Cut;
use crate::decode::{DecodeError, Decoded};
use crate::run::allowance;
use crate::sample::{CutEnds, MAX_REDRAWS, Redraw, is_in_one_shot};

/// Makes the pairs of plans, and adds the cuts that it finds.
pub(super) type MakeRound<'a> =
    dyn FnMut(&[PairPlan], &mut KnownCuts) -> Result<Round, Box<RunError>> + 'a;

/// What one round gave.
pub(super) struct Round {
    pub decoded: Result<Decoded, DecodeError>,
    /// Records with the ordinal of their pair.
    pub records: Vec<(u64, EncodedRecord)>,
    pub lost: Vec<LostPair>,
    /// Plans of pairs that span a cut.
    pub over_cuts: Vec<PairPlan>,
    /// Tracklets; kind `regions` only.
    pub tracks: Option<Tracks>,
}

impl Round {
    /// Completes what was made while `piece` was decoded: after a failure every lost pair has its reason, and no pair is drawn anew. No
    /// record is kept of a file that changed meanwhile, since its views may be of different videos: then it returns the whole piece.
    fn judge(&mut self, piece: &Piece) -> Option<PieceRecords> {
        let err = self.decoded.as_ref().err()?;
        let reason = with_causes(err);
        if matches!(err, DecodeError::Changed { .. }) {
            return Some(piece.lost(Stage::Decode, &reason));
        }
        let lost = |_| LostPair {
            stage: Stage::Decode,
            reason: String::new(),
        };
        self.lost.extend(self.over_cuts.drain(..).map(lost));
        let lost = self.lost.iter_mut();
        lost.for_each(|pair| pair.reason.clone_from(&reason));
        None
    }
}

/// Cuts that the rounds of a piece have found.
#[derive(Default)]
pub(super) struct KnownCuts(Vec<Cut>);

impl KnownCuts {
    /// Adds what a round has seen.
    pub fn add(&mut self, watch: Watch) {
        self.0.extend(watch.into_cuts());
    }

    pub fn ends(&self) -> Vec<CutEnds> {
        ends(&self.0)
    }
}

/// The frames that are watched for cuts; none if `pipeline` ignores them.
pub(super) fn watch_over(pipeline: &Pipeline, plans: &[PairPlan]) -> Watch {
    match pipeline.pairs.avoid_cuts() {
        true => Watch::over(plans),
        false => Watch::default(),
    }
}

impl ExtractJob {
    /// Makes the pairs of a piece.
    ///
    /// - `make`: makes pairs from their plans, ordered by anchor. It adds the cuts that it finds, and decides by all that are known.
    ///
    /// # Errors
    /// A fault of the machine.
    pub(super) fn in_rounds(
        &self,
        piece: &Piece,
        heartbeat: &Arc<Heartbeat>,
        make: &mut MakeRound<'_>,
    ) -> Result<PieceRecords, Box<RunError>> {
        let planned = &*piece.planned;
        let (mut known, mut made) = (KnownCuts::default(), PieceRecords::default());
        let mut plans = Cow::Borrowed(piece.plans());
        let mut tracks: Option<Tracks> = None;
        let mut taken = HashSet::new();
        for round in 1.. {
            let mut now = make(&plans, &mut known)?;
            if let Some(lost) = now.judge(piece) {
                return Ok(lost);
            }
            made.frames_decoded += now.decoded.as_ref().map_or(0, |found| found.num_frames);
            made.records.append(&mut now.records);
            made.lost.append(&mut now.lost);
            if let Some(new) = now.tracks {
                tracks.get_or_insert_default().append(new);
            }
            if round > 1 {
                made.cuts.moved += (plans.len() - now.over_cuts.len()) as u64;
            }
            let drawn = match round <= MAX_REDRAWS {
                true => self.drawn_anew(piece, &now.over_cuts, (&known, &mut taken), round),
                false => Vec::new(),
            };
            made.cuts.left_out += (now.over_cuts.len() - drawn.len()) as u64;
            if drawn.is_empty() {
                break;
            }
            let to_use = allowance::to_use(frames_of(&drawn).len(), self.patience);
            let to_read = allowance::to_read(&planned.clip.media, self.patience);
            heartbeat.allow(to_read.saturating_add(to_use));
            plans = Cow::Owned(drawn);
        }
        // A later round may have found a cut that an earlier one did not. Records of tracklets stay: every frame of theirs was watched.
        if tracks.is_none() {
            let (ends, num) = (known.ends(), made.records.len());
            made.records.retain(|(_, record)| {
                let positive = record.meta.positive.as_ref();
                let anchor = record.meta.anchor.frame;
                positive.is_none_or(|positive| is_in_one_shot(anchor, positive.frame, &ends))
            });
            made.cuts.left_out += (num - made.records.len()) as u64;
        }
        made.records.sort_by_key(|&(pair, _)| pair);
        made.cuts.cuts = stored(&known.0, &planned.index);
        made.tracks = tracks.map(Tracks::into_piece);
        Ok(made)
    }

    /// Draws the pairs `plans` anew, as far as they have room beside the known cuts.
    ///
    /// - `taken`: pairs that were drawn anew before.
    fn drawn_anew(
        &self,
        piece: &Piece,
        plans: &[PairPlan],
        (known, taken): (&KnownCuts, &mut HashSet<(u64, u64)>),
        round: u32,
    ) -> Vec<PairPlan> {
        if plans.is_empty() {
            return Vec::new();
        }
        let planned = &*piece.planned;
        let pairs = &self.pipeline.pairs;
        // Others cannot be drawn.
        let range = piece.anchors();
        let of_clip = planned.plans.iter();
        let of_clip = of_clip.filter(|plan| range.contains(&plan.anchor));
        taken.extend(of_clip.map(|plan| (plan.anchor, plan.last_frame() - plan.anchor)));
        let redraw = Redraw {
            clip: clip_frames(&planned.index, &planned.known_boxes),
            rule: &pairs.rule,
            anchors: pairs.anchors,
            range,
            seed: self.seed_of("redraw", &planned.clip),
        };
        let mut drawn = redraw.draw(plans, &known.ends(), taken, round);
        drawn.sort_by_key(|plan| (plan.anchor, plan.ordinal));
        drawn
    }
}

#[cfg(test)]
mod tests {
    use vidpairs_types::{Clip, Media, PairKind, RecordMeta, RgbImage, SCHEMA, SizePx, ViewMeta};

    use super::super::piece::PlannedClip;
    use super::super::record::ClipWords;
    use super::*;
    use crate::decode;

    #[test]
    fn no_record_is_kept_of_a_file_that_changed_while_it_was_decoded() {
        let folder = tempfile::tempdir().unwrap();
        let size = SizePx::from([32, 32]);
        let pixels = vec![9; 32 * 32 * 3];
        let picture = vidpairs_image::jpeg::compress(&RgbImage { size, pixels }, 90).unwrap();
        std::fs::write(folder.path().join("1.jpg"), picture).unwrap();
        let media = Media::JpegFolder {
            path: folder.path().to_owned(),
            fps: None,
            first_number: None,
        };
        let index = decode::index(&media, &Arc::default()).unwrap();
        let id = "a".to_owned();
        let planned = Arc::new(PlannedClip {
            words: ClipWords {
                ordinal: 0,
                id: id.clone(),
                label: None,
            },
            clip: Clip {
                id,
                media,
                annotation: vidpairs_types::Annotation::None,
                label: None,
            },
            index,
            plans: Vec::new(),
            known_boxes: Vec::new(),
            num_pieces: 1,
            remarks: Vec::new(),
            boxes: None,
            files_xxh3: None,
            _room: None,
        });
        let piece = Piece {
            planned,
            number: 0,
            pairs: 0..3,
        };
        let over_cut = PairPlan {
            ordinal: 2,
            anchor: 0,
            positive: Some(9),
            boxes: None,
            is_followed: false,
        };
        let made = |err| {
            let anchor = ViewMeta {
                frame: 0,
                pts_seconds: None,
                frame_size: size,
                box_xywh: None,
                image_size: size,
                crc32: 0,
            };
            let meta = RecordMeta {
                schema: SCHEMA,
                key: "00000000-0000".to_owned(),
                clip: "a".to_owned(),
                source: "videos".to_owned(),
                kind: PairKind::Images,
                label: None,
                k: None,
                anchor,
                positive: None,
                anchor_frame: None,
                positive_frame: None,
                tracklet: None,
            };
            let members = Vec::new();
            let record = EncodedRecord { meta, members };
            Round {
                decoded: Err(err),
                records: vec![(0, record.clone()), (1, record)],
                lost: vec![LostPair::without_frame(8, None)],
                over_cuts: vec![over_cut.clone()],
                tracks: None,
            }
        };
        let (before, now) = (5, 6);
        let changed = DecodeError::Changed { before, now };
        let changed = made(changed).judge(&piece).unwrap();
        assert_eq!((changed.records.len(), changed.lost.len()), (0, 3));
        let reasons = changed.lost.iter().map(|pair| pair.reason.as_str());
        assert!(
            reasons
                .into_iter()
                .all(|reason| reason.contains("replaced or written to"))
        );
        // A failure that says nothing against the frames before it.
        let mut stopped = made(DecodeError::Stopped);
        assert!(stopped.judge(&piece).is_none());
        assert_eq!((stopped.records.len(), stopped.lost.len()), (2, 2));
        assert!(stopped.lost.iter().all(|pair| pair.reason == "stopped"));
        assert_eq!(stopped.over_cuts, []);
    }
}
