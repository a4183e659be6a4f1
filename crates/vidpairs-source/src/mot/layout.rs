//! Finds truth files and the frames they annotate.

use std::path::{Path, PathBuf};

use vidpairs_types::{Media, is_still_name};

use crate::disk::{self, Disk};
use crate::error::SourceError;
use crate::files::{self, Entry, Files, Kind};
use crate::media::{is_video, media_of_file};

/// Name of the folder with the frames of a sequence.
const FRAMES: &str = "img1";

/// Number in the name of the first frame, `000001.jpg`, which the truth calls frame 1.
const FIRST_NUMBER: u64 = 1;

/// Truth file of one clip.
pub(super) struct TruthFile {
    pub path: PathBuf,
    /// Name of the clip.
    pub clip: String,
    /// Folder in which its frames are searched.
    place: Place,
}

enum Place {
    /// Sequence folder, which holds `img1`.
    Sequence(PathBuf),
    /// Folder that holds the clip, such as `<clip>.mp4`.
    Beside(PathBuf),
}

/// Truth files of a root, sorted by the names of their clips.
pub(super) fn truth_files(root: &Path) -> Result<Vec<TruthFile>, SourceError> {
    if root.is_file() {
        return Ok(vec![single(root)]);
    }
    if let Some(sequence) = sequence(root, disk::own_name(root)) {
        return Ok(vec![sequence]);
    }
    let entries = Disk.root_entries(root)?;
    let folders = entries.iter().filter(|entry| entry.is_folder());
    let sequences: Vec<_> = folders
        .filter_map(|entry| sequence(&entry.path, entry.name.clone()))
        .collect();
    if !sequences.is_empty() {
        return Ok(sequences);
    }
    let files: Vec<_> = entries
        .iter()
        .filter_map(|entry| beside(root, entry))
        .collect();
    if files.is_empty() {
        return Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "MOTChallenge truth",
            looked_for: "<clip>.txt, gt/gt.txt or <sequence>/gt/gt.txt",
            found: entries.into_iter().map(|entry| entry.name).collect(),
        });
    }
    Ok(files)
}

/// Truth file that is the root itself: of a sequence folder, or beside its video.
fn single(path: &Path) -> TruthFile {
    let parent = match path.parent().expect("the path of a file has a parent") {
        empty if empty.as_os_str().is_empty() => Path::new("."),
        parent => parent,
    };
    let is_in_gt = disk::own_name(parent) == "gt";
    let folder = parent.parent().filter(|_| is_in_gt);
    if let Some(file) = folder.and_then(|folder| sequence(folder, disk::own_name(folder))) {
        return TruthFile {
            path: path.to_owned(),
            ..file
        };
    }
    let stem = path.file_stem().expect("a file has a name");
    TruthFile {
        path: path.to_owned(),
        clip: stem.to_string_lossy().into_owned(),
        place: Place::Beside(parent.to_owned()),
    }
}

fn sequence(folder: &Path, clip: String) -> Option<TruthFile> {
    let path = folder.join("gt").join("gt.txt");
    path.is_file().then(|| TruthFile {
        path,
        clip,
        place: Place::Sequence(folder.to_owned()),
    })
}

fn beside(root: &Path, entry: &Entry) -> Option<TruthFile> {
    let clip = entry.name.strip_suffix(".txt")?;
    matches!(entry.kind, Kind::File).then(|| TruthFile {
        path: entry.path.clone(),
        clip: clip.to_owned(),
        place: Place::Beside(root.to_owned()),
    })
}

/// Media of a truth file, or the reason why there is none.
///
/// - `named`: file or folder that the user named.
pub(super) fn media_of(truth: &TruthFile, named: Option<&Path>) -> Result<Media, String> {
    if let Some(file) = named.filter(|path| !path.is_dir()) {
        return match file.is_file() {
            true => Ok(media_of_file(file, Some(FIRST_NUMBER))),
            false => Err(format!("{} is neither a file nor a folder", file.display())),
        };
    }
    let media = match (named, &truth.place) {
        (Some(folder), _) => in_folder(folder, &truth.clip).or_else(|| of_one_clip(folder)),
        (None, Place::Sequence(folder)) => of_folder(folder),
        (None, Place::Beside(folder)) => in_folder(folder, &truth.clip),
    };
    media.ok_or_else(|| {
        let folder = match (named, &truth.place) {
            (None, Place::Sequence(folder)) => {
                return format!("no picture in {}", folder.join(FRAMES).display());
            }
            (Some(folder), _) => folder,
            (None, Place::Beside(folder)) => folder,
        };
        let (clip, folder) = (&truth.clip, folder.display());
        format!("neither a video {clip}.* nor a folder {clip} of pictures in {folder}")
    })
}

/// Video, zip or folder of frames with the name of the clip.
fn in_folder(folder: &Path, clip: &str) -> Option<Media> {
    let entries = Disk.entries(folder).ok()?;
    let is_clip = |entry: &&Entry| {
        let stem = entry.path.file_stem();
        matches!(entry.kind, Kind::File)
            && is_video(&entry.path)
            && stem.is_some_and(|stem| stem.to_string_lossy() == clip)
    };
    let is_folder_of_clip = |entry: &&Entry| entry.is_folder() && entry.name == clip;
    match entries.iter().find(is_clip) {
        Some(video) => Some(media_of_file(&video.path, Some(FIRST_NUMBER))),
        None => of_folder(&entries.iter().find(is_folder_of_clip)?.path),
    }
}

