//! Lists the images of a data set once each, in an order that does not depend on their sets.

use std::path::PathBuf;

use vidpairs_types::{BoxXywh, SetImage};

/// An image, or a box of one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::run) struct Part {
    pub path: PathBuf,
    pub region: Option<BoxXywh>,
}

impl Part {
    /// Bits of the coordinates of the box.
    pub fn region_bits(&self) -> Option<[u64; 4]> {
        self.region
            .map(|region| <[f64; 4]>::from(region).map(f64::to_bits))
    }
}

/// Distinct images.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::run) struct Parts {
    /// Sorted by path, then by box.
    pub all: Vec<Part>,
    /// Index in `all` of each image of the data set.
    pub of_images: Vec<usize>,
}

impl Parts {
    pub fn of(images: &[SetImage]) -> Self {
        let part = |image: &SetImage| Part {
            path: image.path.clone(),
            region: image.region,
        };
        let mut numbered: Vec<(usize, Part)> = images.iter().map(part).enumerate().collect();
        numbered.sort_by(|(_, a), (_, b)| {
            let by_path = a.path.as_os_str().cmp(b.path.as_os_str());
            by_path.then_with(|| a.region_bits().cmp(&b.region_bits()))
        });
        let mut parts = Self {
            all: Vec::new(),
            of_images: vec![0; images.len()],
        };
        for (image, part) in numbered {
            let is_new = parts.all.last().is_none_or(|last| {
                last.path != part.path || last.region_bits() != part.region_bits()
            });
            if is_new {
                parts.all.push(part);
            }
            if let Some(place) = parts.of_images.get_mut(image) {
                *place = parts.all.len() - 1;
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use vidpairs_types::Condition;

    use super::*;

    fn image(path: &str, x: Option<f64>, set_index: usize) -> SetImage {
        SetImage {
            path: path.into(),
            region: x.map(|x| BoxXywh::from([x, 0.0, 1.0, 1.0])),
            set_index,
            condition: Condition::Unknown,
        }
    }

    #[test]
    fn images_in_several_sets_are_listed_once_and_sets_do_not_matter() {
        let some = [
            image("b.png", None, 0),
            image("a.png", Some(2.0), 0),
            image("a.png", Some(1.0), 1),
            image("b.png", None, 2),
        ];
        let parts = Parts::of(&some);
        assert_eq!(parts.all.len(), 3);
        assert_eq!(parts.of_images, [2, 1, 0, 2]);
        let others = [
            image("a.png", Some(1.0), 5),
            image("b.png", None, 1),
            image("a.png", Some(2.0), 0),
        ];
        assert_eq!(Parts::of(&others).all, parts.all);
    }
}
