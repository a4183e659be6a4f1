//! What every way of proposing looks at: the picture and the maps made of it.

use vidpairs_types::Planes;

use super::ProposeError;
use super::differences::Differences;
use super::motion::motion;
use super::picture::{Cells, Picture};
use super::sums::Sums;

/// Least difference of neighbouring px that counts as texture: more than grain makes once the frame is shrunk.
const TEXTURE: u8 = 8;

/// A frame's picture and its maps.
pub(super) struct Scene {
    pub picture: Picture,
    pub differences: Differences,
    /// Counts of px that differ from a neighbour.
    textured: Sums,
    /// Sums of what the camera's motion does not explain, where a neighbour frame is at hand.
    motion: Option<Sums>,
}

/// A mean over a box, and over a frame around it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Surrounded {
    pub inside: f32,
    pub around: f32,
}

impl Scene {
    pub fn of(frame: &Planes, neighbor: Option<&Planes>) -> Result<Self, ProposeError> {
        let picture = Picture::of(frame)?;
        let differences = Differences::of(&picture);
        let width = picture.width;
        let motion = match neighbor {
            Some(neighbor) if neighbor.size() != frame.size() => {
                return Err(ProposeError::OtherSize {
                    expected: frame.size(),
                    got: neighbor.size(),
                });
            }
            Some(neighbor) => Some(motion(&picture, &Picture::of(neighbor)?)),
            None => None,
        };
        let mut textured = differences.edges();
        for edge in &mut textured {
            *edge = u8::from(*edge >= TEXTURE);
        }
        Ok(Self {
            textured: Sums::of(&textured, width),
            motion: motion.map(|map| Sums::of(&map, width)),
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

    /// Means inside and around a box.
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
