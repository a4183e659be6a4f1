//! Weights by a formula instead of a file; scripts/golden/train.py uses the same.

use tch::Tensor;
use vidpairs_learn::model::NamedTensors;

/// Numbers between -1 and 1 that depend on their place and `stream` only, as in the script.
pub fn uniform(shape: &[i64], stream: usize) -> Tensor {
    let count: i64 = shape.iter().product();
    let values: Vec<f64> = (0..count)
        .map(|place| {
            let wave = (place as f64 * 12.9898 + stream as f64 * 78.233).sin() * 4375.85453;
            2.0 * (wave - wave.floor()) - 1.0
        })
        .collect();
    Tensor::from_slice(&values).view(shape)
}

/// Fills parameters and statistics by the formula, scaled as their layer needs it.
pub fn fill(tensors: &NamedTensors) {
    for (stream, named) in tensors.iter().enumerate() {
        let (name, shape) = (&named.name, named.tensor.size());
        if name.ends_with("num_batches_tracked") {
            continue;
        }
        let values = uniform(&shape, stream);
        let values = match shape.len() {
            4 => {
                let fan_out = (shape[0] * shape[2] * shape[3]) as f64;
                values * (3f64.sqrt() * (2.0 / fan_out).sqrt())
            }
            2 => values / (shape[1] as f64).sqrt(),
            _ if name.ends_with("running_var") || name.ends_with("weight") => values * 0.1 + 1.0,
            _ => values * 0.1,
        };
        tch::no_grad(|| named.tensor.shallow_clone().copy_(&values));
    }
}
