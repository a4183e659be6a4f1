//! Which files hold truth, and where the frames are that they speak of.

use std::path::{Path, PathBuf};

use vidpairs_types::Media;

use super::super::SourceError;
use super::super::disk::{self, Entry, Kind};
use super::super::videos::{clip_of_file, is_video};

/// Folder of the frames of a sequence.
const FRAMES: &str = "img1";

/// A file of rows.
pub(super) struct TruthFile {
    pub path: PathBuf,
    /// The name of its clip.
    pub clip: String,
    /// Where its frames are looked for first.
    place: Place,
}

enum Place {
    /// A sequence folder: `img1` lies in it.
    Sequence(PathBuf),
    /// A folder with `<clip>.mp4`, say.
    Beside(PathBuf),
}

/// The truth files of a root, sorted by the names of their clips.
pub(super) fn truth_files(root: &Path) -> Result<Vec<TruthFile>, SourceError> {
    if root.is_file() {
        return Ok(vec![single(root)]);
    }
    if let Some(sequence) = sequence(root, disk::own_name(root)) {
        return Ok(vec![sequence]);
    }
    let entries = disk::root_entries(root)?;
    let folders = entries.iter().filter(|entry| entry.is_folder());
    let sequences: Vec<_> = folders
        .filter_map(|entry| sequence(&entry.path, entry.name.clone()))
        .collect();
    if !sequences.is_empty() {
        return Ok(sequences);
    }
    let files: Vec<_> = entries.iter().filter_map(|it| beside(root, it)).collect();
    if files.is_empty() {
        return Err(SourceError::WrongRoot {
            root: root.to_owned(),
            wanted: "truth of MOTChallenge's form",
            looked_for: "<clip>.txt, gt/gt.txt or <sequence>/gt/gt.txt",
            found: entries.into_iter().map(|entry| entry.name).collect(),
        });
    }
    Ok(files)
}

