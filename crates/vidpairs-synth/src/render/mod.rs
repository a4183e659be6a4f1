//! Renders objects in front of a backdrop, as a camera with a shutter sees them.
//!
//! **Takes** one or several [`Moment`]s of a scene within one exposure, and a [`Backdrop`]. **Gives** an image, and the
//! pixels that each object fills ([`Mask`]). **Fails** never: the loader refuses what cannot be rendered. **Source**:
//! z-buffer with several samples per pixel (Catmull 1974), perspective-correct textures (Heckbert 1989) blended between
//! mipmap levels (Williams 1983), Blinn shading (1977), motion blur as the mean over the exposure (Haeberli and Akeley
//! 1990).

mod backdrop;
mod camera;
mod film;
mod light;
mod mask;
mod pixels;
mod shade;
mod shadow;
mod surface;

pub use backdrop::{Backdrop, Picture};
pub use camera::{Camera, Pose, Warp};
pub use film::Sensor;
pub use light::{Light, Lighting};
pub use mask::Mask;
pub use pixels::PixelMask;
pub use shadow::Footprint;

use glam::{Vec2, Vec4};
use rand_chacha::ChaCha8Rng;
use vidpairs_types::RgbImage;

use self::film::{Film, Layers};
use self::shade::Shader;
use self::surface::{Projected, Sampling, Surface};
use super::mesh::Mesh;

/// An object prepared for rendering: its mesh and its footprint.
#[derive(Debug)]
pub struct Model {
    /// Triangles, materials and textures.
    pub mesh: Mesh,
    /// Shape of the shadow on the ground.
    pub footprint: Footprint,
}

impl Model {
    /// Prepares a mesh for rendering.
    pub fn new(mesh: Mesh) -> Self {
        let footprint = Footprint::of(&mesh);
        Self { mesh, footprint }
    }
}

/// An object in a scene.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    /// Model of the object.
    pub model: &'a Model,
    /// Position, size and orientation.
    pub pose: Pose,
}

/// Scene at one instant.
#[derive(Debug, Clone)]
pub struct Moment<'a> {
    /// Objects, at most [`MAX_INSTANCES`].
    pub instances: Vec<Instance<'a>>,
    /// Light sources.
    pub lighting: Lighting,
    /// Motion of the image by the camera.
    pub warp: Warp,
}

/// Maximum number of objects in a scene.
pub const MAX_INSTANCES: usize = 32;

/// Renders images of one size; its buffers are reused.
pub struct Renderer {
    camera: Camera,
    surface: Surface,
    colors: Vec<Vec4>,
    shadows: Vec<f32>,
    behind: backdrop::Behind,
    film: Film,
}

impl Renderer {
    /// A renderer for the images of `camera`.
    pub fn new(camera: Camera) -> Self {
        Self {
            camera,
            surface: Surface::default(),
            colors: Vec::new(),
            shadows: Vec::new(),
            behind: backdrop::Behind::default(),
            film: Film::new(camera.size),
        }
    }

