//! Predicts the classes of the pixels of test images.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vidpairs_image::{jpeg, still};
use vidpairs_invariance::probe::segmentation::{ImagePixels, LabelCoding};
use vidpairs_invariance::run::{
    SegmentationImage, SegmentationRequest, Segmented, SegmentedImage, class_color,
};
use vidpairs_run::{Progress, RunError, Unit, loss_reason, stopped};
use vidpairs_types::parallel::{Crew, Heartbeat, Job, Loss, Sink, run_ordered};
use vidpairs_types::{RgbImage, SizePx, with_causes};

use super::labels::{PixelLabels, read_labels};
use super::loader::copy_rows;
use super::student::Segmenter;
use crate::augment::{MEAN, STD, Samples, StoredImage, Viewer, Window, scaled};
use crate::model::{HostViews, NumberFormat, UNLABELLED};
use crate::run::features::{FeatureError, PATIENCE};

/// Long side of an image on a card, px.
const PICTURE_SIDE_PX: u32 = 112;
/// Space between the image, the prediction and the truth, px.
const GAP_PX: usize = 3;
/// JPEG quality of a picture.
const QUALITY: u8 = 85;
/// Colour of pixels without a label.
const NO_COLOR: [u8; 3] = [70; 3];
const WHITE: u8 = 255;

/// Segments `images`, and compares with their labels.
///
/// # Errors
/// [`RunError`]: an image cannot be read any more, libtorch refuses, or the user stopped the run.
pub(super) fn predict(
    segmenter: &Segmenter<'_>,
    images: Vec<SegmentationImage>,
    request: &SegmentationRequest<'_>,
) -> Result<Segmented, RunError> {
    let num_images = images.len();
    let unit = Unit::Things("image");
    let mut progress = Progress::new(unit, num_images as u64, 0, request.control.verbosity);
    progress.set_note("segmenting test images".to_owned());
    let workers = request.control.workers.max(1);
    let crew = Crew {
        workers,
        window: workers + 1,
        patience: PATIENCE,
        cancel: Arc::clone(&request.control.cancel),
    };
    let loader = TestLoader {
        images,
        num_classes: request.num_classes,
        max_side_px: request.recipe.max_test_side_px(),
        stride: segmenter.stride(),
        numbers: request.numbers,
        viewers: Mutex::default(),
    };
    let mut comparing = Comparing {
        segmenter,
        num_classes: request.num_classes,
        progress,
        found: Vec::with_capacity(num_images),
    };
    run_ordered(0..num_images, Arc::new(loader), &crew, &mut comparing).map_err(stopped)?;
    comparing.progress.finish();
    Ok(Segmented {
        images: comparing.found,
        num_units: segmenter.num_units,
    })
}

/// A test image, ready for the network.
struct TestImage {
    path: std::path::PathBuf,
    /// The image with padding at the right and the bottom.
    view: HostViews,
    /// Height and width with padding, px.
    sides_px: [u32; 2],
    /// Size without padding.
    input: SizePx,
    labels: PixelLabels,
    /// The image, small.
    picture: RgbImage,
}

struct TestLoader {
    images: Vec<SegmentationImage>,
    num_classes: usize,
    /// Longest side of an input, px.
    max_side_px: u32,
    /// Inputs are padded to multiples of this, px.
    stride: u32,
    numbers: NumberFormat,
    /// Buffers that threads reuse.
    viewers: Mutex<Vec<Viewer>>,
}

impl TestLoader {
    fn load(&self, image: &SegmentationImage) -> Result<TestImage, String> {
        let bytes = still::read_file(&image.path).map_err(|err| err.to_string())?;
        let labels = read_labels(&bytes, &image.labels, self.num_classes)?;
        let decoded = still::decode(&bytes).map_err(|err| with_causes(&err))?;
        let input = shrunk(decoded.size, self.max_side_px);
        let sides_px = [input.height, input.width].map(|side| side.next_multiple_of(self.stride));
        let [height, width] = sides_px.map(|side| side as usize);
        let mut view = HostViews::zeros(3 * height * width, self.numbers);
        let mut viewer = self.viewers().pop().unwrap_or_default();
        let mut render = |size, room: Samples<'_>| {
            let image = StoredImage::Rgb(&decoded);
            let rendered = viewer.render_window(image, &Window::whole(size), room);
            rendered.map_err(|err| with_causes(&err))
        };
        let num_values = 3 * input.area() as usize;
        let (row, stride) = (3 * input.width as usize, 3 * width);
        match &mut view {
            HostViews::F32(values) => {
                let mut rows = vec![0.0; num_values];
                render(input, Samples::F32(&mut rows))?;
                copy_rows(&rows, row, values, stride);
            }
            HostViews::Bf16(values) => {
                let mut rows = vec![0; num_values];
                render(input, Samples::Bf16(&mut rows))?;
                copy_rows(&rows, row, values, stride);
            }
        }
        let size = shrunk(decoded.size, PICTURE_SIDE_PX);
        let mut samples = vec![0.0; 3 * size.area() as usize];
        render(size, Samples::F32(&mut samples))?;
        let level = |(place, sample): (usize, f32)| {
            let channel = place % 3;
            ((sample * STD[channel] + MEAN[channel]) * 255.0).round() as u8
        };
        let pixels = samples.into_iter().enumerate().map(level).collect();
        self.viewers().push(viewer);
        Ok(TestImage {
            path: image.path.clone(),
            view,
            sides_px,
            input,
            labels,
            picture: RgbImage { size, pixels },
        })
    }

    fn viewers(&self) -> MutexGuard<'_, Vec<Viewer>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unreadable(&self, image: usize, reason: String) -> FeatureError {
        let path = self.images[image].path.clone();
        FeatureError::Unreadable { path, reason }
    }
}

