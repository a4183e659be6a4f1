//! Reads every image and its labels once, so that damage is found before anything is trained.

use std::sync::Arc;

use vidpairs_image::still;
use vidpairs_invariance::run::{LabelSurvey, SegmentationImage};
use vidpairs_run::{Control, Progress, RunError, Unit, loss_reason, stopped};
use vidpairs_types::parallel::{Crew, Heartbeat, Job, Loss, Sink, run_ordered};
use vidpairs_types::{LeftOut, with_causes};

use super::labels::read_labels;
use crate::model::UNLABELLED;
use crate::run::features::{FeatureError, PATIENCE, is_too_many};

/// Images in preparation for each thread: most are small.
const WINDOW: usize = 4;

/// The classes that each image shows, and the images that cannot be used.
///
/// # Errors
/// [`FeatureError::TooManyUnreadable`]; [`RunError::Stopped`].
pub(in crate::run) fn survey(
    images: &[SegmentationImage],
    num_classes: usize,
    control: &Control,
) -> Result<LabelSurvey, RunError> {
    let num_images = images.len();
    let unit = Unit::Things("image");
    let mut progress = Progress::new(unit, num_images as u64, 0, control.verbosity);
    progress.set_note("reading labels".to_owned());
    let workers = control.workers.max(1);
    let crew = Crew {
        workers,
        window: WINDOW * workers,
        patience: PATIENCE,
        cancel: Arc::clone(&control.cancel),
    };
    let reader = Reader {
        images: images.to_vec(),
        num_classes,
    };
    let mut found = Found {
        images,
        survey: LabelSurvey::default(),
        progress,
    };
    run_ordered(0..num_images, Arc::new(reader), &crew, &mut found).map_err(stopped)?;
    found.progress.finish();
    let survey = found.survey;
    let first = survey.shown.iter().position(Option::is_none);
    if let (Some(image), Some(left_out)) = (first, survey.left_out.first())
        && is_too_many(survey.left_out.len(), num_images)
    {
        return Err(FeatureError::TooManyUnreadable {
            num_unreadable: survey.left_out.len(),
            num_images,
            path: images[image].path.clone(),
            reason: left_out.reason.clone(),
        }
        .into());
    }
    Ok(survey)
}

struct Reader {
    images: Vec<SegmentationImage>,
    num_classes: usize,
}

impl Reader {
    fn read(&self, image: &SegmentationImage) -> Result<Vec<usize>, String> {
        let bytes =
            still::read_file(&image.path).map_err(|err| format!("cannot read it: {err}"))?;
        let labels = read_labels(&bytes, &image.labels, self.num_classes)?;
        still::decode(&bytes).map_err(|err| with_causes(&err))?;
        let mut is_shown = [false; 256];
        for &class in &labels.classes {
            is_shown[usize::from(class)] = true;
        }
        is_shown[usize::from(UNLABELLED)] = false;
        let classes = (0..).zip(is_shown).filter(|(_, is_shown)| *is_shown);
        Ok(classes.map(|(class, _)| class).collect())
    }
}

impl Job for Reader {
    /// Index of an image.
    type Item = usize;
    type Output = Result<Vec<usize>, String>;

    fn work(&self, image: usize, _: &Arc<Heartbeat>) -> Self::Output {
        self.read(&self.images[image])
    }

    fn lost(&self, _: usize, loss: Loss) -> Self::Output {
        Err(loss_reason(loss, PATIENCE).1)
    }
}

struct Found<'a> {
    images: &'a [SegmentationImage],
    survey: LabelSurvey,
    progress: Progress,
}

