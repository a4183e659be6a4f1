//! Small objects in common formats: OBJ, MTL, PNG, catalogs.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Corners of a box, and its sides, counterclockwise as seen from outside.
const BOX: &str =
    "v -1 -1 -1\nv 1 -1 -1\nv 1 1 -1\nv -1 1 -1\nv -1 -1 1\nv 1 -1 1\nv 1 1 1\nv -1 1 1\n";
const SIDES: [[u32; 4]; 6] = [
    [5, 6, 7, 8],
    [2, 1, 4, 3],
    [6, 2, 3, 7],
    [1, 5, 8, 4],
    [8, 7, 3, 4],
    [1, 2, 6, 5],
];
const COLORS: [&str; 6] = [
    "0.9 0.1 0.1",
    "0.1 0.9 0.1",
    "0.1 0.1 0.9",
    "0.9 0.9 0.1",
    "0.9 0.1 0.9",
    "0.1 0.9 0.9",
];

/// Whether the object `id` is held out, by the rule in `docs/OBJECTS.md`.
pub fn is_held_out(id: &str) -> bool {
    crc32fast::hash(id.as_bytes()).is_multiple_of(4)
}

/// Four ids of `class`, two in each half.
pub fn ids(class: &str) -> Vec<String> {
    let numbered = |number: u32| format!("{class}/{number:02}");
    let half = |held_out: bool| {
        let ids = (1..).map(numbered);
        ids.filter(move |id| is_held_out(id) == held_out).take(2)
    };
    half(false).chain(half(true)).collect()
}

/// Writes sound objects below `root`, two in each half of each class: `car` with six colors, `ball` with normals, `chair`
/// with a texture, and `vase` with five-sided faces, without normals and material.
pub fn write_all(root: &Path) {
    for id in ids("car") {
        colored_box(root, &id);
    }
    for id in ids("ball") {
        write(root, &format!("{id}.obj"), ball());
    }
    for id in ids("chair") {
        pictured_box(root, &id, &png(8));
    }
    for id in ids("vase") {
        write(root, &format!("{id}.obj"), prism_of_five_sides());
    }
}

/// Writes thin objects below `root`, two in each half, which are fast to render even in large images.
pub fn write_sticks(root: &Path) {
    const STICK: &str =
        "v -0.02 -1 0\nv 0.02 -1 0\nv 0 1 0\nv 0 -1 0.04\nf 1 2 3\nf 2 4 3\nf 4 1 3\n";
    for id in ids("stick") {
        write(root, &format!("{id}.obj"), STICK);
    }
}

/// Writes a box with one color on each side.
pub fn colored_box(root: &Path, id: &str) {
    let (mut obj, mut mtl) = (
        format!("mtllib {}.mtl\n{BOX}", file_name(id)),
        String::new(),
    );
    for (side, [a, b, c, d]) in SIDES.into_iter().enumerate() {
        writeln!(obj, "usemtl side{side}\nf {a} {b} {c} {d}").unwrap();
        writeln!(mtl, "newmtl side{side}\nKd {}", COLORS[side]).unwrap();
    }
    write(root, &format!("{id}.obj"), &obj);
    write(root, &format!("{id}.mtl"), &mtl);
}

/// Writes a box with the texture `png` on every side, in the folder of its model.
pub fn pictured_box(root: &Path, id: &str, png: &[u8]) {
    let name = file_name(id);
    let mut obj = format!("mtllib {name}.mtl\n{BOX}vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nusemtl all\n");
    for [a, b, c, d] in SIDES {
        writeln!(obj, "f {a}/1 {b}/2 {c}/3 {d}/4").unwrap();
    }
    write(root, &format!("{id}.obj"), &obj);
    write(
        root,
        &format!("{id}.mtl"),
        format!("newmtl all\nKd 1 1 1\nmap_Kd {name}.png\n"),
    );
    write(root, &format!("{id}.png"), png);
}

/// Sphere of 8 x 12 faces, with normals.
fn ball() -> String {
    const ROWS: u32 = 8;
    const COLUMNS: u32 = 12;
    let mut obj = String::new();
    for row in 0..=ROWS {
        let (height, radius) = (std::f64::consts::PI * f64::from(row) / f64::from(ROWS)).sin_cos();
        let (height, radius) = (radius, height);
        for column in 0..COLUMNS {
            let turn = std::f64::consts::TAU * f64::from(column) / f64::from(COLUMNS);
            let (x, z) = (radius * turn.cos(), radius * turn.sin());
            writeln!(obj, "v {x} {height} {z}\nvn {x} {height} {z}").unwrap();
        }
    }
    for (row, column) in (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (row, column))) {
        let at = |row: u32, column: u32| 1 + row * COLUMNS + column % COLUMNS;
        let corners = [
            at(row, column),
            at(row, column + 1),
            at(row + 1, column + 1),
            at(row + 1, column),
        ];
        let corners = corners.map(|corner| format!("{corner}//{corner}"));
        writeln!(obj, "f {}", corners.join(" ")).unwrap();
    }
    obj
}

