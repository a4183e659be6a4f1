//! Annotated objects of still images.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BoxXywh, SizePx};

/// Why an object counts neither as an example of its class nor as background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectMark {
    /// One box around many objects (`iscrowd` of MSCOCO).
    Crowd,
    /// Hard to recognise without the rest of the image (`difficult` of Pascal VOC).
    Difficult,
}

/// Object that an annotation states in a still image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnnotatedObject {
    /// Box, px in the stored image; it may reach out of the image. `None` if the annotation has no
    /// [valid](BoxXywh::is_valid) one.
    pub bbox: Option<BoxXywh>,
    /// Name of the class.
    pub label: Arc<str>,
    /// Mark of an object that does not count; `None` for most objects.
    pub mark: Option<ObjectMark>,
}

/// Annotated objects of one still image.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ImageObjects {
    /// Size of the image in which the boxes are stated, px; `None` if the annotation does not state it.
    pub image_size: Option<SizePx>,
    /// Objects in the order of the annotation.
    pub objects: Vec<AnnotatedObject>,
}

impl AnnotatedObject {
    /// The part of the box that lies in the image, px.
    ///
    /// - `stored`: size of the stored image.
    /// - `min_side_px`: shortest side of this part.
    ///
    /// # Errors
    /// [`UnusableObject`], the first reason that holds in the order of its variants. Leave the object out.
    pub fn usable_box(&self, stored: SizePx, min_side_px: u32) -> Result<BoxXywh, UnusableObject> {
        match self.mark {
            Some(ObjectMark::Crowd) => return Err(UnusableObject::Crowd),
            Some(ObjectMark::Difficult) => return Err(UnusableObject::Difficult),
            None => {}
        }
        let bbox = self.bbox.filter(|bbox| bbox.is_valid());
        let inside = bbox.ok_or(UnusableObject::Invalid)?.clipped(stored);
        let inside = inside.ok_or(UnusableObject::Outside)?;
        match inside.w.min(inside.h) >= f64::from(min_side_px) {
            true => Ok(inside),
            false => Err(UnusableObject::TooSmall),
        }
    }
}

/// Why an annotated object cannot be used as an image of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UnusableObject {
    /// [`ObjectMark::Crowd`].
    #[error("its box is around many objects")]
    Crowd,
    /// [`ObjectMark::Difficult`].
    #[error("it is difficult to recognise")]
    Difficult,
    /// There is no box, or it has a side that is not positive or a number that is not finite.
    #[error("its annotation has no valid box")]
    Invalid,
    /// No part of the box lies in the image.
    #[error("its box lies outside the image")]
    Outside,
    /// The part of the box in the image has a short side.
    #[error("the part of its box in the image has a side that is too short")]
    TooSmall,
}

impl UnusableObject {
    /// Name under which such objects are counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crowd => "crowd",
            Self::Difficult => "difficult",
            Self::Invalid => "invalid",
            Self::Outside => "outside",
            Self::TooSmall => "too_small",
        }
    }
}

impl ImageObjects {
    /// Checks that the boxes were made for the stored image, not for a scaled copy or the upright one.
    ///
    /// # Errors
    /// [`OtherSize`] if the annotation states another size. Leave the image out: its boxes would show something else.
    pub fn check_size(&self, stored: SizePx) -> Result<(), OtherSize> {
        match self.image_size.filter(|stated| *stated != stored) {
            Some(stated) => Err(OtherSize { stated, stored }),
            None => Ok(()),
        }
    }
}

/// The objects of an image are annotated in another image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "its annotation is of an image of {stated}, but the stored image has {stored}: use the image that was annotated, or boxes in px of \
     the stored image"
)]
pub struct OtherSize {
    /// Size in the annotation.
    pub stated: SizePx,
    /// Size of the image as it is stored.
    pub stored: SizePx,
}
