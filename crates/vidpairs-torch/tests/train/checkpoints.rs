//! Damaged, foreign and missing checkpoints, and folders with results of a run.

use std::fs;
use std::path::Path;

use vidpairs_fixtures::train::{
    MOCO, Ran, Train, Work, checkpoint, checkpoints, damage, metrics, snapshot, with_metrics,
};
use vidpairs_weights::{Weights, parse_weights, read_weights, safetensors_bytes};

/// A finished run of 20 steps with all its checkpoints in `run`.
fn finished() -> Work {
    let work = Work::new(MOCO);
    work.train("run").run_well();
    work
}

/// Asserts that `train` is refused with `words` and changes nothing in `run`.
#[track_caller]
fn refused(work: &Work, train: &Train, words: &[&str]) {
    let before = snapshot(&work.path("run"));
    let ran = train.run();
    ran.failed_with(2, words);
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    let after = snapshot(&work.path("run"));
    assert!(before.keys().eq(after.keys()), "{:?}", after.keys());
    assert!(before == after, "a file changed: {ran:?}");
    assert!(!work.path("run/.journal").exists(), "{ran:?}");
}

/// Copies of a checkpoint with damage of every kind, and a word for each.
fn damaged(sound: &[u8]) -> Vec<(String, Vec<u8>)> {
    let header = 8 + u64::from_le_bytes(sound[..8].try_into().unwrap()) as usize;
    let key = sound
        .windows(8)
        .position(|text| text == b"xxh3_128")
        .unwrap();
    let training = sound
        .windows(8)
        .position(|text| text == b"training")
        .unwrap();
    let places = [
        0,
        3,
        8,
        key,
        key + 12,
        training,
        training + 20,
        header - 1,
        header,
        header + 40_000,
    ];
    let flipped = places.into_iter().chain([sound.len() - 1]).map(|place| {
        let mut bytes = sound.to_vec();
        bytes[place] ^= 0x04;
        (format!("bit of byte {place}"), bytes)
    });
    let cut = [0, 1, header / 2, header, sound.len() / 2, sound.len() - 1]
        .map(|len| (format!("{len} bytes"), sound[..len].to_vec()));
    let zeros = ("zeros".to_owned(), vec![0; sound.len()]);
    let garbage = ("garbage".to_owned(), b"garbage".to_vec());
    flipped.chain(cut).chain([zeros, garbage]).collect()
}

#[test]
fn a_damaged_newest_checkpoint_costs_the_steps_since_the_one_before_it() {
    let work = finished();
    work.train("expected").run_well();
    let expected = work.result("expected");
    let last = checkpoint(&work.path("run"), 20);
    let sound = fs::read(&last).unwrap();
    let cases = damaged(&sound);
    println!("{} kinds of damage", cases.len());
    for (damage, bytes) in cases {
        fs::write(&last, &bytes).unwrap();
        let ran = work.train("run").run_well();
        let words = ["warning: ", "step-0000000020.damaged", "after step 18"];
        for word in words {
            assert!(ran.stderr.contains(word), "{damage}: {}", ran.stderr);
        }
        work.result("run").assert_is(&expected, &damage);
        let aside = work.path("run/checkpoints/step-0000000020.damaged");
        assert!(fs::read(&aside).unwrap() == bytes, "{damage}");
        fs::remove_file(aside).unwrap();
    }
}

#[test]
fn damaged_checkpoints_are_not_counted_among_those_to_keep() {
    let work = finished();
    for step in [18, 20] {
        fs::write(checkpoint(&work.path("run"), step), "garbage").unwrap();
    }
    let ran = work.train("run").set("train.keep=1").run_well();
    assert_eq!(
        ran.stderr.matches("after step 15").count(),
        2,
        "{}",
        ran.stderr
    );
    assert_eq!(
        checkpoints(&work.path("run")),
        ["step-0000000020.safetensors"]
    );
    read_weights(&checkpoint(&work.path("run"), 20)).unwrap();
}

#[test]
fn a_run_without_a_sound_checkpoint_is_refused() {
    let work = finished();
    for name in checkpoints(&work.path("run")) {
        let path = work.path("run/checkpoints").join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
    }
    let words = [
        "none of the 7 checkpoints in run is sound",
        "step-0000000020.safetensors",
        "xxh3_128",
    ];
    refused(&work, &work.train("run"), &words);
}

