//! `pipelines/README.md` and the pipeline files beside it.

use super::{Pipeline, pipeline_files, pipelines_folder};
use crate::GROUPS;
use crate::key::Key;

/// If this variable is set, the test rewrites the tables.
const WRITE_VARIABLE: &str = "VIDPAIRS_WRITE_README";

const HEADER: &str = "| key | meaning | unit | accepted | default |\n|---|---|---|---|---|\n";

#[test]
fn the_readme_has_the_tables_of_the_declared_keys() {
    let path = pipelines_folder().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (generated, names) = with_generated_tables(&readme);
    let all: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
    assert_eq!(names, all, "the README must have the tables in this order");
    if std::env::var_os(WRITE_VARIABLE).is_some() {
        std::fs::write(&path, generated).unwrap();
        return;
    }
    for (written, expected) in readme.lines().zip(generated.lines()) {
        let hint = format!("the README is out of date; run this test with {WRITE_VARIABLE}=1");
        assert_eq!(written, expected, "{hint}");
    }
    assert_eq!(readme, generated);
}

/// `readme` with generated rows between each pair of markers `<!-- keys: NAMES -->` and `<!-- end -->`, and all names.
fn with_generated_tables(readme: &str) -> (String, Vec<&str>) {
    let mut parts = readme.split("<!-- keys: ");
    let mut generated = parts.next().unwrap().to_owned();
    let mut all_names = Vec::new();
    for part in parts {
        let (names, rest) = part.split_once(" -->\n").expect("a marker ends its line");
        let (_, rest) = rest.split_once("<!-- end -->").expect("an end marker");
        generated += &format!("<!-- keys: {names} -->\n\n{HEADER}");
        for name in names.split(", ") {
            let group = GROUPS.iter().find(|group| group.name == name);
            generated += &(group.expect("a declared table").readme_rows)();
            all_names.push(name);
        }
        generated += &format!("\n<!-- end -->{rest}");
    }
    (generated, all_names)
}

impl<T> Key<T> {
    /// The row of this key.
    pub(crate) fn readme_row(&self) -> String {
        let documentation = &self.documentation;
        let lines: Vec<&str> = documentation.lines.iter().map(|line| line.trim()).collect();
        format!(
            "| `{}` | {} | {} | {} | {} |\n",
            self.path.name,
            lines.join(" "),
            documentation.unit,
            self.rule.expected(),
            documentation.default
        )
    }
}

#[test]
fn every_pipeline_file_is_accepted_and_listed_in_the_readme() {
    let readme = std::fs::read_to_string(pipelines_folder().join("README.md")).unwrap();
    let files = pipeline_files();
    assert!(files.len() >= 4);
    for path in files {
        Pipeline::read(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
        let name = path.strip_prefix(pipelines_folder()).unwrap().display();
        assert!(
            readme.contains(&format!("| `{name}` |")),
            "the README lacks {name}"
        );
    }
}

#[test]
fn the_pipelines_of_the_bias_experiment_differ_only_in_what_an_image_is() {
    let [scenes, boxes] = ["scenes", "boxes"].map(|name| {
        let path = pipelines_folder().join(format!("bias/{name}.toml"));
        Pipeline::read(&path, &[]).unwrap_or_else(|error| panic!("{error}"))
    });
    assert_eq!(scenes.resolved_training(), boxes.resolved_training());
    let (scenes, mut boxes) = (scenes.resolved(), boxes.resolved());
    let source = boxes["source"].as_object_mut().unwrap();
    for key in ["boxes", "box_scale", "min_box_px"] {
        source.remove(key).unwrap();
    }
    assert_eq!(source["kind"], "coco");
    assert_eq!(scenes, boxes);
}

#[test]
fn the_pipelines_of_the_claim_see_equally_many_images_in_equally_many_steps_with_equal_settings() {
    let read = |name: &str| {
        let path = pipelines_folder().join(format!("claim/{name}.toml"));
        Pipeline::read(&path, &[]).unwrap_or_else(|error| panic!("{error}"))
    };
    let baseline = read("baseline");
    for (name, images_of_record) in [
        ("baseline", 1),
        ("frame-temporal", 2),
        ("ground-truth-tracks", 4),
        ("region-tracker", 4),
        ("pirl", 2),
    ] {
        let pipeline = read(name);
        let (train, first) = (&pipeline.train, &baseline.train);
        let records = train.records.unwrap();
        assert_eq!(
            records * images_of_record,
            first.records.unwrap(),
            "images of {name}"
        );
        // A step takes two views of each record, or of its frame and its region.
        let terms = images_of_record.div_ceil(2);
        assert_eq!(train.batch * terms, first.batch, "views a step of {name}");
        let steps = |train: &crate::Train| train.records.unwrap() / train.batch * train.epochs;
        assert_eq!(steps(train), steps(first), "steps of {name}");
        assert_eq!(records % train.batch, 0, "{name} skips no record");
        // Groups of batch norm have one size.
        assert_eq!(train.batch / train.groups, first.batch / first.groups);
        let warmup = |train: &crate::Train| {
            train.warmup_epochs * f64::from(train.records.unwrap() / train.batch)
        };
        assert_eq!(warmup(train), warmup(first), "warm-up of {name}");
        // Settings of MoCo are no settings of PIRL, which has its own photometric augmentations.
        let of_moco = [
            "queue",
            "key_momentum",
            "symmetric",
            "region_weight",
            "shuffle",
        ];
        let of_pirl = ["method", "temperature", "negatives", "bank_momentum"];
        let mut own = vec!["records", "batch", "groups", "epochs", "warmup_epochs"];
        if name == "pirl" {
            own.extend(of_moco.iter().chain(&of_pirl));
        }
        let rest = |pipeline: &Pipeline| {
            let mut rest = pipeline.resolved_training();
            let train = rest["train"].as_object_mut().unwrap();
            train.retain(|key, _| !own.contains(&key.as_str()));
            if name == "pirl" {
                rest["augment"].as_object_mut().unwrap().remove("views");
            }
            rest
        };
        assert_eq!(rest(&pipeline), rest(&baseline), "settings of {name}");
        let (own, first) = (pipeline.resolved(), baseline.resolved());
        assert_eq!(
            (&own["images"], &own["source"]),
            (&first["images"], &first["source"])
        );
        // What pairs of all kinds have in common: time, and how a box is cut.
        let pairs = |key: &str| own["pairs"][key].as_f64();
        let of_crops = |value: f64| (images_of_record == 4).then_some(value);
        assert_eq!(pairs("k"), (name != "baseline").then_some(20.0));
        assert_eq!(pairs("min_box_px"), of_crops(20.0));
        assert_eq!(pairs("box_scale"), of_crops(1.0));
    }
}
