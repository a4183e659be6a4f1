//! `truth.jsonl`, a group at a time: a set may have more truths than memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vidpairs_run::{RunError, failed};

use crate::run::TRUTH_FILE;
use crate::set::SetKind;
use crate::truth::Truth;

/// The truths of a set, by group: the images of a video, of an object (ALOI), of a class (PASCAL3D+).
pub(super) struct TruthFile {
    path: PathBuf,
    file: BufReader<File>,
    pub groups: Vec<Stretch>,
    pub num_unreadable: u64,
}

/// The lines of a group: a set writes them one after the other.
pub(super) struct Stretch {
    name: String,
    start: u64,
    end: u64,
}

impl TruthFile {
    /// Finds the groups.
    pub fn open(dir: &Path, kind: SetKind) -> Result<Self, RunError> {
        /// All that tells the group of a line.
        #[derive(Deserialize)]
        struct Place {
            image: String,
        }
        let path = dir.join(TRUTH_FILE);
        let mut file = BufReader::new(File::open(&path).map_err(failed("open", &path))?);
        let (mut groups, mut num_unreadable): (Vec<Stretch>, _) = (Vec::new(), 0);
        let (mut line, mut start) = (Vec::new(), 0);
        loop {
            line.clear();
            let len = file
                .read_until(b'\n', &mut line)
                .map_err(failed("read", &path))?;
            if len == 0 {
                break;
            }
            let end = start + len as u64;
            match serde_json::from_slice::<Place>(&line) {
                Ok(Place { image }) => match groups.last_mut() {
                    Some(group) if group.name == group_of(kind, &image) => group.end = end,
                    _ => groups.push(Stretch {
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

    /// Name and truths of group `index`; nothing if there is none.
    pub fn read(&mut self, index: usize) -> Result<(String, Vec<Truth>), RunError> {
        let Some(group) = self.groups.get(index) else {
            return Ok(Default::default());
        };
        let mut text = Vec::new();
        let len = group.end - group.start;
        let found = self.file.seek(SeekFrom::Start(group.start));
        let read = found.and_then(|_| (&mut self.file).take(len).read_to_end(&mut text));
        read.map_err(failed("read", &self.path))?;
        let lines = text.split(|&byte| byte == b'\n');
        // Those that cannot be understood were counted.
        let truths = lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        Ok((group.name.clone(), truths))
    }
}

/// The group that `image` belongs to: a file, a folder, or a class.
fn group_of(kind: SetKind, image: &str) -> &str {
    let folder = image.rsplit_once('/').map_or("", |(folder, _)| folder);
    match kind {
        SetKind::TrackingNet => image,
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
    fn an_image_belongs_to_its_video_its_object_or_its_class() {
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
            (SetKind::Got10k, "", ""),
        ] {
            assert_eq!(group_of(kind, image), group);
        }
    }
}