/// The size with both sides multiplied by one factor, so that none is longer than `max_side_px`; unchanged if none is.
fn shrunk(size: SizePx, max_side_px: u32) -> SizePx {
    let long = size.width.max(size.height);
    match long > max_side_px {
        true => scaled(size, f64::from(max_side_px) / f64::from(long)),
        false => size,
    }
}

impl Job for TestLoader {
    /// Index of an image.
    type Item = usize;
    type Output = Result<TestImage, FeatureError>;

    fn work(&self, image: usize, _: &Arc<Heartbeat>) -> Self::Output {
        let loaded = self.load(&self.images[image]);
        loaded.map_err(|reason| self.unreadable(image, reason))
    }

    fn lost(&self, image: usize, loss: Loss) -> Self::Output {
        Err(self.unreadable(image, loss_reason(loss, PATIENCE).1))
    }
}

struct Comparing<'a> {
    segmenter: &'a Segmenter<'a>,
    num_classes: usize,
    progress: Progress,
    found: Vec<SegmentedImage>,
}

impl Sink<Result<TestImage, FeatureError>> for Comparing<'_> {
    type Error = FeatureError;

    fn push(&mut self, image: Result<TestImage, FeatureError>) -> Result<(), FeatureError> {
        let image = image?;
        let labels = &image.labels;
        let view = (&image.view, image.sides_px);
        let predicted = self.segmenter.predict(view, image.input, labels.size);
        let predicted = predicted.map_err(FeatureError::Libtorch)?;
        let coding = LabelCoding::FromZero;
        let pixels = ImagePixels::compare(&labels.classes, &predicted, coding, self.num_classes);
        let pixels = pixels.map_err(|err| FeatureError::Unreadable {
            path: image.path.clone(),
            reason: err.to_string(),
        })?;
        self.found.push(SegmentedImage {
            pixels,
            picture: drawn(&image, &predicted),
        });
        self.progress.advance(1);
        Ok(())
    }

    fn tick(&mut self) {
        self.progress.tick();
    }
}

/// The image, the prediction and the truth side by side.
fn drawn(image: &TestImage, predicted: &[u8]) -> Result<Vec<u8>, String> {
    let size = image.picture.size;
    let (width, height) = (size.width as usize, size.height as usize);
    let row_len = 3 * (3 * width + 2 * GAP_PX);
    let mut pixels = vec![WHITE; row_len * height];
    copy_rows(&image.picture.pixels, 3 * width, &mut pixels, row_len);
    let window = Window::whole(size);
    for (panel, classes) in [(1, predicted), (2, &image.labels.classes)] {
        let start = 3 * panel * (width + GAP_PX);
        window.nearest(classes, image.labels.size, |place, class| {
            let at = start + place / width * row_len + 3 * (place % width);
            pixels[at..at + 3].copy_from_slice(&color(class));
        });
    }
    let size = SizePx {
        width: (row_len / 3) as u32,
        height: size.height,
    };
    jpeg::compress(&RgbImage { size, pixels }, QUALITY).map_err(|err| with_causes(&err))
}

/// The colour of a class, or of a pixel that does not count.
fn color(class: u8) -> [u8; 3] {
    match class {
        UNLABELLED => NO_COLOR,
        class => class_color(class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_that_are_too_long_shrink_and_keep_their_aspect() {
        let size = |width, height| SizePx { width, height };
        assert_eq!(shrunk(size(1024, 683), 1024), size(1024, 683));
        assert_eq!(shrunk(size(2000, 500), 1024), size(1024, 256));
        assert_eq!(shrunk(size(3, 5000), 1024), size(1, 1024));
    }
}
