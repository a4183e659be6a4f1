//! Builds the record of a pair from its views.

use std::sync::Arc;

use vidpairs_pipeline::Pipeline;
use vidpairs_types::{EncodedMember, EncodedRecord, RecordMeta, Role, SCHEMA, TrackletMeta};

use super::view::View;

/// Fields that all records of a clip share.
pub(super) struct ClipWords {
    /// Ordinal of the clip in its source.
    pub ordinal: u64,
    pub id: String,
    pub label: Option<String>,
}

impl ClipWords {
    /// Key of a pair of the clip: `CCCCCCCC-PPPP`.
    pub fn key(&self, pair: u64) -> String {
        format!("{:08}-{pair:04}", self.ordinal)
    }
}

/// Parts of a record.
pub(super) struct Parts<'a> {
    /// Ordinal of the pair in its clip.
    pub pair: u64,
    /// Class of the object, if known.
    pub label: Option<&'a str>,
    pub anchor: &'a View,
    pub positive: Option<&'a View>,
    pub anchor_frame: Option<&'a View>,
    pub positive_frame: Option<&'a View>,
    pub tracklet: Option<TrackletMeta>,
}

/// The record of one pair of `clip`.
pub(super) fn record(pipeline: &Pipeline, clip: &ClipWords, parts: Parts<'_>) -> EncodedRecord {
    let views = [
        (Role::Anchor, Some(parts.anchor)),
        (Role::Positive, parts.positive),
        (Role::AnchorFrame, parts.anchor_frame),
        (Role::PositiveFrame, parts.positive_frame),
    ];
    let extension = pipeline.images.codec.extension();
    let members = views
        .into_iter()
        .filter_map(|(role, view)| {
            Some(EncodedMember {
                role,
                extension,
                bytes: Arc::clone(&view?.bytes),
            })
        })
        .collect();
    let meta_of = |view: Option<&View>| view.map(|view| view.meta.clone());
    let frames_apart = |positive: &View| positive.meta.frame - parts.anchor.meta.frame;
    let meta = RecordMeta {
        schema: SCHEMA,
        key: clip.key(parts.pair),
        clip: clip.id.clone(),
        source: pipeline.source.kind.name().to_owned(),
        kind: pipeline.pairs.kind(),
        label: parts.label.map(str::to_owned),
        k: parts.positive.map(frames_apart),
        anchor: parts.anchor.meta.clone(),
        positive: meta_of(parts.positive),
        anchor_frame: meta_of(parts.anchor_frame),
        positive_frame: meta_of(parts.positive_frame),
        tracklet: parts.tracklet,
    };
    EncodedRecord { meta, members }
}
