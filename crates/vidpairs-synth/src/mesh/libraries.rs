//! Reads the material libraries that an OBJ names, each once, and checks how much an OBJ holds before it is parsed.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::Cursor;

use tobj::MTLLoadResult;

use super::corners::is_statement;
use super::{MAX_MATERIALS, MeshError};
use crate::catalog::ObjectFiles;

/// Maximum number of triangles: ten times that of the largest known catalogue object.
const MAX_TRIANGLES: usize = 2_000_000;
/// Maximum number of vertices, of texture coordinates, and of normals: three for each triangle.
const MAX_VERTICES: usize = 3 * MAX_TRIANGLES;
/// Maximum size of all material libraries of an object, bytes. Those of catalogues have kilobytes.
const MAX_LIBRARY_BYTES: usize = 4 << 20;
/// Statements of colours.
const COLORS: [&str; 4] = ["Ka", "Kd", "Ks", "Ke"];

/// Numbers of the statements of an OBJ.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Counts {
    /// Triangles of all faces; a line counts as one for each part.
    triangles: usize,
    vertices: usize,
    texture_coordinates: usize,
    normals: usize,
}

impl Counts {
    fn of(obj: &str) -> Self {
        let mut counts = Self::default();
        for line in obj.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("v") => counts.vertices += 1,
                Some("vt") => counts.texture_coordinates += 1,
                Some("vn") => counts.normals += 1,
                Some("f" | "l") => counts.triangles += words.count().saturating_sub(2).max(1),
                _ => {}
            }
        }
        counts
    }
}

/// Checks the number of triangles and vertices that `obj` states. The parser takes many times the bytes of the text.
pub(super) fn check_counts(obj: &str) -> Result<(), MeshError> {
    let counts = Counts::of(obj);
    MeshError::check("triangles", counts.triangles, MAX_TRIANGLES)?;
    MeshError::check("vertices", counts.vertices, MAX_VERTICES)?;
    MeshError::check(
        "texture coordinates",
        counts.texture_coordinates,
        MAX_VERTICES,
    )?;
    MeshError::check("normals", counts.normals, MAX_VERTICES)
}

/// Material libraries of one object.
pub(super) struct Libraries<'a> {
    files: &'a mut ObjectFiles,
    /// Places of the libraries that were read.
    known: HashSet<OsString>,
    num_bytes: usize,
    num_materials: usize,
    /// First error, which the parser does not keep.
    pub error: Option<MeshError>,
}

impl<'a> Libraries<'a> {
    pub fn new(files: &'a mut ObjectFiles) -> Self {
        Self {
            files,
            known: HashSet::new(),
            num_bytes: 0,
            num_materials: 0,
            error: None,
        }
    }

    /// Reads library `name`; one that was read before has no more materials.
    pub fn read(&mut self, name: &str) -> MTLLoadResult {
        if self.error.is_some() {
            return Err(tobj::LoadError::OpenFileFailed);
        }
        match self.text(name) {
            Ok(text) => tobj::load_mtl_buf(&mut Cursor::new(text.as_bytes())),
            Err(err) => {
                self.error = Some(err);
                Err(tobj::LoadError::OpenFileFailed)
            }
        }
    }

    fn text(&mut self, name: &str) -> Result<String, MeshError> {
        if !self.known.insert(self.files.locate(name)?) {
            return Ok(String::new());
        }
        let bytes = self.files.read(name)?;
        self.num_bytes += bytes.len();
        MeshError::check("bytes of materials", self.num_bytes, MAX_LIBRARY_BYTES)?;
        let text = String::from_utf8_lossy(&bytes);
        let is_material = |line: &&str| is_statement(line, "newmtl");
        self.num_materials += text.lines().filter(is_material).count();
        MeshError::check("materials", self.num_materials, MAX_MATERIALS)?;
        check_colors(name, &text)?;
        Ok(text.into_owned())
    }
}

