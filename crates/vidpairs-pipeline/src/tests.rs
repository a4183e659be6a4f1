//! Refused and accepted pipelines, error messages, resolved settings.

mod readme;
mod training;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use vidpairs_types::{PairKind, SourceKind};

use super::*;

fn parse(text: &str, overrides: &[&str]) -> Result<Pipeline, PipelineError> {
    let overrides: Vec<String> = overrides.iter().map(|entry| (*entry).to_owned()).collect();
    Pipeline::from_str(text, "a.toml", &overrides)
}

#[track_caller]
fn refusal(text: &str, overrides: &[&str]) -> String {
    match parse(text, overrides) {
        Ok(pipeline) => panic!("accepted {text:?} {overrides:?} as {pipeline:?}"),
        Err(error) => error.to_string(),
    }
}

/// A valid pipeline with `line` as line 4, in `table`. Its kind is `regions` if the key needs that, else `tracks`.
fn with(table: &str, line: &str) -> String {
    let is_of_regions = ["proposals", "tracker"].contains(&table) || line.contains("regions_");
    let kind = |table| match table {
        "source" => "kind = \"got10k\"",
        "pairs" if is_of_regions => "kind = \"regions\"",
        "pairs" => "kind = \"tracks\"",
        _ => "",
    };
    let rest: Vec<String> = ["source", "pairs"]
        .into_iter()
        .filter(|other| *other != table)
        .map(|other| format!("[{other}]\n{}\n", kind(other)))
        .collect();
    format!("\n[{table}]\n{}\n{line}\n{}", kind(table), rest.concat())
}