#[test]
fn a_checkpoint_without_checksum_is_used_with_a_warning() {
    let work = finished();
    work.train("expected").run_well();
    for step in [18, 20] {
        let path = checkpoint(&work.path("run"), step);
        fs::write(&path, changed(&path, |key| key != "xxh3_128")).unwrap();
    }
    fs::remove_file(checkpoint(&work.path("run"), 20)).unwrap();
    let ran = work.train("run").run_well();
    assert!(
        ran.stderr
            .contains("step-0000000018.safetensors has no checksum"),
        "{}",
        ran.stderr
    );
    work.result("run")
        .assert_is(&work.result("expected"), "without checksum");
}

/// The checkpoint at `path` with the metadata of the keys that are `kept`.
fn changed(path: &Path, kept: impl Fn(&str) -> bool) -> Vec<u8> {
    let sound = read_weights(path).unwrap();
    let metadata = sound.metadata().clone();
    let mut weights: Weights = sound.into_iter().collect();
    for (key, value) in metadata.iter().filter(|(key, _)| kept(key)) {
        weights.set_metadata(key, value);
    }
    safetensors_bytes(&weights).unwrap()
}

#[test]
fn a_checkpoint_of_another_run_is_refused_with_the_settings_that_differ() {
    let work = finished();
    let last = checkpoint(&work.path("run"), 20);
    let sound = fs::read(&last).unwrap();
    for (setting, difference) in [
        ("seed=7", "(seed was 7, is 0)"),
        (
            "train.learning_rate=0.1",
            "(train.learning_rate was 0.1, is 0.03)",
        ),
        ("train.width=8", "(train.width was 8, is 4)"),
        ("train.epochs=6", "(train.epochs was 6, is 4)"),
    ] {
        let _ = fs::remove_dir_all(work.path("other"));
        work.train("other").set(setting).run_well();
        fs::copy(
            checkpoint(&work.path("other"), 20).with_file_name(if setting == "train.epochs=6" {
                "step-0000000030.safetensors"
            } else {
                "step-0000000020.safetensors"
            }),
            &last,
        )
        .unwrap();
        refused(
            &work,
            &work.train("run"),
            &[
                "step-0000000020.safetensors is a checkpoint of another run",
                difference,
            ],
        );
    }
    let trunk = fs::read(work.path("run/backbone.safetensors")).unwrap();
    fs::write(&last, trunk).unwrap();
    refused(
        &work,
        &work.train("run"),
        &["a checkpoint of another model", "is missing"],
    );
    fs::write(&last, &sound).unwrap();
    fs::write(&last, changed(&last, |key| key != "progress")).unwrap();
    refused(
        &work,
        &work.train("run"),
        &["not a checkpoint of this run", "the number of steps"],
    );
    fs::write(&last, &sound).unwrap();
    fs::write(&last, changed(&last, |_| false)).unwrap();
    refused(
        &work,
        &work.train("run"),
        &["not a checkpoint of this run", "the settings of the run"],
    );
    fs::write(&last, sound).unwrap();
    work.train("run").run_well();
}

#[test]
fn a_checkpoint_under_the_name_of_another_step_is_refused() {
    let work = finished();
    let folder = work.path("run/checkpoints");
    let copied = |from: u64, name: &str| {
        fs::copy(checkpoint(&work.path("run"), from), folder.join(name)).unwrap();
    };
    copied(3, "step-0000000020.safetensors");
    refused(&work, &work.train("run"), &["it was written after 3 steps"]);
    copied(18, "step-0000000020.safetensors");
    refused(
        &work,
        &work.train("run"),
        &["it was written after 18 steps"],
    );
    fs::remove_file(folder.join("step-0000000020.safetensors")).unwrap();
    let last = "step-18446744073709551615.safetensors";
    copied(18, last);
    refused(
        &work,
        &work.train("run"),
        &[last, "it was written after 18 steps"],
    );
    let mut bytes = fs::read(folder.join(last)).unwrap();
    let weights = parse_weights(&bytes).unwrap();
    let mut weights: Weights =
        weights
            .metadata()
            .clone()
            .into_iter()
            .fold(weights, |mut weights, (key, value)| {
                weights.set_metadata(&key, value);
                weights
            });
    weights.set_metadata(
        "progress",
        format!("{{\"step\":{},\"best_knn\":null}}", u64::MAX),
    );
    bytes = safetensors_bytes(&weights).unwrap();
    fs::write(folder.join(last), bytes).unwrap();
    refused(
        &work,
        &work.train("run"),
        &[last, "impossible in a run of 20 steps"],
    );
    // Names that no run gives are not of this run.
    fs::rename(folder.join(last), folder.join("step-99.safetensors")).unwrap();
    work.train("run").run_well();
}