    /// Renders one image: the mean over `moments`, each with `samples_per_side` x `samples_per_side` samples per pixel.
    ///
    /// - `rng`: source of the sensor noise.
    ///
    /// # Panics
    /// If a moment has more than [`MAX_INSTANCES`] objects.
    pub fn draw(
        &mut self,
        moments: &[Moment<'_>],
        backdrop: &Backdrop<'_>,
        samples_per_side: u32,
        sensor: &Sensor,
        rng: &mut ChaCha8Rng,
    ) -> RgbImage {
        self.film.clear();
        self.behind.set(backdrop);
        self.draw_shadows(moments);
        let share = 1.0 / moments.len() as f32;
        for (index, moment) in moments.iter().enumerate() {
            let offset = subpixel_offset(index, moments.len());
            let sampling = Sampling::new(self.camera, samples_per_side, offset);
            let objects = project(moment, &sampling);
            self.surface.cover(&objects, &sampling);
            self.colors.clear();
            self.colors.resize(self.surface.samples().len(), Vec4::ZERO);
            let shader = Shader {
                surface: &self.surface,
                objects: &objects,
                moment,
                sampling: &sampling,
            };
            shader.opaque(&mut self.colors);
            shader.glass(&mut self.colors);
            let layers = Layers {
                behind: &self.behind,
                warp: moment.warp,
                shadows: &self.shadows,
                colors: &self.colors,
            };
            self.film.expose(&layers, &sampling, share);
        }
        self.film.develop(sensor, rng)
    }

    /// Pixels that each object of `moment` fills, in the order of the objects.
    ///
    /// # Panics
    /// If the moment has more than [`MAX_INSTANCES`] objects.
    pub fn masks(&mut self, moment: &Moment<'_>) -> Vec<Mask> {
        let (objects, sampling) = self.cover_for_masks(moment);
        let mask = |index| Mask::of(index, &objects[index], &self.surface, &sampling);
        (0..objects.len()).map(mask).collect()
    }

    /// Pixels that object `index` of `moment` fills.
    ///
    /// # Panics
    /// If the moment has more than [`MAX_INSTANCES`] objects, or no object `index`.
    pub fn mask(&mut self, moment: &Moment<'_>, index: usize) -> Mask {
        let (objects, sampling) = self.cover_for_masks(moment);
        Mask::of(index, &objects[index], &self.surface, &sampling)
    }

    /// Quarter pixels that each object of `moment` fills, and the pixels in which it is visible, in the order of the objects.
    ///
    /// # Panics
    /// If the moment has more than [`MAX_INSTANCES`] objects.
    pub fn pixel_masks(&mut self, moment: &Moment<'_>) -> Vec<(Mask, PixelMask)> {
        let (objects, sampling) = self.cover_for_masks(moment);
        let masks = objects.iter().enumerate().map(|(index, object)| {
            let mask = Mask::of(index, object, &self.surface, &sampling);
            let pixels = PixelMask::of(index, mask.visible, &self.surface, &sampling);
            (mask, pixels)
        });
        masks.collect()
    }

    fn cover_for_masks<'a>(&mut self, moment: &'a Moment<'a>) -> (Vec<Projected<'a>>, Sampling) {
        let sampling = Sampling::new(self.camera, mask::SAMPLES_PER_SIDE, Vec2::ZERO);
        let objects = project(moment, &sampling);
        self.surface.cover(&objects, &sampling);
        self.surface.look_through(&objects, &sampling);
        (objects, sampling)
    }

    /// Draws the shadows in the middle of the exposure, which stand for all of it: they are soft.
    fn draw_shadows(&mut self, moments: &[Moment<'_>]) {
        self.shadows.clear();
        self.shadows.resize(self.camera.size.area() as usize, 1.0);
        if let Some(moment) = moments.get(moments.len() / 2) {
            for instance in &moment.instances {
                shadow::draw(instance, moment, &self.camera, &mut self.shadows);
            }
        }
    }
}

fn project<'a>(moment: &'a Moment<'a>, sampling: &Sampling) -> Vec<Projected<'a>> {
    assert!(
        moment.instances.len() <= MAX_INSTANCES,
        "{} objects in a scene; at most {MAX_INSTANCES} are possible",
        moment.instances.len()
    );
    let instances = moment.instances.iter();
    instances
        .map(|instance| Projected::new(instance, moment.warp, sampling))
        .collect()
}

/// Offset of the samples of exposure `index` of `count`, px: a rotated grid, so that four exposures sample four columns
/// and four rows.
fn subpixel_offset(index: usize, count: usize) -> Vec2 {
    const GRID: [Vec2; 4] = [
        Vec2::new(-0.125, -0.375),
        Vec2::new(0.375, -0.125),
        Vec2::new(0.125, 0.375),
        Vec2::new(-0.375, 0.125),
    ];
    if count < 2 {
        Vec2::ZERO
    } else {
        GRID[index % 4]
    }
}
