use std::fs;
use std::path::{Path, PathBuf};

use matrw::{MatVariable, matfile, matvar, save_matfile_v7};
use serde_json::Value;
use tempfile::TempDir;
use vidpairs_types::{Condition, ImageSets, Invariance, NearView, Seed};

use super::record::{Object, Viewpoint, objects};
use super::release::UNPACKED;
use crate::image_sets::test_sets::{error_text, left_out, sets_of};
use crate::image_sets::{ImageSetKind, image_sets};
use crate::test_tree::{jpeg_head, make_fifo, tree, write};

const VIEWPOINT: ImageSetKind = ImageSetKind::Pascal3dViewpoint;
const INSTANCE: ImageSetKind = ImageSetKind::Pascal3dInstance;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pascal3d")
}

#[test]
fn annotations_are_read_as_scipy_reads_them() {
    let contents = fs::read(golden().join("contents.json")).unwrap();
    let contents: Value = serde_json::from_slice(&contents).unwrap();
    let files = contents["objects"].as_object().unwrap();
    assert_eq!(files.len(), 4);
    for (name, expected) in files {
        let file = fs::read(golden().join(format!("{name}.mat"))).unwrap();
        let read = objects(&file).unwrap().unwrap();
        let expected: Vec<Object> = expected.as_array().unwrap().iter().map(object).collect();
        assert_eq!(read, expected, "{name}");
    }
    let without_record = fs::read(golden().join("stranger.mat")).unwrap();
    assert_eq!(objects(&without_record).unwrap(), None);
}

fn object(json: &Value) -> Object {
    let viewpoint = json["viewpoint"].as_object().map(|view| Viewpoint {
        azimuth_coarse: view["azimuth_coarse"].as_f64(),
        elevation_coarse: view["elevation_coarse"].as_f64(),
        azimuth: view["azimuth"].as_f64(),
        elevation: view["elevation"].as_f64(),
        distance: view["distance"].as_f64(),
    });
    let corner = |place: usize| json["bbox"][place].as_f64().unwrap();
    Object {
        class: json["class"].as_str().map(str::to_owned),
        corners: json["bbox"]
            .is_array()
            .then(|| [corner(0), corner(1), corner(2), corner(3)]),
        viewpoint,
    }
}

/// Object of a class, with a box. The measured angles are two degrees above the coarse ones.
fn car(class: &str, corners: [f64; 4], azimuth: f64, elevation: f64) -> MatVariable {
    let corners = corners.to_vec();
    let (fine_azimuth, fine_elevation) = (azimuth + 2.0, elevation + 2.0);
    matvar!({
        class: class,
        bbox: corners,
        viewpoint: {
            azimuth_coarse: azimuth,
            elevation_coarse: elevation,
            azimuth: fine_azimuth,
            elevation: fine_elevation,
            distance: 4.5,
        },
    })
}

const BOX: [f64; 4] = [11.0, 21.0, 110.0, 70.0];

/// Adds an image of 200 x 100 px and its annotation.
fn add(root: &Path, folder: &str, id: &str, objects: Vec<MatVariable>) {
    let extension = if folder.ends_with("pascal") {
        "jpg"
    } else {
        "JPEG"
    };
    write(
        root,
        &format!("Images/{folder}/{id}.{extension}"),
        jpeg_head(200, 100),
    );
    let annotations = root.join("Annotations").join(folder);
    fs::create_dir_all(&annotations).unwrap();
    let num = objects.len();
    let objects = matrw::StructureArray::from_structures(vec![1, num], objects);
    let objects = MatVariable::StructureArray(objects);
    let file = matfile!(record: matvar!({ filename: id, objects: objects }),);
    let path = annotations.join(format!("{id}.mat"));
    save_matfile_v7(path.to_str().unwrap(), file, true).unwrap();
}

/// Release with ImageNet images of cars `n1_0`, `n1_1`, ..., with these azimuths and elevations.
fn cars(angles: &[(f64, f64)]) -> TempDir {
    let root = tree(&[]);
    for (index, (azimuth, elevation)) in angles.iter().enumerate() {
        let objects = vec![car("car", BOX, *azimuth, *elevation)];
        add(root.path(), "car_imagenet", &format!("n1_{index}"), objects);
    }
    root
}

fn read(kind: ImageSetKind, root: &Path) -> ImageSets {
    image_sets(kind, root, Seed::of_run(0)).unwrap()
}

/// Ids of the images of each set.
fn ids(found: &ImageSets) -> Vec<Vec<String>> {
    let mut ids = vec![Vec::new(); found.sets.len()];
    for image in &found.images {
        let id = image.path.file_stem().unwrap().to_string_lossy();
        ids[image.set_index].push(id.into_owned());
    }
    ids
}

