//! Compares rendered pixels with expectations derived from shape and light.

use glam::{Vec2, Vec3};
use vidpairs_fixtures::meshes::{Obj, object, write_picture};
use vidpairs_synth::color::linear_from_srgb;
use vidpairs_synth::mesh;
use vidpairs_synth::render::{
    Backdrop, Camera, Instance, Light, Lighting, Mask, Model, Moment, Picture, Pose, Renderer,
    Sensor, Warp,
};
use vidpairs_types::{BoxXywh, RgbImage, Seed, SizePx};

const SIZE: SizePx = SizePx {
    width: 160,
    height: 120,
};
const CAMERA: Camera = Camera {
    size: SIZE,
    focal: 1.8,
};
const WHITE: [f32; 3] = [1.0; 3];

/// Loads the object `it` that `write` writes into an empty folder.
fn model(write: impl FnOnce(&std::path::Path)) -> Model {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    Model::new(mesh::load(&object(folder.path(), "it")).unwrap())
}

fn painted(paint: impl FnOnce(&mut Obj)) -> Model {
    model(|folder| {
        let mut obj = Obj::default();
        paint(&mut obj);
        obj.write(folder, "it");
    })
}

fn white_box() -> Model {
    painted(|obj| {
        obj.material("white", WHITE, "")
            .cuboid([1.0, 0.7, 0.4], |_, _| ());
    })
}

fn ball() -> Model {
    painted(|obj| {
        obj.material("white", WHITE, "").ball();
    })
}

fn pose(x: f32, y: f32, distance: f32) -> Pose {
    Pose {
        center: CAMERA.point_at(Vec2::new(x, y), distance),
        radius: 1.0,
        azimuth: 0.0,
        elevation: 0.0,
        tilt: 0.0,
    }
}

/// The same light from all directions.
fn flat_light() -> Lighting {
    Lighting {
        lights: Vec::new(),
        sky: Vec3::splat(0.9),
        ground: Vec3::splat(0.9),
    }
}

fn scene<'a>(stands: &[(&'a Model, Pose)], lighting: Lighting) -> Moment<'a> {
    let instances = stands.iter().map(|&(model, pose)| Instance { model, pose });
    Moment {
        instances: instances.collect(),
        lighting,
        warp: Warp::default(),
    }
}

fn draw_before(backdrop: &Backdrop<'_>, moment: &Moment<'_>) -> RgbImage {
    let mut rng = Seed::of_run(0).rng();
    let sensor = Sensor { noise: 0.0 };
    Renderer::new(CAMERA).draw(std::slice::from_ref(moment), backdrop, 4, &sensor, &mut rng)
}

fn draw(moment: &Moment<'_>) -> RgbImage {
    draw_before(&Backdrop::Plain(Vec3::ZERO), moment)
}

fn mask(moment: &Moment<'_>, place: usize) -> Mask {
    Renderer::new(CAMERA).mask(moment, place)
}

fn pixel(image: &RgbImage, x: u32, y: u32) -> [u8; 3] {
    let at = 3 * (y * image.size.width + x) as usize;
    image.pixels[at..at + 3].try_into().unwrap()
}

/// Number and bounds of the pixels that `is_counted` accepts.
fn pixels(image: &RgbImage, is_counted: impl Fn([u8; 3]) -> bool) -> (u32, BoxXywh) {
    let (mut count, mut low, mut high) = (0, [u32::MAX; 2], [0; 2]);
    for y in 0..image.size.height {
        for x in 0..image.size.width {
            if is_counted(pixel(image, x, y)) {
                count += 1;
                low = [low[0].min(x), low[1].min(y)];
                high = [high[0].max(x), high[1].max(y)];
            }
        }
    }
    assert!(count > 0, "no such pixel");
    let bounds = [low[0], low[1], high[0] + 1 - low[0], high[1] + 1 - low[1]];
    (count, bounds.map(f64::from).into())
}

fn brightness(image: &RgbImage, columns: std::ops::Range<u32>, rows: std::ops::Range<u32>) -> f64 {
    let places = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
    places.map(|(x, y)| f64::from(pixel(image, x, y)[1])).sum()
}

fn assert_within_a_pixel(actual: BoxXywh, expected: BoxXywh) {
    let corners = |bbox: BoxXywh| [bbox.x, bbox.y, bbox.x + bbox.w, bbox.y + bbox.h];
    for (a, b) in corners(actual).into_iter().zip(corners(expected)) {
        assert!((a - b).abs() <= 1.0, "{actual:?} {expected:?}");
    }
}

