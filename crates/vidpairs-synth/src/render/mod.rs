//! Drawing: objects before a backdrop, as a camera with a shutter sees them.
//!
//! **Takes** [`Moment`]s of a scene, a few within the time that the shutter is open, and a
//! [`Backdrop`]. **Gives** an image, and of every object the pixels that it fills ([`Mask`]).
//! **Fails** never: what can't be drawn was refused before. **Source**: a z-buffer with several samples
//! a pixel (Catmull 1974), perspective-correct textures (Heckbert 1989) blended between halvings
//! (Williams 1983), the light model of Blinn (1977), motion blur by averaging over the shutter
//! (Haeberli and Akeley 1990).

mod backdrop;
mod camera;
mod film;
mod light;
mod mask;
mod shade;
mod shadow;
mod surface;

pub use backdrop::{Backdrop, Picture};
pub use camera::{Camera, Pose, Warp};
pub use film::Sensor;
pub use light::{Light, Lighting};
pub use mask::Mask;
pub use shadow::Footprint;

use glam::{Vec3, Vec4};
use rand_chacha::ChaCha8Rng;
use vidpairs_types::{RgbImage, SizePx};

use self::film::Film;
use self::surface::{Projected, Sampling, Surface};
use super::mesh::Mesh;

/// An object to draw: its shape, and the shadow of its shape.
#[derive(Debug)]
pub struct Model {
    /// Triangles and pictures.
    pub mesh: Mesh,
    /// Where it touches and shades the ground.
    pub footprint: Footprint,
}

impl Model {
    /// The model of a mesh.
    pub fn new(mesh: Mesh) -> Self {
        let footprint = Footprint::of(&mesh);
        Self { mesh, footprint }
    }
}

/// An object in a scene.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    /// What it is.
    pub model: &'a Model,
    /// Where it is and how it stands.
    pub pose: Pose,
}

/// A scene at one instant.
#[derive(Debug, Clone)]
pub struct Moment<'a> {
    /// The objects, at most [`MAX_INSTANCES`].
    pub instances: Vec<Instance<'a>>,
    /// What lights them.
    pub lighting: Lighting,
    /// How the camera has turned, rolled and zoomed.
    pub warp: Warp,
}

/// How many objects a scene may have.
pub const MAX_INSTANCES: usize = 32;

/// Draws images of one size; keeps its buffers from one to the next.
pub struct Renderer {
    camera: Camera,
    surface: Surface,
    colors: Vec<Vec4>,
    shadows: Vec<f32>,
    behind: backdrop::Behind,
    film: Film,
}

impl Renderer {
    /// A renderer for images as `camera` takes them.
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

    /// Size of the images.
    pub fn size(&self) -> SizePx {
        self.camera.size
    }

    /// Draws one image: the mean over `moments`, each with `samples_per_side` x `samples_per_side`
    /// samples a pixel; `rng` is for the sensor's noise.
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
        for (place, moment) in moments.iter().enumerate() {
            let offset = subpixel_offset(place, moments.len());
            let sampling = Sampling::new(self.camera, samples_per_side, offset);
            let projected = project(moment, &sampling);
            self.surface.cover(&projected, &sampling);
            self.colors.clear();
            self.colors.resize(self.surface.samples().len(), Vec4::ZERO);
            shade::opaque(
                &self.surface,
                &projected,
                moment,
                &sampling,
                &mut self.colors,
            );
            shade::glass(
                &self.surface,
                &projected,
                moment,
                &sampling,
                &mut self.colors,
            );
            let share = 1.0 / moments.len() as f32;
            let scene = film::Layers {
                behind: &self.behind,
                warp: moment.warp,
                shadows: &self.shadows,
                colors: &self.colors,
            };
            self.film.expose(&scene, &sampling, share);
        }
        self.film.develop(sensor, rng)
    }

    /// The pixels that the objects of `moment` fill, in their order; `None` for those that
    /// `is_wanted` leaves out.
    ///
    /// # Panics
    /// If the moment has more than [`MAX_INSTANCES`] objects.
    pub fn masks(
        &mut self,
        moment: &Moment<'_>,
        mut is_wanted: impl FnMut(usize) -> bool,
    ) -> Vec<Option<Mask>> {
        let sampling = Sampling::new(self.camera, mask::SAMPLES_PER_SIDE, Vec3::ZERO);
        let projected = project(moment, &sampling);
        self.surface.cover(&projected, &sampling);
        self.surface.look_through(&projected, &sampling);
        let instances = 0..projected.len();
        instances
            .map(|place| {
                is_wanted(place)
                    .then(|| Mask::of(place, &projected[place], &self.surface, &sampling))
            })
            .collect()
    }

    /// Shadows are soft: those in the middle of the exposure stand for all of it.
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
        "more objects than a sample can name"
    );
    let instances = moment.instances.iter();
    instances
        .map(|instance| Projected::new(instance, moment.warp, sampling))
        .collect()
}

/// Where in the pixel the samples of exposure `place` of `count` lie, px from their usual places: a
/// rotated grid, so that four exposures see four columns and four rows.
fn subpixel_offset(place: usize, count: usize) -> Vec3 {
    if count < 2 {
        return Vec3::ZERO;
    }
    const GRID: [[f32; 2]; 4] = [
        [-0.125, -0.375],
        [0.375, -0.125],
        [0.125, 0.375],
        [-0.375, 0.125],
    ];
    let [x, y] = GRID[place % 4];
    Vec3::new(x, y, 0.0)
}