#[test]
fn the_kth_image_of_each_azimuth_bin_forms_set_k() {
    // Bins 0, 0, 5, 0, 3, 5.
    let angles = [0.0, 195.0, 345.0, 15.0, 90.0, 150.0].map(|azimuth| (azimuth, 0.0));
    let root = cars(&angles);
    let found = read(VIEWPOINT, root.path());
    assert_eq!(
        sets_of(&found),
        [("car/0", "car"), ("car/1", "car"), ("car/2", "car")]
    );
    let expected = [&["n1_0", "n1_4", "n1_2"][..], &["n1_1", "n1_5"], &["n1_3"]];
    assert_eq!(ids(&found), expected);
    let view = Condition::View {
        azimuth: 2.0,
        elevation: 2.0,
    };
    assert_eq!(found.images[0].condition, view);
    assert_eq!(
        found.images[0].region,
        Some([10.0, 20.0, 100.0, 50.0].into())
    );
    assert_eq!(found.invariance, Invariance::ViewpointAndInstance);
    assert_eq!(found.side_px, 224);
    assert_eq!(found.near, NearView::Azimuth { under: 60.0 });
    assert!(found.left_out.is_empty(), "{:?}", found.left_out);
}

#[test]
fn all_images_of_a_cell_of_azimuth_and_elevation_form_a_set() {
    let angles = [
        (0.0, 0.0),
        (180.0, 15.0),
        (0.0, 30.0),
        (15.0, -15.0),
        (195.0, 75.0),
        (90.0, 0.0),
    ];
    let root = cars(&angles);
    let found = read(INSTANCE, root.path());
    let sets = [
        "car/azimuth-0-elevation-0",
        "car/azimuth-0-elevation-1",
        "car/azimuth-0-elevation-2",
        "car/azimuth-3-elevation-0",
    ];
    assert_eq!(sets_of(&found), sets.map(|set| (set, "car")));
    let expected = [
        &["n1_0", "n1_1"][..],
        &["n1_2"],
        &["n1_3", "n1_4"],
        &["n1_5"],
    ];
    assert_eq!(ids(&found), expected);
    assert_eq!(
        (found.invariance, found.near),
        (Invariance::Instance, NearView::Itself)
    );
}

#[test]
fn object_0_is_used_of_imagenet_and_every_object_of_the_class_of_pascal() {
    let root = tree(&[]);
    let right = [111.0, 21.0, 200.0, 70.0];
    let two = || vec![car("bus", BOX, 0.0, 0.0), car("car", right, 0.0, 0.0)];
    let three = || [two(), vec![car("car", BOX, 0.0, 0.0)]].concat();
    add(root.path(), "car_imagenet", "n1_0", two());
    add(root.path(), "car_pascal", "2008_1", three());
    add(root.path(), "bus_pascal", "2008_1", three());
    let regions = |root: &Path| -> Vec<_> {
        let found = read(INSTANCE, root);
        found
            .images
            .iter()
            .map(|image| {
                let target = found.sets[image.set_index].target_index;
                (found.targets[target].clone(), image.region.unwrap().x)
            })
            .collect()
    };
    let expected = [("bus", 10.0), ("car", 10.0), ("car", 110.0), ("car", 10.0)];
    let expected = expected.map(|(class, x)| (class.to_owned(), x));
    assert_eq!(regions(root.path()), expected);
    // Object 0 of the list has another class. The list takes precedence.
    write(
        root.path(),
        "Image_sets/car_pascal.txt",
        "2008_1 1\n2008_1 0\n2008_1 7\n",
    );
    let expected = [("bus", 10.0), ("car", 10.0), ("car", 10.0), ("car", 110.0)];
    let expected = expected.map(|(class, x)| (class.to_owned(), x));
    assert_eq!(regions(root.path()), expected);
    let found = read(INSTANCE, root.path());
    let reason = "not in its annotation";
    assert_eq!(left_out(&found), [("car_pascal/2008_1 object 7", reason)]);
}

#[test]
fn only_listed_images_are_used_and_missing_ones_are_left_out_by_name() {
    let root = cars(&[(0.0, 0.0); 4]);
    write(root.path(), "Image_sets/car_imagenet_train.txt", "n1_2\n");
    write(
        root.path(),
        "Image_sets/car_imagenet_val.txt",
        "n1_0\nn9_9\n",
    );
    let found = read(INSTANCE, root.path());
    assert_eq!(ids(&found), [["n1_0", "n1_2"]]);
    let expected = [
        ("2 annotations of car_imagenet", "in no list of Image_sets"),
        ("car_imagenet/n9_9", "no annotation"),
    ];
    assert_eq!(left_out(&found), expected);
}