/// Frames of a folder that holds a single clip: a sequence folder or a folder of frames.
fn of_one_clip(folder: &Path) -> Option<Media> {
    let entries = Disk.entries(folder).ok()?;
    // In a folder with videos of other clips, pictures are not the frames of this clip.
    let has_video = entries.iter().any(|entry| is_video(&entry.path));
    if has_video { None } else { of_folder(folder) }
}

/// Pictures of the folder `img1` in `folder`, or of `folder` itself.
fn of_folder(folder: &Path) -> Option<Media> {
    let has_pictures = |folder: &Path| {
        let is_picture = |entry: &Entry| is_still_name(&entry.name);
        Disk.entries(folder)
            .is_ok_and(|entries| entries.iter().any(is_picture))
    };
    let mut candidates = [folder.join(FRAMES), folder.to_owned()].into_iter();
    let path = candidates.find(|folder| has_pictures(folder))?;
    let fps = frame_rate(folder);
    Some(Media::JpegFolder {
        path,
        fps,
        first_number: Some(FIRST_NUMBER),
    })
}

/// `frameRate` of `seqinfo.ini`; `None` if the file is missing or damaged.
fn frame_rate(folder: &Path) -> Option<f64> {
    let text = Disk.read_text_if_any(&folder.join("seqinfo.ini")).ok()??;
    let value = files::lines(&text).find_map(|(_, line)| {
        let (key, value) = std::str::from_utf8(line).ok()?.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case("frameRate")
            .then_some(value)
    })?;
    let fps: f64 = value.trim().parse().ok()?;
    (fps.is_finite() && fps > 0.0).then_some(fps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mot::{MotListing, MotTrack, mot_tracks};
    use crate::test_tree::{tree, write};

    const ROW: &str = "1,7,1,1,5,5\n";

    /// Id and file name of the media of each target.
    fn ids_and_media(listing: &MotListing) -> Vec<(&str, String)> {
        let media = |track: &MotTrack| {
            let name = track.media.path().file_name().unwrap();
            name.to_string_lossy().into_owned()
        };
        listing
            .tracks
            .iter()
            .map(|track| (track.id.as_str(), media(track)))
            .collect()
    }

    #[test]
    fn clips_of_truth_files_are_found_beside_them_or_in_another_folder() {
        let root = tree(&[
            "truth/c.txt",
            "truth/b.zip",
            "truth/a.MP4",
            "media/a.avi",
            "media/b/1.jpg",
        ]);
        for name in ["a", "b"] {
            write(root.path(), &format!("truth/{name}.txt"), ROW);
        }
        let beside = mot_tracks(&root.path().join("truth"), None).unwrap();
        assert_eq!(
            ids_and_media(&beside),
            [("a/7", "a.MP4".to_owned()), ("b/7", "b.zip".to_owned())]
        );
        assert_eq!(beside.refused[0].id, "c");
        assert!(beside.refused[0].reason.starts_with("neither a video c.*"));
        let media = root.path().join("media");
        let apart = mot_tracks(&root.path().join("truth"), Some(&media)).unwrap();
        assert_eq!(
            ids_and_media(&apart),
            [("a/7", "a.avi".to_owned()), ("b/7", "b".to_owned())]
        );
    }

    #[test]
    fn a_benchmark_folder_a_sequence_folder_and_a_truth_file_give_the_same_target() {
        let root = tree(&["train/S-02/img1/000001.jpg", "train/S-03/img1/000001.jpg"]);
        write(root.path(), "train/S-02/gt/gt.txt", ROW);
        write(
            root.path(),
            "train/S-02/seqinfo.ini",
            "[Sequence]\nframeRate=30\n",
        );
        let sequence = root.path().join("train/S-02");
        let listed = |path: &Path| mot_tracks(path, None).unwrap().tracks;
        let tracks = listed(&root.path().join("train"));
        assert_eq!(tracks[0].id, "S-02/7");
        let path = sequence.join("img1");
        assert_eq!(
            tracks[0].media,
            Media::JpegFolder {
                path,
                fps: Some(30.0),
                first_number: Some(1),
            }
        );
        assert_eq!(tracks, listed(&sequence));
        assert_eq!(tracks, listed(&sequence.join("gt/gt.txt")));
    }

    #[test]
    fn a_single_truth_file_uses_the_named_video() {
        let root = tree(&["clip.mkv"]);
        write(root.path(), "gt.txt", ROW);
        let (truth, video) = (root.path().join("gt.txt"), root.path().join("clip.mkv"));
        let tracks = mot_tracks(&truth, Some(&video)).unwrap().tracks;
        assert_eq!(tracks[0].media, Media::Video(video));
        let err = mot_tracks(&truth, None).unwrap_err().to_string();
        assert!(err.contains("neither a video gt.*"), "{err}");
    }

    #[test]
    fn a_truth_file_without_a_folder_lies_in_the_current_folder() {
        let truth = single(Path::new("gt.txt"));
        assert_eq!(
            (truth.clip.as_str(), truth.path.as_path()),
            ("gt", Path::new("gt.txt"))
        );
        assert!(matches!(truth.place, Place::Beside(folder) if folder == Path::new(".")));
    }

    #[test]
    fn a_damaged_truth_file_is_refused_and_others_are_listed() {
        let root = tree(&["a.mp4", "b.mp4", "notes.md"]);
        write(root.path(), "a.txt", "1,1,one\n");
        write(root.path(), "b.txt", ROW);
        let listing = mot_tracks(root.path(), None).unwrap();
        assert_eq!(listing.tracks[0].id, "b/7");
        assert!(listing.refused[0].reason.contains("line 1"));
        let empty = tree(&["notes.md"]);
        assert!(mot_tracks(empty.path(), None).is_err());
    }
}
