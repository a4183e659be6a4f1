use vidpairs_run::SetAside;
use vidpairs_shard::Totals;
use vidpairs_types::{
    BoxXywh, EncodedMember, EncodedRecord, RecordMeta, Role, SCHEMA, SizePx, TrackletMeta, ViewMeta,
};

use super::*;
use crate::inspect::{Rates, Top};

/// Not a real picture: nothing decodes it here.
const JPEG: &[u8] = b"\xff\xd8jpeg";

fn view(frame: u64, frame_size: SizePx, image_size: SizePx) -> ViewMeta {
    ViewMeta {
        frame,
        pts_seconds: Some(frame as f64 / 30.0),
        frame_size,
        box_xywh: None,
        image_size,
        crc32: 0,
    }
}

/// A tracked pair of `clip`: regions of 640 x 360 px frames that are stored at half that size.
fn tracked(clip: &str) -> EncodedRecord {
    let size = |width, height| SizePx { width, height };
    let frame_size = size(640, 360);
    let region = |frame, x| ViewMeta {
        box_xywh: Some(BoxXywh {
            x,
            y: 20.5,
            w: 100.0,
            h: 50.0,
        }),
        ..view(frame, frame_size, size(100, 50))
    };
    let whole = |frame| Some(view(frame, frame_size, size(320, 180)));
    let roles = [
        Role::Anchor,
        Role::Positive,
        Role::AnchorFrame,
        Role::PositiveFrame,
    ];
    EncodedRecord {
        meta: RecordMeta {
            schema: SCHEMA,
            key: "00000000-0000".to_owned(),
            clip: clip.to_owned(),
            source: "trackingnet".to_owned(),
            kind: PairKind::Tracks,
            label: Some("cat & <b>dog</b>".to_owned()),
            k: Some(60),
            anchor: region(120, 10.0),
            positive: Some(region(180, 540.0)),
            anchor_frame: whole(120),
            positive_frame: whole(180),
            tracklet: Some(TrackletMeta::ground_truth()),
        },
        members: roles
            .map(|role| EncodedMember {
                role,
                extension: "jpg",
                bytes: JPEG.into(),
            })
            .to_vec(),
    }
}

/// A data set named `a <i>title` with `records` records, about which nothing else is known.
fn inspection(records: u64) -> Inspection {
    fn nothing<V>() -> Top<V> {
        Top {
            top: Vec::new(),
            more_values: 0,
            more_records: 0,
        }
    }
    Inspection {
        dir: "/data/a <i>title".to_owned(),
        program_version: "1.2.3".to_owned(),
        pipeline: serde_json::json!({"pairs": {"kind": "tracks", "k": [30, 60]}}),
        seed: 7,
        totals: Totals {
            clips: 8,
            refused: 2,
            skipped: 0,
            partial: 0,
            records,
            shards: 1,
            bytes: 2048,
        },
        rates: Rates {
            refused: 0.25,
            skipped: 0.0,
            partial: 0.0,
        },
        records_read: records,
        records_damaged: 0,
        kinds: nothing(),
        sources: nothing(),
        labels: nothing(),
        k: None,
        frame_sizes: None,
        image_sizes: None,
        trackers: nothing(),
        tracklets: None,
        cuts: None,
        record_bytes: None,
        set_aside: SetAside::default(),
        damage: Vec::new(),
        num_damage: 0,
    }
}

fn page(record: Result<EncodedRecord, String>) -> String {
    let sampled = SampledRecord { number: 17, record };
    render(&inspection(1), &[sampled])
}