/// Prism on a regular pentagon, without normals.
fn prism_of_five_sides() -> String {
    let mut obj = String::new();
    for (corner, height) in (0..5).flat_map(|corner| [(corner, -1.2), (corner, 1.2)]) {
        let (x, z) = (std::f64::consts::TAU * f64::from(corner) / 5.0).sin_cos();
        writeln!(obj, "v {x} {height} {z}").unwrap();
    }
    obj += "f 2 4 6 8 10\nf 9 7 5 3 1\n";
    for corner in 0..5 {
        let (here, next) = (2 * corner + 1, 2 * ((corner + 1) % 5) + 1);
        writeln!(obj, "f {here} {next} {} {}", next + 1, here + 1).unwrap();
    }
    obj
}

/// Checkerboard of `side` x `side` px, as PNG.
pub fn png(side: u32) -> Vec<u8> {
    let shade = |at: u32| {
        if (at % side + at / side).is_multiple_of(2) {
            [230, 200, 40]
        } else {
            [30, 60, 160]
        }
    };
    let pixels: Vec<u8> = (0..side * side).flat_map(shade).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Writes held-out objects that cannot be rendered below `root`. Returns their ids, with a part of the reason.
pub fn write_bad(root: &Path) -> Vec<(String, &'static str)> {
    const FACE: &str = "v 0 0 0\nv 1 0 0\nv 0 1 0\n";
    let cases: [(&str, &str, &'static str); 6] = [
        // The library that reads materials panics on it.
        ("two-numbers", "mtllib MTL\nusemtl all\n", "\"Kd 0.8 0.2\""),
        ("no-picture", "mtllib MTL\nusemtl all\n", "no-picture"),
        ("nan", "v 0 nan 0\nf 1 2 4\n", "not finite"),
        ("empty", "", "no face with an area"),
        ("no-vertex", "f 1 2 9\n", "damaged OBJ"),
        (
            "torn-picture",
            "mtllib MTL\nusemtl all\n",
            "damaged texture",
        ),
    ];
    let held_out = |name: &str| {
        let mut ids = (1..).map(|number| format!("bad/{name}-{number}"));
        ids.find(|id| is_held_out(id)).unwrap()
    };
    let written = cases.map(|(name, lines, reason)| {
        let id = held_out(name);
        let stem = file_name(&id);
        let mtl = format!("{stem}.mtl");
        let lines = lines.replace("MTL", &mtl);
        let obj = if name == "empty" {
            String::new()
        } else {
            format!("{FACE}{lines}f 1 2 3\n")
        };
        write(root, &format!("{id}.obj"), &obj);
        if lines.contains("mtllib") {
            let line = match name {
                "two-numbers" => "Kd 0.8 0.2".to_owned(),
                _ => format!("map_Kd {stem}.png"),
            };
            write(root, &format!("bad/{mtl}"), format!("newmtl all\n{line}\n"));
        }
        if name == "torn-picture" {
            let png = png(32);
            write(root, &format!("{id}.png"), &png[..png.len() / 2]);
        }
        (id, reason)
    });
    let mut written = written.to_vec();
    written.sort();
    written
}

/// Writes a catalog of the objects `ids` below `root`, by `creator`, under `licence`.
pub fn catalogue(path: &Path, root: &Path, ids: &[String], [creator, licence]: [&str; 2]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut list = format!("license={licence}\n");
    for (number, id) in (1..).zip(ids) {
        let name = id.replace('/', " ");
        writeln!(
            list,
            "id#{number}=Own#{id}\nname#{number}={name}\ncreator#{number}={creator}"
        )
        .unwrap();
        writeln!(list, "category#{number}=Vehicles\nmodel#{number}=/{id}.obj").unwrap();
        for extension in ["obj", "mtl"] {
            let member = format!("{id}.{extension}");
            zip.start_file(&member, stored).unwrap();
            zip.write_all(&fs::read(root.join(&member)).unwrap())
                .unwrap();
        }
    }
    zip.start_file("PluginFurnitureCatalog.properties", stored)
        .unwrap();
    zip.write_all(list.as_bytes()).unwrap();
    zip.finish().unwrap();
}

fn file_name(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(_, name)| name)
}

fn write(root: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
