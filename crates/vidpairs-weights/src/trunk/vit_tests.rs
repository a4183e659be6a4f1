//! ViTs found in the names of a file.

use super::*;
use crate::architecture::{Architecture, LayerScale, Positions, QkvForm, VitArchitecture, VitSize};
use crate::tensor::ElementKind;

/// timm's ViT-Ti/16 for images of 64 px.
const TINY: VitArchitecture = VitArchitecture {
    size: VitSize::Tiny,
    patch_px: 16,
    in_channels: 3,
    has_class_token: true,
    num_registers: 0,
    positions: Positions::Learned {
        grid: 4,
        has_class: true,
    },
    qkv: QkvForm::Joint,
    layer_scale: LayerScale::Absent,
    has_fc_norm: false,
};
const DINOV2: VitArchitecture = VitArchitecture {
    patch_px: 14,
    num_registers: 4,
    layer_scale: LayerScale::Modules,
    ..TINY
};
const DINOV3: VitArchitecture = VitArchitecture {
    num_registers: 4,
    positions: Positions::Rotary { has_periods: true },
    qkv: QkvForm::MaskedBias,
    layer_scale: LayerScale::Modules,
    ..TINY
};
/// The same network as timm stores it.
const DINOV3_OF_TIMM: VitArchitecture = VitArchitecture {
    positions: Positions::Rotary { has_periods: false },
    qkv: QkvForm::QueryValueBias,
    layer_scale: LayerScale::Parameters,
    ..DINOV3
};

fn tensor(shape: Vec<usize>) -> HostTensor {
    let bytes = vec![0; shape.iter().product()];
    HostTensor::new(shape, ElementKind::U8, bytes).unwrap()
}

fn zeros(vit: &VitArchitecture) -> Weights {
    let tensors = vit.tensors().into_iter();
    tensors.map(|(name, shape)| (name, tensor(shape))).collect()
}

/// `weights` with every name changed; without the tensors whose name becomes `None`.
fn renamed(weights: &Weights, name: impl Fn(&str) -> Option<String>) -> Weights {
    let tensors = weights.iter();
    tensors
        .filter_map(|(old, tensor)| Some((name(old)?, tensor.clone())))
        .collect()
}

fn found(weights: &Weights) -> Result<Architecture, WeightsError> {
    backbone(weights).and_then(|found| Architecture::of(&found.trunk))
}

fn refusal(weights: &Weights) -> String {
    found(weights).unwrap_err().to_string()
}

fn with(vit: &VitArchitecture, name: &str, shape: &[usize]) -> Weights {
    let mut weights = zeros(vit);
    weights.insert(name, tensor(shape.to_vec()));
    weights
}

fn without(vit: &VitArchitecture, is_gone: impl Fn(&str) -> bool) -> Weights {
    renamed(&zeros(vit), |name| {
        (!is_gone(name)).then(|| name.to_owned())
    })
}

#[test]
fn every_form_of_a_vit_is_detected_with_all_its_parts() {
    let forms = [
        (TINY, "ViT-Ti/16"),
        (DINOV2, "ViT-Ti/14 with 4 registers"),
        (DINOV3, "ViT-Ti/16 with 4 registers and rotary positions"),
        (
            DINOV3_OF_TIMM,
            "ViT-Ti/16 with 4 registers and rotary positions",
        ),
        (
            VitArchitecture {
                has_class_token: false,
                num_registers: 1,
                positions: Positions::Learned {
                    grid: 7,
                    has_class: false,
                },
                has_fc_norm: true,
                patch_px: 8,
                ..TINY
            },
            "ViT-Ti/8 with 1 register, no class token",
        ),
        (
            VitArchitecture {
                qkv: QkvForm::WithoutBias,
                positions: Positions::Learned {
                    grid: 3,
                    has_class: false,
                },
                ..TINY
            },
            "ViT-Ti/16",
        ),
        (
            VitArchitecture {
                qkv: QkvForm::Separate,
                ..DINOV2
            },
            "ViT-Ti/14 with 4 registers",
        ),
    ];
    for (vit, text) in forms {
        let detected = found(&zeros(&vit)).unwrap();
        assert_eq!(detected, Architecture::Vit(vit));
        assert_eq!(detected.to_string(), text);
    }
}

