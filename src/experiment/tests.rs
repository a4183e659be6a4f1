use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::*;

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A run of 20 steps in 2 epochs of 640 records, in batches of 64.
    fn run(&self, name: &str, seed: u64) {
        let run = json!({
            "program_version": "0.1.0",
            "training": {"seed": seed, "train": {"method": "moco-v2", "epochs": 2, "batch": 64, "accumulate": 1}},
            "dataset_xxh64": "0123456789abcdef",
        });
        self.write(&format!("{name}/run.json"), &run.to_string());
        let line = |step: u64| {
            json!({
                "step": step, "epoch": step as f64 / 10.0, "loss": 3.0, "chance": 6.0, "images_per_second": 32.0,
            })
        };
        let lines: Vec<String> = [10, 20].map(|step| line(step).to_string()).into();
        self.write(&format!("{name}/metrics.jsonl"), &(lines.join("\n") + "\n"));
    }

    fn read(&self, names: &[&str]) -> Result<Experiment, ExperimentError> {
        let dirs: Vec<PathBuf> = names.iter().map(|name| self.path(name)).collect();
        Experiment::read(&dirs, &Control::quiet(1))
    }
}

fn names<T>(parts: &[Part<T>]) -> Vec<&str> {
    parts.iter().map(|part| part.name.as_str()).collect()
}

#[test]
fn runs_below_a_folder_are_found_in_natural_order() {
    let bench = Bench::new();
    for (name, seed) in [
        ("all/run-10", 10),
        ("all/run-2", 2),
        ("all/more/deep/run-1", 1),
    ] {
        bench.run(name, seed);
    }
    bench.run("all/more/features", 5);
    bench.run("all/more/heads/copy", 3);
    bench.run("all/.trash/run-9", 9);
    bench.run("all/a/b/c/d/too-deep", 4);
    let experiment = bench.read(&["all"]).unwrap();
    assert_eq!(
        names(&experiment.runs),
        ["run-1", "features", "run-2", "run-10"]
    );
    assert_eq!(experiment.counts().to_string(), "4 training runs");
    let [(of, note)] = &experiment.notes[..] else {
        panic!("{:?}", experiment.notes);
    };
    assert!(of.ends_with("all") && note.contains("such as ") && note.contains("too-deep"));
}

#[test]
fn results_inside_a_folder_of_results_are_found_and_those_that_lack_a_value_are_noted() {
    let bench = Bench::new();
    bench.run("all/run-1", 1);
    bench.run("all/run-1/again", 2);
    bench.write("all/run-1/probe/probe.json", "{\"tables\": []}");
    bench.write("all/strangers/run.json", "{}");
    let experiment = bench.read(&["all"]).unwrap();
    assert_eq!(names(&experiment.runs), ["run-1", "again"]);
    let [(_, note)] = &experiment.notes[..] else {
        panic!("{:?}", experiment.notes);
    };
    assert!(note.contains("it has no /program_version"), "{note}");
}

#[test]
fn results_near_a_named_folder_are_found_however_many_folders_lie_deeper_elsewhere() {
    let bench = Bench::new();
    for n in 0..20 {
        for m in 0..260 {
            fs::create_dir_all(bench.path(&format!("all/a/{n}/{m}"))).unwrap();
        }
    }
    bench.run("all/z/run-1", 1);
    bench.run("named", 2);
    let experiment = bench.read(&["all", "named"]).unwrap();
    assert_eq!(names(&experiment.runs), ["run-1", "named"]);
    let (_, note) = &experiment.notes[0];
    assert!(
        note.starts_with("the search ended after 5,000 folders; "),
        "{note}"
    );
}

#[test]
fn a_run_is_linked_to_the_sound_one_of_two_copies_of_its_data_set() {
    let sets = [("7", false), ("8", true), ("7", true), ("7", true)];
    assert_eq!(linked("7", sets.into_iter()), Some(2));
    assert_eq!(linked("7", sets.into_iter().take(2)), Some(0));
    assert_eq!(linked("9", sets.into_iter()), None);
}