impl Sink<Result<Vec<usize>, String>> for Found<'_> {
    type Error = RunError;

    fn push(&mut self, found: Result<Vec<usize>, String>) -> Result<(), RunError> {
        let image = &self.images[self.survey.shown.len()];
        if let Err(reason) = &found {
            if self.progress.is_verbose() {
                let path = image.path.display();
                self.progress.say(&format!("left out: {reason}: {path}"));
            }
            self.survey.left_out.push(LeftOut {
                what: image.id.clone(),
                reason: reason.clone(),
            });
        }
        self.survey.shown.push(found.ok());
        self.progress.advance(1);
        Ok(())
    }

    fn tick(&mut self) {
        self.progress.tick();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use vidpairs_image::jpeg;
    use vidpairs_types::{RgbImage, SizePx, Split};

    use super::*;

    const SIZE: [u32; 2] = [24, 16];

    fn png(color: png::ColorType, [width, height]: [u32; 2], samples: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        if color == png::ColorType::Indexed {
            // Colours that are other numbers than their indices.
            encoder.set_palette((0..256 * 3).map(|at| (at % 251) as u8).collect::<Vec<u8>>());
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(samples).unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn gray(size: [u32; 2], label: u8) -> Vec<u8> {
        let num_px = (size[0] * size[1]) as usize;
        png(png::ColorType::Grayscale, size, &vec![label; num_px])
    }

    fn image(size: [u32; 2]) -> Vec<u8> {
        let image = RgbImage {
            size: SizePx::from(size),
            pixels: vec![90; 3 * (size[0] * size[1]) as usize],
        };
        jpeg::compress(&image, 90).unwrap()
    }

    /// A JPEG whose Exif block says that it is shown after a quarter turn clockwise.
    fn turned(size: [u32; 2]) -> Vec<u8> {
        let mut exif =
            b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        let mut segment = vec![0xff, 0xe1];
        segment.extend((exif.len() as u16 + 2).to_be_bytes());
        segment.append(&mut exif);
        let mut bytes = image(size);
        bytes.splice(2..2, segment);
        bytes
    }

    fn surveyed(dir: &Path, files: &[(Vec<u8>, Vec<u8>)]) -> Result<LabelSurvey, RunError> {
        let images = files.iter().enumerate().map(|(number, (image, labels))| {
            let at = |end: &str| dir.join(format!("{number}.{end}"));
            fs::write(at("jpg"), image).unwrap();
            fs::write(at("png"), labels).unwrap();
            SegmentationImage {
                id: number.to_string(),
                path: at("jpg"),
                labels: at("png"),
                split: Split::Train,
            }
        });
        let images: Vec<_> = images.collect();
        survey(&images, 3, &Control::quiet(2))
    }

    #[test]
    fn every_damage_of_a_label_leaves_its_image_out_by_name_and_the_rest_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let num_px = (SIZE[0] * SIZE[1]) as usize;
        let mut mixed: Vec<u8> = vec![0; num_px];
        (mixed[0], mixed[5], mixed[9]) = (3, 255, 1);
        let mut beyond = vec![1; num_px];
        beyond[2 * 24 + 7] = 4;
        let rgb = png(png::ColorType::Rgb, SIZE, &vec![1; 3 * num_px]);
        let indexed = png(png::ColorType::Indexed, SIZE, &mixed);
        let mut cut = indexed.clone();
        cut.truncate(cut.len() / 2);
        let mut files = vec![
            (image(SIZE), indexed),
            (image(SIZE), gray([24, 15], 1)),
            (image(SIZE), png(png::ColorType::Grayscale, SIZE, &beyond)),
            (image(SIZE), cut),
            (image(SIZE), rgb),
        ];
        files.extend((0..40).map(|_| (image(SIZE), gray(SIZE, 2))));
        let found = surveyed(dir.path(), &files).unwrap();
        assert_eq!(found.shown[0], Some(vec![0, 2]));
        assert_eq!(found.shown[5], Some(vec![1]));
        let reasons: Vec<(&str, &str)> = (found.left_out.iter())
            .map(|part| (&*part.what, &*part.reason))
            .collect();
        assert_eq!(
            reasons[..2],
            [
                ("1", "its label is of 24 x 15 px, the image of 24 x 16 px"),
                (
                    "2",
                    "its label has the class 4 at column 7, row 2; expected 0 to 3, or 255"
                ),
            ]
        );
        assert!(
            reasons[2].1.starts_with("its label: damaged PNG"),
            "{reasons:?}"
        );
        assert!(reasons[3].1.contains("Rgb samples"), "{reasons:?}");
        assert_eq!(reasons.len(), 4);
    }

    #[test]
    fn more_damage_than_a_tenth_is_refused_before_any_work() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = vec![(image(SIZE), b"no label".to_vec()); 5];
        files.extend((0..10).map(|_| (image(SIZE), gray(SIZE, 2))));
        let text = with_causes(&surveyed(dir.path(), &files).unwrap_err());
        assert!(text.contains("5 of the 15 images cannot be read"), "{text}");
        assert!(text.contains("0.jpg: its label: damaged PNG"), "{text}");
    }

    #[test]
    fn labels_of_the_stored_size_turn_with_their_image_and_upright_ones_do_not() {
        let bytes = turned(SIZE);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("label.png");
        let num_px = (SIZE[0] * SIZE[1]) as usize;
        let mut labels = vec![1; num_px];
        labels[0] = 2;
        for (size, expected) in [(SIZE, 15), ([16, 24], 0)] {
            fs::write(&path, png(png::ColorType::Grayscale, size, &labels)).unwrap();
            let found = read_labels(&bytes, &path, 3).unwrap();
            assert_eq!(found.size, SizePx::from([16, 24]));
            let marked = found.classes.iter().position(|&class| class == 1);
            assert_eq!(marked, Some(expected), "{size:?}");
        }
    }
}
