use std::fs;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tempfile::TempDir;
use vidpairs_types::{Annotation, Media, Outcome, SourceKind, with_causes};

use super::*;
use crate::test_tree::{fetched, ids, listed, listed_parts, object_tree, refused, tree, write};
use crate::{ImageParts, SourceOptions, list_tree};

const URL: &str = "s3://bucket/set";

fn object(name: &str) -> StoredObject<'_> {
    StoredObject {
        name,
        size_bytes: 5,
        version: "\"e1\"",
    }
}

fn names(all: &[&str]) -> ObjectNames {
    let mut names = ObjectNames::default();
    all.iter().for_each(|name| names.add(object(name)));
    names
}

/// A tree of these objects, each with this content.
fn tree_of(all: &[(&str, &str)]) -> ObjectTree {
    let mut names = ObjectNames::default();
    for (name, text) in all {
        names.add(StoredObject {
            size_bytes: text.len() as u64,
            ..object(name)
        });
    }
    let owned = all
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let texts: std::collections::HashMap<String, String> = owned.collect();
    ObjectTree::new(URL, names, move |object, range| {
        Ok(texts[object.name].as_bytes()[range.start as usize..range.end as usize].to_vec())
    })
}

fn list_kind(tree: &ObjectTree, root: &str, kind: SourceKind) -> Result<Listing, SourceError> {
    let options = SourceOptions {
        kind,
        splits: Vec::new(),
    };
    list_tree(tree, Path::new(root), &options, ImageParts::Boxes)
}

fn videos(all: &[&str]) -> Listing {
    let tree = ObjectTree::new(URL, names(all), |_, _| panic!("nothing is read"));
    list_kind(&tree, URL, SourceKind::Videos).unwrap()
}

#[test]
fn names_that_are_no_paths_are_refused_and_never_joined_to_a_path() {
    let listing = videos(&[
        "ok.mp4",
        "a//b.mp4",
        "a//c.txt",
        "/etc/passwd.mp4",
        "x/../../y.mp4",
        "./z.mp4",
        "..",
        "up/..",
        "ctl/\u{1b}[2J.mp4",
        "ctl/\n.txt",
        "tab\t/1.jpg",
        &format!("{}.mp4", "é".repeat(126)),
    ]);
    assert_eq!(ids(&listing), ["ok.mp4"]);
    let long = format!("{}.mp4", "é".repeat(126));
    let part = |what: &str| format!("its name has {what}, so it has no place on a disk; rename it");
    let expected = [
        ("./", part("a part `.` or `..`")),
        ("/", part("an empty part, `//` or a leading `/`")),
        ("a//", part("an empty part, `//` or a leading `/`")),
        ("ctl/\u{1b}[2J.mp4", part("a control character")),
        ("tab\t/", part("a control character")),
        ("x/../", part("a part `.` or `..`")),
        (&long, part("a part of more than 255 bytes")),
    ];
    let expected: Vec<_> = expected.iter().map(|(id, why)| (*id, &**why)).collect();
    assert_eq!(refused(&listing), expected);
    assert_eq!(listing.refused[2].path, "s3://bucket/set/a//");
    assert!(
        listing
            .refused
            .iter()
            .all(|refusal| refusal.outcome == Outcome::Refused)
    );
    // Not named as clips.
    assert_eq!(listing.ignored.total(), 3);
}

#[test]
fn bad_names_in_hidden_and_system_folders_are_left_out_as_all_below_them() {
    let listing = videos(&[".git//a.mp4", "@eaDir/\n.mp4", "__MACOSX/./a.mp4", "b.mp4"]);
    assert_eq!(ids(&listing), ["b.mp4"]);
    assert_eq!((refused(&listing).len(), listing.ignored.total()), (0, 0));
}

#[test]
fn bad_names_outside_the_listed_folder_do_not_concern_it() {
    let tree = ObjectTree::new(
        URL,
        names(&["a/1.mp4", "a//", "b//2.mp4", "a\n/3.mp4"]),
        |_, _| panic!("nothing is read"),
    );
    let listing = list_kind(&tree, "s3://bucket/set/a/", SourceKind::Videos).unwrap();
    assert_eq!(ids(&listing), ["1.mp4"]);
    assert_eq!(listing.refused[0].path, "s3://bucket/set/a//");
    assert_eq!(listing.refused.len(), 1);
}

