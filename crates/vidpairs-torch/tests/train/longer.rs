//! Runs that begin with weights of a file, and runs that are made longer.

use std::fs;

use serde_json::Value;
use vidpairs_fixtures::train::{
    Experiment, MOCO, Ran, Shapes, Train, Work, checkpoint, metrics, signal, snapshot, with_metrics,
};
use vidpairs_weights::{
    ElementKind, HostTensor, LayerScale, Positions, QkvForm, VitArchitecture, VitSize, Weights,
    read_weights, write_safetensors,
};

fn trunk(work: &Work, out: &str) -> Vec<(String, HostTensor)> {
    let path = work.path(out).join("backbone.safetensors");
    read_weights(&path).unwrap().into_iter().collect()
}

fn knn_at(work: &Work, out: &str, step: u64) -> Value {
    let lines = metrics(&work.path(out));
    let mut lines = lines.iter().filter(|line| line.get("knn").is_some());
    lines.find(|line| line["step"] == step).unwrap()["knn_nearest"].clone()
}

fn export(work: &Work, weights: &str, to: &str, out: &str) {
    let mut export = work.train("unused");
    let args = ["export", "--weights", weights, "--to", to, "--out", out];
    export.args = args.map(str::to_owned).to_vec();
    export.run_well();
}

#[test]
fn a_run_begins_with_the_trunk_of_a_file_in_any_format() {
    let work = Work::new(MOCO);
    work.write_labelled("labelled");
    let train = |out: &str| {
        work.train(out)
            .arg("--knn")
            .arg("labelled")
            .set("train.epochs=2")
    };
    train("first").set("train.learning_rate=0.3").run_well();
    for (to, file) in [
        ("moco", "trunk.pth.tar"),
        ("torchvision", "trunk.pth"),
        ("vissl", "trunk.torch"),
    ] {
        export(&work, "first/backbone.safetensors", to, file);
    }
    train("random").run_well();
    let mut results = Vec::new();
    for file in [
        "first/backbone.safetensors",
        "trunk.pth.tar",
        "trunk.pth",
        "trunk.torch",
    ] {
        let out = format!("from {}", file.replace('/', " "));
        let ran = train(&out).arg("--init").arg(file).run_well();
        let words = format!("the run starts from the trunk of {file}; the head is new");
        assert!(ran.stderr.contains(&words), "{}", ran.stderr);
        assert_eq!(knn_at(&work, &out, 0), knn_at(&work, "first", 10), "{file}");
        let stored = fs::read_to_string(work.path(&out).join("run.json")).unwrap();
        let stored: Value = serde_json::from_str(&stored).unwrap();
        assert_eq!(stored["init"]["head"], false, "{stored}");
        results.push((stored["init"].clone(), trunk(&work, &out)));
    }
    assert!(
        results.iter().all(|result| *result == results[0]),
        "other weights"
    );
    assert!(results[0].1 != trunk(&work, "random"));
}

#[test]
fn a_run_begins_with_the_head_of_a_checkpoint_too() {
    let work = Work::new(MOCO);
    // One step at a rate that changes nothing shows the weights that the run began with.
    let still = |out: &str| {
        let run = work
            .train(out)
            .set("train.epochs=1")
            .set("train.checkpoint_steps=1");
        run.set("train.learning_rate=1e-30")
            .set("train.key_momentum=1")
    };
    let weights = |out: &str, step| read_weights(&checkpoint(&work.path(out), step)).unwrap();
    work.train("first").run_well();
    let first = weights("first", 20);
    let ran = still("run")
        .arg("--init")
        .arg("first/checkpoints/step-0000000020.safetensors")
        .run_well();
    assert!(
        ran.stderr
            .contains("the trunk and the head of first/checkpoints"),
        "{}",
        ran.stderr
    );
    let run = weights("run", 1);
    let mut num_compared = 0;
    for (name, tensor) in run.iter() {
        let encoder = ["query.", "key."]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix));
        let Some(name) =
            encoder.filter(|name| !name.contains("running_") && !name.contains("tracked"))
        else {
            continue;
        };
        assert!(
            first.get(&format!("query.{name}")) == Some(tensor),
            "{name}"
        );
        num_compared += 1;
    }
    assert!(num_compared > 100, "{num_compared}");
    // The queue is new, and its keys are those of the seed.
    still("random").run_well();
    assert_ne!(first.get("queue.keys"), run.get("queue.keys"));

    // The head of another size stays new.
    let ran = still("wide")
        .set("train.embedding=8")
        .arg("--init")
        .arg("first/checkpoints/step-0000000020.safetensors");
    let ran = ran.run_well();
    assert!(ran.stderr.contains("the head is new"), "{}", ran.stderr);
}

