//! Annotated objects of still images.

use std::sync::Arc;

use super::{BoxXywh, SizePx};

/// Why an object counts neither as an example of its class nor as background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectMark {
    /// One box around many objects (`iscrowd` of MSCOCO).
    Crowd,
    /// Hard to recognise without the rest of the image (`difficult` of Pascal VOC).
    Difficult,
}

/// Object that an annotation states in a still image.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageObjects {
    /// Size of the image in which the boxes are stated, px; `None` if the annotation does not state it.
    pub image_size: Option<SizePx>,
    /// Objects in the order of the annotation.
    pub objects: Vec<AnnotatedObject>,
}