#[test]
fn a_finished_run_without_its_checkpoints_is_complete_and_stays() {
    let work = Work::new(MOCO);
    work.write_labelled("labelled");
    let run = work.train("run").arg("--knn").arg("labelled");
    run.run_well();
    for name in checkpoints(&work.path("run")) {
        fs::remove_file(work.path("run/checkpoints").join(name)).unwrap();
    }
    let is_complete = || {
        let before = snapshot(&work.path("run"));
        let ran = run.run_well();
        assert!(ran.stdout.contains("complete already: 20 steps"), "{ran:?}");
        assert!(before == snapshot(&work.path("run")), "a file changed");
        refused(
            &work,
            &run.clone().set("seed=7"),
            &["other settings", "seed was 0, is 7"],
        );
        let words = [
            "holds backbone.safetensors of a training run",
            "no checkpoint to resume from",
        ];
        refused(&work, &run.clone().set("train.epochs=5"), &words);
    };
    is_complete();
    fs::remove_dir_all(work.path("run/checkpoints")).unwrap();
    is_complete();
    fs::remove_file(work.path("run/backbone.safetensors")).unwrap();
    refused(
        &work,
        &run,
        &["holds run.json of a training run", "delete run"],
    );
    refused(&work, &run.clone().set("seed=7"), &["other settings"]);
}

#[test]
fn the_damaged_trunk_of_a_finished_run_is_written_again() {
    let work = finished();
    let trunk = work.path("run/backbone.safetensors");
    let sound = fs::read(&trunk).unwrap();
    let mut bytes = sound.clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    for damaged in [bytes.as_slice(), b""] {
        fs::write(&trunk, damaged).unwrap();
        work.train("run").run_well();
        assert!(fs::read(&trunk).unwrap() == sound);
    }
}

#[test]
fn a_run_that_failed_before_its_first_checkpoint_is_replaced_with_a_note() {
    let work = Work::new(MOCO);
    let failing = [
        "learning_rate=100",
        "momentum=1",
        "weight_decay=1",
        "schedule=constant",
        "checkpoint_steps=1000",
    ];
    let failing = failing.iter().fold(work.train("run"), |run, setting| {
        run.set(&format!("train.{setting}"))
    });
    failing
        .set("train.epochs=200")
        .run()
        .failed_with(2, &["Lower train.learning_rate"]);
    assert!(checkpoints(&work.path("run")).is_empty() && !metrics(&work.path("run")).is_empty());
    let ran = work.train("run").run_well();
    let words = "warning: the run in run had other settings (";
    assert!(
        ran.stderr.contains(words) && ran.stderr.contains("this run replaces it"),
        "{}",
        ran.stderr
    );
    let stored = fs::read_to_string(work.path("run/run.json")).unwrap();
    assert!(stored.contains("\"learning_rate\": 0.03"), "{stored}");
    work.train("expected").run_well();
    work.result("run")
        .assert_is(&work.result("expected"), "after a failed run");
}

#[test]
fn an_emptied_run_json_is_named_and_may_be_deleted() {
    let work = finished();
    let path = work.path("run/run.json");
    let whole = fs::read(&path).unwrap();
    let advice = "delete it and run the same command again";
    for (bytes, words) in [
        (&b""[..], "run/run.json is empty"),
        (&[0; 400][..], "run/run.json holds only zeros"),
        (&whole[..whole.len() / 2], "run/run.json is damaged (EOF"),
    ] {
        fs::write(&path, bytes).unwrap();
        refused(&work, &work.train("run"), &[words, advice]);
    }
    fs::remove_file(&path).unwrap();
    let other = work.train("run").set("seed=7");
    let ran = other.run();
    ran.failed_with(2, &["is a checkpoint of another run (seed was 0, is 7)"]);
    let ran = work.train("run").run_well();
    assert!(ran.stdout.contains("complete already"), "{ran:?}");
    assert!(fs::read(&path).unwrap() == whole, "another run.json");
    fs::remove_dir_all(work.path("run/checkpoints")).unwrap();
    fs::write(&path, "").unwrap();
    refused(
        &work,
        &work.train("run"),
        &["is empty; choose another folder"],
    );
}