#[test]
fn folders_are_implied_by_names_and_marks_of_folders_are_no_clips() {
    let mut marked = names(&["a/b/1.mp4", "a-b.mp4", "a/x.mp4"]);
    for (name, size_bytes) in [
        ("", 0),
        ("a/", 0),
        ("a/b/", 0),
        ("empty.mp4/", 0),
        ("a", 0),
        ("odd.mp4/", 7),
    ] {
        marked.add(StoredObject {
            size_bytes,
            ..object(name)
        });
    }
    let tree = ObjectTree::new("s3://bucket/set//", marked, |_, _| {
        panic!("nothing is read")
    });
    assert_eq!(tree.root(), Path::new(URL));
    let listing = list_kind(&tree, URL, SourceKind::Videos).unwrap();
    assert_eq!(ids(&listing), ["a-b.mp4", "a/b/1.mp4", "a/x.mp4"]);
    let reason =
        "its name ends in `/`, but it is not empty, so it has no place on a disk; rename it";
    assert_eq!(refused(&listing), [("odd.mp4/", reason)]);
    let path = |name: &str| Path::new(URL).join(name);
    for folder in ["a", "a/b", "a/b/", "empty.mp4", ""] {
        assert!(tree.is_folder(&path(folder)), "{folder}");
        assert!(tree.object(&path(folder)).is_none(), "{folder}");
    }
    let kind = tree.kind(&path("a-b.mp4/")).unwrap_err().kind();
    assert_eq!(kind, io::ErrorKind::NotADirectory);
    for gone in ["b", "a/b/1", "a/b/1.mp4/x", "../set2/a.mp4"] {
        assert!(!tree.exists(&path(gone)), "{gone}");
    }
}

#[test]
fn an_object_with_the_name_of_a_folder_is_refused_unless_it_is_an_empty_mark() {
    let listing = videos(&[
        "take.mp4",
        "take.mp4/cover.mp4",
        "notes",
        "notes/1.mp4",
        "take.mp4x.mp4",
    ]);
    assert_eq!(
        ids(&listing),
        ["notes/1.mp4", "take.mp4/cover.mp4", "take.mp4x.mp4"]
    );
    let reason = "both an object and a folder have this name; rename one of them";
    assert_eq!(refused(&listing), [("take.mp4", reason)]);
    assert_eq!(listing.ignored.total(), 1);
}

#[test]
fn an_object_that_is_listed_twice_is_one_clip_of_the_later_version() {
    let mut twice = names(&["a.mp4", "b.mp4"]);
    twice.add(StoredObject {
        version: "\"e2\"",
        size_bytes: 9,
        ..object("a.mp4")
    });
    let tree = ObjectTree::new(URL, twice, |_, _| panic!("nothing is read"));
    let listing = list_kind(&tree, URL, SourceKind::Videos).unwrap();
    assert_eq!(ids(&listing), ["a.mp4", "b.mp4"]);
    let found = tree.files_of(&listing.clips[0]).unwrap();
    let later = StoredObject {
        name: "a.mp4",
        size_bytes: 9,
        version: "\"e2\"",
    };
    assert_eq!(found, [later]);
}

#[test]
fn an_empty_store_and_a_missing_folder_are_errors_that_name_the_url() {
    let empty = ObjectTree::new("s3://bucket", ObjectNames::default(), |_, _| {
        panic!("nothing is read")
    });
    let message = list_kind(&empty, "s3://bucket", SourceKind::Videos)
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("no object below s3://bucket; expected the URL"),
        "{message}"
    );
    let tree = tree_of(&[("a.mp4", "")]);
    for kind in [
        SourceKind::Videos,
        SourceKind::Images,
        SourceKind::TrackingNet,
        SourceKind::Voc,
    ] {
        let message = list_kind(&tree, "s3://bucket/set/b", kind)
            .unwrap_err()
            .to_string();
        assert_eq!(message, "s3://bucket/set/b does not exist");
    }
    let message = list_kind(&tree, URL, SourceKind::Images)
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("no clip in s3://bucket/set: looked for .jpg"),
        "{message}"
    );
}

