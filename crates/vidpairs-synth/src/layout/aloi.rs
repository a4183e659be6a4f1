//! Layout of ALOI: 108 images of an object on a turntable, with 72 views, 24 light directions and 12 light colours.
//!
//! From the description of the release (Geusebroek, Burghouts, Smeulders, "The Amsterdam Library of Object Images", IJCV
//! 2005; not checked against the files):
//! - the names of the files; 384 x 288 px at half size;
//! - views are 5 degrees apart, seen by the first camera with all lamps lit;
//! - five lamps stand on a half circle: one of them is lit in `l1` to `l5`, a pair in `l6` (right) and `l7` (left), all in
//!   `l8`;
//! - the cameras `c2` and `c3` stand 15 and 30 degrees beside the first; the object is turned towards them, so that only
//!   the lamps turn in the image;
//! - the colour temperature of the lamps falls from 3075 K to 2175 K, at a white balance of 3075 K.
//!
//! Our choice: the lamps are [`LAMP_STEP_DEG`] apart at an elevation of [`LAMP_ELEVATION_DEG`]; `l1` is the rightmost, as
//! `l6` is the right pair; `c2` and `c3` turn the lamps to the camera's right; the temperature is linear in the code.

use vidpairs_types::SizePx;

/// Size of the images (half size in the release).
pub const SIZE: SizePx = SizePx {
    width: 384,
    height: 288,
};

/// Angle between views, degrees.
pub const VIEW_STEP_DEG: u32 = 5;

/// Number of views.
pub const NUM_VIEWS: u32 = 72;

/// Angle between lamps, degrees: they stand in the middles of five equal parts of the half circle.
pub const LAMP_STEP_DEG: f64 = 36.0;

/// Elevation of the lamps, degrees.
pub const LAMP_ELEVATION_DEG: f64 = 40.0;

/// Codes of the light colours, in the order of the images.
pub const COLOR_CODES: [u32; 12] = [110, 120, 130, 140, 150, 160, 170, 180, 190, 210, 230, 250];

/// Colour temperature that the camera shows as white, `i110`.
pub const WHITE_KELVIN: f64 = 3075.0;

/// Colour temperature of the reddest light, `i250`.
pub const REDDEST_KELVIN: f64 = 2175.0;

/// A lamp that is lit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lamp {
    /// Azimuth, degrees to the camera's right of the line from the object to the camera: 0 is behind the camera, 90 the
    /// right of the image, -90 its left.
    pub azimuth_deg: f64,
    /// Elevation above the ground, degrees.
    pub elevation_deg: f64,
}

/// Series of images, by what varies between its images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Series {
    /// `r`: view.
    View,
    /// `l`, `c`: light direction.
    LightDirection,
    /// `i`: light colour.
    LightColor,
}

/// One image of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct AloiImage {
    /// Path below the root: `png2/7/7_r45.png`.
    pub path: String,
    /// Series of the image.
    pub series: Series,
    /// Rotation of the turntable, degrees; 0 except in [`Series::View`].
    pub view_deg: f64,
    /// Lamps that are lit, all equally bright.
    pub lamps: Vec<Lamp>,
    /// Linear red, green and blue of the lamps; the strongest is 1.
    pub color: [f64; 3],
}

/// The 108 images of object `id` (1 to 1000 in the release): views, then light directions, then light colours.
///
/// # Examples
/// ```
/// let images = vidpairs_synth::layout::aloi::images(7);
/// assert_eq!(images.len(), 108);
/// assert_eq!(images[9].path, "png2/7/7_r45.png");
/// ```
pub fn images(id: u32) -> Vec<AloiImage> {
    const WHITE: [f64; 3] = [1.0; 3];
    let image = |suffix: String, series, view_deg, lamps, color| AloiImage {
        path: format!("png2/{id}/{id}_{suffix}.png"),
        series,
        view_deg,
        lamps,
        color,
    };
    let views = (0..NUM_VIEWS).map(|step| {
        let degrees = step * VIEW_STEP_DEG;
        let (series, view) = (Series::View, f64::from(degrees));
        image(format!("r{degrees}"), series, view, lamps(8, 1), WHITE)
    });
    let codes = (1..=8).flat_map(|light| (1..=3).map(move |camera| (light, camera)));
    let directions = codes.map(|(light, camera)| {
        let (series, lamps) = (Series::LightDirection, lamps(light, camera));
        image(format!("l{light}c{camera}"), series, 0.0, lamps, WHITE)
    });
    let colors = COLOR_CODES.map(|code| {
        let (series, color) = (Series::LightColor, lamp_color(kelvin(code)));
        image(format!("i{code}"), series, 0.0, lamps(8, 1), color)
    });
    views.chain(directions).chain(colors).collect()
}

/// Lamps lit in `l<light>c<camera>`, from right to left.
fn lamps(light: u32, camera: u32) -> Vec<Lamp> {
    // Positions on the half circle, 0 the rightmost.
    let positions = match light {
        1..=5 => light - 1..light,
        6 => 0..2,
        7 => 3..5,
        _ => 0..5,
    };
    let turned_deg = 15.0 * f64::from(camera - 1);
    let lamp = |position: u32| Lamp {
        azimuth_deg: (2.0 - f64::from(position)) * LAMP_STEP_DEG + turned_deg,
        elevation_deg: LAMP_ELEVATION_DEG,
    };
    positions.map(lamp).collect()
}

