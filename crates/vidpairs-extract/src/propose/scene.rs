//! Holds a frame's picture and the maps that all proposal methods use.

use vidpairs_types::{Planes, ShortPlane};

use super::maps::{Differences, Sums};
use super::motion::motion;
use super::picture::{Cells, Picture};

/// Least difference of neighbouring px that counts as texture; above the noise that remains in the shrunk frame.
const TEXTURE: u8 = 8;

/// A frame's picture and its maps.
pub(super) struct Scene {
    pub picture: Picture,
    pub differences: Differences,
    /// Number of textured px.
    textured: Sums,
    /// Motion that the camera does not explain, if a neighbour frame is available.
    motion: Option<Sums>,
}

/// Means inside a box, and in a border around it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surrounded {
    pub inside: f32,
    pub around: f32,
}

impl Scene {
    /// Computes the maps of `frame`; `neighbor` has the same size.
    pub fn of(frame: &Planes, neighbor: Option<&Planes>) -> Result<Self, ShortPlane> {
        let picture = Picture::of(frame)?;
        let differences = Differences::of(&picture);
        let width = picture.width;
        let motion = match neighbor {
            Some(neighbor) => Some(Sums::of(&motion(&picture, &Picture::of(neighbor)?), width)),
            None => None,
        };
        let mut textured = differences.edges();
        for edge in &mut textured {
            *edge = u8::from(*edge >= TEXTURE);
        }
        Ok(Self {
            textured: Sums::of(&textured, width),
            motion,
            differences,
            picture,
        })
    }

    /// Share of px that differ from a neighbour by [`TEXTURE`] or more.
    pub fn texture(&self, cells: Cells) -> f32 {
        self.textured.over(cells) / cells.area() as f32
    }

    /// Mean motion against the camera's, 0 to 255; 0 without a neighbour frame.
    pub fn motion(&self, cells: Cells) -> Surrounded {
        let sums = self.motion.as_ref();
        sums.map_or(Surrounded::default(), |sums| self.surrounded(sums, cells))
    }

    /// Means of a map inside and around a box.
    pub fn surrounded(&self, sums: &Sums, cells: Cells) -> Surrounded {
        let (across, down) = (cells.width() / 4 + 1, cells.height() / 4 + 1);
        let grown = Cells {
            left: cells.left.saturating_sub(across),
            top: cells.top.saturating_sub(down),
            right: (cells.right + across).min(self.picture.width),
            bottom: (cells.bottom + down).min(self.picture.height),
        };
        let inside = sums.over(cells);
        let num_around = (grown.area() - cells.area()).max(1); // 0 if the box is the whole picture
        Surrounded {
            inside: inside / cells.area() as f32,
            around: (sums.over(grown) - inside) / num_around as f32,
        }
    }
}