#[test]
fn a_page_refers_to_no_other_file() {
    let html = page(Ok(tracked("a/clip.mp4")));
    let images: Vec<&str> = html.split("<img ").skip(1).collect();
    assert_eq!(images.len(), 4);
    let is_embedded = |image: &&str| image.starts_with("src=\"data:image/jpeg;base64,/9hqcGVn\"");
    assert!(images.iter().all(is_embedded), "{html}");
    for outside in [
        "http:", "https:", "url(", "@import", "<script", "<link", "href=",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn every_element_that_is_opened_is_closed() {
    const VOID: [&str; 4] = ["meta", "img", "br", "!DOCTYPE"];
    let html = page(Ok(tracked("a/clip.mp4")));
    let (_, body) = html.split_once("</style>").unwrap();
    let mut open = vec!["html", "head"];
    for tag in body.split('<').skip(1) {
        let name = tag.split([' ', '>']).next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{tag}"),
            None if VOID.contains(&name) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, [] as [&str; 0]);
}

#[test]
fn markup_in_ids_and_labels_is_escaped() {
    let html = page(Ok(tracked("<script>alert(1)</script>\" onload=\"x")));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload="));
    assert!(html.contains("cat &amp; &lt;b&gt;dog&lt;/b&gt;"));
    assert!(html.contains("a &lt;i&gt;title"));
    assert!(!html.contains("<script") && !html.contains("<b>dog") && !html.contains("<i>title"));
}

#[test]
fn boxes_are_drawn_in_the_px_of_the_frame_however_small_it_is_stored() {
    let html = page(Ok(tracked("a")));
    assert_eq!(html.matches("viewBox=\"0 0 640 360\"").count(), 2);
    for x in ["10", "540"] {
        let bounds = format!("x=\"{x}\" y=\"20.5\" width=\"100\" height=\"50\"></rect>");
        assert_eq!(
            html.matches(&bounds).count(),
            2,
            "a halo and a line: {bounds}"
        );
    }
}

#[test]
fn the_pictures_of_a_strip_share_its_width_in_proportion_to_their_aspects() {
    let html = page(Ok(tracked("a")));
    assert!(html.contains("grid-template-columns:minmax(0,1.7778fr) minmax(0,1.7778fr);"));
    assert!(html.contains("grid-template-columns:minmax(0,2.0000fr) minmax(0,2.0000fr);"));
}

#[test]
fn captions_give_frames_times_and_their_distance() {
    let html = page(Ok(tracked("a")));
    for words in [
        "<b>frame 120</b> ·</span> <span>4.000 s",
        "<b>frame 180</b> ·</span> <span>6.000 s",
        "<b>+60 frames</b>",
        "record 17",
        "ground-truth box",
        "100 × 50 px",
    ] {
        assert!(html.contains(words), "{words}");
    }
}

#[test]
fn a_still_image_has_its_name_and_box_instead_of_a_frame_number() {
    let mut record = tracked("val2017/000000000139.jpg");
    record.meta.source = "coco".to_owned();
    record.meta.kind = PairKind::Images;
    record.meta.k = None;
    record.meta.positive = None;
    record.meta.anchor_frame = None;
    record.meta.positive_frame = None;
    record.meta.tracklet = None;
    record.meta.anchor.pts_seconds = None;
    record.meta.anchor.frame = 0;
    let boxed = page(Ok(record.clone()));
    let caption = "<b>box 100 × 50</b> px</span> <span>at 10, 20</span> <span>of 640 × 360</span>";
    assert!(boxed.contains(caption), "{boxed}");
    assert!(boxed.contains("<h3>val2017/000000000139.jpg</h3>"));
    record.meta.anchor.box_xywh = None;
    let mut stills = inspection(1);
    stills.pipeline =
        serde_json::json!({"source": {"kind": "coco"}, "pairs": {"kind": "images", "stride": 1}});
    assert_eq!(stills.settings("pairs"), "kind images");
    let record = Ok(record);
    let whole = render(&stills, &[SampledRecord { number: 0, record }]);
    assert!(whole.contains("<b>640 × 360</b> px"));
    for html in [boxed, whole] {
        let (_, body) = html.split_once("<body>").unwrap();
        assert!(!body.to_lowercase().contains("frame"), "{body}");
    }
}

#[test]
fn the_confidence_of_a_tracker_is_shown_and_explained() {
    let mut record = tracked("a");
    record.meta.tracklet = Some(TrackletMeta {
        tracker: "dcf".to_owned(),
        psr_mean: Some(12.52),
        psr_min: Some(6.25),
        forward_backward_iou: Some(0.934),
        confidence_mean: Some(0.912),
        confidence_min: Some(0.5),
        confidence_last: Some(0.87),
    });
    let html = page(Ok(record));
    let words = "tracked by dcf · confidence 0.91 mean, 0.50 min, 0.87 at the end · \
                 PSR 12.5 mean, 6.2 min · forward-backward IoU 0.93";
    assert!(html.contains(words), "{html}");
    assert!(html.contains("peak-to-sidelobe ratio"));
    assert!(!page(Ok(tracked("a"))).contains("peak-to-sidelobe ratio"));
}

#[test]
fn a_damaged_record_and_a_broken_picture_leave_a_note_in_their_place() {
    let damaged = page(Err("crc32 is 1, the json says 2".to_owned()));
    assert!(damaged.contains("cannot be shown: crc32 is 1, the json says 2"));
    let mut record = tracked("a");
    record.members.remove(0);
    record.members[0].extension = "rgb.zst";
    let html = page(Ok(record));
    assert!(html.contains("This picture is missing."));
    assert!(html.contains("This picture cannot be shown: zstd failed"));
    assert_eq!(html.matches("<img ").count(), 2);
}

#[test]
fn the_head_tells_what_the_data_set_holds_and_which_part_is_shown() {
    let html = page(Ok(tracked("a")));
    for fact in [
        "<p class=\"headline\">1 record of 8 clips in 1 shard, 2.00 KiB</p>",
        "<dt>clips</dt><dd>8, 2 refused (25.0 %)</dd>",
        "<dt>pipeline: pairs</dt><dd>kind tracks, k 30 to 60</dd>",
        "<dt>seed</dt><dd>7</dd>",
        "<dd>vidpairs 1.2.3</dd>",
        "Shown: all 1 record, in shard order.",
    ] {
        assert!(html.contains(fact), "{fact}");
    }
    assert!(!html.contains("damage") && !html.contains("Clips set aside"));
    let some = head::choice(1000, MAX_RECORDS);
    assert!(
        some.starts_with("Shown: 48 of 1000 records, evenly spread"),
        "{some}"
    );
    assert!(head::choice(1000, 5).contains("more would exceed 7.00 MiB of images"));
}

#[test]
fn a_data_set_without_records_says_so() {
    let html = render(&inspection(0), &[]);
    assert!(html.contains("The data set contains no records."));
}
