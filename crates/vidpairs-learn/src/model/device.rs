//! Selects libtorch's device, and sets its threads and memory allocator.

use tch::{Cuda, Device};

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The name is not that of a device. Correct it.
    #[error("device is {name:?}; expected \"cpu\", \"cuda\" or \"cuda:N\"")]
    Unknown {
        /// Given name.
        name: String,
    },
    /// This libtorch computes on CPUs only. Use another device or another libtorch.
    #[error(
        "device is {name:?}, but the libtorch of this program sees no CUDA device; use \"cpu\", or build against a \
         libtorch or a PyTorch with CUDA (README: \"Training on a GPU\")"
    )]
    NoCuda {
        /// Given name.
        name: String,
    },
    /// The machine has fewer GPUs. Choose a lower number.
    #[error("device is {name:?}, but libtorch sees {num_devices} CUDA devices, numbered from 0")]
    NoSuchGpu {
        /// Given name.
        name: String,
        /// GPUs that libtorch sees.
        num_devices: usize,
    },
}

/// Device called `name`: `cpu`, `cuda` (the first GPU) or `cuda:N`.
///
/// # Errors
/// [`DeviceError`] for any other name, and for a GPU that libtorch does not see.
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
    match usize::try_from(Cuda::device_count()).expect("a count is not negative") {
        0 => Err(DeviceError::NoCuda { name }),
        num_devices if index >= num_devices => Err(DeviceError::NoSuchGpu { name, num_devices }),
        _ => Ok(Device::Cuda(index)),
    }
}

/// Device called `name`; without a name the first GPU that libtorch sees, else the CPU.
///
/// # Errors
/// As [`device`].
pub fn device_or_best(name: Option<&str>) -> Result<Device, DeviceError> {
    name.map_or_else(|| Ok(Device::cuda_if_available()), device)
}

/// Devices that libtorch can use on this machine: `cpu`, or `cuda: N devices`.
///
/// A libtorch built without CUDA gives `cpu` also on a machine with GPUs.
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

/// Sets up libtorch for computing on `device`: on the CPU it uses `workers` threads and keeps memory that it frees.
pub fn use_cores(device: Device, workers: usize) {
    if device == Device::Cpu {
        tch::set_num_threads(workers.clamp(1, i32::MAX as usize) as i32);
        keep_freed_memory();
    }
}

/// Makes the allocator keep freed memory for the rest of the program. Does nothing without glibc.
///
/// A training step frees gigabytes in large blocks, and the next step allocates the same again. glibc returns such blocks
/// to the system at once, which clears every page that it hands out anew: a tenth of the time of a step. The price is that
/// the program holds on to its peak.
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: `mallopt` sets a number of the allocator under its own lock; a value that it refuses changes nothing.
        unsafe {
            libc::mallopt(libc::M_MMAP_MAX, 0);
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_devices_are_those_that_libtorch_reports() {
        assert_eq!(libtorch_devices() == "cpu", !Cuda::is_available());
        assert_eq!(
            libtorch_devices().starts_with("cuda: "),
            Device::cuda_if_available().is_cuda()
        );
    }

    #[test]
    fn a_missing_gpu_and_an_unknown_name_are_refused() {
        let err = device("cuda:99").unwrap_err().to_string();
        assert!(err.contains("cuda:99") && err.contains("CUDA"), "{err}");
        for name in ["", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            assert!(matches!(device(name), Err(DeviceError::Unknown { .. })));
        }
    }
}