#[test]
fn a_box_is_the_bounds_of_the_pixels_that_the_object_changes() {
    let models = [white_box(), ball()];
    for model in &models {
        for step in 0..12 {
            let pose = Pose {
                azimuth: step as f32 * 0.55,
                elevation: 0.3 - 0.1 * step as f32,
                tilt: 0.2,
                ..pose(0.3 * (step % 3) as f32 - 0.3, 0.1, 8.0)
            };
            let moment = scene(&[(model, pose)], flat_light());
            let mask = mask(&moment, 0);
            // Half the light of a white pixel: half of the pixel is covered.
            let (_, bounds) = pixels(&draw(&moment), |[_, green, _]| green > 120);
            assert_within_a_pixel(mask.visible.unwrap(), bounds);
            assert_eq!(mask.visible, mask.full);
            assert!(!mask.is_cut && mask.visible_share() == 1.0);
        }
    }
}

#[test]
fn the_visible_share_is_that_of_the_pixels_that_an_occluder_leaves() {
    let target = painted(|obj| {
        obj.material("red", [1.0, 0.0, 0.0], "").ball();
    });
    let occluder = painted(|obj| {
        obj.material("blue", [0.0, 0.0, 1.0], "")
            .cuboid([0.6, 1.0, 0.2], |_, _| ());
    });
    // A half-covered pixel has half the light.
    let red = |image: &RgbImage| -> f32 {
        image
            .pixels
            .chunks(3)
            .map(|pixel| linear_from_srgb(pixel[0]))
            .filter(|light| *light > 0.05)
            .sum()
    };
    let is_red = |[red, ..]: [u8; 3]| red > 120;
    let all = red(&draw(&scene(
        &[(&target, pose(0.0, 0.0, 8.0))],
        flat_light(),
    )));
    let mut shares = Vec::new();
    for step in 0..4 {
        let before = pose(0.07 * step as f32 - 0.3, 0.0, 5.0);
        let moment = scene(
            &[(&target, pose(0.0, 0.0, 8.0)), (&occluder, before)],
            flat_light(),
        );
        let image = draw(&moment);
        let (_, bounds) = pixels(&image, is_red);
        let mask = mask(&moment, 0);
        let expected = f64::from(red(&image) / all);
        assert!(
            (mask.visible_share() - expected).abs() < 0.015,
            "{} {expected}",
            mask.visible_share()
        );
        assert_within_a_pixel(mask.visible.unwrap(), bounds);
        shares.push(mask.visible_share());
        // An object behind the target hides nothing.
        let behind = pose(0.07 * step as f32 - 0.3, 0.0, 12.0);
        let moment = scene(
            &[(&target, pose(0.0, 0.0, 8.0)), (&occluder, behind)],
            flat_light(),
        );
        assert_eq!(self::mask(&moment, 0).visible_share(), 1.0);
    }
    assert!(shares.iter().any(|&share| share < 0.5) && shares.iter().any(|&share| share > 0.9));
}

#[test]
fn an_object_at_the_border_is_cut_and_its_visible_share_is_the_part_inside() {
    let ball = ball();
    let half_width = 80.0 / 120.0;
    let moment = scene(&[(&ball, pose(half_width, 0.0, 9.0))], flat_light());
    let mask_at_rim = mask(&moment, 0);
    assert!(mask_at_rim.is_cut);
    assert!(
        (mask_at_rim.visible_share() - 0.5).abs() < 0.03,
        "{}",
        mask_at_rim.visible_share()
    );
    let (visible, full) = (mask_at_rim.visible.unwrap(), mask_at_rim.full.unwrap());
    assert_eq!(visible.x + visible.w, 160.0);
    assert!(full.x + full.w > 170.0);
    let outside = mask(&scene(&[(&ball, pose(1.2, 0.0, 9.0))], flat_light()), 0);
    assert_eq!((outside.visible, outside.visible_share()), (None, 0.0));
    assert!(outside.is_cut && outside.full.is_some());
}