#[test]
fn a_refused_value_is_reported_with_line_key_value_and_accepted_values() {
    let k = "a whole number from 1 to 100000, or a range [low, high] of such";
    let names = r#"a list of names such as ["TRAIN_0", "TRAIN_1"], none twice"#;
    let bytes = r#"a number of bytes from 1048576 to 1099511627776, or a size such as "256MiB""#;
    let trackers = r#""dcf" or "kcf" or "csrt" or "mosse""#;
    let share = r#"a share from "0%" to "100%", or a whole number"#;
    let table = [
        ("source", "splits", "\"val\"", names),
        ("source", "splits", "[\"val\", 3]", names),
        ("source", "splits", "[\"val\", \"val\"]", names),
        ("source", "splits", "[\"\"]", names),
        ("pairs", "k", "0", k),
        ("pairs", "k", "-3", k),
        ("pairs", "k", "100001", k),
        ("pairs", "k", "60.0", k),
        ("pairs", "k", "\"60\"", k),
        ("pairs", "k", "[30]", k),
        ("pairs", "k", "[30, 60, 90]", k),
        ("pairs", "k", "[0, 90]", k),
        ("pairs", "k", "[90, 30]", &format!("{k}; low is above high")),
        ("pairs", "k", "{ low = 30, high = 90 }", k),
        ("pairs", "per_video", "0", "a whole number from 1 to 10000"),
        (
            "pairs",
            "per_video",
            "true",
            "a whole number from 1 to 10000",
        ),
        ("pairs", "stride", "0", "a whole number from 1 to 100000"),
        ("pairs", "with_frames", "1", "true or false"),
        ("pairs", "with_frames", "\"true\"", "true or false"),
        ("pairs", "box_scale", "0.49", "a number from 0.5 to 4"),
        ("pairs", "box_scale", "nan", "a number from 0.5 to 4"),
        ("pairs", "box_scale", "inf", "a number from 0.5 to 4"),
        (
            "pairs",
            "regions_per_frame",
            "0",
            "a whole number from 1 to 64",
        ),
        (
            "pairs",
            "regions_per_frame",
            "65",
            "a whole number from 1 to 64",
        ),
        (
            "proposals",
            "kind",
            "\"gird\"",
            r#""fast" or "selective-search" or "grid"; did you mean "grid"?"#,
        ),
        (
            "tracker",
            "name",
            "\"dfc\"",
            &format!("{trackers}; did you mean \"dcf\"?"),
        ),
        ("proposals", "min_side_share", "2", "a number from 0 to 1"),
        ("proposals", "max_side_share", "-1", "a number from 0 to 1"),
        ("proposals", "max_aspect", "0.5", "a number from 1 to 100"),
        ("proposals", "max_overlap", "1.5", "a number from 0 to 1"),
        ("proposals", "border_share", "0.6", "a number from 0 to 0.5"),
        ("proposals", "min_texture", "1.5", "a number from 0 to 1"),
        ("tracker", "min_confidence", "1.1", "a number from 0 to 1"),
        (
            "tracker",
            "min_confidence_mean",
            "-0.1",
            "a number from 0 to 1",
        ),
        (
            "tracker",
            "min_confidence_last",
            "nan",
            "a number from 0 to 1",
        ),
        (
            "tracker",
            "max_lost_frames",
            "-1",
            "a whole number from 0 to 100000",
        ),
        ("tracker", "max_size_ratio", "0.5", "a number from 1 to 100"),
        ("tracker", "max_aspect_ratio", "0", "a number from 1 to 100"),
        ("tracker", "max_duplicate_iou", "2", "a number from 0 to 1"),
        (
            "tracker",
            "min_forward_backward_iou",
            "50",
            "a number from 0 to 1",
        ),
        (
            "tracker",
            "forward_backward_step",
            "0",
            "a whole number from 1 to 64",
        ),
        ("pairs", "min_box_px", "0", "a whole number from 1 to 4096"),
        ("pairs", "cuts", "'keep'", "\"avoid\" or \"ignore\""),
        ("pairs", "max_box_outside", "1.5", "a number from 0 to 1"),
        ("pairs", "max_box_outside", "-0.1", "a number from 0 to 1"),
        (
            "images",
            "short_side",
            "15",
            "a whole number from 16 to 4096",
        ),
        (
            "images",
            "short_side",
            "4097",
            "a whole number from 16 to 4096",
        ),
        ("images", "codec", "\"png\"", r#""jpeg" or "rgb-zstd""#),
        (
            "images",
            "codec",
            "\"JPG\"",
            r#""jpeg" or "rgb-zstd"; did you mean "jpeg"?"#,
        ),
        ("images", "codec", "1979-05-27", r#""jpeg" or "rgb-zstd""#),
        ("images", "quality", "0", "a whole number from 1 to 100"),
        ("images", "quality", "300", "a whole number from 1 to 100"),
        ("shards", "max_bytes", "\"1MB\"", bytes),
        ("shards", "max_bytes", "\"2TiB\"", bytes),
        ("shards", "max_bytes", "\"256 apples\"", bytes),
        ("shards", "max_bytes", "-1", bytes),
        ("shards", "max_bytes", "\"9e99TiB\"", bytes),
        (
            "shards",
            "max_records",
            "0",
            "a whole number from 1 to 10000000",
        ),
        ("extract", "max_refused", "\"101%\"", share),
        ("extract", "max_refused", "\"ten\"", share),
        ("extract", "max_refused", "\"-1%\"", share),
        ("extract", "max_refused", "\"1e1%\"", share),
        ("extract", "max_refused", "\"%\"", share),
        ("extract", "max_refused", "0.1", share),
        ("extract", "max_refused", "-1", share),
        (
            "extract",
            "video_timeout_seconds",
            "0",
            "a whole number from 1 to 86400",
        ),
        (
            "extract",
            "video_timeout_seconds",
            "\"2min\"",
            "a whole number from 1 to 86400",
        ),
    ];
    for (table, key, value, expected) in table {
        let message = refusal(&with(table, &format!("{key} = {value}")), &[]);
        assert_eq!(
            message,
            format!("a.toml line 4: {table}.{key} is {value}; expected {expected}")
        );
        let message = refusal(
            &with(table, &format!("# {key}")),
            &[&format!("{table}.{key}={value}")],
        );
        assert_eq!(
            message,
            format!("--set: {table}.{key} is {value}; expected {expected}")
        );
    }
}

#[test]
fn a_wrong_or_missing_choice_is_reported_with_all_words() {
    let sources = r#""videos" or "trackingnet" or "got10k" or "images" or "coco" or "voc""#;
    let kinds = r#""images" or "frames" or "tracks" or "regions""#;
    let table = [
        ("seed = -1", &[][..], "a.toml line 1: seed is -1; expected a whole number from 0 to 9223372036854775807".to_owned()),
        ("[seed]", &[], "a.toml line 1: seed is a table; expected a whole number from 0 to 9223372036854775807".to_owned()),
        ("", &["seed=99999999999999999999"], "--set: seed is \"99999999999999999999\"; expected a whole number from 0 to 9223372036854775807".to_owned()),
        ("", &[], format!("a.toml: source.kind is missing; expected in table [source]: {sources}")),
        ("source.kind = 'videos'", &[], format!("a.toml: pairs.kind is missing; expected in table [pairs]: {kinds}")),
        ("[source]\nkind = 'davis'", &[], format!("a.toml line 2: source.kind is 'davis'; expected {sources}")),
        ("[source]\nkind = 'trackingnt'", &[], format!("a.toml line 2: source.kind is 'trackingnt'; expected {sources}; did you mean \"trackingnet\"?")),
        ("source = { kind = 3 }", &[], format!("a.toml line 1: source.kind is 3; expected {sources}")),
        ("source.kind = 'videos'\npairs.kind = 'frame'", &[], format!("a.toml line 2: pairs.kind is 'frame'; expected {kinds}; did you mean \"frames\"?")),
        ("source.kind = 'videos'", &["pairs.kind=region"], format!("--set: pairs.kind is \"region\"; expected {kinds}; did you mean \"regions\"?")),
        ("[source]\nkind = 'videos'\n[pairs]\nkind = 'tracks'", &[], "a.toml line 4: pairs.kind is 'tracks'; expected \"images\" or \"frames\" or \"regions\", since source.kind = \"videos\" has no boxes".to_owned()),
    ];
    for (text, overrides, expected) in table {
        assert_eq!(refusal(text, overrides), expected);
    }
}

#[test]
fn a_key_without_effect_is_refused() {
    let table = [
        (
            "source.kind = 'videos'\nsource.splits = ['val']",
            "a.toml line 2: source.splits is ['val']; expected [], since source.kind = \"videos\" has no splits",
        ),
        (
            "source.kind = 'videos'\n[pairs]\nkind = 'images'\nk = 60",
            "a.toml line 4: pairs.k is 60; expected it to be left out, since pairs.kind = \"images\" has no second frame",
        ),
        (
            "source.kind = 'videos'\n[pairs]\nkind = 'images'\ncuts = 'ignore'",
            "a.toml line 4: pairs.cuts is 'ignore'; expected it to be left out, since pairs.kind = \"images\" has no second frame",
        ),
        (
            "source.kind = 'videos'\n[pairs]\nkind = 'frames'\nwith_frames = true",
            "a.toml line 4: pairs.with_frames is true; expected it to be left out, since only pairs.kind = \"tracks\" and \"regions\" have boxes",
        ),
        (
            "source.kind = 'got10k'\n[pairs]\nkind = 'tracks'\nregions_per_frame = 2",
            "a.toml line 4: pairs.regions_per_frame is 2; expected it to be left out, since only pairs.kind = \"regions\" follows regions",
        ),
        (
            "source.kind = 'got10k'\npairs.kind = 'tracks'\ntracker.name = 'kcf'",
            "a.toml line 3: tracker.name is 'kcf'; expected it to be left out, since only pairs.kind = \"regions\" follows regions",
        ),
        (
            "source.kind = 'videos'\npairs.kind = 'regions'\n[tracker]\nmin_forward_backward_iou = 0\nforward_backward_step = 8",
            "a.toml line 5: tracker.forward_backward_step is 8; expected it to be left out, since tracker.min_forward_backward_iou = 0 tracks nothing back",
        ),
        (
            "source.kind = 'videos'\n[pairs]\nkind = 'frames'\nper_video = 4\nstride = 9",
            "a.toml line 5: pairs.stride is 9; expected it to be left out, since pairs.per_video is given too (a.toml line 4): use one of the two",
        ),
        (
            "source.kind = 'videos'\npairs.kind = 'frames'\nimages.zstd_level = 9",
            "a.toml line 3: images.zstd_level is 9; expected it to be left out, since images.codec is \"jpeg\"",
        ),
        (
            "source.kind = 'videos'\npairs.kind = 'frames'\nimages = { codec = 'rgb-zstd', quality = 90 }",
            "a.toml line 3: images.quality is 90; expected it to be left out, since images.codec is \"rgb-zstd\"",
        ),
        (
            "source.kind = 'videos'\npairs.kind = 'frames'\n[shards]\nmax_records = 9\ncount = 4",
            "a.toml line 4: shards.max_records is 9; expected it to be left out, since shards.count alone says where shards end",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(refusal(text, &[]), expected);
    }
}

#[test]
fn an_overridden_choice_disables_settings_of_the_file_for_the_earlier_choice() {
    let text = "source = { kind = 'got10k' }\nimages.quality = 90\n\
                [pairs]\nkind = 'tracks'\nk = 60\nbox_scale = 2\nper_video = 3";
    let pairs = |overrides: &[&str]| parse(text, overrides).unwrap().pairs;
    assert_eq!(pairs(&["pairs.kind=images"]).rule, PairRule::Images);
    assert_eq!(pairs(&["pairs.stride=10"]).anchors, Anchors::Stride(10));
    assert_eq!(pairs(&["pairs.per_video=5"]).anchors, Anchors::PerVideo(5));
    let images = parse(text, &["images.codec=rgb-zstd"]).unwrap().images;
    assert_eq!(images.codec, Codec::RgbZstd { level: 3 });
    assert!(refusal(text, &["pairs.kind=images", "pairs.k=3"]).starts_with("--set: pairs.k is 3;"));
    let shards = parse(
        &format!("shards.max_records = 9\n{text}"),
        &["shards.count=4"],
    );
    let Shards {
        max_records, count, ..
    } = shards.unwrap().shards;
    assert_eq!((max_records, count), (10_000, Some(4)));
    let both = refusal(text, &["pairs.per_video=5", "pairs.stride=10"]);
    assert!(both.contains("given too (--set)"), "{both}");
}

#[test]
fn an_override_of_the_kind_does_not_drop_the_boxes_or_the_splits_that_the_file_asks_for() {
    let text = "[source]\nkind = 'coco'\nboxes = true\nbox_scale = 2\nsplits = ['val2017']\n[pairs]\nkind = 'images'";
    assert_eq!(
        refusal(text, &["source.kind=images"]),
        "a.toml line 3: source.boxes is true; expected false, since source.kind = \"images\" has no boxes of objects"
    );
    let unboxed = ["source.kind=images", "source.boxes=false"];
    assert_eq!(
        refusal(text, &unboxed),
        "a.toml line 5: source.splits is ['val2017']; expected [], since source.kind = \"images\" has no splits"
    );
    let whole = [&unboxed[..], &["source.splits=[]"]].concat();
    let source = parse(text, &whole).unwrap().source;
    assert_eq!((source.kind, source.objects), (SourceKind::Images, None));
    let scaled = [&whole[..], &["source.box_scale=3"]].concat();
    assert_eq!(
        refusal(text, &scaled),
        "--set: source.box_scale is 3; expected it to be left out, since source.kind = \"images\" has no boxes of objects"
    );
    let videos = [
        "source.kind=videos",
        "source.boxes=true",
        "source.splits=[]",
    ];
    assert!(refusal(text, &videos).starts_with("--set: source.boxes is true; expected false"));
    assert!(parse(text, &["source.kind=voc", "source.splits=['val']"]).is_ok());
}

#[test]
fn a_setting_of_a_classifier_that_is_not_fitted_is_refused_unless_it_is_the_default() {
    let probe = |table: &str, overrides: &[&str]| {
        let overrides: Vec<String> = overrides.iter().map(|entry| (*entry).to_owned()).collect();
        let text = format!("[probe]\n{table}");
        let settings = Settings::parse(&text, "a.toml", &overrides, all_keys());
        probe::probe(&settings.unwrap()).map_err(|err| err.to_string())
    };
    for (probes, setting, expected) in [
        ("knn", "finetune = true", "no \"segmentation\""),
        ("svm", "segmentation_epochs = 2", "no \"segmentation\""),
        ("svm", "segmentation_batch = 2", "no \"segmentation\""),
        ("svm", "segmentation_rate = 2", "no \"segmentation\""),
        ("logistic", "svm_costs = [1]", "no \"svm\""),
        ("logistic", "positive_weight = 1", "no \"svm\""),
        ("svm", "logistic_costs = [1]", "no \"logistic\""),
        ("knn", "folds = 5", "no \"svm\" and no \"logistic\""),
        ("svm", "linear_epochs = 5", "no \"linear\""),
        ("svm", "linear_batch = 5", "no \"linear\""),
        ("svm", "linear_rates = [5]", "no \"linear\""),
        ("svm", "neighbours = 5", "no \"knn\""),
        ("svm", "temperature = 5", "no \"knn\""),
    ] {
        let table = format!("probes = ['{probes}']\n{setting}");
        let (key, value) = setting.split_once(" = ").unwrap();
        let message = format!(
            "a.toml line 3: probe.{key} is {value}; expected it to be left out, since probe.probes has {expected}"
        );
        assert_eq!(probe(&table, &[]).unwrap_err(), message);
        // The data set may choose the classifier, and a file may be used for another one.
        assert!(probe(setting, &[]).is_ok());
        let chosen = format!("probe.probes=['{probes}']");
        assert!(probe(setting, &[&chosen]).is_ok());
        let given = format!("probe.{}", setting.replace(' ', ""));
        assert!(
            probe("", &[&chosen, &given])
                .unwrap_err()
                .starts_with("--set: ")
        );
        let all = "probes = ['svm', 'linear', 'logistic', 'knn', 'segmentation']";
        assert!(probe(&format!("{all}\n{setting}"), &[]).is_ok());
    }
    assert!(probe("probes = ['svm']\nfinetune = false\nneighbours = 20", &[]).is_ok());
    assert!(probe("probes = ['logistic']\nfolds = 5", &[]).is_ok());
}

#[test]
fn unknown_names_are_refused_with_a_similar_name_or_all_names() {
    let all = "a pipeline has seed and [source], [pairs], [proposals], [tracker], [images], [shards], [extract]";
    let table = [
        (
            "[pairs]\nper_vidoe = 3",
            &[][..],
            "a.toml line 2: unknown key pairs.per_vidoe; did you mean per_video?",
        ),
        (
            "pairs.per_vidoe = 3",
            &[],
            "a.toml line 1: unknown key pairs.per_vidoe; did you mean per_video?",
        ),
        (
            "pairs = { k = 3,\n per_vidoe = 3 }",
            &[],
            "a.toml line 2: unknown key pairs.per_vidoe; did you mean per_video?",
        ),
        (
            "",
            &["pairs.per_vidoe=3"],
            "--set: unknown key pairs.per_vidoe; did you mean per_video?",
        ),
        (
            "[images]\nk = 3",
            &[],
            "a.toml line 2: unknown key images.k; did you mean pairs.k?",
        ),
        (
            "[images]\nseed = 3",
            &[],
            "a.toml line 2: unknown key images.seed; did you mean seed, above every table?",
        ),
        (
            "\nkind = 'frames'",
            &[],
            "a.toml line 2: unknown key kind; did you mean source.kind or pairs.kind or proposals.kind?",
        ),
        (
            "[shards]\n\"a\\nb\" = 3",
            &[],
            "a.toml line 2: unknown key shards.\"a\\nb\"; [shards] has max_bytes, max_records, count",
        ),
        (
            "sead = 3",
            &[],
            "a.toml line 1: unknown key sead; did you mean seed?",
        ),
        (
            "colour = 3",
            &[],
            &format!("a.toml line 1: unknown key colour; {all}"),
        ),
        (
            "# one\n[pair]\nk = 3",
            &[],
            "a.toml line 2: unknown table [pair]; did you mean [pairs]?",
        ),
        (
            "pair.k = 3",
            &[],
            "a.toml line 1: unknown table [pair]; did you mean [pairs]?",
        ),
        (
            "[[learner]]",
            &[],
            &format!("a.toml line 1: unknown key learner; {all}"),
        ),
        (
            "[learner]",
            &[],
            &format!("a.toml line 1: unknown table [learner]; {all}"),
        ),
        (
            "[tracker]\npsr = 3",
            &[],
            "a.toml line 2: unknown key tracker.psr; [tracker] has name, min_confidence, min_confidence_mean, min_confidence_last, max_lost_frames, max_size_ratio, max_aspect_ratio, max_duplicate_iou, min_forward_backward_iou, forward_backward_step",
        ),
        (
            "pairs = 3",
            &[],
            "a.toml line 1: pairs is 3; expected a table [pairs] of the keys kind, k, per_video, stride, cuts, regions_per_frame, with_frames, box_scale, min_box_px, max_box_outside",
        ),
        (
            "[[shards]]",
            &[],
            "a.toml line 1: shards is an array of tables; expected a table [shards] of the keys max_bytes, max_records, count",
        ),
        (
            "[shards.max_bytes]\nunit = 'MiB'",
            &[],
            "a.toml line 1: shards.max_bytes is a table; expected a number of bytes",
        ),
    ];
    for (text, overrides, expected) in table {
        let text = format!("{text}\n");
        // Required keys last: unknown names are found first.
        let overrides = [overrides, &["source.kind=got10k", "pairs.kind=tracks"]].concat();
        let message = refusal(&text, &overrides);
        assert!(message.starts_with(expected), "{message}\n{expected}");
    }
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    let table = [
        (
            "seed = 0\nseed = 1",
            "a.toml line 2: duplicate key, at `seed = 1`",
        ),
        (
            "pairs.k = 3\n[pairs]\nk = 4",
            "a.toml line 2: duplicate key, at `[pairs]`",
        ),
        (
            "[pairs]\nkind = frames",
            "a.toml line 2: text needs quotes: \"frames\", at `kind = frames`",
        ),
        (
            "[extract]\nmax_refused = 10% # a tenth",
            "a.toml line 2: text needs quotes: \"10%\", at `max_refused = 10% # a tenth`",
        ),
        (
            "[pairs]\nk = 1e400",
            "a.toml line 2: floating-point number overflowed, at `k = 1e400`",
        ),
        (
            "seed = 0\n[pairs",
            "a.toml line 2: unclosed table, expected `]`, at `[pairs`",
        ),
        (
            "seed = 99999999999999999999",
            "a.toml line 1: integer number overflowed, at `seed = 99999999999999999999`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(refusal(text, &[]), expected);
    }
}

#[test]
fn sources_of_still_images_have_single_images_and_boxes_where_the_data_set_has_them() {
    let stills = |source: &str, pairs: &str, overrides: &[&str]| {
        let text = format!("[source]\n{source}\n[pairs]\nkind = 'images'\n{pairs}");
        parse(&text, overrides).map_err(|err| err.to_string())
    };
    let whole = stills("kind = 'coco'", "", &[]).unwrap();
    assert_eq!(
        (whole.pairs.anchors, whole.source.objects),
        (Anchors::Stride(1), None)
    );
    let resolved = whole.resolved();
    let expected = serde_json::json!({ "kind": "coco", "splits": [] });
    assert_eq!(resolved["source"].to_string(), expected.to_string());
    let boxes = stills("kind = 'voc'\nboxes = true\nbox_scale = 1.5", "", &[]).unwrap();
    let expected = serde_json::json!({ "kind": "voc", "splits": [], "boxes": true, "box_scale": 1.5, "min_box_px": 24 });
    assert_eq!(boxes.resolved()["source"].to_string(), expected.to_string());
    for (source, pairs, expected) in [
        (
            "kind = 'images'\nsplits = ['val']",
            "",
            "source.kind = \"images\" has no splits",
        ),
        (
            "kind = 'images'\nboxes = true",
            "",
            "source.kind = \"images\" has no boxes of objects",
        ),
        (
            "kind = 'got10k'\nmin_box_px = 9",
            "",
            "source.kind = \"got10k\" has no boxes of objects",
        ),
        (
            "kind = 'coco'\nbox_scale = 2",
            "",
            "without source.boxes = true the images are whole",
        ),
        ("kind = 'coco'\nboxes = 1", "", "expected true or false"),
        (
            "kind = 'coco'",
            "stride = 2",
            "each clip of source.kind = \"coco\" is one still image",
        ),
        (
            "kind = 'voc'",
            "per_video = 2",
            "each clip of source.kind = \"voc\" is one still image",
        ),
        (
            "kind = 'voc'",
            "k = 2",
            "pairs.kind = \"images\" has no second frame",
        ),
    ] {
        let message = stills(source, pairs, &[]).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
    for kind in ["frames", "tracks", "regions"] {
        let message = stills("kind = 'images'", "", &[&format!("pairs.kind={kind}")]).unwrap_err();
        let expected = "expected \"images\", since source.kind = \"images\" has still images";
        assert!(message.contains(expected), "{message}");
    }
    // A file for videos is taken for stills by an override.
    let text = "[source]\nkind = 'trackingnet'\n[pairs]\nkind = 'images'\nper_video = 3";
    assert!(parse(text, &["source.kind=coco"]).is_ok());
}

#[test]
fn a_malformed_override_is_refused() {
    for entry in ["", "pairs.k", "=3", "pairs.=3", "pairs.k.low=3", "a b=3"] {
        let message = refusal("", &[entry]);
        assert_eq!(
            message,
            format!("--set {entry}: expected table.key=value, such as pairs.k=30")
        );
    }
}

#[test]
fn an_override_replaces_values_of_the_file_and_of_earlier_overrides() {
    let text = with("images", "quality = 80");
    let overrides = [
        "images.quality=70",
        " images.quality = 75 ",
        "pairs = { k = [30, 90] }",
        "extract.max_refused=2.5%",
        "shards.max_bytes=64MiB",
        "seed=0x10",
    ];
    let pipeline = parse(&text, &overrides).unwrap();
    assert_eq!(pipeline.images.codec, Codec::Jpeg { quality: 75 });
    assert_eq!(pipeline.pairs.k(), Some(KRange { low: 30, high: 90 }));
    assert_eq!(pipeline.extract.max_refused, MaxRefused::Percent(2.5));
    assert_eq!(pipeline.shards.max_bytes, 64 << 20);
    assert_eq!(pipeline.seed, 16);
}

#[test]
fn an_override_replaces_a_wrong_value_of_the_file() {
    let pipeline = parse(&with("pairs", "k = -3"), &["pairs.k=3"]).unwrap();
    assert_eq!(pipeline.pairs.k(), Some(KRange { low: 3, high: 3 }));
}

#[test]
fn keys_that_are_not_given_have_their_defaults() {
    let pipeline = parse(&with("pairs", ""), &[]).unwrap();
    let expected = Pipeline {
        seed: 0,
        source: Source {
            kind: SourceKind::Got10k,
            splits: Vec::new(),
            objects: None,
        },
        pairs: Pairs {
            rule: PairRule::Tracks(TrackRule {
                k: KRange { low: 60, high: 60 },
                with_frames: true,
                box_scale: 1.0,
                min_box_px: 24,
                max_box_outside: 0.05,
            }),
            anchors: Anchors::PerVideo(4),
            cuts: Some(CutRule::Avoid),
        },
        regions: None,
        images: Images {
            short_side_px: 256,
            codec: Codec::Jpeg { quality: 92 },
        },
        shards: Shards {
            max_bytes: 256 << 20,
            max_records: 10_000,
            count: None,
        },
        extract: Extract {
            max_refused: MaxRefused::Percent(10.0),
            video_timeout_seconds: 120,
        },
        // `training` tests these.
        augment: pipeline.augment,
        train: pipeline.train.clone(),
        measure: Measure {
            seed: 0,
            top: vec![10, 25],
            goodfellow_share: 0.2,
            stage: StageName::Layer4,
            pool: PoolName::Auto,
            size_px: None,
            numbers: NumberFormat::F32,
            resamples: 1000,
            queries: 10_000,
        },
        probe: Probe {
            seed: 0,
            probes: None,
            stages: None,
            pool: PoolName::Auto,
            size_px: None,
            view: None,
            box_scale: 1.0,
            numbers: NumberFormat::F32,
            test_share: 0.2,
            folds: 3,
            svm_costs: vec![
                0.01, 0.1, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0, 100.0, 1000.0,
            ],
            positive_weight: 2.0,
            logistic_costs: vec![0.01, 0.1, 1.0, 10.0, 100.0, 1000.0],
            linear_epochs: 100,
            linear_batch: 256,
            linear_rates: vec![0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0],
            segmentation_epochs: 20,
            segmentation_batch: 16,
            segmentation_rate: 0.02,
            finetune: false,
            neighbours: 20,
            temperature: 0.07,
            resamples: 1000,
        },
    };
    assert_eq!(pipeline, expected);
    assert_eq!(pipeline.pairs.kind(), PairKind::Tracks);
}

#[test]
fn the_resolved_form_has_the_tables_and_keys_of_the_file() {
    let overrides = [
        "pairs.k=[30, 90]",
        "pairs.stride=10",
        "images.codec=rgb-zstd",
    ];
    let resolved = parse(&with("pairs", ""), &overrides).unwrap().resolved();
    let expected = serde_json::json!({
        "seed": 0,
        "source": { "kind": "got10k", "splits": [] },
        "pairs": {
            "kind": "tracks", "k": [30, 90], "with_frames": true, "box_scale": 1.0,
            "min_box_px": 24, "max_box_outside": 0.05, "stride": 10, "cuts": "avoid",
        },
        "images": { "short_side": 256, "codec": "rgb-zstd", "zstd_level": 3 },
        "shards": { "max_bytes": 268_435_456, "max_records": 10_000 },
        "extract": { "max_refused": "10%", "video_timeout_seconds": 120 },
    });
    // As text: the order of keys counts too.
    assert_eq!(resolved.to_string(), expected.to_string());
}

#[test]
fn the_resolved_form_of_kind_regions_has_the_tables_of_proposals_and_tracker() {
    let overrides = ["pairs.k=[30, 90]", "tracker.max_lost_frames=9"];
    let resolved = parse(&with("tracker", ""), &overrides).unwrap().resolved();
    let expected = serde_json::json!({
        "kind": "regions", "k": [30, 90], "regions_per_frame": 4, "with_frames": true,
        "box_scale": 1.0, "min_box_px": 24, "max_box_outside": 0.05, "per_video": 4, "cuts": "avoid",
    });
    assert_eq!(resolved["pairs"].to_string(), expected.to_string());
    let expected = serde_json::json!({
        "kind": "fast", "min_side_share": 0.08, "max_side_share": 0.7, "max_aspect": 4.0,
        "max_overlap": 0.3, "border_share": 0.01, "min_texture": 0.12,
    });
    assert_eq!(resolved["proposals"].to_string(), expected.to_string());
    let expected = serde_json::json!({
        "name": "dcf", "min_confidence": 0.0, "min_confidence_mean": 0.7,
        "min_confidence_last": 0.7, "max_lost_frames": 9, "max_size_ratio": 4.0,
        "max_aspect_ratio": 2.0, "max_duplicate_iou": 0.7, "min_forward_backward_iou": 0.5,
        "forward_backward_step": 4,
    });
    assert_eq!(resolved["tracker"].to_string(), expected.to_string());
}

#[test]
fn tracking_back_uses_every_frame_by_default_if_the_tracker_is_opencvs() {
    for (overrides, expected) in [
        (&["tracker.name=dcf"][..], 4),
        (&["tracker.name=kcf"], 1),
        (&["tracker.name=kcf", "tracker.forward_backward_step=8"], 8),
    ] {
        let regions = parse(&with("tracker", ""), overrides)
            .unwrap()
            .regions
            .unwrap();
        assert_eq!(regions.tracker.trust.forward_backward_step, expected);
    }
}

#[test]
fn the_resolved_form_does_not_depend_on_how_the_file_was_written() {
    let plain = with("pairs", "k = [60, 60]\nbox_scale = 1");
    let dotted =
        "pairs = { kind = 'tracks' }\nsource.kind = 'got10k'\nshards.max_bytes = 268435456";
    assert_eq!(
        parse(&plain, &[]).unwrap().resolved(),
        parse(dotted, &[]).unwrap().resolved()
    );
}

#[test]
fn a_resolved_pipeline_written_as_toml_is_read_back_unchanged() {
    let files = pipeline_files().into_iter();
    let files = files.map(|path| Pipeline::read(&path, &[]).unwrap());
    let varied = [
        &[
            "pairs.k=[1, 100000]",
            "pairs.stride=7",
            "extract.max_refused=3",
        ][..],
        &[
            "pairs.kind=images",
            "images.codec=rgb-zstd",
            "extract.max_refused=0.125%",
        ],
        &[
            "source.splits=['val', 'test']",
            "pairs.box_scale=1.7",
            "seed=9223372036854775807",
        ],
        &[
            "pairs.kind=regions",
            "tracker.name=kcf",
            "pairs.regions_per_frame=9",
        ],
        &[
            "train.method=moco-v1",
            "train.milestones=[3, 9]",
            "augment.views=pirl",
        ],
        &["train.method=pirl", "train.negatives=7"],
        &["train.method=supervised", "train.numbers=bf16"],
    ];
    let varied = varied.map(|overrides| parse(&with("pairs", ""), overrides).unwrap());
    for pipeline in files.chain(varied) {
        let mut resolved = pipeline.resolved();
        for table in ["augment", "train"] {
            resolved[table] = pipeline.resolved_training()[table].take();
        }
        let text = toml::to_string(&resolved).unwrap();
        assert_eq!(parse(&text, &[]).unwrap(), pipeline, "{text}");
    }
}

fn pipelines_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines")
}

/// The files of `pipelines/` and of its folders.
fn pipeline_files() -> Vec<PathBuf> {
    let paths_in = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path())
    };
    let paths = paths_in(&pipelines_folder()).flat_map(|path| match path.is_dir() {
        true => paths_in(&path).collect(),
        false => vec![path],
    });
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect()
}

#[test]
fn a_missing_file_and_a_folder_are_refused_by_path() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.toml"), folder.path().to_owned()] {
        let error = Pipeline::read(&path, &[]).unwrap_err();
        assert!(matches!(error, PipelineError::Unreadable { .. }));
        assert!(error.to_string().contains(&path.display().to_string()));
    }
}