#[test]
fn one_object_is_a_source_of_one_video() {
    let tree = tree_of(&[("cat #1 50%.MP4", "x"), ("dog.mp4", "x")]);
    let listing = list_kind(&tree, "s3://bucket/set/cat #1 50%.MP4", SourceKind::Videos).unwrap();
    assert_eq!(ids(&listing), ["cat #1 50%.MP4"]);
    let media = &listing.clips[0].media;
    assert_eq!(
        media.path().to_str(),
        Some("s3://bucket/set/cat #1 50%.MP4")
    );
}

#[test]
fn a_list_in_a_store_names_objects_by_url_or_relative_to_its_folder() {
    let list = "\u{FEFF}# mine\nx/../a.mp4\ns3://bucket/set/b c.mp4\n../up.mp4\nframes\n./a.mp4\n\
                s3://other/a.mp4\n../../../etc/passwd\n/data/a.mp4\nhttps://host/a.mp4\ngone.mp4\na.mp4/\n";
    let all = [
        ("sub/my.list", list),
        ("sub/a.mp4", "a"),
        ("b c.mp4", "b"),
        ("up.mp4", "u"),
        ("sub/frames/1.jpg", "1"),
        ("sub/frames/2.jpg", "2"),
    ];
    let tree = tree_of(&all);
    let listing = list_kind(&tree, "s3://bucket/set/sub/my.list", SourceKind::Videos).unwrap();
    let found: Vec<_> = listing
        .clips
        .iter()
        .map(|clip| (&*clip.id, clip.media.path().to_str().unwrap()))
        .collect();
    let expected = [
        ("../up.mp4", "s3://bucket/set/up.mp4"),
        ("./a.mp4", "s3://bucket/set/sub/a.mp4"),
        ("frames", "s3://bucket/set/sub/frames"),
        ("s3://bucket/set/b c.mp4", "s3://bucket/set/b c.mp4"),
        ("x/../a.mp4", "s3://bucket/set/sub/a.mp4"),
    ];
    assert_eq!(found, expected);
    let elsewhere = |line| format!("is not below s3://bucket/set (line {line})");
    let expected = [
        ("../../../etc/passwd", elsewhere(8)),
        ("/data/a.mp4", elsewhere(9)),
        ("a.mp4/", "not a directory (line 12)".to_owned()),
        ("gone.mp4", "no such object (line 11)".to_owned()),
        ("https://host/a.mp4", elsewhere(10)),
        ("s3://other/a.mp4", elsewhere(7)),
    ];
    let expected: Vec<_> = expected.iter().map(|(id, why)| (*id, &**why)).collect();
    assert_eq!(refused(&listing), expected);
    let pictures = tree.files_of(&listing.clips[2]).unwrap();
    let pictures: Vec<&str> = pictures.iter().map(|object| object.name).collect();
    assert_eq!(pictures, ["sub/frames/1.jpg", "sub/frames/2.jpg"]);
}

