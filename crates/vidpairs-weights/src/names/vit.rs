//! Names of the parts of a ViT.
//!
//! **Source**: timm's `vision_transformer.py` and `eva.py`; `vision_transformer.py` of facebookresearch's DINO, DINOv2 and DINOv3;
//! `Dinov2Model` of Hugging Face's transformers.

use std::borrow::Cow;

use super::Place;

/// Names of the first convolution in timm and in Hugging Face's DINOv2.
const FIRST_TENSORS: [&str; 2] = [
    "patch_embed.proj.weight",
    "embeddings.patch_embeddings.projection.weight",
];
/// Names of a tensor in the first block: in timm, in DINOv2's chunks of blocks, in Hugging Face's DINOv2.
const FIRST_BLOCKS: [&str; 3] = [
    "blocks.0.norm1.weight",
    "blocks.0.0.norm1.weight",
    "encoder.layer.0.norm1.weight",
];
/// Parts of a trunk.
const TRUNK: [&str; 7] = [
    "cls_token",
    "pos_embed",
    "reg_token",
    "patch_embed",
    "rope_embed",
    "norm",
    "fc_norm",
];
/// Parts beside a trunk that do not change its features: heads, decoders, and what is used in training only.
const BESIDE: [&str; 14] = [
    "mask_token",
    "masked_embed",
    "local_cls_norm", // DINOv3: applied to local crops in training
    "dino_head",
    "ibot_head",
    "fc",
    "heads",
    "classifier",
    "pre_logits", // ImageNet-21k: first layer of the classifier
    "projector",
    "projection_head",
    "predictor",
    "prediction_head",
    "prototypes",
];
/// Other names of parts, with timm's.
const RENAMED: [(&str, &str); 7] = [
    ("register_tokens", "reg_token"),
    ("storage_tokens", "reg_token"),
    ("embeddings.cls_token", "cls_token"),
    ("embeddings.position_embeddings", "pos_embed"),
    ("embeddings.register_tokens", "reg_token"),
    ("embeddings.patch_embeddings.projection", "patch_embed.proj"),
    ("layernorm", "norm"),
];
/// Other names of parts of a block, with timm's. Not `gamma_1`: only networks of `eva.py` have it, and they differ in what weights do not
/// show.
const RENAMED_IN_BLOCK: [(&str, &str); 6] = [
    ("layer_scale1.lambda1", "ls1.gamma"),
    ("layer_scale2.lambda1", "ls2.gamma"),
    ("attention.attention.query", "attn.q_proj"),
    ("attention.attention.key", "attn.k_proj"),
    ("attention.attention.value", "attn.v_proj"),
    ("attention.output.dense", "attn.proj"),
];

/// Prefix of `name`, if it may be the first tensor of a ViT.
pub(super) fn prefix_of_first_tensor(name: &str) -> Option<&str> {
    FIRST_TENSORS
        .iter()
        .find_map(|first| name.strip_suffix(first))
}

/// Whether the file has a first block under the prefix.
pub(super) fn has_first_block(prefix: &str, has: impl Fn(&str) -> bool) -> bool {
    FIRST_BLOCKS
        .iter()
        .any(|block| has(&format!("{prefix}{block}")))
}

/// Place of the tensor `name`, which has no prefix. Unlike heads, parts of unknown names are never left out.
pub(super) fn place(name: &str) -> Place<'_> {
    if let Some(rest) = name.strip_prefix("blocks.") {
        return Place::Trunk(block(rest, Cow::Borrowed(name)));
    }
    if let Some(rest) = name.strip_prefix("encoder.layer.") {
        return Place::Trunk(block(rest, Cow::Owned(format!("blocks.{rest}"))));
    }
    if let Some(renamed) = renamed(name, &RENAMED) {
        return Place::Trunk(Cow::Owned(renamed));
    }
    let part = name.split('.').next().unwrap_or(name);
    match part {
        _ if TRUNK.contains(&part) => Place::Trunk(Cow::Borrowed(name)),
        "head" => Place::Head(Cow::Borrowed(name)),
        _ if BESIDE.contains(&part) || part.starts_with("decoder") => Place::Elsewhere,
        _ if name == "embeddings.mask_token" => Place::Elsewhere,
        _ => Place::BeforeOutput,
    }
}

/// timm's name of a tensor of a block. DINOv2's files of a training have blocks in chunks, `CHUNK.BLOCK.PART`, where the numbers of the
/// blocks go on from chunk to chunk.
///
/// - `rest`: the name after `blocks.`.
/// - `name`: the whole name, if nothing in it has to change.
fn block<'a>(rest: &'a str, name: Cow<'a, str>) -> Cow<'a, str> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((first, after)) = rest.split_once('.') else {
        return name;
    };
    let in_chunk = after
        .split_once('.')
        .filter(|(second, _)| is_number(second));
    let (index, part) = in_chunk.unwrap_or((first, after));
    match (renamed(part, &RENAMED_IN_BLOCK), in_chunk) {
        (Some(part), _) => Cow::Owned(format!("blocks.{index}.{part}")),
        (None, Some(_)) => Cow::Owned(format!("blocks.{index}.{part}")),
        (None, None) => name,
    }
}

/// `name` with its beginning replaced, if a whole number of its segments is in `table`.
fn renamed(name: &str, table: &[(&str, &str)]) -> Option<String> {
    table.iter().find_map(|(from, to)| {
        let rest = name.strip_prefix(from)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| format!("{to}{rest}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_every_program_are_those_of_timm() {
        for (name, expected) in [
            ("blocks.3.attn.qkv.weight", "blocks.3.attn.qkv.weight"),
            ("blocks.1.17.ls1.gamma", "blocks.17.ls1.gamma"),
            ("storage_tokens", "reg_token"),
            ("embeddings.position_embeddings", "pos_embed"),
            (
                "encoder.layer.11.attention.output.dense.bias",
                "blocks.11.attn.proj.bias",
            ),
            ("encoder.layer.2.mlp.fc1.bias", "blocks.2.mlp.fc1.bias"),
            ("layernorm.weight", "norm.weight"),
        ] {
            assert_eq!(place(name), Place::Trunk(expected.into()), "{name}");
        }
    }

    #[test]
    fn only_heads_and_parts_for_training_are_left_out_and_unknown_parts_are_not() {
        for name in [
            "mask_token",
            "decoder_blocks.0.norm1.weight",
            "dino_head.mlp.0.weight",
            "embeddings.mask_token",
        ] {
            assert_eq!(place(name), Place::Elsewhere, "{name}");
        }
        assert_eq!(place("head.weight"), Place::Head("head.weight".into()));
        for name in [
            "dist_token",
            "norm_pre.weight",
            "attn_pool.latent",
            "cls_norm.weight",
            "patch_embed2.weight",
            "layernorm_before.weight",
            "embeddings.other",
        ] {
            assert_eq!(place(name), Place::BeforeOutput, "{name}");
        }
    }
}
