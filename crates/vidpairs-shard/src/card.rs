//! The `README.md` of a data set: what it holds, for people, and the data card by which Hugging Face `datasets` loads its folder.

use std::fmt::Write;

use serde_json::Value;
use vidpairs_types::{BoxXywh, PairKind, RecordMeta, Role, SCHEMA, SizePx, TrackletMeta, ViewMeta};

use xxhash_rust::xxh64::xxh64;

use crate::manifest::Manifest;

/// File name of the card.
pub const CARD_FILE: &str = "README.md";

/// Start of the line that names the shards. `datasets` keeps what it has read by the text of the card and the name of the folder, so the
/// card of other shards must have another text.
const SHARDS_LINE: &str = "  description: shards ";

/// The card of a data set: YAML with the shards and the type of every field of a record, then text.
///
/// - `before`: the card that is there, perhaps changed by its user. Only its line of the shards is written anew.
///
/// Source: the format of dataset cards of the Hugging Face Hub (`configs`, `dataset_info`).
pub fn card(manifest: &Manifest, before: Option<&str>) -> String {
    let shards = serde_json::to_vec(&manifest.shards).unwrap_or_default();
    let line = format!("{SHARDS_LINE}{:016x}", xxh64(&shards, 0));
    match before {
        None => new_card(manifest, &line),
        Some(before) => {
            let lines = before.split_inclusive('\n');
            let lines = lines.map(|text| match text.starts_with(SHARDS_LINE) {
                true => format!("{line}\n"),
                false => text.to_owned(),
            });
            lines.collect()
        }
    }
}

fn new_card(manifest: &Manifest, line: &str) -> String {
    let setting = |pointer: &str| manifest.pipeline.pointer(pointer);
    let kind = setting("/pairs/kind").and_then(Value::as_str);
    let with_frames = setting("/pairs/with_frames") == Some(&Value::Bool(true));
    let is_raw = setting("/images/codec").and_then(Value::as_str) == Some("rgb-zstd");
    let (extension, dtype) = match is_raw {
        true => ("rgb.zst", "binary"),
        false => ("jpg", "image"),
    };
    let roles: &[Role] = match (kind, with_frames) {
        (Some("images"), _) => &[Role::Anchor],
        (_, false) => &[Role::Anchor, Role::Positive],
        (_, true) => &[
            Role::Anchor,
            Role::Positive,
            Role::AnchorFrame,
            Role::PositiveFrame,
        ],
    };
    let shards = match manifest.parts {
        None => "pairs-*.tar",
        Some(_) => "part-*/pairs-*.tar",
    };
    let mut yaml = String::new();
    for role in roles {
        let name = format!("{}.{extension}", role.name());
        push(
            &mut yaml,
            2,
            format_args!("- name: {name}\n    dtype: {dtype}"),
        );
    }
    push(&mut yaml, 2, format_args!("- name: json\n    struct:"));
    fields(&mut yaml, 4, &sample());
    push(
        &mut yaml,
        4,
        format_args!("- name: json_crc32\n      dtype: int64"),
    );
    for name in ["__key__", "__url__"] {
        push(
            &mut yaml,
            2,
            format_args!("- name: {name}\n    dtype: string"),
        );
    }
    let members = roles.iter().map(|role| match role {
        Role::Anchor if kind == Some("images") => "- `anchor`: the image",
        Role::Anchor => "- `anchor`: the first view",
        Role::Positive => "- `positive`: the second view, from a later frame of the same clip",
        Role::AnchorFrame => "- `anchor_frame`: the whole frame of the anchor",
        Role::PositiveFrame => "- `positive_frame`: the whole frame of the positive",
    });
    let members: Vec<&str> = members.collect();
    let members = members.join("\n");
    let what = match kind {
        Some("images") => "Images",
        _ => "Positive pairs of images from video",
    };
    let codec = match is_raw {
        true => {
            "Images are raw RGB (height x width x 3 bytes, sizes in `json`), compressed with zstd."
        }
        false => "Images are JPEG files.",
    };
    format!(
        "---\ntags:\n- webdataset\nconfigs:\n- config_name: default\n{line}\n  data_files:\n  - split: train\n    path: {shards}\n\
         dataset_info:\n  features:\n{yaml}---\n# {what}\n\n\
         Made by vidpairs {version}: WebDataset shards, `{shards}`. `dataset.json` describes them, and holds every setting with which they were made.\n\n\
         ```python\nfrom datasets import load_dataset\npairs = load_dataset(\"path/of/this/folder\", split=\"train\", streaming=True)\n```\n\n\
         Members of a record:\n\n{members}\n- `json`: where the images come from: clip, frames, boxes, tracking\n\n{codec} The licence of the data set is that of the \
         videos: name it here before you pass it on.\n",
        version = manifest.program_version,
    )
}

