//! Pieces of clips, and their results on the way from the workers to the writer.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vidpairs_run::RunError;
use vidpairs_shard::{BoxCounts, StoredCut};
use vidpairs_types::{BoxXywh, Clip, EncodedRecord, Outcome, PairPlan, Stage};

use super::fetch::Room;
use super::record::ClipWords;
use super::regions::PieceTracks;
use super::view::LostPair;
use crate::decode::ClipIndex;

/// An indexed clip and the plan of its pairs.
pub(super) struct PlannedClip {
    pub clip: Clip,
    pub words: ClipWords,
    pub index: ClipIndex,
    pub plans: Vec<PairPlan>,
    /// Box of the object in each frame, in kind `tracks`.
    pub known_boxes: Vec<Option<BoxXywh>>,
    pub num_pieces: u32,
    pub remarks: Vec<String>,
    /// Annotated boxes of a still image, if each is an image of its own.
    pub boxes: Option<BoxCounts>,
    /// Checksum over the files of the clip before they were read; `None` if they could not be examined.
    pub files_xxh3: Option<u64>,
    /// Its files in the scratch folder, if they were fetched. They stay as long as this, which nothing else reads.
    pub _room: Option<Arc<Room>>,
}

/// Consecutive pairs of one clip.
#[derive(Clone)]
pub(super) struct Piece {
    pub planned: Arc<PlannedClip>,
    pub number: u32,
    /// Indices into the plans of the clip.
    pub pairs: std::ops::Range<usize>,
}

/// Result of a worker for the writer.
pub(super) struct Output {
    pub ordinal: u64,
    pub piece: u32,
    pub num_pieces: u32,
    /// See [`PlannedClip::files_xxh3`].
    pub files_xxh3: Option<u64>,
    pub made: Made,
}

pub(super) enum Made {
    /// The records of a piece.
    Records(Box<PieceRecords>),
    /// The clip gives no pair.
    SetAside {
        outcome: Outcome,
        stage: Stage,
        reason: String,
    },
    /// The still image has no usable box: those that were left out.
    NoBox {
        boxes: BoxCounts,
        /// Damage of its annotation.
        remark: Option<String>,
    },
    /// Listing refused the entry already.
    Listed,
    /// The machine is at fault, not the clip: the run stops.
    Fault(Box<RunError>),
}

#[derive(Default)]
pub(super) struct PieceRecords {
    /// Ordinal of the pair among those of the clip, and its record; ascending.
    pub records: Vec<(u64, EncodedRecord)>,
    pub lost: Vec<LostPair>,
    pub frames_decoded: u64,
    /// Tracklets; kind `regions` only.
    pub tracks: Option<PieceTracks>,
    pub cuts: PieceCuts,
    /// Remarks on the whole clip, with its last piece only: a resumed run may make no other piece.
    pub remarks: Vec<String>,
    /// Annotated boxes of a still image, with its last piece only.
    pub boxes: Option<BoxCounts>,
}

/// Shot cuts of a piece, or of a whole clip, and what they cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct PieceCuts {
    /// In order; only in the stretches that were looked at.
    pub cuts: Vec<StoredCut>,
    /// Number of pairs that were drawn anew and now lie in one shot.
    pub moved: u64,
    /// Number of pairs that were left out, because they found no place in one shot.
    pub left_out: u64,
}

impl PieceCuts {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds those of another piece.
    pub fn add(&mut self, other: &Self) {
        self.cuts.extend_from_slice(&other.cuts);
        self.moved += other.moved;
        self.left_out += other.left_out;
    }
}

impl Piece {
    /// The planned pairs.
    pub fn plans(&self) -> &[PairPlan] {
        self.planned.plans.get(self.pairs.clone()).unwrap_or(&[])
    }

    /// The anchors that are its own: pieces that are made at the same time draw no pair twice.
    pub fn anchors(&self) -> std::ops::Range<u64> {
        let anchor_at = |at: usize| self.planned.plans.get(at).map(|plan| plan.anchor);
        let first = match self.number {
            0 => 0,
            _ => anchor_at(self.pairs.start).unwrap_or(0),
        };
        first..anchor_at(self.pairs.end).unwrap_or(u64::MAX)
    }

    /// The frames that its pairs need, each once.
    pub fn frames(&self) -> Vec<u64> {
        frames_of(self.plans())
    }

    /// Adds what holds for the whole clip, if this is its last piece.
    pub fn complete(&self, made: &mut PieceRecords) {
        if self.number + 1 >= self.planned.num_pieces {
            made.remarks.clone_from(&self.planned.remarks);
            made.boxes.clone_from(&self.planned.boxes);
        }
    }

    /// The piece with every planned pair lost for the same reason.
    pub fn lost(&self, stage: Stage, reason: &str) -> PieceRecords {
        let lost = LostPair {
            stage,
            reason: reason.to_owned(),
        };
        PieceRecords {
            lost: vec![lost; self.pairs.len()],
            ..PieceRecords::default()
        }
    }

    /// The result for the writer.
    pub fn output(&self, made: Made) -> Output {
        Output {
            ordinal: self.planned.words.ordinal,
            piece: self.number,
            num_pieces: self.planned.num_pieces,
            files_xxh3: self.planned.files_xxh3,
            made,
        }
    }
}

/// Result of a clip that is not cut into pieces.
pub(super) fn whole(ordinal: u64, made: Made) -> Output {
    Output {
        ordinal,
        piece: 0,
        num_pieces: 1,
        files_xxh3: None,
        made,
    }
}

/// The frames that pairs need, each once.
///
/// - `plans`: ordered by anchor.
pub(super) fn frames_of(plans: &[PairPlan]) -> Vec<u64> {
    let (mut frames, mut up_to) = (Vec::new(), 0);
    for plan in plans {
        // Frames of earlier tracked pairs are listed already.
        let from = if plan.is_followed { up_to } else { 0 };
        frames.extend(plan.frames().skip_while(|&frame| frame < from));
        up_to = up_to.max(plan.last_frame() + 1);
    }
    frames.sort_unstable();
    frames.dedup();
    frames
}