#[test]
fn a_file_that_is_not_utf8_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin1.toml");
    std::fs::write(&path, b"seed = 0\n# \xe9t\xe9\n").unwrap();
    let message = Pipeline::read(&path, &[]).unwrap_err().to_string();
    let expected = "line 2: the bytes here are not UTF-8; expected a TOML file";
    assert_eq!(message, format!("{} {expected}", path.display()));
}

#[test]
fn a_file_of_one_mebibyte_is_read_and_a_larger_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.toml");
    let mut text = with("pairs", "") + "#";
    text.push_str(&"-".repeat((1 << 20) - text.len()));
    std::fs::write(&path, &text).unwrap();
    assert!(Pipeline::read(&path, &[]).is_ok());
    std::fs::write(&path, text + "-").unwrap();
    let message = Pipeline::read(&path, &[]).unwrap_err().to_string();
    assert!(message.contains("is above 1048576 bytes"), "{message}");
}

#[test]
fn a_byte_order_mark_and_crlf_lines_are_accepted() {
    let text = format!("\u{feff}{}", with("pairs", "k = 3").replace('\n', "\r\n"));
    assert_eq!(
        parse(&text, &[]).unwrap().pairs.k(),
        Some(KRange { low: 3, high: 3 })
    );
}

#[test]
fn a_long_value_is_shortened_to_one_line_in_messages() {
    let message = refusal(
        &with("pairs", &format!("k = [\n{}\n]", "1,\n".repeat(1000))),
        &[],
    );
    assert!(
        message.starts_with("a.toml line 4: pairs.k is [ 1, 1, 1,"),
        "{message}"
    );
    assert!(message.len() < 200 && !message.contains('\n'), "{message}");
}