#[test]
fn the_best_checkpoint_of_before_a_kill_still_counts() {
    let work = Work::new(MOCO);
    work.write_labelled("labelled");
    let run = work
        .train("run")
        .arg("--knn")
        .arg("labelled")
        .set("train.checkpoint_steps=1");
    let summary = run.run_json();
    let best = summary["best_knn"].clone();
    let step = best[1].as_u64().unwrap();
    // As if the run was killed between the best checkpoint and the one of its step.
    for later in step..=20 {
        let _ = fs::remove_file(checkpoint(&work.path("run"), later));
    }
    let knn = fs::read(work.path("run/checkpoints/best.safetensors")).unwrap();
    let resumed = run.set("train.knn_epochs=0").run_json();
    assert_eq!(resumed["best_knn"], best);
    assert!(fs::read(work.path("run/checkpoints/best.safetensors")).unwrap() == knn);
    let last = read_weights(&checkpoint(&work.path("run"), 20)).unwrap();
    assert!(
        last.metadata()["progress"].contains(&format!(",{step}]")),
        "{:?}",
        last.metadata()
    );
    let before = read_weights(&checkpoint(&work.path("run"), step - 1)).unwrap();
    assert!(!before.metadata()["progress"].contains(&format!(",{step}]")));
}

#[test]
fn data_that_fail_during_a_run_end_it_with_the_last_step_saved() {
    let work = Work::new(MOCO);
    let run = |out: &str| {
        let settings = ["epochs=60", "checkpoint_steps=1000000", "max_damaged=0"];
        let settings = settings.iter();
        settings.fold(work.train(out), |run, setting| {
            run.set(&format!("train.{setting}"))
        })
    };
    let flip_all = || (0..40).for_each(|number| damage::flip_byte(&work.path("shards"), number));
    run("expected").run_well();
    let child = run("run").spawn();
    with_metrics(&work.path("run"), 7);
    flip_all();
    let ran = Ran::of(child);
    let words = [
        "of 40 records cannot be used",
        "train.max_damaged = 0",
        "crc32",
        "`vidpairs verify`",
    ];
    ran.failed_with(2, &words);
    let steps = metrics(&work.path("run")).len();
    let saved = checkpoints(&work.path("run"));
    assert_eq!(saved, [format!("step-{steps:010}.safetensors")]);
    assert!((7..300).contains(&steps), "{steps}");
    println!("saved after {steps} steps");
    flip_all(); // back
    run("run").run_well();
    work.result("run")
        .assert_is(&work.result("expected"), "after the data were repaired");
}

#[test]
fn a_shard_that_is_cut_during_a_run_ends_it_with_the_last_step_saved() {
    let work = Work::new(MOCO);
    let run = |out: &str| {
        let run = work
            .train(out)
            .set("train.epochs=60")
            .set("train.max_damaged=0");
        run.set("train.checkpoint_steps=1000000")
    };
    run("expected").run_well();
    let shard = work.path("shards/pairs-000001.tar");
    let whole = fs::read(&shard).unwrap();
    let child = run("run").spawn();
    with_metrics(&work.path("run"), 7);
    fs::write(&shard, &whole[..whole.len() / 2]).unwrap();
    let ran = Ran::of(child);
    ran.failed_with(2, &["of 40 records cannot be used", "pairs-000001.tar"]);
    let steps = metrics(&work.path("run")).len();
    let saved = checkpoints(&work.path("run"));
    assert_eq!(saved, [format!("step-{steps:010}.safetensors")]);
    fs::write(&shard, whole).unwrap();
    run("run").run_well();
    work.result("run")
        .assert_is(&work.result("expected"), "after the shard was put back");
}
