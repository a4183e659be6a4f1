//! Compares networks and methods with PyTorch 2.11 and torchvision 0.26. `scripts/golden/train.py` made the expected figures.

use serde_json::Value;
use tch::{Device, Kind, Tensor};
use vidpairs_learn::model::{
    Depth, NamedTensors, NumberFormat, Pass, ResNet, ResNetConfig, Stem, channels_last, unit_rows,
};
use vidpairs_learn::train::{
    DecayOf, HeadKind, Moco, MocoConfig, Pirl, PirlConfig, Sgd, SgdConfig, StepInputs,
};
use vidpairs_types::Seed;

use crate::formula::{fill, uniform};

const LR: f64 = 0.03;
/// Relative tolerance of steps in f64, which differ by the order of sums only.
const TOLERANCE: f64 = 1e-7;

fn golden(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/train");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["content"].take()
}

fn images(count: i64, side: i64, stream: usize) -> Tensor {
    channels_last(&(uniform(&[count, 3, side, side], stream) * 1.5))
}

/// Converts tensors to f64. In f32 steps magnify rounding so much that memory layouts differ visibly after two.
fn widen(tensors: &NamedTensors) {
    for named in tensors.iter() {
        if named.tensor.kind() == Kind::Float {
            let wide = named.tensor.detach().to_kind(Kind::Double);
            named.tensor.shallow_clone().set_data(&wide);
        }
    }
}

/// Asserts that `tensor` equals the `digest` of the script, within `tolerance` of its mean absolute value.
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
    precision: NumberFormat::F32,
};
const TRAINING: Pass = Pass::Training {
    groups: 1,
    precision: NumberFormat::F32,
};

#[test]
fn features_and_statistics_of_resnets_equal_those_of_torchvision() {
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
            // A batch of two images: variances of few values magnify rounding.
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
fn bfloat16_rounds_where_autocast_of_pytorch_does() {
    let net = ResNet::zeroed(&network(Depth::R18), Device::Cpu);
    fill(net.tensors());
    let pass = Pass::Evaluation {
        precision: NumberFormat::Bf16,
    };
    let features = tch::no_grad(|| net.forward(&images(2, 64, 1000).to_kind(Kind::Float), pass));
    // Values have 8 bits, and two dozen layers round one after the other.
    assert_close(
        "bf16",
        &features,
        &golden("features")["resnet18-bf16"]["evaluation"],
        0.05,
    );
}

fn assert_moco_equals_the_reference(
    name: &str,
    head: HeadKind,
    temperature: f64,
    num_views: usize,
) {
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
        precision: NumberFormat::F32,
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
fn steps_of_moco_v1_equal_the_reference() {
    assert_moco_equals_the_reference("moco-v1", HeadKind::Linear, 0.07, 2);
}

#[test]
fn steps_of_moco_v2_equal_the_reference() {
    assert_moco_equals_the_reference("moco-v2", HeadKind::Mlp, 0.2, 2);
}

#[test]
fn steps_of_moco_on_frames_and_regions_equal_the_reference() {
    assert_moco_equals_the_reference("frames-and-regions", HeadKind::Mlp, 0.2, 4);
}

#[test]
fn steps_of_pirl_equal_the_reference() {
    let config = PirlConfig {
        network: network(Depth::R18),
        embedding: 128,
        temperature: 0.07,
        negatives: 24,
        bank_momentum: 0.5,
        groups: 1,
        precision: NumberFormat::F32,
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