/// Colour temperature of the lamps in `i<code>`, kelvin.
pub fn kelvin(code: u32) -> f64 {
    let [first, .., last] = COLOR_CODES.map(f64::from);
    let share = (f64::from(code) - first) / (last - first);
    WHITE_KELVIN + share * (REDDEST_KELVIN - WHITE_KELVIN)
}

/// Linear sRGB of a black body at a white balance of [`WHITE_KELVIN`]; the strongest channel is 1.
///
/// - `kelvin`: temperature, 1900 to 4000, where the formula holds and no channel is below 0.
///
/// # Source
/// Von Kries adaptation in linear sRGB (IEC 61966-2-1), as in cameras.
pub fn lamp_color(kelvin: f64) -> [f64; 3] {
    let (lamp, white) = (black_body(kelvin), black_body(WHITE_KELVIN));
    let balanced: [f64; 3] = std::array::from_fn(|channel| lamp[channel] / white[channel]);
    let strongest = balanced.into_iter().fold(0.0, f64::max);
    balanced.map(|channel| channel / strongest)
}

/// Linear sRGB of a black body with luminance 1.
fn black_body(kelvin: f64) -> [f64; 3] {
    let [x, y] = planckian_locus(kelvin);
    let xyz = [x / y, 1.0, (1.0 - x - y) / y];
    const FROM_XYZ: [[f64; 3]; 3] = [
        [3.240_625_5, -1.537_208_0, -0.498_628_6],
        [-0.968_930_7, 1.875_756_1, 0.041_517_5],
        [0.055_710_1, -0.204_021_1, 1.056_995_9],
    ];
    FROM_XYZ.map(|row| {
        row.iter()
            .zip(xyz)
            .map(|(weight, part)| weight * part)
            .sum()
    })
}

/// CIE 1931 chromaticity x and y of a black body of 1667 to 4000 K.
///
/// # Source
/// Kim et al., "Design of advanced color temperature control system for HDTV applications", J. Korean Physical
/// Society 41, 2002: cubic splines.
fn planckian_locus(kelvin: f64) -> [f64; 2] {
    let cubic = |[a, b, c, d]: [f64; 4], t: f64| ((a * t + b) * t + c) * t + d;
    let per_kelvin = [-0.266_123_9e9, -0.234_358_9e6, 0.877_695_6e3, 0.179_910];
    let x = cubic(per_kelvin, 1.0 / kelvin);
    let of_x = if kelvin < 2222.0 {
        [-1.106_381_4, -1.348_110_20, 2.185_558_32, -0.202_196_83]
    } else {
        [-0.954_947_6, -1.374_185_93, 2.091_370_15, -0.167_488_67]
    };
    [x, cubic(of_x, x)]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn azimuths(suffix: &str) -> Vec<f64> {
        let path = format!("png2/3/3_{suffix}.png");
        let image = images(3).into_iter().find(|image| image.path == path);
        let lamps = image.unwrap().lamps;
        lamps.iter().map(|lamp| lamp.azimuth_deg).collect()
    }

    #[test]
    fn an_object_has_72_views_24_light_directions_and_12_light_colors_under_unique_names() {
        let images = images(1000);
        let count = |series| images.iter().filter(|image| image.series == series).count();
        assert_eq!(count(Series::View), 72);
        assert_eq!(count(Series::LightDirection), 24);
        assert_eq!(count(Series::LightColor), 12);
        let paths: HashSet<_> = images.iter().map(|image| &*image.path).collect();
        assert_eq!(paths.len(), 108);
        for suffix in ["r0", "r355", "l1c1", "l8c3", "i110", "i250"] {
            assert!(paths.contains(&*format!("png2/1000/1000_{suffix}.png")));
        }
    }

    #[test]
    fn each_code_lights_its_lamps_and_the_second_and_third_camera_turn_them() {
        assert_eq!(azimuths("l1c1"), [72.0]);
        assert_eq!(azimuths("l3c1"), [0.0]);
        assert_eq!(azimuths("l5c1"), [-72.0]);
        assert_eq!(azimuths("l6c1"), [72.0, 36.0]);
        assert_eq!(azimuths("l7c1"), [-36.0, -72.0]);
        assert_eq!(azimuths("l3c2"), [15.0]);
        assert_eq!(azimuths("l7c3"), [-6.0, -42.0]);
        let all = [72.0, 36.0, 0.0, -36.0, -72.0];
        for suffix in ["l8c1", "r90", "i250"] {
            assert_eq!(azimuths(suffix), all);
        }
    }

    #[test]
    fn the_light_is_white_at_i110_and_gets_redder_with_every_code() {
        let colors: Vec<_> = COLOR_CODES.map(|code| lamp_color(kelvin(code))).to_vec();
        assert_eq!(colors[0], [1.0; 3]);
        assert_eq!((kelvin(110), kelvin(250)), (3075.0, 2175.0));
        for pair in colors.windows(2) {
            assert_eq!(pair[1][0], 1.0);
            assert!(pair[1][1] < pair[0][1] && pair[1][2] < pair[0][2]);
            assert!(pair[1][2] < pair[1][1] && pair[1][2] > 0.0);
        }
    }

    #[test]
    fn a_black_body_of_2856_kelvin_has_the_color_of_illuminant_a() {
        let [x, y] = planckian_locus(2855.5);
        assert!(
            (x - 0.44758).abs() < 1e-3 && (y - 0.40745).abs() < 1e-3,
            "{x} {y}"
        );
    }
}
