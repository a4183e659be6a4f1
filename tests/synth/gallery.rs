//! `vidpairs synth --gallery`: the page shows the files of the set.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Names of the objects: boxes of two classes, with objects of both halves.
const OBJECTS: [&str; 8] = [
    "car_1", "car_2", "car_3", "car_4", "lamp_1", "lamp_2", "lamp_3", "lamp_4",
];

/// A folder with a set and the objects it is rendered from.
struct Set {
    folder: TempDir,
    options: Vec<&'static str>,
}

impl Set {
    fn new(options: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = folder.path().join("objects");
        fs::create_dir(&objects).unwrap();
        for (place, name) in (0u8..).zip(OBJECTS) {
            let length = 1.0 + f32::from(place);
            fs::write(objects.join(format!("{name}.obj")), cuboid(length)).unwrap();
        }
        Self {
            folder,
            options: options.to_vec(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vidpairs"));
        command.args([
            "synth",
            "--seed",
            "1",
            "--workers",
            "2",
            "--json",
            "--objects",
        ]);
        command
            .arg(self.path("objects"))
            .arg("--out")
            .arg(self.path("set"));
        command.args(&self.options).args(more).output().unwrap()
    }

    /// Page of the set, and the JSON that the command prints.
    fn page(&self) -> (String, Value) {
        let page = self.path("page.html");
        let output = self.run(&["--gallery", page.to_str().unwrap()]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let printed = serde_json::from_slice(&output.stdout).unwrap();
        (fs::read_to_string(page).unwrap(), printed)
    }

    fn truths(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("set/truth.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn write_truths(&self, truths: &[Value]) {
        let lines: Vec<String> = truths.iter().map(|truth| format!("{truth}\n")).collect();
        fs::write(self.path("set/truth.jsonl"), lines.concat()).unwrap();
    }
}

fn cuboid(length: f32) -> String {
    let mut text = String::new();
    for corner in 0..8 {
        let side = |bit: u32| if corner >> bit & 1 == 1 { 0.5 } else { -0.5 };
        text += &format!("v {} {} {}\n", length * side(0), side(1), 2.0 * side(2));
    }
    for face in [
        "1 3 4 2", "5 6 8 7", "1 2 6 5", "3 7 8 4", "1 5 7 3", "2 4 8 6",
    ] {
        text += &format!("f {face}\n");
    }
    text
}

/// Embedded images, in the order of the page.
fn images(html: &str) -> Vec<Vec<u8>> {
    let parts = html.split("src=\"data:image/").skip(1);
    let base64 = parts.map(|part| {
        part.split_once("base64,")
            .unwrap()
            .1
            .split('"')
            .next()
            .unwrap()
    });
    base64
        .map(|base64| STANDARD.decode(base64).unwrap())
        .collect()
}

/// Figures of the page, as HTML.
fn figures(html: &str) -> Vec<&str> {
    html.split("<figure>").skip(1).collect()
}

fn file(set: &Set, name: &str) -> Vec<u8> {
    fs::read(set.path("set").join(name)).unwrap()
}

const GOT10K: [&str; 16] = [
    "--kind",
    "got10k",
    "--size",
    "64x48",
    "--videos",
    "1",
    "--held-out-videos",
    "0",
    "--frames",
    "9",
    "--clutter",
    "0",
    "--occlusion",
    "0",
    "--leaving",
    "0",
];

#[test]
fn frames_are_the_bytes_of_the_set_and_boxes_match_the_truth() {
    let set = Set::new(&GOT10K);
    let (html, printed) = set.page();
    let shown = [0, 1, 2, 3, 5, 6, 7, 8];
    let truths = set.truths();
    let images = images(&html);
    assert_eq!(images.len(), 8);
    for ((figure, image), place) in figures(&html).into_iter().zip(images).zip(shown) {
        let truth = &truths[place];
        assert_eq!(image, file(&set, truth["image"].as_str().unwrap()));
        assert!(
            figure.contains(&format!("<b>frame {place}</b>")),
            "{figure}"
        );
        assert!(figure.contains("viewBox=\"0 0 64 48\""));
        let edges: Vec<f64> = serde_json::from_value(truth["box_xywh"].clone()).unwrap();
        let [x, y, w, h] = edges[..] else {
            panic!("{edges:?}")
        };
        let rect =
            format!("class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"></rect>");
        assert!(figure.contains(&rect), "{rect}\n{figure}");
    }
    let gallery = &printed["gallery"];
    assert_eq!(gallery["path"], json!(set.path("page.html")));
    assert_eq!(
        (&gallery["images"], &gallery["of_images"]),
        (&json!(8), &json!(9))
    );
    assert_eq!(gallery["bytes"], json!(html.len()));
    assert!(html.contains("9 images in the layout of GOT-10k"));
}

#[test]
fn a_hidden_object_a_damaged_image_and_a_missing_image_are_marked() {
    let set = Set::new(&GOT10K);
    set.page();
    let mut truths = set.truths();
    truths[1]["box_xywh"] = Value::Null;
    truths[1]["visible_share"] = json!(0.0);
    truths[6]["image"] = json!("train/GOT-10k_Train_000001/../../../objects/car_1.obj");
    set.write_truths(&truths);
    let path = |number: u32| {
        set.path("set/train/GOT-10k_Train_000001")
            .join(format!("{number:08}.jpg"))
    };
    let whole = fs::read(path(3)).unwrap();
    fs::write(path(3), &whole[..whole.len() / 2]).unwrap();
    fs::remove_file(path(4)).unwrap();
    fs::copy(path(1), path(2)).unwrap();
    let (html, printed) = set.page();
    assert_eq!(printed["is_complete_already"], true);
    let figures = figures(&html);
    assert!(figures[1].contains("not visible") && !figures[1].contains("<rect"));
    assert!(figures[1].contains("0 % visible") && figures[1].contains("cover 0"));
    assert!(
        figures[2].contains("cannot be shown: damaged JPEG"),
        "{}",
        figures[2]
    );
    assert!(
        figures[3].contains("cannot be shown: cannot read train/"),
        "{}",
        figures[3]
    );
    // The image with the bad path is a group of its own.
    assert!(html.contains("is no path below the set"));
    assert!(!figures[0].contains("cannot be shown") && figures[0].contains("<img"));
}

#[test]
fn frames_come_from_the_zip_or_else_from_the_mp4() {
    for (container, num_shown) in [("zip", 5), ("mp4", 5)] {
        let set = Set::new(&[
            "--kind",
            "trackingnet",
            "--size",
            "64x48",
            "--videos",
            "1",
            "--held-out-videos",
            "0",
            "--frames",
            "5",
            "--clutter",
            "0",
            "--occlusion",
            "0",
            "--container",
            container,
        ]);
        let (html, _) = set.page();
        let images = images(&html);
        assert_eq!(images.len(), num_shown, "{container}");
        assert!(images.iter().all(|image| image.starts_with(b"\xff\xd8")));
        assert!(
            html.contains(&format!("<dd>{container}</dd>")),
            "{container}"
        );
        let name = set.truths()[0]["image"].as_str().unwrap().to_owned();
        let bytes = file(&set, &name);
        fs::write(set.path("set").join(&name), &bytes[..bytes.len() / 3]).unwrap();
        let (html, _) = set.page();
        assert_eq!(figures(&html).len(), num_shown);
        assert!(html.contains("This picture cannot be shown"), "{container}");
    }
}

#[test]
fn a_turntable_shows_views_lights_and_colors() {
    let set = Set::new(&["--kind", "aloi", "--half", "both", "--num-objects", "1"]);
    let (html, _) = set.page();
    assert_eq!(images(&html).len(), 12 + 8 + 6);
    let page = html.split_once("</style>").unwrap().1;
    for words in [
        "<b>330°</b>",
        "<b>l1</b><span>from the far right</span>",
        "3075 K",
        "2175 K",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("class=\"box\"") && !page.contains("not visible"));
}

#[test]
fn a_class_shows_one_object_from_all_sides_and_pairs_with_numbered_boxes() {
    let set = Set::new(&[
        "--kind",
        "pascal3d",
        "--size",
        "64x48",
        "--half",
        "both",
        "--num-objects",
        "2",
        "--azimuths",
        "4",
        "--elevations",
        "0,30",
    ]);
    let (html, printed) = set.page();
    assert_eq!(images(&html).len(), 2 * (4 * 2 + 2));
    assert_eq!(printed["gallery"]["of_images"], json!(4 * (4 * 2 + 2)));
    for words in [
        "Elevation 0°",
        "Elevation 30°",
        "<b>270° / 30°</b>",
        ">1</text>",
        ">2</text>",
    ] {
        assert!(html.contains(words), "{words}");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_anything_is_rendered() {
    let set = Set::new(&GOT10K);
    let nowhere = Path::new("nowhere").join("page.html");
    let output = set.run(&[
        "--gallery",
        set.path(nowhere.to_str().unwrap()).to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no folder"));
    assert!(!set.path("set").exists());
}
