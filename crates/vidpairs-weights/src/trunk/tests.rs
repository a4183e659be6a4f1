use super::*;
use crate::architecture::{Architecture, Depth, ResNetArchitecture, Stem};
use crate::tensor::{ElementKind, HostTensor};

/// Tensors of every ResNet, by torchvision's names.
const RESNET_TENSORS: [&str; 3] = ["conv1.weight", "bn1.weight", "layer1.0.conv1.weight"];

fn tensor() -> HostTensor {
    HostTensor::new(vec![1], ElementKind::U8, vec![7]).unwrap()
}

fn weights(names: &[&str]) -> Weights {
    names
        .iter()
        .map(|name| ((*name).to_owned(), tensor()))
        .collect()
}

fn resnets(prefixes: &[&str]) -> Weights {
    let names: Vec<String> = prefixes
        .iter()
        .flat_map(|prefix| RESNET_TENSORS.map(|name| format!("{prefix}{name}")))
        .collect();
    weights(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A complete ResNet-18 of width 1.
fn resnet18() -> Weights {
    let architecture = ResNetArchitecture {
        depth: Depth::R18,
        first_width: 1,
        in_channels: 3,
        stem: Stem::Large,
    };
    let tensors = architecture.tensors().into_iter().map(|(name, shape)| {
        let values = vec![0.5; shape.iter().product()];
        (name, HostTensor::from_f32(shape, &values).unwrap())
    });
    tensors.collect()
}

fn renamed(weights: &Weights, name: impl Fn(&str) -> String) -> Weights {
    let tensors = weights.iter();
    tensors
        .map(|(old, tensor)| (name(old), tensor.clone()))
        .collect()
}

fn refusal(weights: &Weights) -> String {
    let found = backbone(weights).and_then(|found| Architecture::of(&found.trunk));
    found.unwrap_err().to_string()
}

#[test]
fn the_query_encoder_takes_precedence_over_the_key_encoder_in_any_order() {
    for (prefixes, trained) in [
        (
            ["module.encoder_k.", "module.encoder_q."],
            "module.encoder_q.",
        ),
        (
            ["module.encoder_q.", "module.encoder_k."],
            "module.encoder_q.",
        ),
        (
            ["module.momentum_encoder.", "module.base_encoder."],
            "module.base_encoder.",
        ),
        (["target_network.backbone.", "online.net."], "online.net."),
        (["backbone_momentum.", "backbone."], "backbone."),
        (
            ["teacher.backbone.", "student.backbone."],
            "student.backbone.",
        ),
        (["model_ema.", "model."], "model."),
    ] {
        let backbone = backbone(&resnets(&prefixes)).unwrap();
        assert_eq!(backbone.prefix, trained);
        assert_eq!((backbone.trunk.len(), backbone.left_out.len()), (3, 3));
    }
}

#[test]
fn the_query_encoder_of_our_checkpoints_takes_precedence_over_sgd_velocities() {
    let found = backbone(&resnets(&[
        "key.backbone.",
        "query.backbone.",
        "sgd.backbone.",
    ]));
    assert_eq!(found.unwrap().prefix, "query.backbone.");
}

#[test]
fn a_prefix_of_any_name_is_found_and_removed() {
    for prefix in [
        "",
        "module.",
        "trunk.base_model._feature_blocks.",
        "teacher.",
        "a.b.c.",
    ] {
        let found = backbone(&resnets(&[prefix])).unwrap();
        assert_eq!(found.prefix, prefix);
        assert_eq!(found.trunk.names().collect::<Vec<_>>(), RESNET_TENSORS);
    }
}

#[test]
fn heads_are_separate_and_other_names_are_left_out() {
    let mut all = resnets(&["module.encoder_q."]);
    for name in [
        "module.encoder_q.fc.0.weight",
        "module.queue",
        "module.encoder_q.projector.0.weight",
    ] {
        all.insert(name, tensor());
    }
    let found = backbone(&all).unwrap();
    assert_eq!(found.head.names().collect::<Vec<_>>(), ["fc.0.weight"]);
    assert_eq!(
        found.left_out,
        ["module.queue", "module.encoder_q.projector.0.weight"]
    );
}

#[test]
fn several_trained_encoders_are_refused_with_their_prefixes_until_one_is_chosen() {
    let weights = resnets(&["encoder.", "backbone.", "momentum_encoder."]);
    let err = backbone(&weights).unwrap_err().to_string();
    assert!(
        err.contains("encoder., backbone., momentum_encoder."),
        "{err}"
    );
    assert!(err.contains("--prefix"), "{err}");
    for (prefix, expected) in [
        ("encoder.", "encoder."),
        ("backbone", "backbone."),
        ("_orig_mod.momentum_encoder", "momentum_encoder."),
    ] {
        let found = backbone_under(&weights, Some(prefix)).unwrap();
        assert_eq!((found.prefix.as_str(), found.trunk.len()), (expected, 3));
    }
    let err = backbone_under(&weights, Some("none\u{1b}")).unwrap_err();
    let err = err.to_string();
    assert!(
        err.contains(r"none\u{1b}") && err.contains("encoder., backbone."),
        "{err}"
    );
    let unnamed = resnets(&["", "module."]);
    assert!(
        backbone(&unnamed)
            .unwrap_err()
            .to_string()
            .contains("\"\", module.")
    );
    assert_eq!(backbone_under(&unnamed, Some("")).unwrap().prefix, "");
}

#[test]
fn two_momentum_encoders_alone_are_ambiguous_too() {
    let err = backbone(&resnets(&["teacher.", "ema."])).unwrap_err();
    assert!(err.to_string().contains("teacher., ema."), "{err}");
}

#[test]
fn the_error_for_another_network_states_some_names() {
    let err = backbone(&weights(&["features.0.weight", "classifier.bias"])).unwrap_err();
    assert!(
        err.to_string()
            .contains("features.0.weight, classifier.bias"),
        "{err}"
    );
}

#[test]
fn names_with_wrappers_give_the_same_trunk() {
    let plain = resnet18();
    let wrapped = renamed(&plain, |name| {
        let name = name.replacen("layer1.0.", "layer1.0._checkpoint_wrapped_module.", 1);
        format!("_orig_mod.module.{name}")
    });
    let found = backbone(&wrapped).unwrap();
    assert_eq!((found.prefix.as_str(), &found.trunk), ("module.", &plain));
    let mut twice = wrapped.clone();
    twice.insert("module.conv1.weight", tensor());
    let err = backbone(&twice).unwrap_err();
    assert_eq!(
        err.to_string(),
        "two tensors are called module.conv1.weight; keep one of them in the file"
    );
}

#[test]
fn a_sequential_of_the_children_gives_the_same_trunk() {
    let plain = resnet18();
    // With torchvision's activation and max pooling, without max pooling, and without both.
    for layer1 in [4, 3, 2] {
        let numbered = renamed(&plain, |name| {
            let (part, rest) = name.split_once('.').unwrap();
            let index = match part {
                "conv1" => 0,
                "bn1" => 1,
                layer => layer1 - 1 + layer["layer".len()..].parse::<usize>().unwrap(),
            };
            format!("backbone.{index}.{rest}")
        });
        let found = backbone(&numbered).unwrap();
        assert_eq!((found.prefix.as_str(), &found.trunk), ("backbone.", &plain));
        let mut with_head = numbered.clone();
        with_head.insert(format!("backbone.{}.weight", layer1 + 5), tensor());
        let found = backbone(&with_head).unwrap();
        assert_eq!((found.trunk, found.head.len()), (plain.clone(), 1));
        with_head.insert(format!("backbone.{}.weight", layer1 + 4), tensor());
        assert!(backbone(&with_head).is_err());
    }
}

#[test]
fn a_layer_that_no_plain_resnet_has_is_refused_by_the_name_of_its_tensor() {
    for name in [
        "layer1.0.se.fc1.weight",
        "layer2.1.cbam.channel.weight",
        "layer1.0.bn1.IN.weight",
        "layer1.0.conv1.bias",
        "layer1.0.relu.weight",
        "layer3.0.conv2.filt",
        "layer4.1.bn3.num_batches_tracked",
        "layer4.2.conv1.bias",
        "layer1.0.conv1.lora_A",
        "conv1.bias",
        "conv2.weight",
        "bn2.running_mean",
        "maxpool.1.filt",
        "avgpool.p",
        "attnpool.q_proj.weight",
        "layer0.weight",
        "layer5.0.conv1.weight",
        "norm.weight",
    ] {
        let mut weights = resnet18();
        weights.insert(name, tensor());
        let text = refusal(&weights);
        assert!(text.starts_with(name), "{name}: {text}");
        assert!(text.contains("no plain ResNet has"), "{text}");
    }
}

#[test]
fn batch_counters_and_heads_beside_a_trunk_are_no_foreign_layers() {
    let mut weights = resnet18();
    for name in [
        "bn1.num_batches_tracked",
        "layer2.0.downsample.1.num_batches_tracked",
        "fc.weight",
        "head.0.weight",
        "projection_head.bias",
        "prototypes.weight",
    ] {
        weights.insert(name, tensor());
    }
    let found = backbone(&weights).unwrap();
    assert!(Architecture::of(&found.trunk).is_ok());
}

#[test]
fn other_forms_of_resnets_are_refused_with_what_differs() {
    let plain = resnet18();
    // Instance and batch norm (IBN-Net), group norm, a deep stem, an average-pooled downsample (ResNet-D).
    let ibn = renamed(&plain, |name| {
        name.replace("layer1.0.bn1.", "layer1.0.bn1.BN.")
    });
    assert!(refusal(&ibn).starts_with("layer1.0.bn1.BN.weight, layer1.0.bn1.BN.bias, "));
    let group_norm = plain.iter().filter(|(name, _)| !name.contains("running_"));
    let group_norm: Weights = group_norm
        .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
        .collect();
    assert!(refusal(&group_norm).starts_with("bn1.running_mean is missing"));
    let deep_stem = renamed(&plain, |name| {
        name.replace("conv1.weight", "conv1.0.weight")
    });
    assert!(
        refusal(&deep_stem).contains("no ResNet and no ViT in it"),
        "{}",
        refusal(&deep_stem)
    );
    let stem_only = renamed(&plain, |name| match name {
        "conv1.weight" => "conv1.0.weight".to_owned(),
        name => name.to_owned(),
    });
    assert!(
        refusal(&stem_only).contains("conv1.0.weight"),
        "{}",
        refusal(&stem_only)
    );
    let pooled = renamed(&plain, |name| {
        name.replace("downsample.1.", "downsample.2.")
    });
    assert!(refusal(&pooled).starts_with("layer2.0.downsample.2.weight, "));
}

#[test]
fn an_entry_of_the_trunk_that_was_not_read_is_refused_by_name() {
    for (name, may_be_weights, is_refused) in [
        ("layer1.0.se.weight", true, true),
        ("layer1.0.conv1._orig_mod.weight_scale", true, true),
        ("layer1.0.version", false, false),
        ("queue", true, false),
    ] {
        let mut weights = resnet18();
        weights.skip(Skipped {
            name: name.to_owned(),
            found: "torch.float8_e4m3fn".to_owned(),
            may_be_weights,
        });
        match backbone(&weights) {
            Err(err) => {
                let text = err.to_string();
                assert!(is_refused && text.contains("float8_e4m3fn"), "{text}");
            }
            Ok(_) => assert!(!is_refused, "{name}"),
        }
    }
}