#[test]
fn folders_are_named_by_as_much_of_their_paths_as_tells_all_apart() {
    let bench = Bench::new();
    for name in ["x/a/seed-1", "x/a/seed-2", "x/b/seed-1"] {
        bench.run(name, 1);
    }
    let experiment = bench.read(&["x"]).unwrap();
    assert_eq!(
        names(&experiment.runs),
        ["a/seed-1", "a/seed-2", "b/seed-1"]
    );
    let experiment = bench.read(&["x/b"]).unwrap();
    assert_eq!(names(&experiment.runs), ["seed-1"]);
}

#[test]
fn a_folder_that_is_named_by_a_dot_has_the_name_of_the_real_folder() {
    let here = std::env::current_dir().unwrap();
    assert_eq!(with_name(Path::new(".")), fs::canonicalize(here).unwrap());
    assert_eq!(with_name(Path::new("x/y")), Path::new("x/y"));
}

#[test]
fn a_folder_that_is_reached_twice_counts_once_and_circles_of_links_end() {
    let bench = Bench::new();
    bench.run("all/run-1", 1);
    symlink(bench.path("all"), bench.path("all/circle")).unwrap();
    symlink(bench.path("all/run-1"), bench.path("again")).unwrap();
    let experiment = bench
        .read(&["all/run-1", "all/run-1", "all", "again"])
        .unwrap();
    assert_eq!(names(&experiment.runs), ["run-1"]);
}

#[test]
fn a_missing_folder_a_file_and_a_folder_without_results_are_different_errors() {
    let bench = Bench::new();
    bench.run("run", 1);
    fs::create_dir(bench.path("empty")).unwrap();
    let error = |name: &str| bench.read(&["run", name]).map(|_| ()).unwrap_err();
    assert!(matches!(error("typo"), ExperimentError::NoFolder(_)));
    assert!(matches!(
        error("run/run.json"),
        ExperimentError::NotAFolder(_)
    ));
    let nothing = bench.read(&["empty"]).unwrap_err().to_string();
    assert!(nothing.starts_with("no results in "), "{nothing}");
    assert!(
        nothing.contains("looked for dataset.json, run.json, "),
        "{nothing}"
    );
}

#[test]
fn what_cannot_be_read_becomes_a_note_and_the_rest_is_read() {
    let bench = Bench::new();
    bench.run("all/run-1", 1);
    bench.write("all/cut/run.json", "{\"program_version\": ");
    bench.write("all/old/run.json", "{\"dataset_xxh64\": 1}");
    bench.write("all/strangers/summary.json", "{}");
    bench.write("all/damaged/dataset.json", "{\"clips_xxh64\": \"0\"}");
    bench.write("all/stopped/.journal/lock", "pairs");
    let experiment = bench.read(&["all"]).unwrap();
    assert_eq!(names(&experiment.runs), ["run-1"]);
    let notes: Vec<&str> = experiment
        .notes
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    let [cut, stopped, damaged, old] = notes[..] else {
        panic!("{notes:?}");
    };
    assert!(cut.contains("cut/run.json is not JSON: EOF"), "{cut}");
    assert!(
        old.contains("run.json has other values than expected: invalid type"),
        "{old}"
    );
    assert!(damaged.contains("dataset.json"), "{damaged}");
    assert!(stopped.contains("unfinished"), "{stopped}");

    let named = bench.read(&["all/run-1", "all/strangers"]).unwrap();
    assert!(
        named.notes[0]
            .1
            .contains("does not describe results of `vidpairs track`"),
        "{named:?}"
    );
    let nothing = bench.read(&["all/cut"]).unwrap_err().to_string();
    assert!(
        nothing.contains("no results in ") && nothing.contains("is not JSON"),
        "{nothing}"
    );
}

