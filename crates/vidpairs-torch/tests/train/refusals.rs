//! Settings, folders and files that `vidpairs train` refuses, and its advice.

use std::fs;

use vidpairs_fixtures::train::{
    Experiment, MOCO, Ran, Shapes, Train, Work, checkpoint, metrics, signal, snapshot, with_metrics,
};
use vidpairs_weights::read_weights;

/// Asserts that the run is refused before it creates its folder.
#[track_caller]
fn refused(work: &Work, train: &Train, words: &[&str]) {
    let ran = train.run();
    ran.failed_with(2, words);
    assert!(
        ran.stdout.is_empty() && !ran.stderr.contains("panicked"),
        "{ran:?}"
    );
    assert!(
        !work.path("run").exists(),
        "the folder was created: {ran:?}"
    );
}

#[test]
fn shards_that_do_not_match_the_pipeline_are_refused() {
    let work = Work::new(MOCO);
    let train = work.train("run");
    work.write_shards("images", &Shapes::IMAGES);
    let other = train.clone().replace("shards", "images");
    refused(
        &work,
        &other,
        &[
            "images holds pairs of kind \"images\"",
            "pairs.kind = \"frames\"",
        ],
    );
    let few = train.clone().set("train.batch=64").set("train.groups=8");
    let words = "shards holds 40 records, fewer than train.batch = 64; extract more, or set train.batch to 40";
    refused(&work, &few, &[words]);
    few.set("train.batch=32")
        .replace("run", "advised")
        .run_well();
    let one = Shapes {
        num_records: 1,
        ..Shapes::FRAMES
    };
    work.write_shards("one", &one);
    let train = work.train("run");
    let ran = train.clone().replace("shards", "one").run();
    ran.failed_with(
        2,
        &["one holds 1 records, fewer than train.batch = 8; extract more\n"],
    );
    let none = train.clone().replace("shards", "nowhere");
    refused(&work, &none, &["there is no folder", "nowhere"]);
    fs::create_dir(work.path("empty")).unwrap();
    let empty = train.clone().replace("shards", "empty");
    refused(&work, &empty, &["empty is not a data set"]);
}

#[test]
fn a_supervised_run_without_labels_is_refused() {
    for labelled_every in [0, 3] {
        let shapes = Shapes {
            labelled_every,
            ..Shapes::FRAMES
        };
        let work = Work::new(Experiment {
            method: "supervised",
            shapes,
        });
        let found = if labelled_every == 0 {
            "0 different"
        } else {
            "1 different"
        };
        let words = [
            "train.method = \"supervised\"",
            "shards have",
            found,
            "expected at least 2",
        ];
        refused(&work, &work.train("run"), &words);
    }
}

#[test]
fn a_missing_device_is_refused() {
    let work = Work::new(MOCO);
    let on = |device: &str| work.train("run").replace("cpu", device);
    let words = "--device is \"gpu\"; expected \"cpu\", \"cuda\" or \"cuda:N\"";
    refused(&work, &on("gpu"), &[words]);
    refused(&work, &on("cuda:99"), &["--device is \"cuda:99\"", "CUDA"]);
}

#[test]
fn invalid_settings_are_refused_by_name() {
    let work = Work::new(MOCO);
    let with = |setting: &str| work.train("run").set(setting);
    refused(&work, &with("train.bach=8"), &["train.bach", "batch"]);
    refused(
        &work,
        &with("train.groups=3"),
        &["train.groups is 3", "equal groups of two or more"],
    );
    refused(
        &work,
        &with("train.learning_rate=0"),
        &["train.learning_rate is 0", "above 0"],
    );
    // Before anything else is looked at.
    refused(
        &work,
        &with("train.warmup_epochs=4").replace("shards", "nowhere"),
        &["train.warmup_epochs is 4", "fewer than train.epochs = 4"],
    );
}

#[test]
fn a_folder_without_labelled_images_is_refused() {
    let work = Work::new(MOCO);
    fs::create_dir_all(work.path("labelled")).unwrap();
    let train = work.train("run").arg("--knn").arg("labelled");
    refused(&work, &train, &["--knn", "labelled", "label folder"]);
    refused(
        &work,
        &train.replace("labelled", "nowhere"),
        &["--knn", "nowhere"],
    );
}

