//! Lists the images of a data set once each, in an order that does not depend on their sets.

use vidpairs_types::ImagePart;

/// Distinct images.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::run) struct Parts {
    /// Sorted by path, then by box.
    pub all: Vec<ImagePart>,
    /// Index in `all` of each image of the data set.
    pub of_images: Vec<usize>,
    /// Indices in `all` of images whose files do not exist, ascending. The cache is made for their absence.
    pub missing: Vec<usize>,
}

impl Parts {
    pub fn of(images: &[ImagePart]) -> Self {
        let mut numbered: Vec<(usize, &ImagePart)> = images.iter().enumerate().collect();
        numbered.sort_by(|(_, a), (_, b)| {
            let by_path = a.path.as_os_str().cmp(b.path.as_os_str());
            by_path.then_with(|| a.region_bits().cmp(&b.region_bits()))
        });
        let mut parts = Self {
            all: Vec::new(),
            of_images: vec![0; images.len()],
            missing: Vec::new(),
        };
        for (image, part) in numbered {
            let is_new = parts.all.last().is_none_or(|last| {
                last.path != part.path || last.region_bits() != part.region_bits()
            });
            if is_new {
                parts.all.push(part.clone());
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
    use vidpairs_types::BoxXywh;

    use super::*;

    fn image(path: &str, x: Option<f64>) -> ImagePart {
        ImagePart {
            path: path.into(),
            region: x.map(|x| BoxXywh::from([x, 0.0, 1.0, 1.0])),
        }
    }

    #[test]
    fn images_that_occur_several_times_are_listed_once_in_an_order_of_their_own() {
        let some = [
            image("b.png", None),
            image("a.png", Some(2.0)),
            image("a.png", Some(1.0)),
            image("b.png", None),
        ];
        let parts = Parts::of(&some);
        assert_eq!(parts.all.len(), 3);
        assert_eq!(parts.of_images, [2, 1, 0, 2]);
        let others = [
            image("a.png", Some(1.0)),
            image("b.png", None),
            image("a.png", Some(2.0)),
        ];
        assert_eq!(Parts::of(&others).all, parts.all);
    }
}