#[test]
fn lines_that_cannot_be_read_and_an_unfinished_run_are_notes_of_that_run() {
    let bench = Bench::new();
    bench.run("run", 1);
    let text = "{\"step\":5,\"epoch\":0.5,\"loss\":null,\"chance\":6.0,\"images_per_second\":64.0}\nnonsense\n\
        {\"step\":6,\"knn\":0.5,\"knn_chance\":0.1}\n{\"step\":-1,\"loss\":1.0}\n{\"step\":7,\"lo";
    bench.write("run/metrics.jsonl", text);
    let experiment = bench.read(&["run"]).unwrap();
    let Part { notes, results, .. } = &experiment.runs[0];
    assert_eq!(
        notes,
        &[
            "metrics.jsonl: 2 lines cannot be read",
            "the loss is not a finite number in 1 line, first at step 5",
            "unfinished: step 6 of 20"
        ]
    );
    assert_eq!((results.steps.len(), results.knn.len()), (1, 1));
    assert_eq!(results.steps[0].loss, None);
    assert_eq!(results.final_loss(), None);

    fs::remove_file(bench.path("run/metrics.jsonl")).unwrap();
    bench.write("run/.journal/lock", "a training run");
    let experiment = bench.read(&["run"]).unwrap();
    let notes = &experiment.runs[0].notes;
    assert_eq!(
        notes,
        &[
            "metrics.jsonl is missing",
            "unfinished: no step is logged yet"
        ]
    );
}

#[test]
fn steps_records_and_time_are_derived_from_the_log() {
    let bench = Bench::new();
    bench.run("run", 1);
    let run = bench.read(&["run"]).unwrap().runs.remove(0);
    assert_eq!(run.notes, Vec::<String>::new());
    let run = run.results;
    assert_eq!((run.last_step(), run.total_steps()), (20, Some(20)));
    assert_eq!(run.records_per_epoch(), Some(640));
    assert_eq!(run.seconds(), Some(20.0 * 64.0 / 32.0));
    assert_eq!(run.records_per_second(), Some(32.0));
    assert_eq!(run.final_loss_over_chance(), Some(0.5));
}

#[test]
fn a_measured_model_is_linked_to_the_run_that_trained_it() {
    let bench = Bench::new();
    bench.run("run-1", 1);
    bench.run("run-10", 10);
    let weights = bench.path("run-10/backbone.safetensors");
    let model = |file: &Path| json!({"name": "m", "file": file, "note": ""});
    let probe = |pair: usize| {
        json!({
            "program_version": "0.1.0", "settings": {}, "seconds": 1.0,
            "models": [model(&weights), model(Path::new("elsewhere.npz"))],
            "tables": [{
                "kind": "features", "path": "f.npz", "stage": null, "classes": [], "train_images": 1, "test_images": 1,
                "chance": null, "models": [null, null],
                "protocol": {
                    "probe": "knn", "classifier": "kNN", "metric": "top-1", "split": "", "view": null, "side_px": null,
                    "pooling": null, "scaling": "", "choice": null, "intervals": "",
                },
                "pairs": [{"a": 0, "b": pair, "difference": {"value": null, "interval": [null, 1.0]}, "top5_difference": null}],
            }],
        })
    };
    bench.write("probe/probe.json", &probe(1).to_string());
    let experiment = bench.read(&["."]).unwrap();
    assert_eq!(experiment.probes[0].results.runs, [Some(1), None]);
    assert!(
        experiment.probes[0].results.summary.tables[0].pairs[0]
            .difference
            .value
            .is_nan()
    );

    bench.write("probe/probe.json", &probe(2).to_string());
    let experiment = bench.read(&["."]).unwrap();
    assert!(
        experiment.probes.is_empty(),
        "an index beyond the models would break the page"
    );
    assert!(
        experiment.notes[0]
            .1
            .contains("names a model that does not exist")
    );
}