#[test]
fn each_damage_leaves_out_one_object_with_its_reason() {
    let root = cars(&[(0.0, 0.0)]);
    let with = |id: &str, object| add(root.path(), "car_imagenet", id, vec![object]);
    let without_viewpoint =
        matvar!({ class: "car", bbox: [11.0, 21.0, 110.0, 70.0], viewpoint: [] });
    with("view", without_viewpoint);
    with("outside", car("car", [201.0, 1.0, 300.0, 50.0], 0.0, 0.0));
    with("beyond", car("car", [-9.0, 51.0, 250.0, 400.0], 0.0, 0.0));
    with("turned", car("car", [110.0, 21.0, 11.0, 70.0], 0.0, 0.0));
    with("azimuth", car("car", BOX, f64::NAN, 0.0));
    for id in ["image", "head", "cut", "fifo"] {
        with(id, car("car", BOX, 0.0, 0.0));
    }
    let image = |id: &str| format!("Images/car_imagenet/{id}.JPEG");
    fs::remove_file(root.path().join(image("image"))).unwrap();
    write(root.path(), &image("head"), "");
    let cut = root.path().join("Annotations/car_imagenet/cut.mat");
    let bytes = fs::read(&cut).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 20]).unwrap();
    fs::remove_file(root.path().join(image("fifo"))).unwrap();
    make_fifo(root.path(), &image("fifo"));
    let no_record = fs::read(golden().join("stranger.mat")).unwrap();
    write(
        root.path(),
        "Annotations/car_imagenet/stranger.mat",
        no_record,
    );
    let empty = fs::read(golden().join("no-objects.mat")).unwrap();
    write(root.path(), "Annotations/car_imagenet/zero.mat", empty);
    write(root.path(), &image("zero"), jpeg_head(200, 100));
    write(root.path(), &image("extra"), jpeg_head(200, 100));
    write(root.path(), "Annotations/car_imagenet/readme.txt", "");
    write(root.path(), "Annotations/readme.txt", "");
    write(root.path(), "PDF/readme.txt", "");

    let found = read(INSTANCE, root.path());
    assert_eq!(ids(&found), [["beyond", "n1_0"]]);
    assert_eq!(
        found.images[0].region,
        Some([0.0, 50.0, 200.0, 50.0].into())
    );
    let expected = [
        (
            "1 other file or folder",
            "in Annotations, but neither <class>_imagenet nor <class>_pascal",
        ),
        // The FIFO and the text.
        (
            "2 other files of car_imagenet",
            "neither annotations nor images",
        ),
        ("1 image of car_imagenet", "no annotation"),
        (
            "car_imagenet/azimuth object 0",
            "its azimuth_coarse is empty",
        ),
        (
            "car_imagenet/cut",
            "its annotation: the file ends inside an element",
        ),
        ("car_imagenet/fifo", "no image"),
        ("car_imagenet/head", "its image has no readable header"),
        ("car_imagenet/image", "no image"),
        (
            "car_imagenet/outside object 0",
            "its box lies outside the image",
        ),
        ("car_imagenet/stranger", "its annotation has no `record`"),
        (
            "car_imagenet/turned object 0",
            "its box is empty or not valid",
        ),
        ("car_imagenet/view object 0", "its viewpoint is empty"),
        ("car_imagenet/zero object 0", "not in its annotation"),
    ];
    assert_eq!(left_out(&found), expected);
}

#[test]
fn an_image_without_an_elevation_is_in_viewpoint_sets_only() {
    let root = cars(&[(0.0, f64::NAN), (0.0, 0.0)]);
    assert_eq!(read(VIEWPOINT, root.path()).images.len(), 2);
    let found = read(INSTANCE, root.path());
    assert_eq!(found.images.len(), 1);
    let expected = (
        "car_imagenet/n1_0 object 0",
        "its elevation_coarse is empty",
    );
    assert_eq!(left_out(&found), [expected]);
}

#[test]
fn the_root_may_be_the_folder_around_the_release_and_other_roots_are_errors() {
    let root = cars(&[(0.0, 0.0)]);
    let around = tree(&[]);
    fs::rename(root.path(), around.path().join(UNPACKED)).unwrap();
    assert_eq!(read(VIEWPOINT, around.path()).images.len(), 1);
    let root = tree(&["Images/", "readme.txt"]);
    assert_eq!(
        error_text(VIEWPOINT, root.path()),
        "no release of PASCAL3D+ in ROOT: looked for Annotations/ and Images/; found: Images, readme.txt"
    );
    let root = tree(&["Images/", "Annotations/car_imagenet/n1_1.mat"]);
    assert_eq!(
        error_text(VIEWPOINT, root.path()),
        "no image set in ROOT: looked for Annotations/<class>_imagenet/<id>.mat and \
         Images/<class>_imagenet/<id>.JPEG; left out: 2, the first: car_imagenet/n1_1: its annotation: not a MATLAB 5 file, as save(FILE, '-v7') writes"
    );
}
