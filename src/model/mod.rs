//! libtorch, for the encoders: today only what it can compute on here; and weights in files, without it.

pub mod weights;

use tch::Cuda;

/// What libtorch can compute on here: `cpu`, or `cuda: N devices` where it sees GPUs.
///
/// `cpu` is also the answer of a libtorch built without CUDA on a machine that has GPUs.
///
/// # Examples
/// ```
/// println!("libtorch on {}", vidpairs::model::libtorch_devices());
/// ```
pub fn libtorch_devices() -> String {
    match Cuda::device_count() {
        ..=0 => "cpu".to_owned(),
        1 => "cuda: 1 device".to_owned(),
        num_devices => format!("cuda: {num_devices} devices"),
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn the_named_devices_are_those_that_libtorch_says_are_available() {
        assert_eq!(libtorch_devices() == "cpu", !Cuda::is_available());
        assert_eq!(
            libtorch_devices().starts_with("cuda: "),
            Device::cuda_if_available().is_cuda()
        );
    }

    #[test]
    fn libtorch_computes_a_product_on_the_cpu() {
        let two_by_two = Tensor::arange(4, (Kind::Float, Device::Cpu)).view([2, 2]);
        let product: Vec<f32> = two_by_two.matmul(&two_by_two).view(-1).try_into().unwrap();
        assert_eq!(product, [2.0, 3.0, 6.0, 11.0]);
    }
}
