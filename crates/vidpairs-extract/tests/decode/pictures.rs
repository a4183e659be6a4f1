//! Tests the order of pictures in folders and zips, and zips that are hostile or need another program.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use vidpairs_extract::decode::DecodeError;
use vidpairs_types::{Media, with_causes};
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::damaged_media::{Numbered, decode_all, decode_zip, folder_of, jpegs, zip_of};

type Jpegs = Vec<(String, Vec<u8>)>;

fn renamed(jpegs: &Jpegs, name: impl Fn(usize) -> String) -> Jpegs {
    let jpegs = jpegs.iter().enumerate();
    jpegs
        .map(|(at, (_, bytes))| (name(at), bytes.clone()))
        .collect()
}

/// Each of `count` frames with its own number in the picture, as [`decode_all`] gives them.
fn in_order(count: u64) -> Vec<Numbered> {
    let all = (0..count).chain([count * 3 / 4]);
    all.map(|index| (index, Some(index))).collect()
}

fn refusal_of_zip(bytes: &[u8]) -> String {
    let started = Instant::now();
    let refused = decode_zip(bytes).expect_err("the zip is refused");
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    with_causes(&refused)
}

fn zipped(members: &Jpegs, method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(name.as_str(), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Start of the `nth` entry in the directory of a zip.
fn entry(zip: &[u8], nth: usize) -> usize {
    let starts = zip.windows(4).enumerate();
    let mut starts = starts.filter(|(_, bytes)| bytes == b"PK\x01\x02");
    starts.nth(nth).unwrap().0
}

fn replace_all(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let found: Vec<usize> = (0..=bytes.len() - old.len())
        .filter(|&at| &bytes[at..at + old.len()] == old)
        .collect();
    for at in found {
        bytes[at..at + old.len()].copy_from_slice(new);
    }
}

#[test]
fn the_picture_with_number_n_is_frame_n_whatever_the_names() {
    let all = jpegs(40);
    for name in [
        |at: usize| {
            let micros = 102_175_304 + 33_333 * at;
            format!(
                "1305031{:03}.{:06}.jpg",
                micros / 1_000_000,
                micros % 1_000_000
            )
        },
        |at| {
            format!(
                "day_12-{:02}-{:02}.jpg",
                30 + (at + 30) / 60,
                (at + 30) % 60
            )
        },
        |at| format!("frame_{at}_left.JPG"),
        |at| format!("img_{at}_of_40.jpeg"),
        |at| format!("{:03x}.jpg", at + 9),
        |at| format!("t{}_{}.jpg", 7, at as i64 - 20),
    ] {
        let (_folder, media) = folder_of(&renamed(&all, name));
        assert_eq!(
            decode_all(&media).unwrap().frames,
            in_order(40),
            "{}",
            name(0)
        );
        let zip = zip_of(&renamed(&all, name));
        assert_eq!(
            decode_zip(&zip).unwrap().frames,
            in_order(40),
            "{}",
            name(0)
        );
    }
    let mut with_poster = renamed(&all, |at| format!("{at}.jpg"));
    with_poster.push(("poster.jpg".to_owned(), all[17].1.clone()));
    let (_folder, media) = folder_of(&with_poster);
    assert_eq!(decode_all(&media).unwrap().frames, in_order(40));
}

#[test]
fn pictures_of_two_cameras_are_refused_not_mixed() {
    let name = |at: usize| format!("cam{}_{:04}.jpg", at % 2, at / 2);
    let (_folder, media) = folder_of(&renamed(&jpegs(12), name));
    let err = decode_all(&media).unwrap_err();
    assert!(matches!(err, DecodeError::NoOrder { .. }), "{err}");
}

#[test]
fn frames_of_a_data_set_keep_their_numbers_where_the_first_are_missing() {
    let kept: Jpegs = renamed(&jpegs(40), |at| format!("{at}.jpg"))
        .into_iter()
        .skip(2)
        .collect();
    let (_folder, media) = folder_of(&kept);
    let Media::JpegFolder { path, .. } = media else {
        unreachable!()
    };
    let outcome = decode_all(&Media::JpegFolder {
        path,
        fps: None,
        first_number: Some(0),
    });
    let outcome = outcome.unwrap();
    assert_eq!(outcome.num_frames, 40);
    let expected: Vec<Numbered> = in_order(40).into_iter().skip(2).collect();
    assert_eq!(outcome.frames, expected);
}

#[test]
fn a_zip_with_repeated_names_is_refused_and_names_one() {
    let mut zip = zip_of(&jpegs(13));
    for number in 2..13 {
        let name = format!("{number:06}.jpg");
        replace_all(&mut zip, name.as_bytes(), b"000001.jpg");
    }
    assert_eq!(
        refusal_of_zip(&zip),
        "the zip holds several pictures named 000001.jpg; repack it with a name for each"
    );
    // Other files may be repeated.
    let mut members = jpegs(13);
    members.extend(["a.txt", "b.txt"].map(|name| (name.to_owned(), b"x".to_vec())));
    let mut zip = zip_of(&members);
    replace_all(&mut zip, b"b.txt", b"a.txt");
    assert_eq!(decode_zip(&zip).unwrap().frames, in_order(13));
}

#[test]
fn pictures_in_folders_of_systems_are_no_frames() {
    let mut members = jpegs(12);
    let thumbnail = members[3].1.clone();
    for name in [
        "__MACOSX/._000000.jpg",
        "__MACOSX/1.jpg",
        "@eaDir/000000.jpg/M.jpg",
        "._000001.jpg",
    ] {
        members.push((name.to_owned(), thumbnail.clone()));
    }
    assert_eq!(decode_zip(&zip_of(&members)).unwrap().frames, in_order(12));
}

#[test]
fn many_names_for_the_same_bytes_are_refused() {
    let (name, jpeg) = jpegs(1).remove(0);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file(name.as_str(), options).unwrap();
    archive.write_all(&jpeg).unwrap();
    archive.write_all(&vec![0; 100 << 20]).unwrap();
    for number in 1..400 {
        archive
            .shallow_copy_file(&name, &format!("{number:06}.jpg"))
            .unwrap();
    }
    let zip = archive.finish().unwrap().into_inner();
    assert!(zip.len() < 1 << 20);
    assert_eq!(
        refusal_of_zip(&zip),
        "damaged zip: members share the same bytes"
    );
}

#[test]
fn a_member_that_grows_a_thousandfold_is_a_lost_frame_and_is_not_inflated() {
    let mut members = jpegs(6);
    members[2].1.extend(vec![0; 200 << 20]);
    let zip = zipped(&members, CompressionMethod::Deflated);
    let started = Instant::now();
    let frames = decode_zip(&zip).unwrap().frames;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    let expected: Vec<Numbered> = in_order(6).into_iter().filter(|(at, _)| *at != 2).collect();
    assert_eq!(frames, expected);
}

#[test]
fn a_member_whose_stated_size_is_wrong_is_a_lost_frame() {
    for change in [-100, 100] {
        let mut zip = zipped(&jpegs(6), CompressionMethod::Deflated);
        let at = entry(&zip, 2) + 24;
        let size = i32::from_le_bytes(zip[at..at + 4].try_into().unwrap());
        zip[at..at + 4].copy_from_slice(&(size + change).to_le_bytes());
        let expected: Vec<Numbered> = in_order(6).into_iter().filter(|(at, _)| *at != 2).collect();
        assert_eq!(decode_zip(&zip).unwrap().frames, expected, "{change}");
    }
}

/// A zip whose 64-bit end states `num` members, and a directory of `size` bytes at `start`.
fn with_zip64_end(zip: &[u8], num: u64, size: u64, start: u64) -> Vec<u8> {
    let mut bytes = zip[..zip.len() - 22].to_vec();
    let end = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [num, num, size, start] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend(end.to_le_bytes());
    bytes.extend([1, 0, 0, 0]);
    bytes.extend(b"PK\x05\x06\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0");
    bytes
}

#[test]
fn numbers_that_a_zip_cannot_have_are_refused_before_memory_is_reserved() {
    let zip = zip_of(&jpegs(6));
    let start = entry(&zip, 0) as u64;
    let size = zip.len() as u64 - 22 - start;
    let sound = with_zip64_end(&zip, 6, size, start);
    assert_eq!(decode_zip(&sound).unwrap().frames, in_order(6));
    for (num, size, start) in [
        (1 << 40, 1 << 47, 1 << 48),
        (u64::MAX, u64::MAX, u64::MAX),
        (1 << 40, size, start),
        (7, size, start),
        (6, size, u64::MAX - 1000),
        (6, u64::MAX, start),
    ] {
        let bytes = with_zip64_end(&zip, num, size, start);
        let refused = decode_zip(&bytes).map(|outcome| outcome.frames);
        assert!(
            refused.is_err() || refused.as_ref().is_ok_and(|frames| *frames == in_order(6)),
            "{num} {size} {start}: {refused:?}"
        );
    }
}

#[test]
fn locked_and_unusual_zips_are_refused_with_the_method_and_a_command_that_repacks() {
    const REMEDY: &str =
        "repack it: 7z x -oframes CLIP.zip && cd frames && zip -0 -r ../REPACKED.zip .";
    let members = jpegs(6);
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in &members {
        let options = SimpleFileOptions::default().with_deprecated_encryption(b"secret");
        archive.start_file(name.as_str(), options.unwrap()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    let locked = archive.finish().unwrap().into_inner();
    let text = refusal_of_zip(&locked);
    assert_eq!(
        text,
        format!("cannot read the zip: 000000.jpg is locked with a password; {REMEDY}")
    );
    for (method, name) in [
        (9, "Deflate64"),
        (12, "Bzip2"),
        (14, "Lzma"),
        (95, "Xz"),
        (93, "Zstd"),
    ] {
        let mut zip = zipped(&members, CompressionMethod::Deflated);
        for nth in 0..6 {
            let at = entry(&zip, nth) + 10;
            zip[at..at + 2].copy_from_slice(&u16::to_le_bytes(method));
        }
        let text = refusal_of_zip(&zip);
        assert_eq!(
            text,
            format!("cannot read the zip: 000000.jpg is compressed with {name}; {REMEDY}")
        );
    }
}

#[test]
fn zips_written_by_python_are_read_or_refused_by_their_method() {
    let folder = tempfile::tempdir().unwrap();
    let frames = folder.path().join("frames");
    fs::create_dir(&frames).unwrap();
    for (name, bytes) in jpegs(12) {
        fs::write(frames.join(name), bytes).unwrap();
    }
    let script = "import sys, zipfile, pathlib\n\
                  for method in ['STORED', 'DEFLATED', 'BZIP2', 'LZMA']:\n\
                  \x20   with zipfile.ZipFile(f'{sys.argv[2]}/{method}.zip', 'w', getattr(zipfile, 'ZIP_' + method)) as z:\n\
                  \x20       for p in sorted(pathlib.Path(sys.argv[1]).iterdir()): z.write(p, 'clip/' + p.name)\n";
    let status = Command::new("python3")
        .args(["-c", script])
        .args([&frames, folder.path()])
        .status();
    assert!(status.unwrap().success());
    let read = |name: &str| decode_zip(&fs::read(folder.path().join(name)).unwrap());
    for name in ["STORED.zip", "DEFLATED.zip"] {
        assert_eq!(read(name).unwrap().frames, in_order(12), "{name}");
    }
    for (name, method) in [("BZIP2.zip", "Bzip2"), ("LZMA.zip", "Lzma")] {
        let text = read(name).unwrap_err().to_string();
        assert!(
            text.contains(&format!("is compressed with {method};")),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_fifo_in_place_of_a_picture_or_zip_is_never_opened() {
    let mut members = jpegs(12);
    members.remove(5);
    let (folder, media) = folder_of(&members);
    let made = Command::new("mkfifo")
        .arg(folder.path().join("000005.jpg"))
        .status();
    assert!(made.unwrap().success());
    let frames = decode_all(&media).unwrap().frames;
    let expected: Vec<Numbered> = in_order(12)
        .into_iter()
        .filter(|(at, _)| *at != 5)
        .collect();
    assert_eq!(frames, expected);
    let refused = decode_all(&Media::JpegZip {
        path: folder.path().join("000005.jpg"),
        fps: None,
        first_number: None,
    });
    assert_eq!(
        with_causes(&refused.unwrap_err()),
        "cannot read the zip: it is a FIFO, not a regular file"
    );
}
