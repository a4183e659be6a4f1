//! Scenes of several objects: annotations of MSCOCO and Pascal VOC, read by Python, agree with the truth and the pixels.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vidpairs_fixtures::extract::{Extract, files};
use vidpairs_fixtures::synth::objects::{colored_box, ids, is_held_out};
use vidpairs_fixtures::synth::{Work, decoded_size, lines, truths, with};
use vidpairs_synth::catalog::Half;
use vidpairs_synth::truth::Truth;

/// Minimum number of visible pixels of an annotated object, by `docs/SYNTH.md`.
const MIN_AREA_PX: u64 = 25;

/// A run whose images are so crowded that some objects are hidden.
fn crowded(work: &Work, kind: &str) -> Extract {
    let run = with(work.synth(kind, kind), "--images", "12");
    with(run, "--objects-per-image", "1-8")
}

fn read_synth(command: &str, out: &Path) -> Value {
    let args = [command.as_ref(), out.as_os_str()];
    serde_json::from_str(&vidpairs_fixtures::python::run("read_synth.py", args)).unwrap()
}

/// The annotated objects with their boxes `[x, y, w, h]`, which NumPy measures on the masks of the truth, and all images.
fn annotated(out: &Path) -> (Vec<(Truth, [u32; 4])>, BTreeSet<String>) {
    let truths = truths(out);
    let images = truths.iter().map(|truth| truth.image.clone()).collect();
    let measured: Vec<(Option<[u32; 4]>, u64)> =
        serde_json::from_value(read_synth("masks", out)).unwrap();
    assert_eq!(measured.len(), truths.len());
    let mut listed = Vec::new();
    for (truth, (bounds, area)) in truths.into_iter().zip(measured) {
        // The box of the truth, in half pixels, lies in the pixels of the mask.
        let outward = truth.box_xywh.map(|part| {
            let (right, bottom) = ((part.x + part.w).ceil(), (part.y + part.h).ceil());
            let (left, top) = (part.x.floor(), part.y.floor());
            [left, top, right - left, bottom - top].map(|edge| edge as u32)
        });
        assert_eq!(bounds, outward, "{truth:?}");
        if area >= MIN_AREA_PX {
            listed.push((truth, bounds.unwrap()));
        }
    }
    (listed, images)
}

#[test]
fn the_json_of_coco_lists_the_images_and_the_objects_of_the_truth() {
    let work = Work::new();
    crowded(&work, "coco").run_well();
    let out = work.path("coco");
    let (listed, images) = annotated(&out);
    assert!(listed.len() < truths(&out).len(), "no object is hidden");
    let read = read_synth("coco", &out);
    let mut num_annotations = 0;
    for (split, held_out, count) in [("train2017", false, 12), ("val2017", true, 3)] {
        let names = read[split]["images"].as_array().unwrap();
        assert_eq!(names.len(), count, "{split}");
        for name in names {
            let path = format!("{split}/{}", name.as_str().unwrap());
            assert!(images.contains(&path), "{path}");
            assert_eq!(
                decoded_size(&path, &fs::read(out.join(&path)).unwrap()),
                [96, 64]
            );
        }
        let of_split = |(truth, _): &&(Truth, [u32; 4])| truth.image.starts_with(split);
        let expected = listed.iter().filter(of_split).map(|(truth, bounds)| {
            assert_eq!(is_held_out(&truth.object), held_out);
            num_annotations += 1;
            json!({
                "id": num_annotations,
                "image": truth.image.rsplit_once('/').unwrap().1,
                "class": truth.category,
                "bbox": bounds,
            })
        });
        assert_eq!(
            read[split]["annotations"],
            json!(expected.collect::<Vec<_>>())
        );
        // The fixtures have no groups but their folders, which are their classes.
        let classes = ["ball", "car", "chair", "vase"].into_iter();
        let classes = (1..)
            .zip(classes)
            .map(|(id, class)| json!([id, class, class]));
        assert_eq!(
            read[split]["classes"],
            json!(classes.collect::<Vec<_>>()),
            "{split}"
        );
    }
    assert_eq!(num_annotations, listed.len());
}

