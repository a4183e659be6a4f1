//! Completes the faces of an OBJ whose corners do not all have texture coordinates and a normal.

use std::borrow::Cow;

/// `obj` with texture coordinates and a normal for every corner, if some corners have them and others do not.
///
/// Missing texture coordinates become (0, 0), missing normals (0, 0, 0). `tobj` would give such corners the values of
/// other corners. The result lists all vertices before all faces, so that the added values are defined before use.
pub(super) fn complete_corners(obj: &str) -> Cow<'_, str> {
    if !is_mixed(obj) {
        return Cow::Borrowed(obj);
    }
    const VERTEX_DATA: [&str; 3] = ["v", "vt", "vn"];
    let total = |name: &str| obj.lines().filter(|line| is_statement(line, name)).count();
    let added = ["vt", "vn"].map(|name| (total(name) + 1).to_string());
    let mut vertex_data: [String; 3] = Default::default();
    let mut rest = String::with_capacity(obj.len());
    let mut counts = [0i64; 3];
    for line in obj.lines() {
        let kind = VERTEX_DATA.iter().position(|name| is_statement(line, name));
        let text = match kind {
            Some(kind) => {
                counts[kind] += 1;
                &mut vertex_data[kind]
            }
            None => &mut rest,
        };
        if is_statement(line, "f") {
            text.push('f');
            for corner in line.split_whitespace().skip(1) {
                let (point, uv, normal) = parts(corner);
                let point = absolute(point, counts[0]);
                let uv = uv.map_or_else(|| added[0].clone(), |uv| absolute(uv, counts[1]));
                let normal =
                    normal.map_or_else(|| added[1].clone(), |normal| absolute(normal, counts[2]));
                text.push_str(&format!(" {point}/{uv}/{normal}"));
            }
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    let [points, uvs, normals] = vertex_data;
    Cow::Owned(format!("{points}{uvs}vt 0 0\n{normals}vn 0 0 0\n{rest}"))
}

/// Whether some corners have texture coordinates or a normal and others do not.
fn is_mixed(obj: &str) -> bool {
    let mut seen = [[false; 2]; 2];
    for line in obj.lines().filter(|line| is_statement(line, "f")) {
        for corner in line.split_whitespace().skip(1) {
            let (_, uv, normal) = parts(corner);
            seen[0][usize::from(uv.is_some())] = true;
            seen[1][usize::from(normal.is_some())] = true;
        }
    }
    seen.contains(&[true; 2])
}

/// Whether `line` is the statement `name` with an argument.
pub(super) fn is_statement(line: &str, name: &str) -> bool {
    let rest = line.trim_start().strip_prefix(name);
    rest.is_some_and(|rest| rest.starts_with([' ', '\t']))
}

/// Indices of the point, the texture coordinates and the normal of a corner, as written.
fn parts(corner: &str) -> (&str, Option<&str>, Option<&str>) {
    let mut parts = corner.split('/');
    let point = parts
        .next()
        .expect("splitting a text gives at least one part");
    let mut index = || parts.next().filter(|part| !part.is_empty());
    (point, index(), index())
}

/// Index counted from the first element, for an index that may count back from the last of `count`. Anything but a
/// number stays as it is: `tobj` refuses it.
fn absolute(index: &str, count: i64) -> String {
    match index.parse::<i64>() {
        Ok(back) if back < 0 => (count + 1 + back).to_string(),
        _ => index.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_corners_all_have_the_same_parts_stays_as_it_is() {
        for faces in [
            "f 1 2 3\n",
            "f 1/1 2/1 3/1\nf 3/1 2/1 1/1\n",
            "f 1//1 2//1 3//1\n",
        ] {
            let obj = format!("v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\n{faces}");
            assert_eq!(complete_corners(&obj), obj);
        }
    }

    #[test]
    fn missing_parts_are_added_and_stated_parts_kept() {
        let obj = "v 0 0 0\nv 1 0 0\nvt 0.5 0.5\nusemtl a\nf 1 2 -1\nv 0 1 0\nvn 0 0 1\nf -3/-1/1 2/1/1 3/1/1\n";
        let expected = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0.5 0.5\nvt 0 0\nvn 0 0 1\nvn 0 0 0\nusemtl a\n\
                        f 1/2/2 2/2/2 2/2/2\nf 1/1/1 2/1/1 3/1/1\n";
        assert_eq!(complete_corners(obj), expected);
    }
}