#[test]
fn azimuth_0_shows_the_front_and_azimuth_90_the_objects_own_left() {
    let colors = [
        ("front", [1.0, 0.0, 0.0]),
        ("left", [0.0, 1.0, 0.0]),
        ("back", [0.0, 0.0, 1.0]),
        ("right", [1.0, 1.0, 0.0]),
        ("top", [0.0, 1.0, 1.0]),
        ("bottom", [1.0, 0.0, 1.0]),
    ];
    let cube = painted(|obj| {
        obj.cuboid([1.0, 1.0, 1.0], |obj, side| {
            let (name, rgb) = colors.iter().find(|(name, _)| *name == side).unwrap();
            obj.material(name, *rgb, "");
        });
    });
    let half_turn = std::f32::consts::FRAC_PI_2;
    let views = [
        (0.0, 0.0, "front"),
        (half_turn, 0.0, "left"),
        (2.0 * half_turn, 0.0, "back"),
        (3.0 * half_turn, 0.0, "right"),
        (0.0, half_turn, "top"),
        (0.0, -half_turn, "bottom"),
    ];
    for (azimuth, elevation, side) in views {
        let pose = Pose {
            azimuth,
            elevation,
            ..pose(0.0, 0.0, 8.0)
        };
        let image = draw(&scene(&[(&cube, pose)], flat_light()));
        let (_, rgb) = colors.iter().find(|(name, _)| *name == side).unwrap();
        for (level, expected) in pixel(&image, 80, 60).into_iter().zip(rgb) {
            assert_eq!(
                level > 150,
                *expected > 0.5,
                "{side}: {:?}",
                pixel(&image, 80, 60)
            );
        }
    }
}

#[test]
fn a_texture_is_neither_mirrored_nor_turned() {
    let panel = model(|folder| {
        write_picture(&folder.join("four.png"), 64, |x, y| {
            match (x < 32, y < 32) {
                (true, true) => [255, 0, 0, 255],
                (false, true) => [0, 255, 0, 255],
                (true, false) => [0, 0, 255, 255],
                (false, false) => [255, 255, 0, 255],
            }
        });
        let mut obj = Obj::default();
        obj.material("picture", WHITE, "map_Kd four.png");
        obj.quad([
            [-1.0, -1.0, 0.0],
            [1.0, -1.0, 0.0],
            [1.0, 1.0, 0.0],
            [-1.0, 1.0, 0.0],
        ]);
        obj.write(folder, "it");
    });
    let image = draw(&scene(&[(&panel, pose(0.0, 0.0, 6.0))], flat_light()));
    let is = |x, y| pixel(&image, x, y).map(|level| level > 120);
    assert_eq!(is(70, 50), [true, false, false], "upper left");
    assert_eq!(is(90, 50), [false, true, false], "upper right");
    assert_eq!(is(70, 70), [false, false, true], "lower left");
    assert_eq!(is(90, 70), [true, true, false], "lower right");
}

#[test]
fn faces_without_texture_coordinates_do_not_change_those_of_other_faces() {
    const PLAIN: &str = "f 5 6 7 8\n";
    const SHOWN: &str = "f 1/1 2/2 3/3 4/4\n";
    let drawn = [[PLAIN, SHOWN].concat(), [SHOWN, PLAIN].concat()].map(|faces| {
        let panel = model(|folder| {
            write_picture(&folder.join("two.png"), 64, |x, _| {
                if x < 32 { [255, 0, 0, 255] } else { [0, 0, 255, 255] }
            });
            let corners = "v -1 -1 0\nv 1 -1 0\nv 1 1 0\nv -1 1 0\nv -1 -1 -1\nv 1 -1 -1\nv 1 1 -1\nv -1 1 -1\n";
            let places = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n";
            let obj = format!("mtllib it.mtl\n{corners}{places}usemtl all\n{faces}");
            std::fs::write(folder.join("it.obj"), obj).unwrap();
            std::fs::write(folder.join("it.mtl"), "newmtl all\nillum 1\nKd 1 1 1\nmap_Kd two.png\n").unwrap();
        });
        draw(&scene(&[(&panel, pose(0.0, 0.0, 6.0))], flat_light()))
    });
    for image in &drawn {
        assert!(pixel(image, 70, 60)[0] > 120 && pixel(image, 70, 60)[2] < 90);
        assert!(pixel(image, 90, 60)[2] > 120 && pixel(image, 90, 60)[0] < 90);
    }
}

