//! Still images as a source: folders of images, MSCOCO and Pascal VOC, whole and by their boxes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use vidpairs_fixtures::extract::dataset::{Sample, manifest, refusal_of, refused, samples};
use vidpairs_fixtures::extract::strace::each_call;
use vidpairs_fixtures::extract::{Extract, Work, assert_is_finished, assert_same_files};

const IMAGES: &str = "[pairs]\nkind = 'images'\n[images]\nshort_side = 256\ncodec = 'rgb-zstd'\n\
                      [extract]\nmax_refused = '100%'\n";

fn work(source: &str) -> Work {
    Work::new(&format!("[source]\n{source}\n{IMAGES}"))
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// The run on another source than `clips`.
fn of_source(run: Extract, source: &Path) -> Extract {
    run.replace("clips", source.to_str().unwrap())
}

fn raw(sample: &Sample) -> Vec<u8> {
    zstd::decode_all(&sample.images["anchor.rgb.zst"][..]).unwrap()
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let copied = Command::new("cp").arg("-r").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// Asserts that every annotated box that is counted is a record or left out for a reason.
fn assert_boxes_add_up(summary: &Value) {
    let left_out = summary["boxes"]["left_out"].as_object().unwrap().values();
    let num_left_out: u64 = left_out.map(|num| num.as_u64().unwrap()).sum();
    let num_records = summary["pairs"].as_u64().unwrap();
    assert_eq!(summary["boxes"]["annotated"], num_records + num_left_out);
}

#[test]
fn boxes_have_the_pixels_of_pillow_upright_scaled_and_padded_with_the_mean_colour() {
    let read = |name| fs::read(golden("boxes").join(name)).unwrap();
    let settings: Vec<Value> = serde_json::from_slice(&read("cases.json")).unwrap();
    for (kind, split, crowd) in [
        ("coco", "train2017", "crowd"),
        ("voc", "VOC2007", "difficult"),
    ] {
        let work = work(&format!("kind = '{kind}'\nboxes = true"));
        let all_pixels = read("pixels.rgba");
        let mut pixels = &all_pixels[..];
        for (number, setting) in settings.iter().enumerate() {
            let out = format!("out{number}");
            let run = work
                .extract(&out)
                .set(&format!("source.box_scale={}", setting["box_scale"]))
                .set(&format!("source.min_box_px={}", setting["min_box_px"]))
                .set(&format!("images.short_side={}", setting["short_side"]));
            let summary = of_source(run, &golden("boxes").join(kind)).run_json();
            assert_eq!(work.verify(&out).code, Some(0));
            let found = samples(&work.path(&out));
            let crops = setting["crops"].as_array().unwrap();
            assert_eq!(found.len(), crops.len());
            for (sample, crop) in found.iter().zip(crops) {
                let what = format!("{kind} {crop} with {}", setting["box_scale"]);
                let name = crop["image"].as_str().unwrap();
                let name = if kind == "coco" {
                    name
                } else {
                    name.split('.').next().unwrap()
                };
                assert_eq!(sample.json["clip"], format!("{split}/{name}"), "{what}");
                let ordinal = format!("-{:04}", crop["ordinal"].as_u64().unwrap());
                assert!(sample.key.ends_with(&ordinal), "{what}: {}", sample.key);
                assert_eq!(sample.json["label"], crop["label"], "{what}");
                assert_eq!(
                    [&sample.json["source"], &sample.json["kind"]],
                    [kind, "images"]
                );
                let view = &sample.json["anchor"];
                assert_eq!(view["image_size"], crop["size"], "{what}");
                let numbers =
                    |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
                assert_eq!(
                    numbers(&view["box_xywh"]),
                    numbers(&crop["region"]),
                    "{what}"
                );
                let raw = raw(sample);
                let (own, rest) = pixels.split_at(raw.len() / 3 * 4);
                pixels = rest;
                for (at, (found, expected)) in raw.chunks(3).zip(own.chunks(4)).enumerate() {
                    let differs = found.iter().zip(expected).any(|(a, b)| a.abs_diff(*b) > 3);
                    // Of planes in YUV the conversion to RGB rounds otherwise than libjpeg's, by 1 to 3 levels.
                    assert!(
                        expected[3] == 0 || !differs,
                        "{what}, pixel {at}: {found:?}, expected {expected:?}"
                    );
                }
            }
            let left_out = json!({ crowd: 5, "outside": 5, "too_small": 5 });
            assert_eq!(
                summary["boxes"],
                json!({ "annotated": 35, "left_out": left_out })
            );
            assert_eq!(manifest(&work.path(&out))["boxes"], summary["boxes"]);
            assert_boxes_add_up(&summary);
            assert_eq!(summary["partial"], 5);
        }
        assert!(pixels.is_empty());
        let line = refused(&work.path("out0")).remove(0);
        let reason = "1 of 7 annotated boxes are not valid or lie outside the image";
        assert_eq!([&line["outcome"], &line["reason"]], ["partial", reason]);
    }
}

#[test]
fn padding_has_exactly_the_mean_colour_of_imagenet() {
    let work = work("kind = 'coco'\nboxes = true\nbox_scale = 2\nmin_box_px = 8");
    of_source(work.extract("out"), &golden("boxes/coco")).run_well();
    let found = samples(&work.path("out"));
    // The box [0, 0, 12, 16] of the upright PNG: a quarter of its region on each side lies outside.
    let corner = found
        .iter()
        .find(|sample| sample.key == "00000000-0001")
        .unwrap();
    assert_eq!(
        corner.json["anchor"]["box_xywh"],
        json!([-6.0, -8.0, 24.0, 32.0])
    );
    let raw = raw(corner);
    for (at, pixel) in raw.chunks(3).enumerate() {
        if at / 24 < 8 || at % 24 < 6 {
            assert_eq!(pixel, [124, 116, 104], "pixel {at}");
        }
    }
}

#[test]
fn every_kind_of_still_in_a_folder_is_one_upright_record_and_damage_is_named() {
    let work = work("kind = 'images'");
    let clips = work.clips();
    copy(&golden("stills"), &clips.join("deep/er/stills"));
    let whole = fs::read(golden("stills/exif_ii_6.jpg")).unwrap();
    fs::write(clips.join("cut.jpg"), &whole[..whole.len() * 2 / 3]).unwrap();
    fs::write(clips.join("empty.png"), "").unwrap();
    fs::write(clips.join("page.jpg"), "<html>404</html>").unwrap();
    let fifo = Command::new("mkfifo").arg(clips.join("fifo.jpg")).status();
    assert!(fifo.unwrap().success());
    let summary = work.extract("out").run_json();
    assert_eq!(work.verify("out").code, Some(0));
    let cases = fs::read_to_string(golden("stills/cases.tsv")).unwrap();
    let sizes: BTreeMap<String, [u64; 2]> = cases
        .lines()
        .map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            let id = format!("deep/er/stills/{}", parts[0]);
            (id, [parts[1], parts[2]].map(|side| side.parse().unwrap()))
        })
        .collect();
    let found: BTreeMap<String, [u64; 2]> = samples(&work.path("out"))
        .iter()
        .map(|sample| {
            assert!(sample.key.ends_with("-0000"));
            let anchor = &sample.json["anchor"];
            let frame_size = anchor["frame_size"].as_array().unwrap();
            let size = |side: usize| frame_size[side].as_f64().unwrap();
            assert_eq!(sample.json["label"], "");
            assert_eq!(anchor["box_xywh"], json!([0.0, 0.0, size(0), size(1)]));
            let size = serde_json::from_value(sample.json["anchor"]["image_size"].clone()).unwrap();
            (sample.json["clip"].as_str().unwrap().to_owned(), size)
        })
        .collect();
    assert_eq!(found, sizes);
    assert_eq!(summary["pairs"], sizes.len());
    for (id, words) in [
        ("cut.jpg", ""),
        ("empty.png", "an empty file"),
        ("page.jpg", "a web page"),
        ("fifo.jpg", "is a FIFO"),
    ] {
        let line = refusal_of(&work.path("out"), id);
        assert_eq!(line["outcome"], "refused", "{line}");
        assert!(line["reason"].as_str().unwrap().contains(words), "{line}");
    }
    assert_eq!([&summary["refused"], &summary["partial"]], [4, 0]);
    // `pixels.rgb` and `cases.tsv` are no images.
    assert_eq!(summary["ignored"], json!({ "rgb": 1, "tsv": 1 }));
}