/// One file: that of a sequence folder, or one beside its video.
fn single(path: &Path) -> TruthFile {
    let parent = path.parent().unwrap_or(Path::new("."));
    let is_in_gt = disk::own_name(parent) == "gt";
    let folder = parent.parent().filter(|_| is_in_gt);
    if let Some(found) = folder.and_then(|it| sequence(it, disk::own_name(it))) {
        return TruthFile {
            path: path.to_owned(),
            ..found
        };
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    TruthFile {
        path: path.to_owned(),
        clip: stem.into_owned(),
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

/// Where the frames are; why they are nowhere, in words.
///
/// - `named`: what the user named, a file or a folder.
pub(super) fn media_of(truth: &TruthFile, named: Option<&Path>) -> Result<Media, String> {
    if let Some(file) = named.filter(|it| !it.is_dir()) {
        return match file.is_file() {
            true => Ok(of_file(file)),
            false => Err(format!("{} is neither a file nor a folder", file.display())),
        };
    }
    let found = match (named, &truth.place) {
        (Some(folder), _) => in_folder(folder, &truth.clip).or_else(|| of_one_clip(folder)),
        (None, Place::Sequence(folder)) => of_folder(folder),
        (None, Place::Beside(folder)) => in_folder(folder, &truth.clip),
    };
    found.ok_or_else(|| {
        let folder = match (named, &truth.place) {
            (None, Place::Sequence(folder)) => {
                return format!("no JPEG in {}", folder.join(FRAMES).display());
            }
            (Some(folder), _) => folder,
            (None, Place::Beside(folder)) => folder,
        };
        let (clip, folder) = (&truth.clip, folder.display());
        format!("neither a video {clip}.* nor a folder {clip} of JPEGs in {folder}")
    })
}

/// The clip of that name: a video, a zip, or a folder of frames.
fn in_folder(folder: &Path, clip: &str) -> Option<Media> {
    let entries = disk::entries(folder).ok()?;
    let stem = |entry: &Entry| {
        entry
            .path
            .file_stem()
            .map(|it| it.to_string_lossy() == clip)
    };
    let video = entries.iter().find(|entry| {
        matches!(entry.kind, Kind::File) && is_video(&entry.path) && stem(entry) == Some(true)
    });
    let frames = || entries.iter().find(|it| it.is_folder() && it.name == clip);
    video
        .map(|entry| of_file(&entry.path))
        .or_else(|| of_folder(&frames()?.path))
}

fn of_file(path: &Path) -> Media {
    clip_of_file(String::new(), path).media
}

/// A sequence folder, or a folder of frames.
fn of_one_clip(folder: &Path) -> Option<Media> {
    let entries = disk::entries(folder).ok()?;
    let is_clip = |entry: &Entry| is_video(&entry.path);
    // Beside the videos of other clips, pictures are not the frames of this one.
    if entries.iter().any(is_clip) {
        None
    } else {
        of_folder(folder)
    }
}

/// The numbered JPEGs of a folder, or of its folder of frames.
fn of_folder(folder: &Path) -> Option<Media> {
    let has_jpegs = |folder: &Path| {
        let entries = disk::entries(folder).unwrap_or_default();
        entries.iter().any(|entry| disk::is_jpeg_name(&entry.name))
    };
    let inner = folder.join(FRAMES);
    let path = [inner, folder.to_owned()]
        .into_iter()
        .find(|it| has_jpegs(it))?;
    let fps = frame_rate(folder);
    Some(Media::JpegFolder { path, fps })
}

/// `frameRate` of `seqinfo.ini`; a damaged file costs only it.
fn frame_rate(folder: &Path) -> Option<f64> {
    let text = disk::read_text_if_any(&folder.join("seqinfo.ini")).ok()??;
    let value = disk::lines(&text).find_map(|(_, line)| {
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
    use super::super::super::test_tree::{tree, write};
    use super::super::{MotListing, mot_tracks};
    use super::*;

    const ROW: &str = "1,7,1,1,5,5\n";

    fn found(listing: &MotListing) -> Vec<(&str, String)> {
        let file_name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let pair = |track: &'_ super::super::MotTrack| file_name(track.media.path());
        let tracks = listing.tracks.iter();
        tracks
            .map(|track| (track.id.as_str(), pair(track)))
            .collect()
    }

    #[test]
    fn a_folder_of_truth_files_finds_the_clips_beside_them_or_in_another_folder() {
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
            found(&beside),
            [("a/7", "a.MP4".to_owned()), ("b/7", "b.zip".to_owned())]
        );
        assert_eq!(beside.refused[0].id, "c");
        assert!(beside.refused[0].reason.starts_with("neither a video c.*"));
        let media = root.path().join("media");
        let apart = mot_tracks(&root.path().join("truth"), Some(&media)).unwrap();
        assert_eq!(
            found(&apart),
            [("a/7", "a.avi".to_owned()), ("b/7", "b".to_owned())]
        );
    }

    #[test]
    fn a_benchmark_a_sequence_and_its_truth_file_give_the_same_target() {
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
                fps: Some(30.0)
            }
        );
        assert_eq!(tracks, listed(&sequence));
        assert_eq!(tracks, listed(&sequence.join("gt/gt.txt")));
    }

    #[test]
    fn one_truth_file_takes_the_video_that_is_named() {
        let root = tree(&["clip.mkv"]);
        write(root.path(), "gt.txt", ROW);
        let (truth, video) = (root.path().join("gt.txt"), root.path().join("clip.mkv"));
        let tracks = mot_tracks(&truth, Some(&video)).unwrap().tracks;
        assert_eq!(tracks[0].media, Media::Video(video));
        let err = mot_tracks(&truth, None).unwrap_err().to_string();
        assert!(err.contains("neither a video gt.*"), "{err}");
    }

    #[test]
    fn a_damaged_truth_file_is_refused_and_the_others_are_listed() {
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
