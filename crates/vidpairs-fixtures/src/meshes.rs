//! Small 3-D objects, written by code.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use vidpairs_synth::catalog::{Catalog, CatalogObject};

/// An object as OBJ text, being written.
#[derive(Default)]
pub struct Obj {
    text: String,
    materials: String,
    num_vertices: usize,
}

impl Obj {
    /// A matt material of one colour; what follows has it.
    pub fn material(&mut self, name: &str, rgb: [f32; 3], rest: &str) -> &mut Self {
        let [r, g, b] = rgb;
        write!(
            self.materials,
            "newmtl {name}\nillum 1\nKd {r} {g} {b}\n{rest}\n"
        )
        .unwrap();
        writeln!(self.text, "usemtl {name}").unwrap();
        self
    }

    /// A four-sided face with its own normal; the picture's lower left corner is at the first corner, its
    /// lower right one at the second.
    pub fn quad(&mut self, corners: [[f32; 3]; 4]) -> &mut Self {
        let [a, b, .., d] = corners;
        let edge = |to: [f32; 3]| [to[0] - a[0], to[1] - a[1], to[2] - a[2]];
        let (u, v) = (edge(b), edge(d));
        let normal = [
            u[1] * v[2] - u[2] * v[1],
            u[2] * v[0] - u[0] * v[2],
            u[0] * v[1] - u[1] * v[0],
        ];
        for ([x, y, z], [s, t]) in corners.iter().zip([[0, 0], [1, 0], [1, 1], [0, 1]]) {
            writeln!(self.text, "v {x} {y} {z}\nvt {s} {t}").unwrap();
        }
        let [x, y, z] = normal;
        writeln!(self.text, "vn {x} {y} {z}").unwrap();
        let first = self.num_vertices + 1;
        let face: Vec<String> = (first..first + 4)
            .map(|at| format!("{at}/{at}/-1"))
            .collect();
        writeln!(self.text, "f {}", face.join(" ")).unwrap();
        self.num_vertices += 4;
        self
    }

    /// A box of the given half sides; `paint` is called before each of its sides: front (+z), left (+x), back, right
    /// (as the object itself would say), top, bottom.
    pub fn cuboid(
        &mut self,
        [x, y, z]: [f32; 3],
        mut paint: impl FnMut(&mut Self, &str),
    ) -> &mut Self {
        let sides = [
            ("front", [[-x, -y, z], [x, -y, z], [x, y, z], [-x, y, z]]),
            ("left", [[x, -y, z], [x, -y, -z], [x, y, -z], [x, y, z]]),
            ("back", [[x, -y, -z], [-x, -y, -z], [-x, y, -z], [x, y, -z]]),
            (
                "right",
                [[-x, -y, -z], [-x, -y, z], [-x, y, z], [-x, y, -z]],
            ),
            ("top", [[-x, y, z], [x, y, z], [x, y, -z], [-x, y, -z]]),
            (
                "bottom",
                [[-x, -y, -z], [x, -y, -z], [x, -y, z], [-x, -y, z]],
            ),
        ];
        for (name, corners) in sides {
            paint(self, name);
            self.quad(corners);
        }
        self
    }

    /// A ball of radius 1 whose normals are its own directions.
    pub fn ball(&mut self) -> &mut Self {
        const RINGS: usize = 24;
        const PARTS: usize = 48;
        for ring in 0..=RINGS {
            let polar = std::f32::consts::PI * ring as f32 / RINGS as f32;
            for part in 0..PARTS {
                let around = std::f32::consts::TAU * part as f32 / PARTS as f32;
                let [x, y, z] = [
                    polar.sin() * around.sin(),
                    polar.cos(),
                    polar.sin() * around.cos(),
                ];
                writeln!(self.text, "v {x} {y} {z}\nvt 0 0\nvn {x} {y} {z}").unwrap();
            }
        }
        let at = |ring: usize, part: usize| self.num_vertices + 1 + ring * PARTS + part % PARTS;
        let mut faces = String::new();
        for ring in 0..RINGS {
            for part in 0..PARTS {
                let corners = [
                    at(ring, part),
                    at(ring + 1, part),
                    at(ring + 1, part + 1),
                    at(ring, part + 1),
                ];
                let face = corners.map(|it| format!("{it}/{it}/{it}"));
                writeln!(faces, "f {}", face.join(" ")).unwrap();
            }
        }
        self.text += &faces;
        self.num_vertices += (RINGS + 1) * PARTS;
        self
    }

    /// Writes `name.obj` and `name.mtl` into `folder`.
    pub fn write(&self, folder: &Path, name: &str) {
        fs::create_dir_all(folder).unwrap();
        let text = format!("mtllib {name}.mtl\n{}", self.text);
        fs::write(folder.join(format!("{name}.obj")), text).unwrap();
        fs::write(folder.join(format!("{name}.mtl")), &self.materials).unwrap();
    }
}

/// Writes a picture of `side` x `side` pixels into `path`; `pixel` gives red, green, blue and opacity of a
/// column and a row from the upper left corner.
pub fn write_picture(path: &Path, side: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) {
    let picture = image::RgbaImage::from_fn(side, side, |x, y| image::Rgba(pixel(x, y)));
    picture.save(path).unwrap();
}

/// The object `name` of `folder`.
pub fn object(folder: &Path, name: &str) -> CatalogObject {
    let catalog = Catalog::read(&[folder.to_owned()]).unwrap();
    catalog
        .objects
        .into_iter()
        .find(|object| object.id == name)
        .unwrap()
}
