//! Layers: their weights, and what they compute in training and in evaluation.

use tch::{Device, Kind, Tensor};

use super::tensors::Builder;

/// In which numbers convolutions and matrix products compute; all else is f32, and so are the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// bfloat16: what PyTorch's autocast does on the same layers.
    Bf16,
}

impl Precision {
    fn cast(self, tensor: &Tensor) -> Tensor {
        match self {
            Self::F32 => tensor.shallow_clone(),
            Self::Bf16 => tensor.to_kind(Kind::BFloat16),
        }
    }

    /// Back from what layers computed in.
    pub(super) fn widened(self, tensor: &Tensor) -> Tensor {
        match self {
            Self::F32 => tensor.shallow_clone(),
            Self::Bf16 => tensor.to_kind(Kind::Float),
        }
    }
}

/// How a batch goes through a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Batch norm uses the batch's own statistics, of each of `groups` equal parts apart, and keeps their mean.
    Training {
        /// Parts of the batch; 1 for the batch as a whole.
        groups: i64,
        /// The numbers.
        precision: Precision,
    },
    /// Batch norm uses the statistics that it kept.
    Evaluation {
        /// The numbers.
        precision: Precision,
    },
}

impl Pass {
    /// The numbers.
    pub fn precision(self) -> Precision {
        match self {
            Self::Training { precision, .. } | Self::Evaluation { precision } => precision,
        }
    }
}

/// Numbers of the widest vectors of a CPU, f32.
const NARROW: i64 = 16;

/// A convolution without bias.
#[derive(Debug)]
pub(super) struct Conv {
    weight: Tensor,
    stride: i64,
    padding: i64,
}

impl Conv {
    pub(super) fn new(
        builder: &mut Builder,
        name: &str,
        [input, out]: [i64; 2],
        side: i64,
        stride: i64,
    ) -> Self {
        Self {
            weight: builder.conv(format!("{name}.weight"), out, input, side),
            stride,
            padding: side / 2,
        }
    }

    /// Where its weight is.
    pub(super) fn device(&self) -> Device {
        self.weight.device()
    }

    pub(super) fn forward(&self, images: &Tensor, pass: Pass) -> Tensor {
        let precision = pass.precision();
        let (images, weight) = (precision.cast(images), precision.cast(&self.weight));
        if self.is_narrow_point() && images.device() == Device::Cpu {
            let places = images.slice(2, None, None, self.stride);
            let places = places.slice(3, None, None, self.stride);
            let mixed = places
                .permute([0, 2, 3, 1])
                .matmul(&weight.flatten(1, 3).tr());
            return mixed.permute([0, 3, 1, 2]);
        }
        images.conv2d(&weight, None::<Tensor>, self.stride, self.padding, 1, 1)
    }

    /// Whether it mixes the channels of single pixels, and these don't fill the vectors of the CPU: the oneDNN of libtorch
    /// 2.11 writes past the end of the gradient of such a weight (`jit_avx2_1x1_convolution_bwd_weights_t`, as Valgrind
    /// shows), which ends the program now and then. A matrix product gives the same.
    fn is_narrow_point(&self) -> bool {
        let [out, input, side] = [0, 1, 2].map(|dim| self.weight.size()[dim]);
        side == 1 && (out % NARROW != 0 || input % NARROW != 0)
    }
}

/// Batch normalisation over N, H and W.
///
/// # Source
/// Ioffe and Szegedy 2015; momentum 0.1 and epsilon 1e-5, PyTorch's defaults.
#[derive(Debug)]
pub(super) struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    num_batches_tracked: Tensor,
}

const BATCH_NORM_MOMENTUM: f64 = 0.1;
const BATCH_NORM_EPSILON: f64 = 1e-5;

impl BatchNorm {
    pub(super) fn new(builder: &mut Builder, name: &str, channels: i64) -> Self {
        let float = (Kind::Float, Device::Cpu);
        Self {
            weight: builder.filled(format!("{name}.weight"), channels, 1.0),
            bias: builder.filled(format!("{name}.bias"), channels, 0.0),
            running_mean: builder.kept(
                format!("{name}.running_mean"),
                Tensor::zeros([channels], float),
            ),
            running_var: builder.kept(
                format!("{name}.running_var"),
                Tensor::ones([channels], float),
            ),
            num_batches_tracked: builder.kept(
                format!("{name}.num_batches_tracked"),
                Tensor::zeros([0i64; 0], (Kind::Int64, Device::Cpu)),
            ),
        }
    }

    pub(super) fn forward(&self, images: &Tensor, pass: Pass) -> Tensor {
        let Pass::Training { groups, .. } = pass else {
            return self.normalise(images, &self.running_mean, &self.running_var, false);
        };
        let _ = self.num_batches_tracked.shallow_clone().g_add_scalar_(1);
        if groups == 1 {
            return self.normalise(images, &self.running_mean, &self.running_var, true);
        }
        // Statistics of every group apart, as on as many devices; what is kept is the mean of theirs.
        let mut kept = [Vec::new(), Vec::new()];
        let parts: Vec<Tensor> = (images.chunk(groups, 0).iter())
            .map(|part| {
                let mean = self.running_mean.copy();
                let var = self.running_var.copy();
                let normalised = self.normalise(part, &mean, &var, true);
                kept[0].push(mean);
                kept[1].push(var);
                normalised
            })
            .collect();
        tch::no_grad(|| {
            for (running, kept) in [&self.running_mean, &self.running_var].iter().zip(&kept) {
                let mean = Tensor::stack(kept, 0).mean_dim(0, false, None);
                running.shallow_clone().copy_(&mean);
            }
        });
        Tensor::cat(&parts, 0)
    }

    fn normalise(&self, images: &Tensor, mean: &Tensor, var: &Tensor, training: bool) -> Tensor {
        images.batch_norm(
            Some(&self.weight),
            Some(&self.bias),
            Some(mean),
            Some(var),
            training,
            BATCH_NORM_MOMENTUM,
            BATCH_NORM_EPSILON,
            true,
        )
    }
}

/// `x W^T + b`.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// Both uniform within 1 / sqrt(inputs), PyTorch's default.
    pub(super) fn new(builder: &mut Builder, name: &str, [input, out]: [i64; 2]) -> Self {
        let bound = 1.0 / (input as f64).sqrt();
        Self {
            weight: builder.uniform(format!("{name}.weight"), &[out, input], bound),
            bias: builder.uniform(format!("{name}.bias"), &[out], bound),
        }
    }

    pub(super) fn forward(&self, features: &Tensor, pass: Pass) -> Tensor {
        let precision = pass.precision();
        precision.cast(features).linear(
            &precision.cast(&self.weight),
            Some(&precision.cast(&self.bias)),
        )
    }
}