#[test]
fn the_classifier_of_a_supervised_run_is_not_taken_for_a_projection() {
    let supervised = Work::new(Experiment {
        method: "supervised",
        shapes: Shapes::FRAMES,
    });
    supervised.train("run").run_well();
    let classifier = checkpoint(&supervised.path("run"), 20);
    let classifier = classifier.to_str().unwrap();
    // Of the same shape: three labels, and embeddings of three dimensions.
    let work = Work::new(Experiment {
        method: "moco-v1",
        ..MOCO
    });
    let run = work
        .train("run")
        .set("train.embedding=3")
        .arg("--init")
        .arg(classifier);
    let ran = run.run_well();
    assert!(ran.stderr.contains("the head is new"), "{}", ran.stderr);
    // A classifier begins anew too: its labels are those of this data set.
    let ran = supervised
        .train("again")
        .arg("--init")
        .arg(classifier)
        .run_well();
    assert!(ran.stderr.contains("the head is new"), "{}", ran.stderr);
}

#[test]
fn a_run_from_weights_resumes_with_the_same_weights_only() {
    let work = Work::new(MOCO);
    work.train("first").set("train.epochs=1").run_well();
    work.train("second")
        .set("train.epochs=1")
        .set("seed=9")
        .run_well();
    let from = |out: &str, of: &str| {
        work.train(out)
            .arg("--init")
            .arg(&format!("{of}/backbone.safetensors"))
    };
    from("expected", "first").run_well();
    let child = from("run", "first").spawn();
    with_metrics(&work.path("run"), 8);
    signal(child.id(), "KILL");
    Ran::of(child);
    let differs = |train: Train, words: &str| {
        let before = snapshot(&work.path("run"));
        train
            .run()
            .failed_with(2, &["run holds a training run with other settings", words]);
        assert!(before == snapshot(&work.path("run")));
    };
    differs(from("run", "second"), "init.xxh3_128 was ");
    differs(work.train("run"), "init was {");
    from("run", "first").run_well();
    work.result("run")
        .assert_is(&work.result("expected"), "after a kill");
}