#[test]
fn the_numbers_of_parameters_are_those_of_timm() {
    // vit_{tiny,small,base,large}_patch16_224 with num_classes=0.
    let published = [5_524_416, 21_665_664, 85_798_656, 303_301_632];
    for (size, expected) in VitSize::ALL.into_iter().zip(published) {
        let vit = VitArchitecture {
            size,
            positions: Positions::Learned {
                grid: 14,
                has_class: true,
            },
            ..TINY
        };
        let shapes = vit.tensors().into_iter();
        let count: usize = shapes
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        assert_eq!(count, expected, "{size:?}");
    }
}

#[test]
fn names_of_dinov2_its_chunks_and_hugging_face_give_the_same_trunk() {
    let plain = zeros(&DINOV2);
    let facebook = renamed(&plain, |name| match name.strip_prefix("blocks.") {
        Some(block) => {
            let index: usize = block.split('.').next()?.parse().ok()?;
            Some(format!("teacher.backbone.blocks.{}.{block}", index / 3))
        }
        None => Some(format!(
            "teacher.backbone.{}",
            name.replace("reg_", "register_") + if name == "reg_token" { "s" } else { "" }
        )),
    });
    let facebook = {
        let mut weights = facebook;
        weights.insert("teacher.backbone.mask_token", tensor(vec![1, 192]));
        weights.insert("teacher.dino_head.mlp.0.weight", tensor(vec![1]));
        weights
    };
    let network = backbone(&facebook).unwrap();
    assert_eq!(
        (network.prefix.as_str(), &network.trunk),
        ("teacher.backbone.", &plain)
    );
    assert_eq!(network.left_out.len(), 2);

    let separate = VitArchitecture {
        qkv: QkvForm::Separate,
        ..DINOV2
    };
    let plain = zeros(&separate);
    let hugging_face = renamed(&plain, |name| {
        let renamed = match name {
            "cls_token" => "embeddings.cls_token".to_owned(),
            "reg_token" => "embeddings.register_tokens".to_owned(),
            "pos_embed" => "embeddings.position_embeddings".to_owned(),
            name => name
                .replace("patch_embed.proj", "embeddings.patch_embeddings.projection")
                .replace("blocks.", "encoder.layer.")
                .replace("attn.q_proj", "attention.attention.query")
                .replace("attn.k_proj", "attention.attention.key")
                .replace("attn.v_proj", "attention.attention.value")
                .replace("attn.proj", "attention.output.dense")
                .replace("ls1.gamma", "layer_scale1.lambda1")
                .replace("ls2.gamma", "layer_scale2.lambda1"),
        };
        Some(match renamed.strip_prefix("norm.") {
            Some(rest) => format!("dinov2.layernorm.{rest}"),
            None => format!("dinov2.{renamed}"),
        })
    });
    let network = backbone(&hugging_face).unwrap();
    assert_eq!(
        (network.prefix.as_str(), &network.trunk),
        ("dinov2.", &plain)
    );
}

#[test]
fn wrappers_heads_and_parts_for_training_are_no_part_of_the_trunk() {
    let plain = zeros(&DINOV3);
    let mut weights = renamed(&plain, |name| {
        let name = name.replace("reg_token", "storage_tokens");
        Some(format!("_orig_mod.module.{name}"))
    });
    for name in ["head.weight", "mask_token", "local_cls_norm.weight"] {
        weights.insert(format!("module.{name}"), tensor(vec![1]));
    }
    let network = backbone(&weights).unwrap();
    assert_eq!(
        (network.prefix.as_str(), &network.trunk),
        ("module.", &plain)
    );
    assert_eq!(network.head.names().collect::<Vec<_>>(), ["head.weight"]);
    assert_eq!(
        network.left_out,
        ["module.mask_token", "module.local_cls_norm.weight"]
    );
}

#[test]
fn tensors_that_no_plain_vit_has_are_refused_by_name() {
    for name in [
        "dist_token",
        "norm_pre.weight",
        "attn_pool.latent",
        "cls_norm.weight",
        "rope.freqs",
        "blocks.3.attn.q_norm.weight",
        "blocks.0.attn.relative_position_bias_table",
        "blocks.0.ls1.gamma2",
        "rope_embed.periods",
        "fc_norm.extra",
    ] {
        let text = refusal(&with(&TINY, name, &[1]));
        assert!(
            text.starts_with(&format!("{name} belongs to a layer that no plain ViT has")),
            "{name}: {text}"
        );
    }
    let giant = renamed(&zeros(&DINOV2), |name| {
        Some(
            name.replace("mlp.fc1", "mlp.w12")
                .replace("mlp.fc2", "mlp.w3"),
        )
    });
    let text = refusal(&giant);
    assert!(
        text.contains("blocks.0.mlp.w12.weight") && text.contains("and 40 more belong"),
        "{text}"
    );
}

