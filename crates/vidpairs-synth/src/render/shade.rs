//! The light that leaves what a sample sees.

use glam::{Vec3, Vec4};

use super::Moment;
use super::surface::{Projected, Sampling, Surface, depths, middle, over};
use crate::raster::scan;

/// Sets the colour of every sample that sees something opaque.
pub(super) fn opaque(
    surface: &Surface,
    objects: &[Projected<'_>],
    moment: &Moment<'_>,
    sampling: &Sampling,
    colors: &mut [Vec4],
) {
    let rows = surface
        .samples()
        .chunks(sampling.width)
        .zip(colors.chunks_mut(sampling.width));
    for (y, (samples, colors)) in rows.enumerate() {
        for (x, (sample, color)) in samples.iter().zip(colors).enumerate() {
            if let Some((object, triangle)) = sample.seen() {
                let (light, _) = leaving(&objects[object], triangle, moment, sampling, (x, y));
                *color = light.extend(1.0);
            }
        }
    }
}

/// Lays everything that can be seen through over the colours, the farthest first.
pub(super) fn glass(
    surface: &Surface,
    objects: &[Projected<'_>],
    moment: &Moment<'_>,
    sampling: &Sampling,
    colors: &mut [Vec4],
) {
    let mut panes: Vec<(f32, usize, usize)> = Vec::new();
    for (place, object) in objects.iter().enumerate() {
        for triangle in object.mesh.num_opaque..object.mesh.triangles.len() {
            let nearness: f32 = object.screen(triangle).iter().map(|at| at.z).sum();
            panes.push((nearness, place, triangle));
        }
    }
    panes.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, place, triangle) in panes {
        let object = &objects[place];
        let holed = object.holed(triangle);
        scan(
            object.screen(triangle),
            sampling.width,
            sampling.height,
            |span| {
                for (x, inverse_distance) in depths(span) {
                    let at = span.y * sampling.width + x;
                    let is_hidden = inverse_distance < surface.samples()[at].inverse_distance;
                    let is_hole = |texture| object.is_hole(triangle, texture, middle(x, span.y));
                    if is_hidden || holed.is_some_and(is_hole) {
                        continue;
                    }
                    let (light, opacity) = leaving(object, triangle, moment, sampling, (x, span.y));
                    colors[at] = over(light.extend(opacity), colors[at]);
                }
            },
        );
    }
}

/// The light that leaves a triangle towards a sample, and how much of what is behind it hides.
fn leaving(
    object: &Projected<'_>,
    triangle: usize,
    moment: &Moment<'_>,
    sampling: &Sampling,
    (x, y): (usize, usize),
) -> (Vec3, f32) {
    let point = object.point(triangle, middle(x, y));
    let ray = sampling.camera.ray(sampling.px_of(x, y), moment.warp);
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
    let lighting = &moment.lighting;
    let mut light = color * lighting.diffuse(normal, point.openness) * material.opacity;
    let mut opacity = material.opacity;
    if material.specular.max_element() > 0.02 {
        let mirrored = lighting.specular(normal, towards, material.shininess);
        let highlight = material.specular * mirrored * (0.6 * point.openness);
        light += highlight;
        opacity = (opacity + highlight.max_element()).min(1.0);
    }
    (shouldered(light), opacity)
}

/// Light near white pressed together instead of cut off, as film does.
fn shouldered(light: Vec3) -> Vec3 {
    const KNEE: f32 = 0.75;
    light.map(|it| {
        if it <= KNEE {
            it
        } else {
            1.0 - (1.0 - KNEE) * ((KNEE - it) / (1.0 - KNEE)).exp()
        }
    })
}