#[test]
fn a_list_on_a_disk_names_objects_of_several_buckets_and_files() {
    let folder = tree(&["here.mp4"]);
    let text = "s3://one/a.mp4\nhere.mp4\ns3://two/x/b.mp4\ns3://two/gone.mp4\ngs://one/a.mp4\n";
    write(folder.path(), "all.txt", text);
    let list = folder.path().join("all.txt");
    let objects = ObjectTree::new("s3://", names(&["one/a.mp4", "two/x/b.mp4"]), |_, _| {
        panic!("nothing is read")
    });
    let listing = list_kind(&objects, list.to_str().unwrap(), SourceKind::Videos).unwrap();
    assert_eq!(
        ids(&listing),
        ["here.mp4", "s3://one/a.mp4", "s3://two/x/b.mp4"]
    );
    assert_eq!(
        listing.clips[0].media,
        Media::Video(folder.path().join("here.mp4"))
    );
    let path = listing.clips[2].media.path();
    assert_eq!(path.to_str(), Some("s3://two/x/b.mp4"));
    let expected = [
        ("gs://one/a.mp4", "is not below s3:// (line 5)"),
        ("s3://two/gone.mp4", "no such object (line 4)"),
    ];
    assert_eq!(refused(&listing), expected);
    // A file needs no fetching, an object does.
    let needed = |index: usize| objects.files_of(&listing.clips[index]).unwrap();
    assert!(needed(0).is_empty());
    assert_eq!(needed(2), [object("two/x/b.mp4")]);
    // Without objects, a URL is no path of a file.
    let options = SourceOptions {
        kind: SourceKind::Videos,
        splits: Vec::new(),
    };
    let alone = crate::list(&list, &options).unwrap();
    assert_eq!(ids(&alone), ["here.mp4"]);
    let reason = "is a URL, and only files on this machine are listed (line 5)";
    assert_eq!(refused(&alone)[0], ("gs://one/a.mp4", reason));
}

/// GOT-10k with `num` sequences, one picture each.
fn got10k(num: usize) -> TempDir {
    let root = tree(&[]);
    let mut list = String::new();
    for index in 0..num {
        let folder = format!("train/S_{index:02}");
        list += &format!("S_{index:02}\n");
        write(root.path(), &format!("{folder}/00000001.jpg"), "");
        let meta = format!(
            "[METAINFO]\nanno_fps: {}Hz\nobject_class: class {index}\n",
            index + 1
        );
        write(root.path(), &format!("{folder}/meta_info.ini"), meta);
    }
    write(root.path(), "train/list.txt", list);
    root
}

#[test]
fn the_texts_of_many_sequences_reach_their_own_clips() {
    // More than are read at once, and no multiple.
    let root = got10k(67);
    let listing = listed(SourceKind::Got10k, root.path(), &[]).unwrap();
    for (index, clip) in listing.clips.iter().enumerate() {
        assert_eq!(clip.label, Some(format!("class {index}")));
    }
}

#[test]
fn a_store_that_fails_ends_the_listing_and_a_denied_text_does_not() {
    let root = got10k(3);
    let list_with = |failing: &'static str, kind: io::ErrorKind| {
        let tree = object_tree(root.path()).unwrap();
        let url = tree.root().to_str().unwrap().to_owned();
        let read = tree.read;
        let tree = ObjectTree::new(&url, tree.names, move |object, range| {
            match object.name.ends_with(failing) {
                true => Err(io::Error::new(kind, "says the store")),
                false => read(object, range),
            }
        });
        list_kind(&tree, &url, SourceKind::Got10k)
    };
    for (kind, expected) in [
        (io::ErrorKind::TimedOut, "says the store"),
        // It is not as if the sequence had no such text: the next listing may have another version.
        (
            io::ErrorKind::NotFound,
            "it was removed after it was listed: says the store",
        ),
    ] {
        for failing in ["S_01/meta_info.ini", "list.txt"] {
            let message = with_causes(&list_with(failing, kind).unwrap_err());
            assert!(message.starts_with("cannot read s3://bucket/"), "{message}");
            assert!(
                message.ends_with(&format!("{failing}: {expected}")),
                "{message}"
            );
        }
    }
    let listing = list_with("S_01/meta_info.ini", io::ErrorKind::PermissionDenied).unwrap();
    let labels: Vec<_> = listing
        .clips
        .iter()
        .map(|clip| clip.label.is_some())
        .collect();
    assert_eq!(labels, [true, false, true]);
    assert!(list_with("list.txt", io::ErrorKind::PermissionDenied).is_err());
}

