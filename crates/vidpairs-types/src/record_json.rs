//! The JSON of a record. Every record has the same fields with the same types and no null, so that every loader can collate it.

use serde::{Deserialize, Serialize};

use super::record::{RecordMeta, SCHEMA, TrackletMeta, ViewMeta};
use super::{BoxXywh, PairKind, SizePx};

/// As it is written: every `Option` of a field is `Some`. Schema 1 had null, or left fields out, where there was no value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RecordJson {
    schema: u32,
    key: String,
    clip: String,
    source: String,
    kind: PairKind,
    label: Option<String>,
    k: Option<u64>,
    anchor: ViewJson,
    positive: Option<ViewJson>,
    anchor_frame: Option<ViewJson>,
    positive_frame: Option<ViewJson>,
    tracklet: Option<TrackletJson>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ViewJson {
    #[serde(default = "yes")]
    is_stored: bool,
    frame: u64,
    #[serde(default = "yes")]
    has_pts: bool,
    pts_seconds: Option<f64>,
    frame_size: SizePx,
    box_xywh: Option<BoxXywh>,
    image_size: SizePx,
    crc32: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct TrackletJson {
    tracker: String,
    #[serde(default = "yes")]
    has_psr: bool,
    psr_mean: Option<f64>,
    psr_min: Option<f64>,
    #[serde(default = "yes")]
    has_forward_backward: bool,
    forward_backward_iou: Option<f64>,
    #[serde(default = "yes")]
    has_confidence: bool,
    confidence_mean: Option<f64>,
    confidence_min: Option<f64>,
    confidence_last: Option<f64>,
}

fn yes() -> bool {
    true
}

/// Values that are there together or not at all, and whether they are. A number that JSON does not have counts as none.
fn flagged<const N: usize>(values: [Option<f64>; N]) -> (bool, [Option<f64>; N]) {
    let is_there = |value: &Option<f64>| value.is_some_and(f64::is_finite);
    match values.iter().all(is_there) {
        true => (true, values),
        false => (false, [Some(0.0); N]),
    }
}

/// The whole frame.
fn whole(size: SizePx) -> BoxXywh {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    BoxXywh {
        x: 0.0,
        y: 0.0,
        w,
        h,
    }
}

impl From<&ViewMeta> for ViewJson {
    fn from(view: &ViewMeta) -> Self {
        let (has_pts, [pts_seconds]) = flagged([view.pts_seconds]);
        Self {
            is_stored: true,
            frame: view.frame,
            has_pts,
            pts_seconds,
            frame_size: view.frame_size,
            box_xywh: Some(view.box_xywh.unwrap_or_else(|| whole(view.frame_size))),
            image_size: view.image_size,
            crc32: view.crc32,
        }
    }
}

impl ViewJson {
    /// A view that is not in the record.
    fn none() -> Self {
        let nothing = SizePx {
            width: 0,
            height: 0,
        };
        Self {
            is_stored: false,
            frame: 0,
            has_pts: false,
            pts_seconds: Some(0.0),
            frame_size: nothing,
            box_xywh: Some(whole(nothing)),
            image_size: nothing,
            crc32: 0,
        }
    }

    fn of(view: Option<&ViewMeta>) -> Option<Self> {
        Some(view.map_or_else(Self::none, Self::from))
    }

    fn into_meta(self) -> ViewMeta {
        let whole = whole(self.frame_size);
        ViewMeta {
            frame: self.frame,
            pts_seconds: self.pts_seconds.filter(|_| self.has_pts),
            frame_size: self.frame_size,
            box_xywh: self.box_xywh.filter(|shown| *shown != whole),
            image_size: self.image_size,
            crc32: self.crc32,
        }
    }

    fn stored(view: Option<Self>) -> Option<ViewMeta> {
        view.filter(|view| view.is_stored).map(Self::into_meta)
    }
}

impl From<Option<TrackletMeta>> for TrackletJson {
    fn from(tracklet: Option<TrackletMeta>) -> Self {
        let tracklet = tracklet.unwrap_or_else(|| TrackletMeta {
            tracker: String::new(),
            ..TrackletMeta::ground_truth()
        });
        let (has_psr, [psr_mean, psr_min]) = flagged([tracklet.psr_mean, tracklet.psr_min]);
        let (has_forward_backward, [forward_backward_iou]) =
            flagged([tracklet.forward_backward_iou]);
        let (has_confidence, [confidence_mean, confidence_min, confidence_last]) = flagged([
            tracklet.confidence_mean,
            tracklet.confidence_min,
            tracklet.confidence_last,
        ]);
        Self {
            tracker: tracklet.tracker,
            has_psr,
            psr_mean,
            psr_min,
            has_forward_backward,
            forward_backward_iou,
            has_confidence,
            confidence_mean,
            confidence_min,
            confidence_last,
        }
    }
}

impl TrackletJson {
    fn into_meta(self) -> Option<TrackletMeta> {
        let (psr, confidence) = (self.has_psr, self.has_confidence);
        let has_tracker = !self.tracker.is_empty();
        has_tracker.then(|| TrackletMeta {
            tracker: self.tracker,
            psr_mean: self.psr_mean.filter(|_| psr),
            psr_min: self.psr_min.filter(|_| psr),
            forward_backward_iou: self
                .forward_backward_iou
                .filter(|_| self.has_forward_backward),
            confidence_mean: self.confidence_mean.filter(|_| confidence),
            confidence_min: self.confidence_min.filter(|_| confidence),
            confidence_last: self.confidence_last.filter(|_| confidence),
        })
    }
}

impl From<RecordMeta> for RecordJson {
    fn from(meta: RecordMeta) -> Self {
        Self {
            schema: SCHEMA,
            key: meta.key,
            clip: meta.clip,
            source: meta.source,
            kind: meta.kind,
            label: Some(meta.label.unwrap_or_default()),
            k: Some(meta.k.unwrap_or(0)),
            anchor: ViewJson::from(&meta.anchor),
            positive: ViewJson::of(meta.positive.as_ref()),
            anchor_frame: ViewJson::of(meta.anchor_frame.as_ref()),
            positive_frame: ViewJson::of(meta.positive_frame.as_ref()),
            tracklet: Some(meta.tracklet.into()),
        }
    }
}

impl From<RecordJson> for RecordMeta {
    fn from(json: RecordJson) -> Self {
        Self {
            schema: json.schema,
            key: json.key,
            clip: json.clip,
            source: json.source,
            kind: json.kind,
            label: json.label.filter(|label| !label.is_empty()),
            k: json.k.filter(|_| json.kind != PairKind::Images),
            anchor: json.anchor.into_meta(),
            positive: ViewJson::stored(json.positive),
            anchor_frame: ViewJson::stored(json.anchor_frame),
            positive_frame: ViewJson::stored(json.positive_frame),
            tracklet: json.tracklet.and_then(TrackletJson::into_meta),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(json: &Value) -> RecordMeta {
        serde_json::from_value(json.clone()).unwrap()
    }

    #[test]
    fn a_record_of_schema_1_is_read_and_written_without_null() {
        let old = json!({
            "schema": 1, "key": "00000000-0000", "clip": "a.mp4", "source": "videos", "kind": "images", "label": null, "k": null,
            "anchor": {
                "frame": 3, "pts_seconds": null, "frame_size": [64, 48], "box_xywh": null, "image_size": [43, 32], "crc32": 7,
            },
        });
        let meta = read(&old);
        assert_eq!((&meta.label, meta.k, &meta.positive), (&None, None, &None));
        let anchor = &meta.anchor;
        assert_eq!((anchor.pts_seconds, anchor.box_xywh), (None, None));
        assert_eq!(meta.tracklet, None);
        let new = serde_json::to_value(&meta).unwrap();
        assert!(!new.to_string().contains("null"), "{new}");
        assert_eq!(new["anchor"]["box_xywh"], json!([0.0, 0.0, 64.0, 48.0]));
        let schema = SCHEMA;
        assert_eq!(read(&new), RecordMeta { schema, ..meta });
    }

    #[test]
    fn values_come_back_and_a_number_that_json_lacks_counts_as_none() {
        let view = |frame| ViewMeta {
            frame,
            pts_seconds: Some(0.5),
            frame_size: SizePx {
                width: 64,
                height: 48,
            },
            box_xywh: Some([1.0, 2.0, 30.0, 20.0].into()),
            image_size: SizePx {
                width: 43,
                height: 32,
            },
            crc32: u32::MAX,
        };
        let tracklet = TrackletMeta {
            tracker: "dcf".to_owned(),
            psr_mean: Some(9.0),
            psr_min: Some(7.5),
            forward_backward_iou: None,
            confidence_mean: Some(0.9),
            confidence_min: Some(f64::NAN),
            confidence_last: Some(0.8),
        };
        let meta = RecordMeta {
            schema: SCHEMA,
            key: "00000000-0000".to_owned(),
            clip: "a.mp4".to_owned(),
            source: "videos".to_owned(),
            kind: PairKind::Regions,
            label: Some("cat".to_owned()),
            k: Some(12),
            anchor: view(0),
            positive: Some(view(12)),
            anchor_frame: None,
            positive_frame: None,
            tracklet: Some(tracklet.clone()),
        };
        let json = serde_json::to_value(&meta).unwrap();
        assert!(!json.to_string().contains("null"), "{json}");
        let none = TrackletMeta {
            confidence_mean: None,
            confidence_min: None,
            confidence_last: None,
            ..tracklet
        };
        let tracklet = Some(none);
        assert_eq!(read(&json), RecordMeta { tracklet, ..meta });
    }
}
