//! Faces whose corners don't all name a place in the picture and a normal.

use std::borrow::Cow;
use std::fmt::Write;

/// `obj` with every corner of every face naming the same parts, where some name a place in the picture or a
/// normal and others don't: what is missing becomes the place (0, 0) and the normal (0, 0, 0). `tobj` would give
/// such corners those of others.
///
/// All vertices come first then, so that whatever is added is there before it is named.
pub(super) fn complete_corners(obj: &str) -> Cow<'_, str> {
    if !is_mixed(obj) {
        return Cow::Borrowed(obj);
    }
    let (mut points, mut places, mut normals) = (String::new(), String::new(), String::new());
    let mut rest = String::with_capacity(obj.len());
    let total = |name: &str| obj.lines().filter(|line| is_statement(line, name)).count() as i64;
    let added = [total("vt") + 1, total("vn") + 1];
    let mut counts = [0i64; 3];
    for line in obj.lines() {
        let kind = ["v", "vt", "vn"]
            .iter()
            .position(|name| is_statement(line, name));
        if let Some(kind) = kind {
            counts[kind] += 1;
            let text = [&mut points, &mut places, &mut normals];
            for (place, text) in text.into_iter().enumerate() {
                if place == kind {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        } else if is_statement(line, "f") {
            rest.push('f');
            for corner in line.split_whitespace().skip(1) {
                let (point, place, normal) = parts(corner);
                let point = absolute(point, counts[0]);
                let place = place.map_or(added[0].to_string(), |it| absolute(it, counts[1]));
                let normal = normal.map_or(added[1].to_string(), |it| absolute(it, counts[2]));
                // A String takes whatever is written to it.
                let _ = write!(rest, " {point}/{place}/{normal}");
            }
            rest.push('\n');
        } else {
            rest.push_str(line);
            rest.push('\n');
        }
    }
    Cow::Owned(format!("{points}{places}vt 0 0\n{normals}vn 0 0 0\n{rest}"))
}

/// Whether some corners name a part that others leave out.
fn is_mixed(obj: &str) -> bool {
    let mut seen = [[false; 2]; 2];
    for line in obj.lines().filter(|line| is_statement(line, "f")) {
        for corner in line.split_whitespace().skip(1) {
            let (_, place, normal) = parts(corner);
            seen[0][usize::from(place.is_some())] = true;
            seen[1][usize::from(normal.is_some())] = true;
        }
    }
    seen.contains(&[true; 2])
}

fn is_statement(line: &str, name: &str) -> bool {
    let rest = line.trim_start().strip_prefix(name);
    rest.is_some_and(|rest| rest.starts_with([' ', '\t']))
}

/// Point, place in the picture, normal, as they are written.
fn parts(corner: &str) -> (&str, Option<&str>, Option<&str>) {
    let mut parts = corner.split('/');
    let point = parts.next().unwrap_or_default();
    let mut next = || parts.next().filter(|part| !part.is_empty());
    (point, next(), next())
}

/// An index counted from the first, where it was counted back from the last of `count`; what is no number is
/// left for the reader to refuse.
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
    fn a_file_whose_corners_agree_is_left_as_it_is() {
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
    fn corners_name_what_they_left_out_and_keep_what_they_named() {
        let obj = "v 0 0 0\nv 1 0 0\nvt 0.5 0.5\nusemtl a\nf 1 2 -1\nv 0 1 0\nvn 0 0 1\nf -3/-1/1 2/1/1 3/1/1\n";
        let expected = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0.5 0.5\nvt 0 0\nvn 0 0 1\nvn 0 0 0\nusemtl a\n\
                        f 1/2/2 2/2/2 2/2/2\nf 1/1/1 2/1/1 3/1/1\n";
        assert_eq!(complete_corners(obj), expected);
    }
}