/// MSCOCO with damage of every kind, and sound images.
fn damaged_coco(work: &Work) {
    let clips = work.clips();
    fs::remove_dir(&clips).unwrap();
    copy(&golden("boxes/coco"), &clips);
    let images = clips.join("train2017");
    let jpeg = fs::read(images.join("000000000006.jpg")).unwrap();
    fs::write(images.join("000000000007.jpg"), &jpeg[..jpeg.len() / 2]).unwrap();
    fs::remove_file(images.join("000000000008.jpg")).unwrap();
    fs::write(images.join("000000000100.jpg"), &jpeg).unwrap();
    let path = clips.join("annotations/instances_train2017.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let listed = json["images"].as_array_mut().unwrap();
    listed[4]["width"] = 640.into();
    for (id, name) in [(20, "a.jpg"), (21, "b.jpg"), (22, "c.jpg")] {
        fs::write(images.join(name), &jpeg).unwrap();
        listed.push(json!({ "id": id, "file_name": name, "width": 64, "height": 48 }));
    }
    let annotations = json["annotations"].as_array_mut().unwrap();
    let annotation = |image: u64, bbox: Value, crowd: u64| json!({ "image_id": image, "category_id": 1, "bbox": bbox, "iscrowd": crowd });
    annotations.push(annotation(21, json!([1, 1, 40, 40]), 1));
    annotations.push(annotation(22, json!([1, 1, 0, 40]), 0));
    annotations.push(annotation(999, json!([1, 1, 9, 9]), 0));
    fs::write(path, json.to_string()).unwrap();
}

#[test]
fn damage_of_a_copy_of_mscoco_is_named_and_counted_and_the_rest_is_stored() {
    let work = work("kind = 'coco'\nboxes = true\nmin_box_px = 8");
    damaged_coco(&work);
    let summary = work.extract("out").run_json();
    let out = work.path("out");
    let name = "instances_train2017.json";
    for (id, outcome, words) in [
        (
            "annotations/instances_train2017.json",
            "skipped",
            "1 annotation has no listed image_id (the first: 999)".to_owned(),
        ),
        (
            "train2017/000000000007.jpg",
            "refused",
            "000000000007.jpg".to_owned(),
        ),
        (
            "train2017/000000000008.jpg",
            "refused",
            format!("no such file, though {name} lists it"),
        ),
        (
            "train2017/000000000009.jpg",
            "refused",
            "of an image of 640 x 48 px, but the stored image has 64 x 48 px".to_owned(),
        ),
        (
            "train2017/000000000100.jpg",
            "skipped",
            format!("{name} does not list it"),
        ),
        (
            "train2017/a.jpg",
            "skipped",
            format!("{name} has no object in it"),
        ),
        (
            "train2017/b.jpg",
            "skipped",
            "no usable box: 1 annotated object (1 crowd)".to_owned(),
        ),
        (
            "train2017/c.jpg",
            "refused",
            "1 of 1 annotated boxes are not valid".to_owned(),
        ),
    ] {
        let line = refusal_of(&out, id);
        assert_eq!(line["outcome"], outcome, "{line}");
        assert!(line["reason"].as_str().unwrap().contains(&words), "{line}");
    }
    // Two whole images, whose boxes outside are named too.
    assert_eq!([&summary["pairs"], &summary["clips"]], [8, 10]);
    let left_out = json!({ "crowd": 3, "outside": 2, "too_small": 2 });
    assert_eq!(
        summary["boxes"],
        json!({ "annotated": 15, "left_out": left_out })
    );
    assert_boxes_add_up(&summary);
    assert_eq!(work.verify("out").code, Some(0));
    let stderr = work.extract("out").run_well().stdout;
    assert!(
        stderr.contains("7 of 15 annotated objects left out (3 crowd, 2 outside, 2 too_small)"),
        "{stderr}"
    );

    // Mended: the boxes of the image are counted once.
    let mended = fs::read(golden("boxes/coco/train2017/000000000007.jpg")).unwrap();
    fs::write(work.path("clips/train2017/000000000007.jpg"), mended).unwrap();
    let retried = work.extract("out").arg("--retry-refused").run_json();
    let left_out = json!({ "crowd": 4, "outside": 3, "too_small": 3 });
    assert_eq!(
        retried["boxes"],
        json!({ "annotated": 22, "left_out": left_out })
    );
    assert_eq!(retried["pairs"], 12);
    assert_boxes_add_up(&retried);
    // Again: the images that are still refused are counted neither time.
    let again = work.extract("out").arg("--retry-refused").run_json();
    assert_eq!(
        [&again["boxes"], &again["pairs"]],
        [&retried["boxes"], &retried["pairs"]]
    );
}

#[test]
fn a_damaged_annotation_of_voc_costs_its_image_alone() {
    let work = work("kind = 'voc'\nboxes = true\nmin_box_px = 8");
    fs::remove_dir(work.clips()).unwrap();
    copy(&golden("boxes/voc"), &work.clips());
    let year = work.path("clips/VOC2007");
    let xml = |id: &str| year.join(format!("Annotations/{id}.xml"));
    fs::remove_file(xml("000000000001")).unwrap();
    let sound = fs::read_to_string(xml("000000000006")).unwrap();
    fs::write(xml("000000000006"), &sound[..sound.len() / 2]).unwrap();
    fs::write(xml("000000000007"), "<annotation><size/></annotation>").unwrap();
    fs::remove_file(year.join("JPEGImages/000000000008.jpg")).unwrap();
    work.extract("out").run_well();
    let out = work.path("out");
    for (id, outcome, words) in [
        (
            "VOC2007/000000000001",
            "refused",
            "000000000001.xml: No such file",
        ),
        (
            "VOC2007/000000000006",
            "refused",
            "no annotation of Pascal VOC",
        ),
        ("VOC2007/000000000007", "skipped", "it has no annotated box"),
        (
            "VOC2007/000000000008",
            "refused",
            "no image of that name in JPEGImages",
        ),
    ] {
        let line = refusal_of(&out, id);
        assert_eq!(line["outcome"], outcome, "{line}");
        assert!(line["reason"].as_str().unwrap().contains(words), "{line}");
    }
    assert_eq!(samples(&out).len(), 4);
}

#[test]
fn annotations_that_were_cut_and_pairs_of_several_frames_are_refused_before_any_work() {
    let work = work("kind = 'coco'\nboxes = true");
    fs::remove_dir(work.clips()).unwrap();
    copy(&golden("boxes/coco"), &work.clips());
    let path = work.path("clips/annotations/instances_train2017.json");
    let json = fs::read(&path).unwrap();
    fs::write(&path, &json[..json.len() - 200]).unwrap();
    let words = [
        "instances_train2017.json as an annotation file",
        "EOF while parsing",
        "download it again",
    ];
    work.extract("out").run().failed_with(2, &words);
    fs::remove_file(&path).unwrap();
    let words = [
        "cannot read clips/annotations/instances_train2017.json",
        "No such file",
    ];
    work.extract("out").run().failed_with(2, &words);
    let words = [
        "pairs.kind is \"frames\"; expected \"images\", since source.kind = \"coco\" has still images",
    ];
    work.extract("out")
        .set("pairs.kind=frames")
        .run()
        .failed_with(2, &words);
    let words = [
        "source.boxes is true; expected false, since source.kind = \"images\" has no boxes of objects",
    ];
    work.extract("out")
        .set("source.kind=images")
        .run()
        .failed_with(2, &words);
    assert!(!work.path("out").exists());
    // Whole images need no annotations.
    let whole = work.extract("whole").set("source.boxes=false").run_json();
    assert_eq!([&whole["pairs"], &whole["refused"]], [5, 0]);
    assert!(whole.get("boxes").is_none());
}

/// Folder with a damaged MSCOCO whose sound images are there many times, and the data set of an undisturbed run in `expected`.
fn work_with_expected() -> Work {
    let settings = "kind = 'coco'\nboxes = true\nmin_box_px = 8\n[shards]\nmax_records = 7";
    let work = work(settings);
    damaged_coco(&work);
    let path = work.path("clips/annotations/instances_train2017.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let images = work.path("clips/train2017");
    for id in 1000..1060 {
        let name = format!("{id}.png");
        fs::hard_link(images.join("000000000001.png"), images.join(&name)).unwrap();
        let image = json!({ "id": id, "file_name": name, "width": 64, "height": 48 });
        json["images"].as_array_mut().unwrap().push(image);
        for x in 0..id % 4 {
            let bbox = json!([4 * x, 2, 20.5, 30]);
            let annotation = json!({ "image_id": id, "category_id": 18, "bbox": bbox });
            json["annotations"].as_array_mut().unwrap().push(annotation);
        }
    }
    fs::write(path, json.to_string()).unwrap();
    work.extract("expected").workers(1).run_well();
    work
}

#[test]
fn boxes_have_the_same_bytes_for_any_number_of_workers_and_after_kills() {
    let work = work_with_expected();
    let expected = work.path("expected");
    assert_is_finished(&expected);
    assert_boxes_add_up(&work.extract("expected").run_json());
    assert!(manifest(&expected)["shards"].as_array().unwrap().len() > 10);
    for workers in [2, 8] {
        let out = format!("workers{workers}");
        work.extract(&out).workers(workers).run_well();
        assert_same_files(&work.path(&out), &expected, &format!("{workers} workers"));
    }
    let mut num_kills = 0;
    for out in each_call(&["rename"], |out| work.extract(out).workers(2)) {
        work.extract(&out)
            .workers([1, 2, 8][num_kills % 3])
            .run_well();
        num_kills += 1;
        assert_is_finished(&work.path(&out));
        assert_same_files(&work.path(&out), &expected, &out);
        fs::remove_dir_all(work.path(&out)).unwrap();
    }
    println!("{num_kills} kills");
}
