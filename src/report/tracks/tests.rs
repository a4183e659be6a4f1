use vidpairs_extract::run::{
    SampledFrame, SampledSequence, SampledTrack, TrackData, TrackDataKind,
};
use vidpairs_run::{Control, SetAside};
use vidpairs_types::SizePx;

use super::*;

/// A run of the trackers `dcf` and `kcf` in a folder `a <b>`.
fn options() -> TrackOptions {
    TrackOptions {
        data: vec![TrackData {
            kind: TrackDataKind::Mot,
            root: "street.txt".into(),
        }],
        media: None,
        splits: Vec::new(),
        patterns: Vec::new(),
        limit: None,
        trackers: vec![TrackerKind::Dcf, TrackerKind::Kcf],
        opencv: None,
        out: "/runs/a <b>".into(),
        control: Control::quiet(1),
    }
}

fn summary() -> TrackSummary {
    TrackSummary {
        sequences: 1,
        refused: 0,
        partial: 0,
        too_many_refused: false,
        scores: Vec::new(),
        per_sequence: Vec::new(),
        workers: 1,
        seconds: 1.0,
        is_complete_already: false,
    }
}

/// A sequence of three frames that `dcf` tracked and on which `kcf` failed.
fn sequence() -> SampledSequence {
    let bbox = [10.0, 20.0, 30.0, 40.0].into();
    SampledSequence {
        data: "mot".to_owned(),
        id: "street/7".to_owned(),
        label: None,
        first_frame: 12,
        frame_size: SizePx {
            width: 320,
            height: 240,
        },
        truth: vec![Some(bbox), Some(bbox), None],
        tracks: vec![SampledTrack {
            tracker: TrackerKind::Dcf,
            ao: Some(0.25),
            boxes: vec![bbox; 3],
            overlaps: vec![None, Some(0.5), Some(0.25)],
            confidence: vec![None, Some(1.0), Some(1.0)],
        }],
        pictures: vec![
            SampledFrame {
                frame: 0,
                jpeg: Ok(vec![1, 2, 3]),
            },
            SampledFrame {
                frame: 2,
                jpeg: Err("damaged".to_owned()),
            },
        ],
    }
}

fn page(sequences: Vec<SampledSequence>) -> String {
    let sample = TrackSample {
        sequences,
        set_aside: SetAside::default(),
    };
    render(&options(), &summary(), &sample)
}

#[test]
fn ground_truth_and_tracked_boxes_have_line_styles_of_their_own() {
    let html = page(vec![sequence()]);
    for class in ["line truth", "line t0", "line t1", "curve t0"] {
        assert!(html.contains(&format!("class=\"{class}\"")), "{class}");
    }
    // The tracker that failed is in the legend only.
    assert_eq!(html.matches("class=\"line t1\"").count(), 1);
    assert!(html.contains("Tracking: a &lt;b&gt;") && html.contains("frame 0 (12 of the video)"));
    assert!(html.contains("3 frames · AO dcf 0.250"));
    assert!(html.contains("<span title=\"dcf\" class=\"t0\">0.25</span>"));
}

#[test]
fn a_frame_that_cannot_be_shown_gives_the_reason_in_its_place() {
    assert!(page(vec![sequence()]).contains("This frame cannot be shown: damaged"));
    assert!(page(Vec::new()).contains("There are no sequences to show."));
}