fn toml_like() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "[source]",
        "[pairs]",
        "[[pairs]]",
        "[images]",
        "\n",
        "\n",
        "kind",
        "=",
        "=",
        "'videos'",
        "'frames'",
        "k",
        "60",
        "[30, 90]",
        "{",
        "}",
        ".",
        ",",
        "\"",
        "'''",
        "#",
        "-1",
        "1e400",
        "pairs.k = 3",
        "seed = 1",
        "é",
        "\u{0}",
        "1979-05-27",
        "nan",
        "[",
        "]",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_text_and_no_override_panics(text in ".*", entry in ".*") {
        let _ = parse(&text, &[]);
        let _ = parse("", &[&entry]);
    }

    #[test]
    fn no_toml_like_text_panics_and_every_message_is_one_line(
        text in toml_like(),
        value in toml_like(),
    ) {
        for key in all_keys() {
            let entry = format!("{key}={value}");
            if let Err(error) = parse(&text, &[&entry]) {
                let message = error.to_string();
                prop_assert!(message.starts_with("a.toml") || message.starts_with("--set"), "{}", message);
                prop_assert!(!message.contains('\n'), "{}", message);
            }
        }
    }
}

#[test]
fn invariance_settings_need_no_pipeline_file_and_no_other_table() {
    let measure = Measure::read(None, &["invariance.top=[5]".to_owned()]).unwrap();
    assert_eq!((measure.top, measure.queries), (vec![5], 10_000));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("measure.toml");
    std::fs::write(
        &path,
        "seed = 7\n[invariance]\nstage = \"layer3\"\nsize = 64\n",
    )
    .unwrap();
    let measure = Measure::read(Some(&path), &[]).unwrap();
    assert_eq!((measure.seed, measure.stage), (7, StageName::Layer3));
    assert_eq!(measure.size_px, Some(64));
    let refused = |text: &str| {
        Measure::read(None, &[text.to_owned()])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused("invariance.top=[]"),
        "--set: invariance.top is []; expected a list of at least one whole number, such as [10, 25]"
    );
    assert!(refused("invariance.tops=[3]").contains("top"));
}