/// Checks that colours have three numbers.
fn check_colors(file: &str, mtl: &str) -> Result<(), MeshError> {
    for (line, statement) in mtl.lines().enumerate() {
        let mut words = statement.split_whitespace();
        if !words.next().is_some_and(|name| COLORS.contains(&name)) {
            continue;
        }
        let is_number = |word: &str| word.parse::<f32>().is_ok();
        if words.clone().count() < 3 || !words.take(3).all(is_number) {
            return Err(MeshError::Color {
                file: file.to_owned(),
                line: line + 1,
                statement: statement.trim().chars().take(80).collect(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use vidpairs_image::jpeg;
    use vidpairs_image::png::{PngEffort, encode};
    use vidpairs_types::RgbImage;

    use super::super::{Mesh, load};
    use super::*;
    use crate::catalog::Catalog;

    const FACE: &str = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\n";

    fn picture() -> RgbImage {
        RgbImage {
            size: [16, 16].into(),
            pixels: (0..=255).cycle().take(3 * 16 * 16).collect(),
        }
    }

    fn load_from(folder: &Path, obj: &str, mtl: &str) -> Result<Mesh, MeshError> {
        fs::write(folder.join("cup.obj"), obj).unwrap();
        fs::write(folder.join("cup.mtl"), mtl).unwrap();
        let catalog = Catalog::read(&[folder.to_owned()]).unwrap();
        load(&catalog.objects[0])
    }

    fn loaded(obj: &str, mtl: &str) -> Result<Mesh, MeshError> {
        let folder = tempfile::tempdir().unwrap();
        let png = encode(&picture(), PngEffort::Fast).unwrap();
        fs::write(folder.path().join("wood.png"), png).unwrap();
        fs::create_dir(folder.path().join("Maps")).unwrap();
        load_from(folder.path(), obj, mtl)
    }

    fn refusal(obj: &str, mtl: &str) -> String {
        loaded(obj, mtl).unwrap_err().to_string()
    }

    #[test]
    fn a_texture_with_many_spellings_is_decoded_once() {
        let spellings = [
            "wood.png",
            "./wood.png",
            "WOOD.PNG",
            "Maps/../wood.png",
            "-s 1 1 1 wood.png",
            "C:\\maps\\wood.png",
        ];
        let statement = |number: usize| {
            let spelling = spellings[number % spellings.len()];
            let dots = if number.is_multiple_of(spellings.len()) {
                "./".repeat(number)
            } else {
                String::new()
            };
            format!("newmtl m{number}\nmap_Kd {dots}{spelling}\n")
        };
        let mtl: String = (0..900).map(statement).collect();
        let mesh = loaded(
            &format!("mtllib cup.mtl\n{FACE}usemtl m7\nf 1/1 2/1 3/1\n"),
            &mtl,
        )
        .unwrap();
        assert_eq!((mesh.materials.len(), mesh.textures.len()), (901, 1));
    }

    #[test]
    fn a_material_library_named_many_times_is_read_once() {
        let mtl: String = (0..900)
            .map(|number| format!("newmtl m{number}\nKd 1 0 0\n"))
            .collect();
        let names = "mtllib cup.mtl\nmtllib ./cup.mtl\nmtllib CUP.MTL\n".repeat(1000);
        let mesh = loaded(&format!("{names}{FACE}usemtl m7\nf 1 2 3\n"), &mtl).unwrap();
        assert_eq!(mesh.materials.len(), 901);
        assert_eq!(mesh.material_of, [7]);
    }

    #[test]
    fn a_color_without_three_numbers_is_refused_with_its_line() {
        let obj = format!("mtllib cup.mtl\n{FACE}usemtl a\nf 1 2 3\n");
        for color in [
            "Kd 0.8 0.2",
            "Ka 1",
            "Ks",
            " Ke 1 red 0",
            "Kd spectral wood.rfl",
        ] {
            let text = refusal(&obj, &format!("newmtl a\n{color}\n"));
            let expected = format!("line 2 of cup.mtl is {:?}", color.trim());
            assert!(text.starts_with(&expected), "{text}");
        }
    }

    #[test]
    fn an_object_with_more_than_any_object_needs_is_refused_before_it_is_parsed() {
        let obj = |more: &str| format!("mtllib cup.mtl\n{FACE}f 1 2 3\n{more}");
        let polygon = format!("f{}\n", " 1".repeat(MAX_TRIANGLES + 2));
        let text = refusal(&obj(&polygon), "");
        assert!(
            text.starts_with("2000001 triangles; expected at most 2000000"),
            "{text}"
        );
        let text = refusal(&obj(""), &"newmtl a\n".repeat(1001));
        assert!(
            text.starts_with("1001 materials; expected at most 1000"),
            "{text}"
        );
        let text = refusal(&obj(""), &format!("# {}\n", "x".repeat(MAX_LIBRARY_BYTES)));
        assert!(
            text.contains("bytes of materials; expected at most"),
            "{text}"
        );
    }

    #[test]
    fn faces_lines_and_vertices_are_counted_as_the_parser_would_keep_them() {
        let obj = "v 0 0 0\n\tv 1 0 0 # f 1 2 3\nvt 0 0\nvn 0 0 1\nvn 1 0 0\nf 1 2 3\n f 1 2 3 1 2\nl 1 2\nvp 1\no f\n";
        let expected = Counts {
            triangles: 1 + 3 + 1,
            vertices: 2,
            texture_coordinates: 1,
            normals: 2,
        };
        assert_eq!(Counts::of(obj), expected);
    }

    #[test]
    fn a_truncated_jpeg_texture_is_refused_not_filled_with_gray() {
        let jpeg = jpeg::compress(&picture(), 90).unwrap();
        let obj = format!("mtllib cup.mtl\n{FACE}usemtl a\nf 1/1 2/1 3/1\n");
        for (bytes, is_sound) in [(&jpeg[..], true), (&jpeg[..jpeg.len() - 40], false)] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("wood.jpg"), bytes).unwrap();
            let mesh = load_from(folder.path(), &obj, "newmtl a\nmap_Kd wood.jpg\n");
            assert_eq!(mesh.is_ok(), is_sound, "{:?}", mesh.err());
        }
    }
}
