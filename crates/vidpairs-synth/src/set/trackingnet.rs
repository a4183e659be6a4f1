//! A video in the layout of TrackingNet.

use vidpairs_extract::codec::video::{VideoOptions, VideoWriter};
use vidpairs_image::jpeg;
use vidpairs_types::BoxXywh;

use super::plan::Work;
use super::video::render;
use super::{ItemError, VideoSettings};
use crate::catalog::Half;
use crate::layout::trackingnet::{FrameZip, Split, anno_path, anno_text, zip_path};

/// Constant rate factor of the .mp4: what people upload.
const CRF: u8 = 21;

/// The id of video `number`: eleven letters and a number, as those of the release.
pub(super) fn video_name(half: Half, number: u32) -> String {
    let letter = match half {
        Half::Training => 's',
        Half::HeldOut => 't',
    };
    format!("{letter}{number:010}_0")
}

fn split(half: Half) -> Split {
    match half {
        Half::Training => Split::Train(0),
        Half::HeldOut => Split::Test,
    }
}

pub(super) fn make(
    work: &mut Work<'_>,
    settings: &VideoSettings,
    half: Half,
    number: u32,
) -> Result<Vec<String>, ItemError> {
    let (name, split) = (video_name(half, number), split(half));
    let (zip_name, anno_name) = (zip_path(split, &name), anno_path(split, &name));
    let mp4_name = format!("mp4/{}/{name}.mp4", split.name());
    let (zip_place, mp4_place) = (work.folder.place(&zip_name)?, work.folder.place(&mp4_name)?);
    let container = settings.container;
    let mut zip = container
        .has_zip()
        .then(|| FrameZip::create(&zip_place))
        .transpose()?;
    let options = VideoOptions {
        size: work.plan.settings.size,
        fps: settings.fps,
        crf: CRF,
    };
    let mp4 = container
        .has_mp4()
        .then(|| VideoWriter::create(&mp4_place, options));
    let mut mp4 = mp4.transpose()?;
    let quality = work.plan.settings.quality;
    let image = |_| {
        if container.has_zip() {
            zip_name.clone()
        } else {
            mp4_name.clone()
        }
    };
    let video = render(work, settings, (&name, half), image, |_, _, picture| {
        if let Some(zip) = &mut zip {
            zip.push(&jpeg::compress(&picture, quality)?)?;
        }
        if let Some(mp4) = &mut mp4 {
            mp4.push(&picture)?;
        }
        Ok(())
    })?;
    let boxes: Vec<Option<BoxXywh>> = video.truths.iter().map(|truth| truth.box_xywh).collect();
    work.folder
        .write(&anno_name, anno_text(split, &boxes).as_bytes())?;
    let mut names = vec![anno_name];
    if let Some(zip) = zip {
        zip.finish()?;
        work.folder.add(&zip_place)?;
        names.push(zip_name);
    }
    if let Some(mp4) = mp4 {
        mp4.finish()?;
        work.folder.add(&mp4_place)?;
        names.push(mp4_name);
    }
    work.made.truths = video.truths;
    Ok(names)
}