#[test]
fn an_answer_of_another_length_is_an_error_and_a_large_text_is_not_asked_for() {
    let mut listed = names(&["labels.csv", "zips/a.zip"]);
    let cut = ObjectTree::new(URL, listed, |_, _| Ok(b"a,b".to_vec()));
    let message = with_causes(&list_kind(&cut, URL, SourceKind::TrackingNet).unwrap_err());
    let expected = "cannot read s3://bucket/set/labels.csv: the store gave 3 of 5 bytes";
    assert_eq!(message, expected);
    listed = names(&["zips/a.zip"]);
    listed.add(StoredObject {
        size_bytes: (64 << 20) + 1,
        ..object("labels.csv")
    });
    let large = ObjectTree::new(URL, listed, |_, _| panic!("nothing is read"));
    let err = list_kind(&large, URL, SourceKind::TrackingNet).unwrap_err();
    assert!(matches!(err, SourceError::TooLarge { .. }), "{err}");
}

#[test]
fn the_annotations_of_mscoco_are_read_in_ranges_of_the_same_version() {
    let json = r#"{"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 1, "name": "cat"}]}"#;
    let json = json.replace(
        "\"annotations\"",
        &format!("{}\"annotations\"", " ".repeat(9 << 20)),
    );
    let mut listed = names(&["train2017/1.jpg"]);
    let annotations = "annotations/instances_train2017.json";
    let size_bytes = json.len() as u64;
    listed.add(StoredObject {
        size_bytes,
        version: "7",
        ..object(annotations)
    });
    let asked = Arc::new(Mutex::new(Vec::new()));
    let asked_here = Arc::clone(&asked);
    let tree = ObjectTree::new(URL, listed, move |object, range| {
        asked_here
            .lock()
            .unwrap()
            .push((object.version.to_owned(), range.clone()));
        Ok(json.as_bytes()[range.start as usize..range.end as usize].to_vec())
    });
    let listing = list_kind(&tree, URL, SourceKind::Coco).unwrap();
    assert_eq!(ids(&listing), ["train2017/1.jpg"]);
    assert!(
        matches!(&listing.clips[0].annotation, Annotation::Objects(objects) if objects.objects.len() == 1)
    );
    let expected = [0..8 << 20, 8 << 20..size_bytes].map(|range| ("7".to_owned(), range));
    assert_eq!(*asked.lock().unwrap(), expected);
    // The objects of the image are read already.
    assert_eq!(
        tree.files_of(&listing.clips[0]).unwrap(),
        [object("train2017/1.jpg")]
    );
}

