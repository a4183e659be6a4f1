//! Selective search.

use opencv::core::{Rect, Vector};
use opencv::ximgproc::{SelectiveSearchSegmentationTrait, create_selective_search_segmentation};
use vidpairs_types::BoxXywh;

use super::{BgrImage, CvError, refused};

/// The regions of selective search's fast mode, px in `image`, each once, in the order of their numbers.
///
/// OpenCV ranks them by C's `rand`, whose state all of the program shares: that rank is left out.
///
/// # Errors
/// [`CvError::Library`] if OpenCV throws.
///
/// # Source
/// Uijlings et al., "Selective Search for Object Recognition", IJCV 2013.
pub fn selective_search(image: &BgrImage) -> Result<Vec<BoxXywh>, CvError> {
    let found = search(image).map_err(refused("search for regions"))?;
    let mut regions: Vec<[i32; 4]> = found
        .iter()
        .map(|rect| [rect.x, rect.y, rect.width, rect.height])
        .collect();
    regions.sort_unstable();
    regions.dedup();
    Ok(regions
        .into_iter()
        .map(|region| BoxXywh::from(region.map(f64::from)))
        .collect())
}

fn search(image: &BgrImage) -> opencv::Result<Vector<Rect>> {
    let mut search = create_selective_search_segmentation()?;
    search.set_base_image(&image.mat)?;
    search.switch_to_selective_search_fast_def()?;
    let mut found = Vector::new();
    search.process(&mut found)?;
    Ok(found)
}
