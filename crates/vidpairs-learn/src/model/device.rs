//! Where libtorch computes.

use tch::{Cuda, Device};

use super::heap::keep_freed_memory;

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Not a name of a device. Write it otherwise.
    #[error("device is {name:?}; expected \"cpu\", \"cuda\" or \"cuda:N\"")]
    Unknown {
        /// As it was given.
        name: String,
    },
    /// This libtorch computes on CPUs alone. Use another device or another libtorch.
    #[error(
        "device is {name:?}, but the libtorch of this program sees no CUDA device; use \"cpu\", or build against a \
         libtorch or a PyTorch with CUDA (README: \"Training on a GPU\")"
    )]
    NoCuda {
        /// As it was given.
        name: String,
    },
    /// There are fewer GPUs.
    #[error("device is {name:?}, but libtorch sees {num_devices} CUDA devices, from cuda:0 on")]
    NoSuchGpu {
        /// As it was given.
        name: String,
        /// Those that are there.
        num_devices: usize,
    },
}

/// The device called `name`: `cpu`, `cuda` (the first one) or `cuda:N`.
///
/// # Errors
/// [`DeviceError`]: another name, or a GPU that libtorch does not see.
///
/// # Examples
/// ```
/// assert!(vidpairs_learn::model::device("cpu").is_ok());
/// let error = vidpairs_learn::model::device("gpu").unwrap_err();
/// assert_eq!(error.to_string(), r#"device is "gpu"; expected "cpu", "cuda" or "cuda:N""#);
/// ```
pub fn device(name: &str) -> Result<Device, DeviceError> {
    let index = match name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => Some(0),
        _ => name
            .strip_prefix("cuda:")
            .and_then(|index| index.parse::<usize>().ok()),
    };
    let name = name.to_owned();
    let Some(index) = index else {
        return Err(DeviceError::Unknown { name });
    };
    match usize::try_from(Cuda::device_count()).unwrap_or(0) {
        0 => Err(DeviceError::NoCuda { name }),
        num_devices if index >= num_devices => Err(DeviceError::NoSuchGpu { name, num_devices }),
        _ => Ok(Device::Cuda(index)),
    }
}

/// The device called `name`; without a name the first GPU where libtorch sees one, else the CPU.
///
/// # Errors
/// As [`device`].
pub fn device_or_best(name: Option<&str>) -> Result<Device, DeviceError> {
    name.map_or_else(|| Ok(Device::cuda_if_available()), device)
}

/// What libtorch can compute on here: `cpu`, or `cuda: N devices` where it sees GPUs.
///
/// `cpu` is also the answer of a libtorch built without CUDA on a machine that has GPUs.
///
/// # Examples
/// ```
/// println!("libtorch on {}", vidpairs_learn::model::libtorch_devices());
/// ```
pub fn libtorch_devices() -> String {
    match Cuda::device_count() {
        ..=0 => "cpu".to_owned(),
        1 => "cuda: 1 device".to_owned(),
        num_devices => format!("cuda: {num_devices} devices"),
    }
}

/// Has libtorch compute with `workers` threads where `device` is the CPU, and keep the memory that it frees.
pub fn use_cores(device: Device, workers: usize) {
    if device == Device::Cpu {
        tch::set_num_threads(i32::try_from(workers.max(1)).unwrap_or(1));
        keep_freed_memory();
    }
}

#[cfg(test)]
mod tests {
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
    fn a_gpu_that_is_not_there_is_refused_in_words() {
        let err = device("cuda:99").unwrap_err().to_string();
        assert!(err.contains("cuda:99") && err.contains("CUDA"), "{err}");
        for name in ["", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            assert!(matches!(device(name), Err(DeviceError::Unknown { .. })));
        }
    }
}