#[test]
fn the_files_of_a_clip_are_its_media_and_the_annotations_of_its_kind() {
    let files_of = |kind, names: &[&str]| {
        let root = tree(names);
        let listing = listed_parts(kind, root.path(), &[], ImageParts::Boxes).unwrap();
        let tree = object_tree(root.path()).unwrap();
        let clip = listing.clips[0].clone().moved(root.path(), tree.root());
        let files = tree.files_of(&clip).unwrap();
        let names = files.iter().map(|object| object.name.to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    let trackingnet = [
        "TRAIN_0/zips/a.zip",
        "TRAIN_0/anno/a.txt",
        "TRAIN_0/frames/a/0.jpg",
        "TRAIN_0/zips/b.zip",
    ];
    let expected = "TRAIN_0/zips/a.zip TRAIN_0/anno/a.txt";
    assert_eq!(files_of(SourceKind::TrackingNet, &trackingnet), expected);
    let got10k = [
        "train/A/2.jpg",
        "train/A/10.jpg",
        "train/A/.x.jpg",
        "train/A/groundtruth.txt",
        "train/A/absence.label",
        "train/A/cover.label",
        "train/A/cut_by_image.label",
        "train/A/meta_info.ini",
        "train/A/notes.txt",
        "train/A/below/1.jpg",
    ];
    let expected = "train/A/10.jpg train/A/2.jpg train/A/groundtruth.txt train/A/absence.label train/A/cut_by_image.label train/A/cover.label \
                    train/A/meta_info.ini";
    assert_eq!(files_of(SourceKind::Got10k, &got10k), expected);
    assert_eq!(
        files_of(SourceKind::Images, &["a/1.png", "a/1.xml"]),
        "a/1.png"
    );
}

#[test]
fn a_clip_whose_media_is_gone_is_an_error_that_names_it() {
    let tree = tree_of(&[("a.mp4", "x")]);
    let mut clip = list_kind(&tree, URL, SourceKind::Videos)
        .unwrap()
        .clips
        .remove(0);
    let at = |name: &str| Path::new(URL).join(name);
    clip.media = Media::Video(at("b.mp4"));
    let message = with_causes(&tree.files_of(&clip).unwrap_err());
    assert_eq!(message, "cannot read s3://bucket/set/b.mp4: no such object");
    clip.media = Media::JpegFolder {
        path: at("frames"),
        fps: None,
        first_number: None,
    };
    assert!(tree.files_of(&clip).is_err());
}

#[test]
fn a_fetched_clip_is_read_as_from_the_disk() {
    let root = tree(&["TRAIN_0/zips/a b#%é.zip"]);
    write(root.path(), "TRAIN_0/anno/a b#%é.txt", "1,2,3,4\n5,6,7,8\n");
    let objects = object_tree(root.path()).unwrap();
    let url = objects.root().to_str().unwrap();
    let clip = list_kind(&objects, url, SourceKind::TrackingNet)
        .unwrap()
        .clips
        .remove(0);
    let scratch = tree(&[]);
    let clip = fetched(&objects, &clip, root.path(), scratch.path());
    assert_eq!(
        clip.media.path(),
        scratch.path().join("TRAIN_0/zips/a b#%é.zip")
    );
    assert_eq!(crate::annotations(&clip).unwrap().boxes.len(), 2);
}

#[test]
fn a_million_names_take_less_than_300_megabytes() {
    let mut many = ObjectNames::default();
    let num = 100_000;
    for index in 0..num {
        let name = format!("TRAIN_{}/zips/AbCdEfGhIjK_{index:06}.zip", index % 12);
        let version = "\"9b2cf535f27731c974343645a3985328\"";
        many.add(StoredObject {
            name: &name,
            size_bytes: 1,
            version,
        });
    }
    let bytes_of_a_name = many.capacity_bytes() / num;
    assert!(bytes_of_a_name < 300, "{bytes_of_a_name}");
}

/// Parts of names that rules treat apart.
const PARTS: &[&str] = &[
    "a", "a.b", "A", "a-", "1.jpg", "2.png", "b.mp4", "b.jpg", "c.zip", ".h", "@eaDir", "thumbs",
    "é.mov", "x.gif", "n.txt",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_tree_is_listed_from_a_store_as_from_a_disk(
        paths in prop::collection::vec(prop::collection::vec(prop::sample::select(PARTS), 1..4), 1..24),
    ) {
        let root = tree(&[]);
        for parts in paths {
            let path = root.path().join(parts.join("/"));
            // What is a folder already cannot be a file too.
            if fs::create_dir_all(path.parent().unwrap()).is_ok() && !path.is_dir() {
                let _ = fs::write(path, "");
            }
        }
        // Each compares the two.
        let _ = listed(SourceKind::Videos, root.path(), &[]);
        let _ = listed(SourceKind::Images, root.path(), &[]);
        let _ = listed(SourceKind::Videos, &root.path().join("a"), &[]);
    }

    #[test]
    fn any_names_are_listed_without_a_panic_and_no_path_leaves_the_root(
        all in prop::collection::vec("[a/.\\\\\u{1}é:]{0,6}(/|\\.mp4|\\.jpg|//1\\.mp4)?", 0..20),
        size_bytes in 0u64..2,
    ) {
        let mut listed = ObjectNames::default();
        all.iter().for_each(|name| listed.add(StoredObject { size_bytes, ..object(name) }));
        let tree = ObjectTree::new(URL, listed, |_, _| panic!("nothing is read"));
        if let Ok(listing) = list_kind(&tree, URL, SourceKind::Videos) {
            for clip in &listing.clips {
                prop_assert!(clip.media.path().starts_with(URL));
                for file in tree.files_of(clip).unwrap() {
                    let parts = Path::new(file.name).components();
                    prop_assert!(parts.into_iter().all(|part| matches!(part, Component::Normal(_))), "{}", file.name);
                    prop_assert!(all.iter().any(|name| name == file.name));
                }
            }
        }
    }
}
