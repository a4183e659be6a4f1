//! Files and messages of `vidpairs train`, and its handling of damaged records.

use std::fs;

use vidpairs_fixtures::train::{
    Experiment, MOCO, Ran, Shapes, Work, checkpoint, checkpoints, damage, files, finite_weights,
    metrics, snapshot,
};
use vidpairs_weights::read_weights;

fn event_files(work: &Work, out: &str) -> usize {
    files(&work.path(out).join("tensorboard")).len()
}

#[test]
fn a_run_writes_the_trunk_with_the_names_of_torchvision() {
    let work = Work::new(MOCO);
    let summary = work.train("run").run_json();
    assert_eq!(summary["steps"], 20);
    assert_eq!(summary["damaged_records"], 0);
    assert_eq!(event_files(&work, "run"), 1);
    assert!(!work.path("run/.journal").exists());
    let backbone = work.path("run/backbone.safetensors");
    let weights = finite_weights(&backbone);
    for name in ["conv1.weight", "bn1.running_var", "layer1.0.conv1.weight"] {
        assert!(weights.get(name).is_some(), "no {name}");
    }
    assert_eq!(weights.get("layer4.1.bn2.weight").unwrap().shape(), [32]);
    let is_of_the_trunk = |name: &str| {
        let part = name.split('.').next().unwrap();
        ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4"].contains(&part)
    };
    let foreign: Vec<&str> = weights
        .names()
        .filter(|name| !is_of_the_trunk(name))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");

    let mut export = work.train("unused");
    export.args = ["export", "--weights", "run/backbone.safetensors"]
        .into_iter()
        .chain(["--to", "torchvision", "--out", "exported.safetensors"])
        .map(str::to_owned)
        .collect();
    export.run_well();
    let exported = read_weights(&work.path("exported.safetensors")).unwrap();
    assert_eq!(exported.get("conv1.weight"), weights.get("conv1.weight"));
}

#[test]
fn a_complete_run_is_left_unchanged() {
    let work = Work::new(MOCO);
    work.train("run").run_well();
    let before = snapshot(&work.path("run"));
    let again = work.train("run").run_well();
    assert!(
        again.stdout.contains("complete already: 20 steps"),
        "{again:?}"
    );
    let after = snapshot(&work.path("run"));
    assert!(before.keys().eq(after.keys()), "{:?}", after.keys());
    assert!(before == after, "a file changed");
}

