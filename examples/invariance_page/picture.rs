//! Draws pictures: a vase on a turntable, under a lamp, behind a board.

use std::f64::consts::{PI, TAU};

use image::ExtendedColorType::Rgb8;
use image::ImageResult;
use image::codecs::jpeg::JpegEncoder;

use super::kinds::Varied;

/// Side of a picture, px.
const SIDE: usize = 96;

/// How a vase is seen.
#[derive(Clone, Copy)]
struct View {
    /// Rotation of the vase, radians.
    turn: f64,
    /// Direction of the lamp around the vase, radians.
    lamp: f64,
    /// Colour of the light: 0 is blue, 1 red.
    warmth: f64,
    /// Share of the vase's width that the board hides.
    hidden: f64,
}

/// Picture `place` of `count` of vase `target`, in which `varied` varies, as a JPEG.
pub(super) fn picture(
    varied: Varied,
    target: usize,
    place: usize,
    count: usize,
) -> ImageResult<Vec<u8>> {
    let share = place as f64 / count as f64;
    let mut view = View {
        turn: 0.6,
        lamp: 0.6,
        warmth: 0.5,
        hidden: 0.0,
    };
    match varied {
        Varied::Degrees(_) => view.turn = TAU * share,
        Varied::Lamps => view.lamp = TAU * share,
        Varied::Colors => view.warmth = 1.0 - share,
        Varied::Covers => view.hidden = 0.85 * (1.0 - share - 1.0 / count as f64),
    }
    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    for row in 0..SIDE {
        for column in 0..SIDE {
            let middle = |index: usize| 2.0 * (index as f64 + 0.5) / SIDE as f64 - 1.0;
            pixels.extend(pixel(middle(column), middle(row), target, view));
        }
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new(&mut jpeg).encode(&pixels, SIDE as u32, SIDE as u32, Rgb8)?;
    Ok(jpeg)
}

/// Colour at `x`, `y`, each from -1 to 1 with 0 in the middle of the picture.
fn pixel(x: f64, y: f64, target: usize, view: View) -> [u8; 3] {
    if view.hidden > 0.0 && (-0.8..1.6 * view.hidden - 0.8).contains(&x) {
        return [92, 96, 90];
    }
    let height = 0.62 + 0.1 * (target % 3) as f64;
    let radius = 0.42 + 0.16 * (y * (2.0 + (target % 4) as f64)).sin();
    if y.abs() > height || x.abs() > radius {
        return [(26.0 + 10.0 * (1.0 - y)) as u8; 3];
    }
    // The paint turns with the vase; the light does not.
    let across = (x / radius).clamp(-1.0, 1.0).asin();
    let stripes = ((across + view.turn) * (1.0 + (target % 3) as f64)).sin();
    let paint = if (stripes > 0.0) != (y > 0.15) {
        0.9
    } else {
        0.45
    };
    let shade = 0.25 + 0.75 * ((across - (view.lamp - PI)).cos() * 0.5 + 0.5);
    let hue = (target * 37 % 360) as f64;
    let color = [0.0, -120.0, 120.0].map(|shift: f64| 0.5 + 0.5 * (hue + shift).to_radians().cos());
    let light = [0.6 + 0.6 * view.warmth, 0.9, 1.1 - 0.6 * view.warmth];
    let mut rgb = [0; 3];
    for ((out, color), light) in rgb.iter_mut().zip(color).zip(light) {
        *out = (255.0 * paint * shade * light * (0.35 + 0.65 * color)) as u8;
    }
    rgb
}
