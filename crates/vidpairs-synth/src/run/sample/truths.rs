//! Reads `truth.jsonl` one group at a time: the truths of a set may exceed the memory.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use vidpairs_run::{RunError, failed};
use vidpairs_types::{NextLine, next_line, open_regular};

use crate::run::TRUTH_FILE;
use crate::set::SetKind;
use crate::truth::Truth;

/// Longest line that is read, bytes.
const MAX_LINE_BYTES: usize = 1 << 20;

/// The truths of a set by group: a video, an object (ALOI), a class (PASCAL3D+) or an image (MSCOCO, Pascal VOC).
pub(super) struct TruthFile {
    path: PathBuf,
    file: BufReader<File>,
    pub groups: Vec<Group>,
    /// Lines that are not a truth.
    pub num_unreadable: u64,
}

/// The lines of a group, which a set writes one after the other.
pub(super) struct Group {
    name: String,
    /// Position of the first byte, and of the first byte after it.
    start: u64,
    end: u64,
}

impl TruthFile {
    /// Opens the file in `dir` and finds its groups.
    pub fn open(dir: &Path, kind: SetKind) -> Result<Self, RunError> {
        let path = dir.join(TRUTH_FILE);
        let mut file = BufReader::new(open_regular(&path).map_err(failed("open", &path))?);
        let (mut groups, mut num_unreadable): (Vec<Group>, _) = (Vec::new(), 0);
        let (mut line, mut start) = (Vec::new(), 0);
        loop {
            let read = next_line(&mut file, &mut line, MAX_LINE_BYTES);
            let end = match read.map_err(failed("read", &path))? {
                NextLine::End => break,
                NextLine::Line => start + line.len() as u64,
                NextLine::TooLong => file.stream_position().map_err(failed("read", &path))?,
            };
            // A whole truth, so that every line that `read` leaves out is counted.
            match serde_json::from_slice::<Truth>(&line) {
                Ok(Truth { image, .. }) => match groups.last_mut() {
                    Some(group) if group.name == group_of(kind, &image) => group.end = end,
                    _ => groups.push(Group {
                        name: group_of(kind, &image).to_owned(),
                        start,
                        end,
                    }),
                },
                Err(_) => num_unreadable += 1,
            }
            start = end;
        }
        Ok(Self {
            path,
            file,
            groups,
            num_unreadable,
        })
    }

    /// Reads the truths of group `index` of [`groups`](Self::groups), without unreadable lines, and gives its name.
    pub fn read(&mut self, index: usize) -> Result<(String, Vec<Truth>), RunError> {
        let Group { name, start, end } = &self.groups[index];
        let mut text = Vec::new();
        self.file
            .seek(SeekFrom::Start(*start))
            .and_then(|_| (&mut self.file).take(end - start).read_to_end(&mut text))
            .map_err(failed("read", &self.path))?;
        let lines = text.split(|&byte| byte == b'\n');
        let truths = lines.filter_map(|line| serde_json::from_slice(line).ok());
        Ok((name.clone(), truths.collect()))
    }
}

/// Name of the group of `image`: a file, a folder, a class or itself.
fn group_of(kind: SetKind, image: &str) -> &str {
    let folder = image.rsplit_once('/').map_or("", |(folder, _)| folder);
    match kind {
        SetKind::TrackingNet | SetKind::Coco | SetKind::Voc => image,
        SetKind::Got10k | SetKind::Aloi => folder,
        SetKind::Pascal3d => {
            let name = folder.rsplit('/').next().unwrap_or(folder);
            name.rsplit_once('_').map_or(name, |(class, _)| class)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_an_image_is_its_video_its_object_its_class_or_itself() {
        for (kind, image, group) in [
            (
                SetKind::TrackingNet,
                "TEST/zips/t1_0.zip",
                "TEST/zips/t1_0.zip",
            ),
            (
                SetKind::Got10k,
                "val/GOT-10k_Val_000001/00000001.jpg",
                "val/GOT-10k_Val_000001",
            ),
            (SetKind::Aloi, "png2/7/7_r5.png", "png2/7"),
            (
                SetKind::Pascal3d,
                "Images/toy_car_imagenet/n1_2.JPEG",
                "toy_car",
            ),
            (
                SetKind::Pascal3d,
                "Images/toy_car_pascal/2008_1.jpg",
                "toy_car",
            ),
            (
                SetKind::Coco,
                "val2017/000000000007.jpg",
                "val2017/000000000007.jpg",
            ),
            (SetKind::Got10k, "", ""),
        ] {
            assert_eq!(group_of(kind, image), group);
        }
    }
}