#[test]
fn the_last_checkpoints_and_the_best_are_kept() {
    let work = Work::new(MOCO);
    work.write_labelled("labelled");
    let run = work.train("run").set("train.keep=2");
    let summary = run.arg("--knn").arg("labelled").run_json();
    let names = files(&work.path("run/checkpoints"));
    let names: Vec<&String> = names.keys().collect();
    let expected = [
        "best.safetensors",
        "step-0000000018.safetensors",
        "step-0000000020.safetensors",
    ];
    assert_eq!(names, expected);
    let knn: Vec<_> = metrics(&work.path("run"))
        .into_iter()
        .filter(|line| line.get("knn").is_some())
        .collect();
    let steps: Vec<_> = knn
        .iter()
        .map(|line| line["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, [0, 5, 10, 15, 20]);
    let trained = knn.iter().skip(1).map(|line| line["knn"].as_f64().unwrap());
    let best = summary["best_knn"][0].as_f64().unwrap();
    assert_eq!(trained.fold(0.0, f64::max), best);
    let best_weights = finite_weights(&work.path("run/checkpoints/best.safetensors"));
    let progress = &best_weights.metadata()["progress"];
    assert!(
        progress.contains(&format!("\"step\":{}", summary["best_knn"][1])),
        "{progress}"
    );
}

#[test]
fn an_unreadable_image_of_the_knn_is_left_out_told_and_counted_and_a_cmyk_one_is_used() {
    let work = Work::new(MOCO);
    work.write_labelled("labelled");
    let stills = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/stills");
    let to = |name: &str| work.path(&format!("labelled/box/{name}"));
    fs::copy(format!("{stills}/cmyk.jpg"), to("8.jpg")).unwrap();
    fs::copy(format!("{stills}/a_png_by_another_name.jpg"), to("9.jpg")).unwrap();
    fs::write(to("3.jpg"), "version https://git-lfs.github.com/spec/v1\n").unwrap();
    let run = work.train("run").set("train.epochs=2");
    let ran = run.arg("--knn").arg("labelled").run_well();
    let warnings = ran.stderr.matches("--knn: 1 image cannot be read").count();
    assert_eq!(warnings, 1, "{}", ran.stderr);
    for word in ["box/3.jpg", "git lfs pull"] {
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    }
    let lines = metrics(&work.path("run"));
    let knn: Vec<_> = lines
        .iter()
        .filter(|line| line.get("knn").is_some())
        .collect();
    assert!(
        knn.len() > 1 && knn.iter().all(|line| line["knn_left_out"] == 1),
        "{knn:?}"
    );
}

#[test]
fn damaged_records_are_skipped_and_counted() {
    let shapes = Shapes {
        cut_jpeg: Some(21),
        ..Shapes::FRAMES
    };
    let work = Work::new(Experiment { shapes, ..MOCO });
    damage::flip_byte(&work.path("shards"), 3);
    damage::take_away(&work.path("shards"), 34);
    let summary = work.train("run").run_json();
    assert_eq!(summary["steps"], 20);
    assert_eq!(summary["damaged_records"], 3);
    assert_eq!(
        metrics(&work.path("run")).last().unwrap()["damaged_records"],
        3
    );
    let output = work.train("other").run_well().stdout;
    assert!(output.contains("3 records could not be used"), "{output}");
    let output = work.train("verbose").arg("--verbose").run_well().stderr;
    assert_eq!(output.matches("set aside: ").count(), 3, "{output}");
    work.result("run").assert_is(&work.result("other"), "again");
}

#[test]
fn lost_shards_are_reported_before_the_first_step_and_tolerated_only_on_request() {
    let work = Work::new(MOCO);
    let shard = work.path("shards/pairs-000001.tar");
    let whole = fs::read(&shard).unwrap();
    fs::remove_file(&shard).unwrap();
    let ran = work.train("refused").run();
    let words = [
        "16 of 40 records cannot be used, more than train.max_damaged = 10% allows",
        "pairs-000001.tar",
        "--set train.max_damaged=100%",
    ];
    ran.failed_with(2, &words);
    assert!(!work.path("refused").exists());
    let allowed = |out: &str| work.train(out).set("train.max_damaged=40%");
    let summary = allowed("run").run_json();
    assert_eq!(
        (&summary["steps"], &summary["damaged_records"]),
        (&20.into(), &16.into())
    );
    assert_eq!(metrics(&work.path("run"))[0]["damaged_records"], 16);
    let ran = allowed("again").run_well();
    let words = "warning: 16 of the 16 records of pairs-000001.tar cannot be read, and others take their places";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);

    // Cut in its second half.
    fs::write(&shard, &whole[..whole.len() * 3 / 4]).unwrap();
    let ran = work.train("refused").set("train.max_damaged=3").run();
    ran.failed_with(
        2,
        &["of 40 records cannot be used, more than train.max_damaged = 3 allows"],
    );
    let summary = allowed("cut").run_json();
    let num_lost = summary["damaged_records"].as_u64().unwrap();
    assert!((4..=5).contains(&num_lost), "{num_lost}");
}

#[test]
fn a_run_on_damaged_records_only_fails_with_the_reason() {
    let work = Work::new(MOCO);
    for number in 0..40 {
        damage::flip_byte(&work.path("shards"), number);
    }
    let ran = work.train("run").run();
    let words = ["records", "crc32", "anchor.jpg", "`vidpairs verify`"];
    ran.failed_with(2, &words);
    assert!(checkpoints(&work.path("run")).is_empty());
}

#[test]
fn a_supervised_run_ignores_records_without_label() {
    let shapes = Shapes {
        labelled_every: 10,
        ..Shapes::FRAMES
    };
    let work = Work::new(Experiment {
        method: "supervised",
        shapes,
    });
    let summary = work.train("run").set("train.epochs=8").run_json();
    assert_eq!(summary["steps"], 40);
    finite_weights(&checkpoint(&work.path("run"), 40));
}

/// Runs with settings that multiply weights by a hundred at every step.
fn diverging(work: &Work, out: &str, checkpoint_steps: u32) -> Ran {
    let settings = [
        "learning_rate=100",
        "momentum=1",
        "weight_decay=1",
        "schedule=constant",
        "epochs=200",
    ];
    let run = work
        .train(out)
        .set(&format!("train.checkpoint_steps={checkpoint_steps}"));
    let run = settings
        .iter()
        .fold(run, |run, setting| run.set(&format!("train.{setting}")));
    let ran = run.run();
    ran.failed_with(2, &["step ", "Lower train.learning_rate"]);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

#[test]
fn a_diverging_run_fails_and_leaves_only_finite_checkpoints() {
    let work = Work::new(MOCO);
    let ran = diverging(&work, "run", 1);
    let last = checkpoints(&work.path("run")).pop().unwrap();
    ran.failed_with(
        2,
        &[&format!(
            "the last good checkpoint is run/checkpoints/{last}"
        )],
    );
    for name in checkpoints(&work.path("run")) {
        finite_weights(&work.path("run/checkpoints").join(name));
    }
    finite_weights(&work.path("run/backbone.safetensors"));
    let ran = diverging(&work, "early", 1000);
    ran.failed_with(2, &["no checkpoint was written before"]);
    assert!(checkpoints(&work.path("early")).is_empty());
    println!("{}", ran.stderr);
}

#[test]
fn a_collapse_is_reported_once() {
    let work = Work::new(MOCO);
    let output = work
        .train("run")
        .set("train.learning_rate=2")
        .run_well()
        .stderr;
    assert_eq!(
        output.matches("warning: the embeddings collapsed").count(),
        1,
        "{output}"
    );
}

#[test]
fn shards_of_whole_images_under_a_pipeline_of_single_objects_give_a_warning() {
    let shapes = Shapes::IMAGES;
    let work = Work::new(Experiment { shapes, ..MOCO });
    let run = work.train("objects").set("train.epochs=1");
    let run = run.set("source.kind=coco").set("source.boxes=true");
    let output = run.run_well().stderr;
    assert!(
        output.contains("this pipeline has single objects")
            && output.contains("the shards hold none"),
        "{output}"
    );
}

#[test]
fn unwise_settings_give_warnings_and_do_not_stop_the_run() {
    let work = Work::new(MOCO);
    let warned = |out: &str, settings: &[&str]| {
        let run = work
            .train(out)
            .set("train.epochs=1")
            .set("train.log_steps=5");
        let run = settings.iter().fold(run, |run, setting| run.set(setting));
        run.run_well().stderr
    };
    let output = warned("fine", &["train.queue=8"]);
    assert!(!output.contains("warning"), "{output}");
    let output = warned("large", &["train.queue=24"]);
    assert!(
        output.contains("warning: a queue of 24 holds more than a quarter of the 40 records"),
        "{output}"
    );
    let output = warned("uneven", &["train.queue=9"]);
    assert!(
        output.contains("a queue of 9 is no multiple of the batch of 8"),
        "{output}"
    );
    let output = warned(
        "unreached",
        &["train.schedule=step", "train.milestones=[1, 2]"],
    );
    assert!(
        output.contains("it never reaches the milestone 1"),
        "{output}"
    );
    let output = warned("enlarged", &["augment.size=48"]);
    let words = "images are 32 px at their short side and views 48 px";
    assert!(
        output.contains(words) && output.contains("augment.size to at most 32"),
        "{output}"
    );
    let quiet = work
        .train("quiet")
        .set("train.epochs=1")
        .arg("--quiet")
        .run_well();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn every_kind_and_method_trains() {
    for (method, shapes) in [
        ("moco-v1", Shapes::IMAGES),
        ("moco-v2", Shapes::TRACKS),
        ("pirl", Shapes::IMAGES),
        ("supervised", Shapes::TRACKS),
    ] {
        let work = Work::new(Experiment { method, shapes });
        let run = work
            .train("run")
            .set("train.epochs=1")
            .set("train.accumulate=2");
        let summary = run.run_json();
        assert_eq!(summary["steps"], 5, "{method}");
        assert!(summary["loss"].as_f64().unwrap().is_finite(), "{method}");
    }
}