#[test]
fn a_part_of_the_blocks_is_never_taken_for_the_whole() {
    let text = refusal(&without(&TINY, |name| name.starts_with("blocks.11.")));
    assert!(
        text.contains("its last block is blocks.10; expected blocks.11"),
        "{text}"
    );
    let text = refusal(&without(&TINY, |name| name.starts_with("blocks.5.")));
    assert!(
        text.starts_with("blocks.5.norm1.weight is missing"),
        "{text}"
    );
    let text = refusal(&with(&TINY, "blocks.12.norm1.weight", &[192]));
    assert!(text.contains("its last block is blocks.12"), "{text}");
    let text = refusal(&without(&TINY, |name| name == "blocks.7.mlp.fc2.bias"));
    assert!(
        text.starts_with("blocks.7.mlp.fc2.bias is missing"),
        "{text}"
    );
    let text = refusal(&without(&TINY, |name| name.starts_with("norm.")));
    assert!(text.starts_with("norm.weight is missing"), "{text}");
    let text = refusal(&with(&TINY, "fc_norm.weight", &[192]));
    assert!(text.contains("norm.weight"), "{text}");
    let mut twice = zeros(&DINOV2);
    twice.insert("register_tokens", tensor(vec![1, 4, 192]));
    assert!(refusal(&twice).starts_with("two tensors are called reg_token"));
}

#[test]
fn positions_that_are_no_square_and_unknown_widths_and_heads_are_refused() {
    for (num_positions, has_class_token) in [(18, true), (15, true), (0, true), (17, false)] {
        let mut weights = with(&TINY, "pos_embed", &[1, num_positions, 192]);
        if !has_class_token {
            weights = renamed(&weights, |name| {
                (name != "cls_token").then(|| name.to_owned())
            });
        }
        let text = refusal(&weights);
        let expected = format!("pos_embed has {num_positions} positions; expected a square");
        assert!(text.contains(&expected), "{text}");
    }
    let text = refusal(&with(&TINY, "patch_embed.proj.weight", &[1536, 3, 14, 14]));
    assert!(
        text.contains("width is 1536 channels, for which the number of heads is not known"),
        "{text}"
    );
    let text = refusal(&with(&TINY, "patch_embed.proj.weight", &[192, 3, 16, 14]));
    assert!(
        text.contains("expected width x channels x side x side"),
        "{text}"
    );
    let moco = |prefix: &str, width| {
        let first = [width, 3, 16, 16].to_vec();
        let tensors = [
            ("patch_embed.proj.weight", first),
            ("blocks.0.norm1.weight", vec![1]),
        ];
        let weights = tensors.map(|(name, shape)| (format!("{prefix}{name}"), tensor(shape)));
        backbone(&weights.into_iter().collect()).map(|found| found.prefix)
    };
    let text = moco("module.base_encoder.", 384).unwrap_err().to_string();
    assert!(text.contains("12 heads of 32 channels"), "{text}");
    assert!(moco("module.base_encoder.", 768).is_ok() && moco("module.", 384).is_ok());
}

#[test]
fn rotary_positions_other_than_those_of_dinov3_are_refused() {
    let text = refusal(&without(&TINY, |name| name == "pos_embed"));
    assert!(
        text.contains("it has no pos_embed, and is not a DINOv3"),
        "{text}"
    );
    // timm's vit_small_patch16_rope_224 and vit_small_patch16_rope_ape_224.
    let rope = VitArchitecture {
        num_registers: 0,
        qkv: QkvForm::Joint,
        ..DINOV3_OF_TIMM
    };
    assert!(refusal(&zeros(&rope)).contains("is not a DINOv3"));
    let text = refusal(&with(&rope, "pos_embed", &[1, 16, 192]));
    assert!(text.contains("gamma_1 and pos_embed"), "{text}");
}

#[test]
fn student_and_teacher_are_told_apart_as_those_of_resnets() {
    let plain = zeros(&TINY);
    let mut both = renamed(&plain, |name| Some(format!("student.backbone.{name}")));
    for (name, tensor) in renamed(&plain, |name| Some(format!("teacher.backbone.{name}"))) {
        both.insert(name, tensor);
    }
    assert_eq!(backbone(&both).unwrap().prefix, "student.backbone.");
    let teacher = backbone_under(&both, Some("teacher.backbone")).unwrap();
    assert_eq!(
        (teacher.trunk, teacher.left_out.len()),
        (plain.clone(), plain.len())
    );
}
