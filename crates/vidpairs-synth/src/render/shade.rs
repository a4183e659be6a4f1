//! Shading: computes the light that every sample receives from the objects.

use glam::{Vec3, Vec4};

use super::Moment;
use super::surface::{Projected, Sampling, Surface, depths, middle};
use crate::raster::scan;

/// Shades the samples of one moment.
pub(super) struct Shader<'a> {
    pub surface: &'a Surface,
    pub objects: &'a [Projected<'a>],
    pub moment: &'a Moment<'a>,
    pub sampling: &'a Sampling,
}

impl Shader<'_> {
    /// Sets the colour of every sample that sees an opaque triangle.
    ///
    /// - `colors`: premultiplied light and coverage per sample, row by row.
    pub fn opaque(&self, colors: &mut [Vec4]) {
        let width = self.sampling.width;
        for (index, (sample, color)) in self.surface.samples().iter().zip(colors).enumerate() {
            if let Some((object, triangle)) = sample.seen() {
                let at = (index % width, index / width);
                let (light, _) = self.leaving(&self.objects[object], triangle, at);
                *color = light.extend(1.0);
            }
        }
    }

    /// Blends all transparent triangles over `colors`, the farthest first.
    pub fn glass(&self, colors: &mut [Vec4]) {
        let mut panes: Vec<(f32, &Projected<'_>, usize)> = Vec::new();
        for object in self.objects {
            for triangle in object.mesh.num_opaque..object.mesh.triangles.len() {
                let nearness = object.screen(triangle).iter().map(|at| at.z).sum();
                panes.push((nearness, object, triangle));
            }
        }
        panes.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        let (width, height) = (self.sampling.width, self.sampling.height);
        for (_, object, triangle) in panes {
            let hole_test = object.hole_test(triangle);
            scan(object.screen(triangle), width, height, |span| {
                for (x, inverse_distance) in depths(span) {
                    let index = span.y * width + x;
                    let nearest = self.surface.samples()[index].inverse_distance;
                    let sees_hole = || {
                        let test = hole_test.as_ref();
                        test.is_some_and(|is_hole| is_hole(middle(x, span.y)))
                    };
                    if inverse_distance < nearest || sees_hole() {
                        continue;
                    }
                    let (light, opacity) = self.leaving(object, triangle, (x, span.y));
                    colors[index] = light.extend(opacity) + colors[index] * (1.0 - opacity);
                }
            });
        }
    }

    /// Light that leaves a triangle towards the sample in column `x` and row `y`, and the opacity of the triangle there.
    fn leaving(
        &self,
        object: &Projected<'_>,
        triangle: usize,
        (x, y): (usize, usize),
    ) -> (Vec3, f32) {
        let point = object.point(triangle, middle(x, y));
        let ray = self
            .sampling
            .camera
            .ray(self.sampling.px_of(x, y), self.moment.warp);
        let towards = -ray.normalize();
        let normal = (object.rotation * point.normal).normalize_or(towards);
        // Catalogues disagree on which side of a surface is the outer one: both are shown.
        let normal = if normal.dot(towards) < 0.0 {
            -normal
        } else {
            normal
        };
        let material = &object.mesh.materials[usize::from(object.mesh.material_of[triangle])];
        let mut color = material.diffuse;
        if let Some(texture) = object.texture(triangle) {
            color *= texture.sample(point.uv, point.lod).truncate();
        }
        let lighting = &self.moment.lighting;
        let mut light = color * lighting.diffuse(normal, point.openness) * material.opacity;
        let mut opacity = material.opacity;
        if material.specular.max_element() > 0.02 {
            let mirrored = lighting.specular(normal, towards, material.shininess);
            let highlight = material.specular * mirrored * (0.6 * point.openness);
            light += highlight;
            opacity = (opacity + highlight.max_element()).min(1.0);
        }
        (light.map(shoulder), opacity)
    }
}

/// Compresses light near white instead of clipping it, as film does.
fn shoulder(light: f32) -> f32 {
    const KNEE: f32 = 0.75;
    if light <= KNEE {
        light
    } else {
        1.0 - (1.0 - KNEE) * ((KNEE - light) / (1.0 - KNEE)).exp()
    }
}
