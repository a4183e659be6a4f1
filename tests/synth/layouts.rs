//! Layouts that `synth` writes, read by other programs and by our own loaders.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vidpairs_source::SourceOptions;
use vidpairs_synth::layout::got10k::{self, MetaInfo};
use vidpairs_synth::layout::pascal3d::{Object, Origin, Record, Viewpoint};
use vidpairs_synth::layout::trackingnet::{self, FrameZip};
use vidpairs_types::{BoxXywh, Clip, SourceKind};

/// Visible shares of the object in three frames: all, a part, nothing.
const SHARES: [f64; 3] = [1.0, 0.5, 0.0];

fn boxes() -> Vec<Option<BoxXywh>> {
    vec![
        Some([10.0, 20.0, 30.0, 40.0].into()),
        Some([0.0, 20.25, 15.5, 40.0].into()),
        None,
    ]
}

#[test]
fn scipy_reads_records_of_one_object_of_three_and_of_none() {
    let folder = tempfile::tempdir().unwrap();
    for num_objects in [1, 3, 0] {
        let record = record(num_objects);
        let path = folder.path().join("record.mat");
        fs::write(&path, record.to_mat().unwrap()).unwrap();
        let read = read_synth(&["mat".as_ref(), path.as_ref()]);
        let header = read["header"].as_str().unwrap();
        assert!(header.starts_with("MATLAB 5.0 MAT-file, written by vidpairs"));
        let loaders = &read["loaders"];
        assert_eq!(loaders["filename"], "2008_000251.jpg");
        assert_eq!(loaders["imgsize"], json!([500.0, 375.0, 3.0]));
        let expected: Vec<Value> = record.objects.iter().map(as_loaders_see).collect();
        assert_eq!(loaders["objects"], json!(expected));
        let squeezed: Vec<Value> = record
            .objects
            .iter()
            .map(|object| json!([object.class, object.viewpoint.azimuth_deg]))
            .collect();
        assert_eq!(read["squeezed"], json!(squeezed));
        if num_objects == 1 {
            assert_eq!(read["record"], json!([whole_record()]));
        }
    }
}

fn as_loaders_see(object: &Object) -> Value {
    json!({
        "class": object.class, "bbox": [11.0, 21.0, 110.0, 70.5], "truncated": 1.0,
        "cad_index": object.cad_index, "azimuth": object.viewpoint.azimuth_deg,
        "azimuth_item": object.viewpoint.azimuth_deg, "elevation": 12.5, "distance": 4.5,
        "anchors": [0, 0],
    })
}

/// Every field of a record of one object, as scipy returns it.
fn whole_record() -> Value {
    let number = |value: f64| json!({"shape": [1, 1], "values": [value]});
    let row = |values: &[f64]| json!({"shape": [1, values.len()], "values": values});
    let viewpoint = json!({
        "azimuth_coarse": number(15.0), "elevation_coarse": number(15.0),
        "azimuth": number(20.25), "elevation": number(12.5), "distance": number(4.5),
        "focal": number(1.0), "px": number(60.0), "py": number(45.25),
        "theta": number(-3.0), "error": number(0.0),
        "interval_azimuth": number(15.0), "interval_elevation": number(15.0),
        "num_anchor": number(0.0), "viewport": number(3000.0),
    });
    let object = json!({
        "class": "car", "view": "", "truncated": number(1.0), "occluded": number(0.0),
        "difficult": number(0.0), "bbox": row(&[11.0, 21.0, 110.0, 70.5]),
        "viewpoint": [viewpoint], "cad_index": number(1.0),
        "anchors": {"shape": [0, 0], "values": []},
    });
    let source = json!({
        "database": "vidpairs synth", "annotation": "vidpairs synth", "image": "rendered",
    });
    json!({
        "folder": "car_pascal", "filename": "2008_000251.jpg", "source": [source],
        "size": [{"width": number(500.0), "height": number(375.0), "depth": number(3.0)}],
        "segmented": number(0.0), "imgname": "car_pascal/2008_000251.jpg",
        "imgsize": row(&[500.0, 375.0, 3.0]), "database": "vidpairs synth",
        "objects": [object],
    })
}

