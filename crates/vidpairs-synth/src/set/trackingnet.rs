//! Renders a video in the layout of TrackingNet.

use vidpairs_extract::codec::video::{VideoOptions, VideoWriter};
use vidpairs_image::jpeg;

use super::video::{VideoItem, render_video};
use super::work::Work;
use super::{Container, ItemError};
use crate::catalog::Half;
use crate::layout::trackingnet::{FrameZip, Split, anno_path, anno_text, zip_path};

/// Constant rate factor of the .mp4: the quality of uploaded videos.
const CRF: u8 = 21;

/// Renders `video`; returns the names of its files.
pub(super) fn render(work: &mut Work<'_>, video: &VideoItem<'_>) -> Result<Vec<String>, ItemError> {
    let split = match video.half {
        Half::Training => Split::Train(0),
        Half::HeldOut => Split::Test,
    };
    let name = &video.name;
    let anno_name = anno_path(split, name);
    let zip_name = zip_path(split, name);
    let mp4_name = format!("mp4/{}/{name}.mp4", split.name());
    let (quality, container) = (work.plan.settings.quality, video.settings.container);
    let mut zip = match container {
        Container::Mp4 => None,
        _ => Some(FrameZip::create(&work.path(&zip_name)?)?),
    };
    let options = VideoOptions {
        size: work.plan.settings.size,
        fps: video.settings.fps,
        crf: CRF,
    };
    let mut mp4 = match container {
        Container::Zip => None,
        _ => Some(VideoWriter::create(&work.path(&mp4_name)?, options)?),
    };
    let image = match container {
        Container::Mp4 => &mp4_name,
        _ => &zip_name,
    };
    let rendered = render_video(
        work,
        video,
        |_| image.clone(),
        |_, _, picture| {
            if let Some(zip) = &mut zip {
                zip.push(&jpeg::compress(&picture, quality)?)?;
            }
            if let Some(mp4) = &mut mp4 {
                mp4.push(&picture)?;
            }
            Ok(())
        },
    )?;
    work.write(&anno_name, anno_text(split, &rendered.boxes()).as_bytes())?;
    work.item.truths = rendered.truths;
    let mut names = vec![anno_name];
    if let Some(zip) = zip {
        zip.finish()?;
        work.add(&zip_name)?;
        names.push(zip_name);
    }
    if let Some(mp4) = mp4 {
        mp4.finish()?;
        work.add(&mp4_name)?;
        names.push(mp4_name);
    }
    Ok(names)
}