#[test]
fn unusable_weights_are_refused_before_the_folder_is_created() {
    let work = Work::new(MOCO);
    work.train("wide")
        .set("train.epochs=1")
        .set("train.width=8")
        .run_well();
    let refused = |file: &str, words: &[&str]| {
        work.train("run")
            .arg("--init")
            .arg(file)
            .run()
            .failed_with(2, words);
        assert!(!work.path("run").exists());
    };
    let words = [
        "--init: wide/backbone.safetensors holds a ResNet-18 of width 8",
        "train.width = 4",
        "train.stem = \"small\"",
    ];
    refused("wide/backbone.safetensors", &words);
    refused("nowhere.pth", &["nowhere.pth"]);
    refused(
        "pipeline.toml",
        &["pipeline.toml", "neither safetensors nor"],
    );
    let mut bytes = fs::read(work.path("wide/backbone.safetensors")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(work.path("rotten.safetensors"), bytes).unwrap();
    refused(
        "rotten.safetensors",
        &["rotten.safetensors", "it is damaged", "xxh3_128"],
    );
    let vit = VitArchitecture {
        size: VitSize::Tiny,
        patch_px: 16,
        in_channels: 3,
        has_class_token: true,
        num_registers: 0,
        positions: Positions::Learned {
            grid: 14,
            has_class: true,
        },
        qkv: QkvForm::Joint,
        layer_scale: LayerScale::Absent,
        has_fc_norm: false,
    };
    let tensors = vit.tensors().into_iter().map(|(name, shape)| {
        let bytes = vec![0; 2 * shape.iter().product::<usize>()];
        let tensor = HostTensor::new(shape, ElementKind::F16, bytes).unwrap();
        (name, tensor)
    });
    write_safetensors(&work.path("vit.safetensors"), &tensors.collect()).unwrap();
    refused(
        "vit.safetensors",
        &["--init: vit.safetensors holds a ViT-Ti/16", "train.network"],
    );
}

/// Settings under which the learning rate does not depend on the number of epochs.
fn constant(work: &Work, out: &str, epochs: u32) -> Train {
    let run = work.train(out).set("train.schedule=constant");
    run.set(&format!("train.epochs={epochs}"))
}

#[test]
fn a_finished_run_goes_on_for_more_epochs_as_if_it_had_had_them_from_the_start() {
    let work = Work::new(MOCO);
    constant(&work, "expected", 6).run_well();
    constant(&work, "run", 4).run_well();
    let child = constant(&work, "run", 6).spawn();
    with_metrics(&work.path("run"), 24);
    signal(child.id(), "KILL");
    Ran::of(child);
    let ran = constant(&work, "run", 6).run_well();
    println!("{}", ran.stderr);
    work.result("run")
        .assert_is(&work.result("expected"), "4 and 2 epochs");
    let stored = fs::read_to_string(work.path("run/run.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(stored["training"]["train"]["epochs"], 6);
    assert_eq!(
        stored["extended"],
        serde_json::json!([{"epochs": 4, "steps": 20}])
    );
    let again = constant(&work, "run", 6).run_well();
    assert!(
        again.stdout.contains("complete already: 30 steps"),
        "{again:?}"
    );
    constant(&work, "run", 7).run_well();
    let stored = fs::read_to_string(work.path("run/run.json")).unwrap();
    assert!(stored.contains("\"steps\": 30"), "{stored}");
}

#[test]
fn a_longer_run_tells_the_change_of_the_learning_rate() {
    let work = Work::new(MOCO);
    work.train("run").run_well();
    let ran = work.train("run").set("train.epochs=8").run_well();
    // Cosine per epoch: 0.03 (1 + cos(3/4 pi)) / 2 in the last epoch of 4, 0.03 / 2 after half of 8.
    let words = [
        "train.epochs was 4 and is 8: the run goes on after 20 steps of now 40",
        "it goes from 4.393e-3 to 1.500e-2",
    ];
    for word in words {
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    }
    let rates: Vec<f64> = metrics(&work.path("run"))
        .iter()
        .map(|line| line["learning_rate"].as_f64().unwrap())
        .collect();
    assert_eq!((rates.len(), rates[20]), (40, 0.015));
}

#[test]
fn a_run_by_steps_of_the_rate_moves_its_milestones_with_its_length() {
    let work = Work::new(Experiment {
        method: "moco-v1",
        ..MOCO
    });
    work.train("run").run_well();
    work.train("run").set("train.epochs=10").run_well();
    let lines = metrics(&work.path("run"));
    let rate = |step: usize| lines[step - 1]["learning_rate"].as_f64().unwrap();
    // Milestones 6 and 8 of 10 epochs.
    for (step, expected) in [(21, 0.03), (30, 0.03), (31, 0.003), (41, 0.0003)] {
        assert!(
            (rate(step) - expected).abs() < 1e-12,
            "step {step}: {}",
            rate(step)
        );
    }
}

#[test]
fn a_run_is_neither_made_shorter_nor_longer_with_other_settings() {
    let work = Work::new(MOCO);
    work.train("run").run_well();
    let before = snapshot(&work.path("run"));
    let refused = |train: Train, words: &str| {
        train.run().failed_with(2, &["other settings", words]);
        assert!(before == snapshot(&work.path("run")));
    };
    refused(
        work.train("run").set("train.epochs=3"),
        "train.epochs was 4, is 3",
    );
    let longer = work.train("run").set("train.epochs=6");
    refused(longer.clone().set("seed=3"), "(seed was 0, is 3)");
    refused(
        longer.set("train.learning_rate=0.1"),
        "train.learning_rate was 0.03, is 0.1",
    );
}

#[test]
fn a_written_file_states_no_checksum_of_other_tensors() {
    let work = Work::new(MOCO);
    work.train("run").set("train.epochs=1").run_well();
    let sealed = read_weights(&work.path("run/backbone.safetensors")).unwrap();
    assert!(sealed.is_sealed());
    let plain: Weights = sealed.into_iter().collect();
    assert!(!plain.is_sealed());
}