fn record(num_objects: u32) -> Record {
    let object = |index: u32| Object {
        class: if index == 0 { "car" } else { "diningtable" }.to_owned(),
        box_xywh: [10.0, 20.0, 100.0, 50.5].into(),
        truncated: true,
        occluded: false,
        difficult: false,
        cad_index: index + 1,
        viewpoint: Viewpoint {
            azimuth_deg: 20.25 + f64::from(index),
            elevation_deg: 12.5,
            theta_deg: -3.0,
            distance: 4.5,
            principal_px: [60.0, 45.25],
        },
    };
    Record {
        class: "car".to_owned(),
        origin: Origin::Pascal,
        id: "2008_000251".to_owned(),
        size: [500, 375].into(),
        objects: (0..num_objects).map(object).collect(),
    }
}

#[test]
fn the_got10k_toolkit_and_our_loader_read_the_same_sequences() {
    let root = tempfile::tempdir().unwrap();
    let names = [1, 2].map(|number| got10k::sequence_name(got10k::Split::Train, number));
    for name in &names {
        write_sequence(&root.path().join("train").join(name));
    }
    write(
        &root.path().join("train").join(got10k::LIST),
        got10k::list_text(names.iter().map(String::as_str)),
    );

    let read = read_synth(&["got10k".as_ref(), root.path().as_ref(), "train".as_ref()]);
    let expected = names.each_ref().map(|name| sequence(name));
    assert_eq!(read, json!(expected));

    let clips = list(root.path(), SourceKind::Got10k, &[]);
    let ids: Vec<_> = clips.iter().map(|clip| clip.id.clone()).collect();
    assert_eq!(ids, names.map(|name| format!("train/{name}")));
    assert_eq!(clips[0].label.as_deref(), Some("toy car"));
    let read = vidpairs_source::annotations(&clips[0]).unwrap();
    let seen = |track: Option<vidpairs_source::TrackBox>| {
        track.map(|track_box| (track_box.bbox, track_box.cut_by_image))
    };
    let expected = [
        boxes()[0].map(|bbox| (bbox, false)),
        boxes()[1].map(|bbox| (bbox, true)),
        None,
    ];
    let read_boxes: Vec<_> = read.boxes.iter().copied().map(seen).collect();
    assert_eq!(read_boxes, expected);
    assert_eq!(
        read.remarks,
        ["groundtruth.txt: no object in 1 of 3 frames (0,0,0,0)"]
    );
}

#[test]
fn the_got10k_toolkit_reads_a_test_sequence_with_its_single_box() {
    let root = tempfile::tempdir().unwrap();
    let (split, name) = (got10k::Split::Test, "GOT-10k_Test_000001");
    assert_eq!(got10k::sequence_name(split, 1), name);
    let folder = root.path().join(split.name());
    write_frames(&folder.join(name));
    write(
        &folder.join(name).join(got10k::GROUND_TRUTH),
        got10k::ground_truth_text(&boxes()[..1]),
    );
    write(&folder.join(got10k::LIST), got10k::list_text([name]));
    let read = read_synth(&["got10k".as_ref(), root.path().as_ref(), "test".as_ref()]);
    assert_eq!(read[0]["boxes"], json!([[10.0, 20.0, 30.0, 40.0]]));
    let clips = list(root.path(), SourceKind::Got10k, &["test"]);
    assert_eq!(
        vidpairs_source::annotations(&clips[0]).unwrap().boxes.len(),
        1
    );
}