fn push(yaml: &mut String, indent: usize, lines: std::fmt::Arguments<'_>) {
    // Writing to a text does not fail.
    let _ = writeln!(yaml, "{:indent$}{lines}", "");
}

/// A record with all fields. Their values do not matter.
fn sample() -> Value {
    let size = SizePx {
        width: 1,
        height: 1,
    };
    let view = ViewMeta {
        frame: 0,
        pts_seconds: None,
        frame_size: size,
        box_xywh: Some(BoxXywh::from([0.0; 4])),
        image_size: size,
        crc32: 0,
    };
    let meta = RecordMeta {
        schema: SCHEMA,
        key: String::new(),
        clip: String::new(),
        source: String::new(),
        kind: PairKind::Regions,
        label: None,
        k: None,
        anchor: view,
        positive: None,
        anchor_frame: None,
        positive_frame: None,
        tracklet: Some(TrackletMeta::ground_truth()),
    };
    serde_json::to_value(meta).unwrap_or_default()
}

/// The types of the fields of `object`.
fn fields(yaml: &mut String, indent: usize, object: &Value) {
    for (name, value) in object.as_object().into_iter().flatten() {
        push(yaml, indent, format_args!("- name: {name}"));
        let indent = indent + 2;
        match value {
            Value::Object(_) => {
                push(yaml, indent, format_args!("struct:"));
                fields(yaml, indent, value);
            }
            Value::Array(values) => {
                let dtype = values.first().map_or("string", dtype);
                push(yaml, indent, format_args!("list: {dtype}"));
            }
            value => push(yaml, indent, format_args!("dtype: {}", dtype(value))),
        }
    }
}

fn dtype(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ShardEntry, Totals};

    #[test]
    fn the_card_names_the_members_of_each_kind_and_types_every_field() {
        let of = |kind: &str, with_frames: bool, codec: &str| {
            let pipeline = json!({
                "pairs": {"kind": kind, "with_frames": with_frames}, "images": {"codec": codec},
            });
            let manifest = Manifest::new(pipeline, 0, 0, Totals::default(), Vec::new());
            card(&manifest, None)
        };
        let images = of("images", false, "jpeg");
        assert!(
            images.starts_with("---\ntags:\n- webdataset\nconfigs:\n"),
            "{images}"
        );
        assert!(images.contains("  - name: anchor.jpg\n    dtype: image\n  - name: json\n"));
        let regions = of("regions", true, "rgb-zstd");
        assert!(regions.contains("  - name: positive_frame.rgb.zst\n    dtype: binary\n"));
        for line in [
            "    - name: label\n      dtype: string\n",
            "      - name: box_xywh\n        list: float64\n",
            "      - name: has_psr\n        dtype: bool\n",
            "    - name: json_crc32\n      dtype: int64\n  - name: __key__\n",
        ] {
            assert!(regions.contains(line), "{line}\n{regions}");
        }
    }

    #[test]
    fn other_shards_change_one_line_of_a_card_that_its_user_changed() {
        let mut manifest = Manifest::new(json!({}), 0, 0, Totals::default(), Vec::new());
        let first = card(&manifest, None);
        let changed = first.replace("tags:", "license: mit\ntags:");
        assert_eq!(card(&manifest, Some(&changed)), changed);
        manifest.shards.push(entry());
        let second = card(&manifest, Some(&changed));
        let others = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.starts_with(SHARDS_LINE));
            lines.map(str::to_owned).collect()
        };
        assert!(
            second != changed && others(&second) == others(&changed),
            "{second}"
        );
        assert_eq!(card(&manifest, Some("mine\n")), "mine\n");
    }

    fn entry() -> ShardEntry {
        ShardEntry {
            file: "pairs-000000.tar".to_owned(),
            bytes: 1,
            records: 1,
            xxh64: 1,
        }
    }
}