#[test]
fn a_limit_below_two_labelled_images_for_each_label_is_refused_by_name() {
    let work = Work::new(MOCO);
    work.write_labelled("labelled");
    let train = work.train("run").arg("--knn").arg("labelled");
    let words = ["train.knn_images is 4", "two for each of the 3 labels"];
    refused(&work, &train.set("train.knn_images=4"), &words);
}

#[test]
fn a_labelled_folder_of_files_that_are_no_images_is_refused_with_the_first_name() {
    let work = Work::new(MOCO);
    work.write_labelled("labelled");
    for number in 0..8 {
        let path = work.path(&format!("labelled/box/{number}.jpg"));
        fs::write(path, "<!DOCTYPE html><title>404</title>").unwrap();
    }
    let ran = work.train("run").arg("--knn").arg("labelled").run();
    ran.failed_with(
        2,
        &[
            "8 of the 24 images",
            "box/0.jpg",
            "a web page, not an image",
        ],
    );
}

#[test]
fn a_folder_of_another_run_or_of_other_files_is_left_unchanged() {
    let work = Work::new(MOCO);
    work.train("run").set("train.epochs=1").run_well();
    let before = snapshot(&work.path("run"));
    let differs = |train: Train, words: &[&str]| {
        let ran = train.run();
        ran.failed_with(2, words);
        assert!(before == snapshot(&work.path("run")), "{ran:?}");
    };
    let same = work.train("run").set("train.epochs=1");
    let words = [
        "run holds a training run with other settings",
        "train.learning_rate was 0.03, is 0.1",
    ];
    differs(same.clone().set("train.learning_rate=0.1"), &words);
    differs(same.clone().set("seed=7"), &["(seed was 0, is 7)"]);
    differs(
        same.clone().set("augment.size=24"),
        &["(augment.size was 16, is 24)"],
    );
    let shapes = Shapes {
        num_records: 48,
        ..Shapes::FRAMES
    };
    work.write_shards("more", &shapes);
    differs(
        same.replace("shards", "more"),
        &["other settings", "dataset_xxh64 was"],
    );

    fs::create_dir(work.path("theirs")).unwrap();
    fs::write(work.path("theirs/notes.txt"), "mine").unwrap();
    let ran = work.train("theirs").run();
    ran.failed_with(
        2,
        &["theirs is not empty and holds no run of vidpairs (found notes.txt)"],
    );
    assert_eq!(snapshot(&work.path("theirs")).len(), 1);
    let ran = work.train("theirs/notes.txt").run();
    ran.failed_with(2, &["theirs/notes.txt is not a folder"]);
}

#[test]
fn intervals_of_logs_and_checkpoints_may_change_between_stop_and_resume() {
    let work = Work::new(MOCO);
    work.train("expected").run_well();
    work.train("run").run_well();
    fs::remove_file(checkpoint(&work.path("run"), 20)).unwrap();
    let changed = work
        .train("run")
        .set("train.log_steps=4")
        .set("train.keep=3");
    changed.run_well();
    let steps = metrics(&work.path("run"));
    let steps: Vec<u64> = steps
        .iter()
        .map(|line| line["step"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (1..=18).chain([20]).collect();
    assert_eq!(steps, expected);
    let tensors = |out: &str| {
        let path = work.path(out).join("backbone.safetensors");
        read_weights(&path).unwrap().into_iter().collect::<Vec<_>>()
    };
    assert!(tensors("run") == tensors("expected"), "other weights");
}

#[cfg(unix)]
#[test]
fn a_folder_in_use_is_refused() {
    let work = Work::new(MOCO);
    let long = work.train("run").set("train.epochs=100000");
    let first = long.spawn();
    with_metrics(&work.path("run"), 2);
    let ran = long.run();
    signal(first.id(), "KILL");
    Ran::of(first);
    ran.failed_with(2, &["another vidpairs is writing to run; wait for it"]);
}

#[test]
fn of_runs_started_in_one_folder_at_once_one_proceeds() {
    let work = Work::new(MOCO);
    work.train("expected").run_well();
    let started: Vec<_> = (0..3).map(|_| work.train("run").spawn()).collect();
    let ended: Vec<Ran> = started.into_iter().map(Ran::of).collect();
    let is_done = |ran: &&Ran| ran.code == Some(0);
    assert!(ended.iter().any(|ran| is_done(&ran)), "{ended:?}");
    for ran in ended.iter().filter(|ran| !is_done(ran)) {
        ran.failed_with(2, &["another vidpairs is writing to run"]);
    }
    work.result("run")
        .assert_is(&work.result("expected"), "at once");
}