/// Output of the toolkit for [`write_sequence`].
fn sequence(name: &str) -> Value {
    json!({
        "name": name,
        "frames": ["00000001.jpg", "00000002.jpg", "00000003.jpg"],
        "boxes": [[10.0, 20.0, 30.0, 40.0], [0.0, 20.25, 15.5, 40.0], [0.0, 0.0, 0.0, 0.0]],
        "labels": {
            "cover": [8.0, 4.0, 0.0],
            "absence": [0.0, 0.0, 1.0],
            "cut_by_image": [0.0, 1.0, 0.0],
        },
        "meta": {
            "url": "vidpairs:synth", "begin": "00:00:00", "end": "00:00:03",
            "anno_fps": "10Hz", "object_class": "toy car", "motion_class": "turning",
            "major_class": "vehicle", "root_class": "object", "motion_adverb": "slowly",
            "resolution": "(320, 240)",
        },
    })
}

fn write_sequence(folder: &Path) {
    write_frames(folder);
    let meta = MetaInfo {
        url: "vidpairs:synth".to_owned(),
        begin_secs: 0,
        end_secs: 3,
        anno_fps: 10,
        object_class: "toy car".to_owned(),
        motion_class: "turning".to_owned(),
        major_class: "vehicle".to_owned(),
        root_class: "object".to_owned(),
        motion_adverb: "slowly".to_owned(),
        resolution: [320, 240].into(),
    };
    let absent = SHARES.map(|share| share == 0.0);
    let files = [
        (got10k::GROUND_TRUTH, got10k::ground_truth_text(&boxes())),
        (got10k::ABSENCE, got10k::flags_text(&absent)),
        (got10k::COVER, got10k::cover_text(&SHARES)),
        (
            got10k::CUT_BY_IMAGE,
            got10k::flags_text(&[false, true, false]),
        ),
        (got10k::META_INFO, meta.to_text().unwrap()),
    ];
    for (name, text) in files {
        write(&folder.join(name), text);
    }
}

fn write_frames(folder: &Path) {
    for frame in 0..SHARES.len() as u64 {
        write(&folder.join(got10k::frame_name(frame)), "a JPEG");
    }
}

#[test]
fn our_loader_finds_the_zip_and_the_boxes_of_a_trackingnet_video() {
    let root = tempfile::tempdir().unwrap();
    let video = "-synth_0";
    for split in [trackingnet::Split::Train(0), trackingnet::Split::Test] {
        let zip = root.path().join(trackingnet::zip_path(split, video));
        write(&zip, "");
        let mut zip = FrameZip::create(&zip).unwrap();
        zip.push(b"a JPEG").unwrap();
        zip.finish().unwrap();
        let anno = root.path().join(trackingnet::anno_path(split, video));
        write(&anno, trackingnet::anno_text(split, &boxes()));
    }
    let clips = list(root.path(), SourceKind::TrackingNet, &["TRAIN_0", "TEST"]);
    let read = clips.iter().map(|clip| {
        let read = vidpairs_source::annotations(clip).unwrap();
        let boxes = read
            .boxes
            .iter()
            .map(|track| track.map(|track_box| track_box.bbox));
        (clip.id.clone(), boxes.collect())
    });
    let expected = [
        ("TEST/-synth_0".to_owned(), boxes()[..1].to_vec()),
        ("TRAIN_0/-synth_0".to_owned(), boxes()),
    ];
    assert_eq!(read.collect::<Vec<_>>(), expected);
}

fn list(root: &Path, kind: SourceKind, splits: &[&str]) -> Vec<Clip> {
    let splits = splits.iter().map(|&split| split.to_owned()).collect();
    let listing = vidpairs_source::list(root, &SourceOptions { kind, splits }).unwrap();
    assert!(listing.refused.is_empty(), "{:?}", listing.refused);
    listing.clips
}

fn read_synth(args: &[&std::ffi::OsStr]) -> Value {
    serde_json::from_str(&vidpairs_fixtures::python::run("read_synth.py", args)).unwrap()
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