#[test]
fn the_lists_of_voc_follow_from_its_annotations_and_these_from_the_truth() {
    let work = Work::new();
    crowded(&work, "voc").run_well();
    let out = work.path("voc");
    let read = read_synth("voc", &out);
    let mut expected: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let (listed, images) = annotated(&out);
    for image in images {
        expected.insert(image[image.len() - 10..].replace(".jpg", ""), Vec::new());
    }
    let (mut num_truncated, mut num_difficult) = (0, 0);
    for (truth, [x, y, w, h]) in &listed {
        let part = truth.box_xywh.unwrap();
        let truncated = part.area() < 0.85 * truth.full_box_xywh.unwrap().area();
        let difficult = truth.visible_share < 0.3 || part.w.min(part.h) < 0.05 * 64.0;
        num_truncated += u32::from(truncated);
        num_difficult += u32::from(difficult);
        let sides = ["Frontal", "Left", "Rear", "Right", "Frontal"];
        let object = json!({
            "name": truth.category,
            "corners": [x + 1, y + 1, x + w, y + h],
            "truncated": u8::from(truncated),
            "difficult": u8::from(difficult),
            "pose": sides[(truth.azimuth / 90.0).round() as usize],
        });
        let image = &truth.image[truth.image.len() - 10..];
        expected
            .get_mut(&image.replace(".jpg", ""))
            .unwrap()
            .push(object);
    }
    assert!(
        num_truncated > 3 && num_difficult > 3,
        "{num_truncated} {num_difficult}"
    );
    assert_eq!(read["images"], json!(expected));
    let list = |name: &str| {
        let text = read["lists"][name].as_str().unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let all: Vec<String> = expected.into_keys().collect();
    assert_eq!(list("trainval"), all[..12]);
    assert_eq!(list("test"), all[12..]);
    let every_second = |first: usize| {
        all[first..12]
            .iter()
            .step_by(2)
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (list("train"), list("val")),
        (every_second(0), every_second(1))
    );
    let class_lists = read["expected"].as_object().unwrap();
    assert_eq!(class_lists.len(), 16);
    for (name, expected) in class_lists {
        assert_eq!(&read["lists"][name], expected, "{name}");
    }
    let values: BTreeSet<String> = list("car_trainval")
        .into_iter()
        .map(|line| line[6..].to_owned())
        .collect();
    assert!(values.len() > 1, "{values:?}");
}

#[test]
fn every_image_shows_as_many_objects_as_asked_of_classes_that_both_halves_have() {
    let work = Work::new();
    // A class of training objects only.
    let training = (1..).map(|number| format!("rocket/{number}"));
    let training = training.filter(|id| !is_held_out(id)).take(1);
    training.for_each(|id| colored_box(&work.path("objects"), &id));
    let run = with(work.synth("coco", "out"), "--objects-per-image", "3");
    let stdout = run.run_well().stdout;
    assert!(stdout.contains("left out 1 classes"), "{stdout}");
    let truths = truths(&work.path("out"));
    let mut by_image: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for truth in &truths {
        let is_new = by_image
            .entry(&truth.image)
            .or_default()
            .insert(&truth.category);
        assert!(
            is_new,
            "two objects of a class in an image of few objects: {truth:?}"
        );
        assert_ne!(truth.category, "rocket");
        assert_eq!(
            truth.half == Half::HeldOut,
            truth.image.starts_with("val2017/")
        );
    }
    assert_eq!(by_image.len(), 9);
    // An object that finds no place beside the others is left out.
    let num_objects: usize = by_image.values().map(BTreeSet::len).sum();
    assert!((24..=27).contains(&num_objects), "{num_objects}");

    let one_half = with(work.synth("coco", "one"), "--held-out-images", "0");
    let stdout = with(one_half, "--images", "30").run_well().stdout;
    assert!(!stdout.contains("left out"), "{stdout}");
    let files = files(&work.path("one"));
    assert!(!files.keys().any(|name| name.contains("val2017")));
    let names: BTreeSet<String> = self::truths(&work.path("one"))
        .into_iter()
        .map(|truth| truth.category)
        .collect();
    assert!(names.contains("rocket"), "{names:?}");
}

#[test]
fn without_a_class_in_both_halves_only_one_half_can_be_rendered() {
    let work = Work::new();
    for (class, half) in [("rocket", false), ("boat", true)] {
        let numbered = (1..).map(|number| format!("{class}/{number}"));
        for id in numbered.filter(|id| is_held_out(id) == half).take(1) {
            colored_box(&work.path("odd"), &id);
        }
    }
    let run = with(work.synth("voc", "out"), "--objects", "odd");
    let words = [
        "no class has both training and held-out objects",
        "--images 0",
    ];
    run.run().failed_with(2, &words);
    assert!(!work.path("out").exists());
    with(run, "--images", "0").run_well();
    assert!(
        work.path("out/VOCdevkit/VOC2007/ImageSets/Main/boat_test.txt")
            .exists()
    );
}

#[test]
fn the_mask_of_an_object_covers_its_pixels_in_the_image() {
    let work = Work::new();
    // Colours that no painted place has.
    for (class, color) in [("rose", "1 0 0"), ("sky", "0 0 1")] {
        for id in ids(class) {
            let objects = work.path("vivid");
            colored_box(&objects, &id);
            let mtl = objects.join(format!("{id}.mtl"));
            let text = fs::read_to_string(&mtl).unwrap();
            let line = |line: &str| match line.starts_with("Kd") {
                true => format!("Kd {color}\n"),
                false => format!("{line}\n"),
            };
            fs::write(&mtl, text.lines().map(line).collect::<String>()).unwrap();
        }
    }
    let options = [
        ["--objects", "vivid"],
        ["--objects-per-image", "2"],
        ["--size", "256x192"],
        ["--quality", "100"],
        ["--noise", "0"],
    ];
    let run = options
        .iter()
        .fold(work.synth("coco", "out"), |run, [option, value]| {
            with(run, option, value)
        });
    run.run_well();
    let out = work.path("out");
    let (mut num_inside, mut num_outside, mut num_wrong) = (0u32, 0u32, 0u32);
    for truth in truths(&out) {
        let picture = image::open(out.join(&truth.image)).unwrap().into_rgb8();
        let mask = truth.mask.as_ref().unwrap();
        let mut inside = Vec::new();
        for (place, &count) in mask.counts.iter().enumerate() {
            inside.extend(std::iter::repeat_n(place % 2 == 1, count as usize));
        }
        for (x, y, pixel) in picture.enumerate_pixels() {
            let [red, green, blue] = pixel.0.map(i32::from);
            let [own, other] = match truth.object.starts_with("rose/") {
                true => [red, blue],
                false => [blue, red],
            };
            let has_color = own > 30 && own > 3 * green.max(other);
            let is_inside = inside[(x * 192 + y) as usize];
            num_inside += u32::from(is_inside);
            num_outside += u32::from(!is_inside);
            num_wrong += u32::from(has_color != is_inside);
        }
    }
    // Pixels on the edges of objects are mixed, and JPEG shares colours between neighbours.
    assert!(num_inside > 20_000 && num_outside > 20_000);
    assert!(
        10 * num_wrong < num_inside,
        "{num_wrong} of {num_inside} pixels"
    );
}

#[test]
fn objects_that_cannot_be_rendered_are_left_out_of_scenes() {
    let work = Work::new();
    let objects = work.path("objects");
    for id in ids("car") {
        fs::write(objects.join(format!("{id}.obj")), "v 0 nan 0\nf 1 1 1\n").unwrap();
    }
    let summary = work.synth("coco", "out").run_json();
    assert_eq!([&summary["items"], &summary["items_refused"]], [9, 0]);
    let refused = lines(&work.path("out"), "refused.jsonl");
    assert!(!refused.is_empty(), "none was drawn");
    for line in refused {
        assert!(line["id"].as_str().unwrap().starts_with("car/"), "{line}");
    }
    let truths = truths(&work.path("out"));
    assert!(truths.iter().all(|truth| truth.category != "car"));
}
