//! Drawn pictures: a vase on a turntable, under a lamp, behind a board.

use std::error::Error;
use std::f64::consts::{PI, TAU};

use vidpairs::report::invariance::Picture;

use super::kinds::Places;

/// Of a picture, px.
const SIDE: usize = 96;

/// What is seen of a vase.
#[derive(Clone, Copy)]
struct View {
    /// How far it is turned, radians.
    turn: f64,
    /// Where the lamp stands around it, radians.
    lamp: f64,
    /// Of the light: 0 is blue, 1 red.
    warmth: f64,
    /// Share of its width behind the board.
    hidden: f64,
}

/// The `place`th of `count` pictures of vase `target`, in which `places` vary.
pub(super) fn picture(
    places: Places,
    target: usize,
    place: usize,
    count: usize,
) -> Result<Picture, Box<dyn Error>> {
    let share = place as f64 / count as f64;
    let plain = View {
        turn: 0.6,
        lamp: 0.6,
        warmth: 0.5,
        hidden: 0.0,
    };
    let view = match places {
        Places::Degrees(_) => View {
            turn: TAU * share,
            ..plain
        },
        Places::Lamps => View {
            lamp: TAU * share,
            ..plain
        },
        Places::Colors => View {
            warmth: 1.0 - share,
            ..plain
        },
        Places::Covers => View {
            hidden: 0.85 * (1.0 - share - 1.0 / count as f64),
            ..plain
        },
    };
    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    for row in 0..SIDE {
        for column in 0..SIDE {
            let middle = |it: usize| 2.0 * (it as f64 + 0.5) / SIDE as f64 - 1.0;
            pixels.extend(pixel(middle(column), middle(row), target, view));
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(Picture {
        media_type: "image/png",
        bytes,
    })
}

/// At `x`, `y`, from -1 to 1, the middle of the picture at 0.
fn pixel(x: f64, y: f64, target: usize, view: View) -> [u8; 3] {
    if view.hidden > 0.0 && (-0.8..1.6 * view.hidden - 0.8).contains(&x) {
        return [92, 96, 90];
    }
    let height = 0.62 + 0.1 * (target % 3) as f64;
    let radius = 0.42 + 0.16 * (y * (2.0 + (target % 4) as f64)).sin();
    if y.abs() > height || x.abs() > radius {
        return [(26.0 + 10.0 * (1.0 - y)) as u8; 3];
    }
    // The paint turns with the vase, the light stays.
    let across = (x / radius).clamp(-1.0, 1.0).asin();
    let stripes = ((across + view.turn) * (1.0 + (target % 3) as f64)).sin();
    let paint = if (stripes > 0.0) != (y > 0.15) {
        0.9
    } else {
        0.45
    };
    let shade = 0.25 + 0.75 * ((across - (view.lamp - PI)).cos() * 0.5 + 0.5);
    let hue = (target * 37 % 360) as f64;
    let color = [0.0, -120.0, 120.0].map(|it: f64| 0.5 + 0.5 * (hue + it).to_radians().cos());
    let light = [0.6 + 0.6 * view.warmth, 0.9, 1.1 - 0.6 * view.warmth];
    let mut rgb = [0; 3];
    for ((out, color), light) in rgb.iter_mut().zip(color).zip(light) {
        *out = (255.0 * paint * shade * light * (0.35 + 0.65 * color)) as u8;
    }
    rgb
}
