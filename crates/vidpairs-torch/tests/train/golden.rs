//! The networks and methods against PyTorch 2.11 and torchvision 0.26: `scripts/golden/train.py` made the figures.

use serde_json::Value;
use tch::{Device, Kind, Tensor};
use vidpairs_learn::model::{
    Depth, NamedTensors, Pass, Precision, ResNet, ResNetConfig, Stem, channels_last, unit_rows,
};
use vidpairs_learn::train::{
    DecayOf, HeadKind, Moco, MocoConfig, Pirl, PirlConfig, Sgd, SgdConfig, StepInputs,
};
use vidpairs_types::Seed;

use crate::formula::{fill, uniform};

const LR: f64 = 0.03;
/// Of steps in 64 bits: the order of sums is all that differs.
const TOLERANCE: f64 = 1e-7;

fn golden(name: &str) -> Value {
    let path = format!(
        "{}/../../tests/golden/train/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["content"].take()
}

fn images(count: i64, side: i64, stream: usize) -> Tensor {
    channels_last(&(uniform(&[count, 3, side, side], stream) * 1.5))
}

/// Steps are compared in 64 bits: in 32 they magnify the last bits so much that layouts in memory part after two.
fn widen(tensors: &NamedTensors) {
    for named in tensors.iter() {
        if named.tensor.kind() == Kind::Float {
            let wide = named.tensor.detach().to_kind(Kind::Double);
            named.tensor.shallow_clone().set_data(&wide);
        }
    }
}

/// Compares with what the script's `digest` stored, to `tolerance` of the tensor's mean absolute value.
fn assert_close(what: &str, tensor: &Tensor, golden: &Value, tolerance: f64) {
    let flat = tensor.detach().to_kind(Kind::Double).reshape([-1]);
    let len = flat.size()[0];
    let stored: Vec<f64> = serde_json::from_value(golden["values"].clone()).unwrap();
    let abs = golden["abs"].as_f64().unwrap();
    let scale = abs / len as f64;
    let worst = (stored.iter().enumerate())
        .map(|(i, &expected)| {
            let place = if len > 16 {
                i as i64 * (len - 1) / 15
            } else {
                i as i64
            };
            (flat.double_value(&[place]) - expected).abs() / scale
        })
        .fold(0.0, f64::max);
    assert!(
        worst <= tolerance,
        "{what}: a value is off by {worst} of the mean size"
    );
    let off = (flat.abs().sum(Kind::Double).double_value(&[]) - abs).abs() / abs;
    assert!(off <= tolerance, "{what}: the sum of sizes is off by {off}");
    let sum = golden["sum"].as_f64().unwrap();
    let off = (flat.sum(Kind::Double).double_value(&[]) - sum).abs() / abs;
    assert!(off <= tolerance, "{what}: the sum is off by {off}");
}

fn assert_near(what: &str, found: f64, golden: &Value, tolerance: f64) {
    let expected = golden.as_f64().unwrap();
    let off = (found - expected).abs() / expected.abs();
    assert!(off <= tolerance, "{what}: {found} for {expected}");
}

fn network(depth: Depth) -> ResNetConfig {
    ResNetConfig {
        depth,
        width: 64,
        stem: Stem::Large,
    }
}

const EVALUATION: Pass = Pass::Evaluation {
    precision: Precision::F32,
};
const TRAINING: Pass = Pass::Training {
    groups: 1,
    precision: Precision::F32,
};

#[test]
fn resnets_give_the_features_and_statistics_of_torchvision() {
    let golden = golden("features");
    for depth in [Depth::R18, Depth::R34, Depth::R50] {
        let net = ResNet::zeroed(&network(depth), Device::Cpu);
        fill(net.tensors());
        let name = &format!("resnet{}", depth.num_layers());
        let golden = &golden[name];
        let images = images(2, 64, 1000).to_kind(Kind::Float);
        tch::no_grad(|| {
            assert_close(
                name,
                &net.forward(&images, EVALUATION),
                &golden["evaluation"],
                1e-4,
            );
            // Two images a batch: variances of a few values, which magnify the last bits.
            assert_close(
                name,
                &net.forward(&images, TRAINING),
                &golden["training"],
                1e-3,
            );
        });
        for statistic in ["running_mean", "running_var"] {
            let tensor = net
                .tensors()
                .get(&format!("layer4.0.bn1.{statistic}"))
                .unwrap();
            assert_close(statistic, tensor, &golden[statistic], 1e-3);
        }
    }
}

#[test]
fn bfloat16_rounds_where_the_autocast_of_pytorch_rounds() {
    let net = ResNet::zeroed(&network(Depth::R18), Device::Cpu);
    fill(net.tensors());
    let pass = Pass::Evaluation {
        precision: Precision::Bf16,
    };
    let features = tch::no_grad(|| net.forward(&images(2, 64, 1000).to_kind(Kind::Float), pass));
    // A value has 8 bits; two dozen layers round one after the other.
    assert_close(
        "bf16",
        &features,
        &golden("features")["resnet18-bf16"]["evaluation"],
        0.05,
    );
}

fn moco_follows_the_reference(name: &str, head: HeadKind, temperature: f64, num_views: usize) {
    let config = MocoConfig {
        network: network(Depth::R18),
        head,
        embedding: 128,
        queue: 32,
        temperature,
        key_momentum: 0.9,
        groups: 1,
        is_shuffled: true,
        is_symmetric: false,
        region_weight: 0.5,
        precision: Precision::F32,
    };
    let mut moco = Moco::new(config, Seed::of_run(0), Device::Cpu);
    widen(moco.trained());
    widen(moco.key().tensors());
    fill(moco.trained());
    fill(moco.key().tensors());
    let keys = unit_rows(&uniform(&[32, 128], 5000));
    moco.queue().keys().shallow_clone().set_data(&keys);
    let mut sgd = Sgd::new(
        moco.trained(),
        SgdConfig {
            momentum: 0.9,
            weight_decay: 1e-4,
            decay_of: DecayOf::Everything,
        },
    );
    for (step, golden) in golden(name).as_array().unwrap().iter().enumerate() {
        let inputs = StepInputs {
            records: Tensor::arange(8, (Kind::Int64, Device::Cpu)),
            labels: Tensor::zeros([8], (Kind::Int64, Device::Cpu)),
            views: (0..num_views)
                .map(|view| images(8, 32, 100 * step + view))
                .collect(),
        };
        let what = |part: &str| format!("{name}, step {step}, {part}");
        moco.begin_step();
        let observed = moco.loss(&inputs, Seed::of_run(0));
        let gradient = sgd.gradient(&observed.loss);
        assert_near(
            &what("loss"),
            observed.loss.double_value(&[]),
            &golden["loss"],
            TOLERANCE,
        );
        assert_near(
            &what("norm"),
            gradient.norm(),
            &golden["gradient_norm"],
            TOLERANCE,
        );
        for (parameter, golden) in golden["gradient"].as_object().unwrap() {
            let mut parts = sgd.by_name(&gradient);
            let (_, part) = parts.find(|(name, _)| name == parameter).unwrap();
            assert_close(&what(parameter), part, golden, TOLERANCE);
        }
        sgd.step(&gradient, LR);
        moco.end_step();
        let query = |name: &str| moco.query().tensors().get(name).unwrap();
        let key = |name: &str| moco.key().tensors().get(name).unwrap();
        let conv = "backbone.layer3.0.conv1.weight";
        assert_close(&what("weight"), query(conv), &golden["weight"], TOLERANCE);
        assert_close(
            &what("head"),
            query("head.0.weight"),
            &golden["head"],
            TOLERANCE,
        );
        assert_close(&what("key"), key(conv), &golden["key"], TOLERANCE);
        let statistic = key("backbone.bn1.running_mean");
        assert_close(
            &what("statistic"),
            statistic,
            &golden["key_running_mean"],
            TOLERANCE,
        );
        assert_close(
            &what("queue"),
            moco.queue().keys(),
            &golden["queue"],
            TOLERANCE,
        );
    }
}

#[test]
fn moco_v1_takes_the_steps_of_the_reference() {
    moco_follows_the_reference("moco-v1", HeadKind::Linear, 0.07, 2);
}

#[test]
fn moco_v2_takes_the_steps_of_the_reference() {
    moco_follows_the_reference("moco-v2", HeadKind::Mlp, 0.2, 2);
}

#[test]
fn frames_and_regions_share_the_encoders_and_the_queue_as_in_the_reference() {
    moco_follows_the_reference("frames-and-regions", HeadKind::Mlp, 0.2, 4);
}

#[test]
fn pirl_takes_the_steps_of_the_reference() {
    let config = PirlConfig {
        network: network(Depth::R18),
        embedding: 128,
        temperature: 0.07,
        negatives: 24,
        bank_momentum: 0.5,
        groups: 1,
        precision: Precision::F32,
    };
    let mut pirl = Pirl::new(config, 24, Seed::of_run(0), Device::Cpu);
    widen(pirl.trained());
    fill(pirl.trained());
    let bank = unit_rows(&uniform(&[24, 128], 6000));
    pirl.bank().shallow_clone().set_data(&bank);
    let mut sgd = Sgd::new(
        pirl.trained(),
        SgdConfig {
            momentum: 0.9,
            weight_decay: 1e-4,
            decay_of: DecayOf::Matrices,
        },
    );
    let negatives = Tensor::arange(24, (Kind::Int64, Device::Cpu));
    for (step, golden) in golden("pirl").as_array().unwrap().iter().enumerate() {
        let records: Vec<i64> = (0..4).map(|i| (i * 5 + step as i64) % 24).collect();
        let inputs = StepInputs {
            records: Tensor::from_slice(&records),
            labels: Tensor::zeros([4], (Kind::Int64, Device::Cpu)),
            views: vec![images(4, 32, 100 * step), images(36, 16, 100 * step + 1)],
        };
        let observed = pirl.loss_against(&negatives, &inputs);
        let gradient = sgd.gradient(&observed.loss);
        let what = |part: &str| format!("step {step}, {part}");
        assert_near(
            &what("loss"),
            observed.loss.double_value(&[]),
            &golden["loss"],
            TOLERANCE,
        );
        sgd.step(&gradient, LR);
        pirl.end_step();
        let own = |name: &str| pirl.trained().get(name).unwrap();
        assert_close(&what("bank"), pirl.bank(), &golden["bank"], TOLERANCE);
        let weight = own("backbone.layer2.0.conv1.weight");
        assert_close(&what("weight"), weight, &golden["weight"], TOLERANCE);
        let jigsaw = own("head.jigsaw.0.weight");
        assert_close(&what("jigsaw"), jigsaw, &golden["jigsaw"], TOLERANCE);
        assert_close(
            &what("bn"),
            own("backbone.bn1.weight"),
            &golden["bn"],
            TOLERANCE,
        );
    }
}