#[test]
fn textures_are_perspective_correct() {
    let floor = model(|folder| {
        write_picture(&folder.join("two.png"), 64, |_, y| {
            if y < 32 {
                [255, 0, 0, 255]
            } else {
                [0, 0, 255, 255]
            }
        });
        let mut obj = Obj::default();
        obj.material("picture", WHITE, "map_Kd two.png");
        obj.quad([
            [-1.0, 0.0, 1.0],
            [1.0, 0.0, 1.0],
            [1.0, 0.0, -1.0],
            [-1.0, 0.0, -1.0],
        ]);
        obj.write(folder, "it");
    });
    let pose = Pose {
        elevation: 0.35,
        ..pose(0.0, 0.0, 1.8)
    };
    let image = draw(&scene(&[(&floor, pose)], flat_light()));
    let is_red = |y| pixel(&image, 80, y)[0] > 120;
    let is_blue = |y| pixel(&image, 80, y)[2] > 120;
    // The middle of the texture is the centre of the object, which is in the centre of the image.
    let border = (0..120).find(|&y| is_blue(y)).unwrap();
    assert!(border.abs_diff(60) <= 1, "{border}");
    let top = (0..120).find(|&y| is_red(y)).unwrap();
    let bottom = (0..120).rev().find(|&y| is_blue(y)).unwrap();
    // A mapping linear in the image would put the middle of the texture here: the test can fail.
    assert!((top + bottom) / 2 > 66, "{top} {bottom}");
}

#[test]
fn a_fine_pattern_far_away_is_gray_without_aliasing() {
    let panel = model(|folder| {
        write_picture(&folder.join("fine.png"), 512, |x, y| {
            let level = if (x + y) % 2 == 0 { 255 } else { 0 };
            [level, level, level, 255]
        });
        let mut obj = Obj::default();
        obj.material("picture", WHITE, "map_Kd fine.png");
        obj.quad([
            [-1.0, -1.0, 0.0],
            [1.0, -1.0, 0.0],
            [1.0, 1.0, 0.0],
            [-1.0, 1.0, 0.0],
        ]);
        obj.write(folder, "it");
    });
    let mut seen = Vec::new();
    for step in 0..10 {
        let pose = Pose {
            azimuth: 0.03 * step as f32,
            ..pose(0.001 * step as f32, 0.0, 9.0)
        };
        let image = draw(&scene(&[(&panel, pose)], flat_light()));
        seen.extend(
            (75..85)
                .flat_map(|x| (55..65).map(move |y| (x, y)))
                .map(|(x, y)| pixel(&image, x, y)[0]),
        );
    }
    let (low, high) = (seen.iter().min().unwrap(), seen.iter().max().unwrap());
    assert!(high - low <= 6, "{low} to {high}");
    assert!((150..230).contains(low), "half the light of white: {low}");
}

#[test]
fn surfaces_facing_the_lamp_are_the_brightest() {
    let ball = ball();
    let lit_from = |azimuth: f32, elevation: f32| {
        let lighting = Lighting {
            lights: vec![Light::from_angles(azimuth, elevation, Vec3::splat(0.9))],
            sky: Vec3::splat(0.05),
            ground: Vec3::splat(0.05),
        };
        draw(&scene(&[(&ball, pose(0.0, 0.0, 7.0))], lighting))
    };
    let right_over_left =
        |image: &RgbImage| brightness(image, 80..160, 0..120) / brightness(image, 0..80, 0..120);
    let top_over_bottom =
        |image: &RgbImage| brightness(image, 0..160, 0..60) / brightness(image, 0..160, 60..120);
    assert!(right_over_left(&lit_from(1.2, 0.2)) > 1.5);
    assert!(right_over_left(&lit_from(-1.2, 0.2)) < 0.67);
    assert!(top_over_bottom(&lit_from(0.0, 1.2)) > 1.5);
    assert!((right_over_left(&lit_from(0.0, 0.5)) - 1.0).abs() < 0.05);
    // A lamp behind the camera makes the middle the brightest, a lamp behind the object only the rim.
    let front = lit_from(0.0, 0.0);
    assert!(pixel(&front, 80, 60)[1] > pixel(&front, 62, 60)[1]);
    let back = lit_from(3.0, 0.0);
    assert!(pixel(&back, 80, 60)[1] < 80);
}