#[test]
fn lists_of_words_and_of_costs_are_not_empty_and_have_nothing_twice() {
    let read = |text: &str| Probe::read(None, &[text.to_owned()]);
    let stages = read("probe.stages=[\"layer4\", \"stem\"]").unwrap().stages;
    assert_eq!(stages, Some(vec![StageName::Layer4, StageName::Stem]));
    assert_eq!(
        read("probe.svm_costs=[0.5, 4]").unwrap().svm_costs,
        [0.5, 4.0]
    );
    let refused = |text: &str| read(text).unwrap_err().to_string();
    for list in ["[]", "[1, 1]", "[2, 1]", "[0, 1]", "[1, inf]", "3"] {
        assert_eq!(
            refused(&format!("probe.logistic_costs={list}")),
            format!(
                "--set: probe.logistic_costs is {list}; expected a list of at least one number above 0 such as [0.1, 1, 10], \
                 ascending, none twice"
            )
        );
    }
    for list in ["[]", "[\"svm\", \"svm\"]", "\"svm\""] {
        assert!(
            refused(&format!("probe.probes={list}")).ends_with(
                "expected a list, in brackets, of at least one of \"svm\" or \"linear\" or \"logistic\" or \"knn\" or \"segmentation\", none twice"
            ),
            "{list}"
        );
    }
    assert!(refused("probe.probes=[\"logistics\"]").contains("did you mean \"logistic\"?"));
}
