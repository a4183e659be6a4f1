//! `[augment]` and `[train]`.

use super::{parse, refusal, with};
use crate::{Pipeline, ScheduleName, Views};

fn of(overrides: &[&str]) -> Pipeline {
    parse(&with("pairs", ""), overrides).unwrap()
}

#[test]
fn training_defaults_are_those_of_moco_v2() {
    let expected = serde_json::json!({
        "seed": 0,
        "augment": { "views": "moco-v2", "size": 224, "min_area": 0.2 },
        "train": {
            "method": "moco-v2", "network": "resnet50", "width": 64, "stem": "imagenet",
            "embedding": 128, "temperature": 0.2,
            "queue": 65536, "key_momentum": 0.999, "symmetric": false, "region_weight": 0.5, "shuffle": true,
            "groups": 8, "batch": 256, "accumulate": 1, "epochs": 200,
            "learning_rate": 0.03, "schedule": "cosine", "warmup_epochs": 0.0, "pace": "epoch",
            "momentum": 0.9, "weight_decay": 0.0001, "numbers": "f32",
            "log_steps": 10, "checkpoint_steps": 1000, "keep": 2,
            "knn_epochs": 1, "knn_images": 2000, "knn_neighbours": 20, "max_damaged": "10%",
        },
    });
    // As text: the order of keys counts too.
    assert_eq!(
        of(&[]).resolved_training().to_string(),
        expected.to_string()
    );
}

#[test]
fn a_method_sets_the_defaults_of_views_temperature_and_schedule() {
    let v1 = of(&["train.method=moco-v1"]);
    assert_eq!(
        (v1.augment.views, v1.train.schedule),
        (Views::MocoV1, ScheduleName::Step)
    );
    assert_eq!(v1.train.milestones, [120, 160]);
    assert_eq!(v1.train.contrast.map(|keys| keys.temperature), Some(0.07));
    let pirl = of(&["train.method=pirl", "train.temperature=0.1"]);
    assert_eq!(
        (pirl.augment.views, pirl.augment.min_area),
        (Views::Pirl, 0.08)
    );
    assert_eq!(pirl.train.contrast.map(|keys| keys.temperature), Some(0.1));
    assert!(pirl.train.moco.is_none() && pirl.train.pirl.is_some());
    let supervised = of(&["train.method=supervised", "augment.views=moco-v1"]);
    assert_eq!(supervised.augment.views, Views::MocoV1);
    assert!(supervised.train.contrast.is_none());
}

#[test]
fn training_settings_are_not_part_of_the_resolved_extraction() {
    let (plain, other) = (of(&[]), of(&["train.epochs=3", "augment.size=64"]));
    assert_eq!(plain.resolved(), other.resolved());
    assert_ne!(plain.resolved_training(), other.resolved_training());
}

#[test]
fn a_key_of_another_method_is_refused() {
    let text = with("train", "method = 'pirl'\nqueue = 4096");
    let message = refusal(&text, &[]);
    assert!(
        message.contains("train.queue is 4096; expected it to be left out"),
        "{message}"
    );
    let message = refusal(&with("pairs", ""), &["train.milestones=[3]"]);
    assert!(
        message.contains("only train.schedule = \"step\" has milestones"),
        "{message}"
    );
}

#[test]
fn groups_and_parts_that_do_not_divide_a_batch_are_refused_with_a_number_that_does() {
    let message = refusal(&with("pairs", ""), &["train.batch=100"]);
    assert!(
        message.contains("the 100 records of a batch into equal groups of two or more, such as 5"),
        "{message}"
    );
    let message = refusal(&with("pairs", ""), &["train.accumulate=3"]);
    assert!(message.contains("divides train.batch = 256"), "{message}");
    let message = refusal(&with("pairs", ""), &["train.batch=8", "train.accumulate=8"]);
    let expected = "train.accumulate is 8; expected a number that divides train.batch = 8 into parts of two or more records";
    assert!(message.contains(expected), "{message}");
    of(&["train.batch=100", "train.groups=1"]);
}

#[test]
fn milestones_that_do_not_ascend_from_one_are_refused() {
    for wrong in ["[3, 2]", "[0]", "[2, 2]", "3", "['a']"] {
        let entry = format!("train.milestones={wrong}");
        let message = refusal(&with("pairs", ""), &["train.schedule=step", &entry]);
        assert!(message.contains("ascending"), "{message}");
    }
}

#[test]
fn a_learning_rate_of_zero_fewer_records_than_a_batch_and_a_warmup_as_long_as_the_run_are_refused()
{
    let refused = |overrides: &[&str]| {
        parse(&with("pairs", ""), overrides)
            .unwrap_err()
            .to_string()
    };
    for value in ["0", "-0.0", "nan", "inf", "101"] {
        let text = refused(&[&format!("train.learning_rate={value}")]);
        let expected =
            format!("train.learning_rate is {value}; expected a number above 0 and at most 100");
        assert!(text.ends_with(&expected), "{text}");
    }
    let text = refused(&["train.records=100"]);
    let expected = "train.records is 100; expected at least train.batch = 256";
    assert!(text.ends_with(expected), "{text}");
    for warmup in ["5", "6"] {
        let text = refused(&["train.epochs=5", &format!("train.warmup_epochs={warmup}")]);
        let expected =
            format!("train.warmup_epochs is {warmup}; expected fewer than train.epochs = 5");
        assert!(text.ends_with(&expected), "{text}");
    }
}