#[test]
fn objects_behind_glass_are_visible_and_so_is_the_glass() {
    let pane = painted(|obj| {
        obj.material("glass", [0.2, 0.2, 1.0], "d 0.4")
            .cuboid([1.0, 1.0, 0.1], |_, _| ());
    });
    let ball = painted(|obj| {
        obj.material("red", [1.0, 0.0, 0.0], "").ball();
    });
    let moment = scene(
        &[(&pane, pose(0.0, 0.0, 6.0)), (&ball, pose(0.0, 0.0, 9.0))],
        flat_light(),
    );
    let [red, green, blue] = pixel(&draw(&moment), 80, 60);
    assert!(red > 90 && blue > 60 && green < 120, "{red} {green} {blue}");
    assert_eq!(mask(&moment, 0).visible_share(), 1.0);
    assert_eq!(mask(&moment, 1).visible_share(), 1.0, "glass hides nothing");
    // Only the rim of a pane behind the ball is visible.
    let moment = scene(
        &[(&pane, pose(0.0, 0.0, 9.0)), (&ball, pose(0.0, 0.0, 6.0))],
        flat_light(),
    );
    assert!(mask(&moment, 0).visible_share() < 0.6);
}

#[test]
fn holes_in_a_texture_are_transparent_and_not_part_of_the_mask() {
    let grid = model(|folder| {
        // Opaque on the left, transparent on the right.
        write_picture(&folder.join("half.png"), 64, |x, _| {
            [255, 255, 255, if x < 32 { 255 } else { 0 }]
        });
        let mut obj = Obj::default();
        obj.material("picture", WHITE, "map_Kd half.png");
        obj.quad([
            [-1.0, -1.0, 0.0],
            [1.0, -1.0, 0.0],
            [1.0, 1.0, 0.0],
            [-1.0, 1.0, 0.0],
        ]);
        obj.write(folder, "it");
    });
    let moment = scene(&[(&grid, pose(0.0, 0.0, 6.0))], flat_light());
    let (_, bounds) = pixels(&draw(&moment), |[_, green, _]| green > 120);
    let mask = mask(&moment, 0);
    assert_within_a_pixel(mask.visible.unwrap(), bounds);
    assert!((bounds.x + bounds.w - 80.0).abs() <= 1.5, "{bounds:?}");
    assert_eq!(mask.visible_share(), 1.0, "a hole is no part of the object");
}

#[test]
fn an_object_casts_a_shadow_on_the_ground_away_from_the_lamp() {
    let gray = RgbImage {
        size: SizePx {
            width: 16,
            height: 16,
        },
        pixels: vec![200; 3 * 256],
    };
    let backdrop = Backdrop::Picture(Picture {
        image: &gray,
        px_per_height: 8.0,
    });
    let cube = white_box();
    let lit_from = |azimuth: f32| {
        let lighting = Lighting {
            lights: vec![Light::from_angles(azimuth, 0.7, Vec3::splat(0.8))],
            ..flat_light()
        };
        let pose = Pose {
            elevation: 0.4,
            ..pose(0.0, 0.0, 9.0)
        };
        draw_before(&backdrop, &scene(&[(&cube, pose)], lighting))
    };
    let (from_left, from_right) = (lit_from(-1.3), lit_from(1.3));
    // Beside the object, at the height of its base.
    let side = |image: &RgbImage, columns| brightness(image, columns, 66..76);
    assert!(
        side(&from_left, 108..125) < 0.9 * side(&from_right, 108..125),
        "shadow to the right"
    );
    assert!(
        side(&from_right, 35..52) < 0.9 * side(&from_left, 35..52),
        "shadow to the left"
    );
    assert_eq!(pixel(&from_left, 5, 5)[0], 200, "far away nothing changes");
}

#[test]
fn a_moving_object_is_blurred_only_along_its_motion() {
    let ball = ball();
    let at = |x: f32| scene(&[(&ball, pose(x, 0.0, 7.0))], flat_light());
    let moments: Vec<Moment<'_>> = (0..8).map(|step| at(0.01 * step as f32 - 0.035)).collect();
    let mut rng = Seed::of_run(0).rng();
    let sensor = Sensor { noise: 0.0 };
    let black = Backdrop::Plain(Vec3::ZERO);
    let blurred = Renderer::new(CAMERA).draw(&moments, &black, 1, &sensor, &mut rng);
    let half_lit = |image: &RgbImage, along: bool| {
        let places =
            (0..if along { 160 } else { 120 }).map(|at| if along { (at, 60) } else { (80, at) });
        places
            .filter(|&(x, y)| (20..215).contains(&pixel(image, x, y)[1]))
            .count()
    };
    let sharp = draw(&at(0.0));
    assert!(half_lit(&blurred, true) >= half_lit(&sharp, true) + 8);
    assert!(half_lit(&blurred, false) <= half_lit(&sharp, false) + 2);
}
