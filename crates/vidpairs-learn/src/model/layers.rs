//! Layers: their weights, and their computations in training and evaluation.

use tch::{Device, Kind, Tensor};
use vidpairs_pipeline::NumberFormat;

use super::tensors::Builder;

/// Mode in which a batch passes through a network.
///
/// Convolutions and matrix products compute in `precision`; everything else, and all weights, are f32. With
/// [`NumberFormat::Bf16`] the same layers round as under PyTorch's autocast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Batch norm normalises each of `groups` equal parts of the batch by its own statistics, and updates its running
    /// statistics by their mean.
    Training {
        /// Parts of the batch; 1 for the batch as a whole.
        groups: i64,
        /// Number format of convolutions and matrix products.
        precision: NumberFormat,
    },
    /// Batch norm normalises by its running statistics.
    Evaluation {
        /// Number format of convolutions and matrix products.
        precision: NumberFormat,
    },
}

impl Pass {
    /// Converts an input of a layer to the number format of the pass.
    pub(super) fn cast(self, tensor: &Tensor) -> Tensor {
        self.converted(tensor, Kind::BFloat16)
    }

    /// Converts an output of a layer back to f32.
    pub(super) fn widened(self, tensor: &Tensor) -> Tensor {
        self.converted(tensor, Kind::Float)
    }

    /// Converts to `kind` unless the pass is in f32 throughout: tests then compute in f64.
    fn converted(self, tensor: &Tensor, kind: Kind) -> Tensor {
        let (Self::Training { precision, .. } | Self::Evaluation { precision }) = self;
        match precision {
            NumberFormat::F32 => tensor.shallow_clone(),
            NumberFormat::Bf16 => tensor.to_kind(kind),
        }
    }
}

/// Dilation of the convolutions of a layer whose strides are replaced by 1, so that its maps keep their size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dilation {
    /// Dilation of the convolutions that had a stride: that of the layer before.
    pub of_strided: i64,
    /// Dilation of the others, which see maps that would have been halved.
    pub of_others: i64,
}

/// f32 numbers in the widest vector register of a CPU.
const VECTOR_LEN: i64 = 16;

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

    /// Device of the weight.
    pub(super) fn device(&self) -> Device {
        self.weight.device()
    }

    /// - `dilation`: `None` for the stride of the layer.
    pub(super) fn forward(
        &self,
        images: &Tensor,
        pass: Pass,
        dilation: Option<Dilation>,
    ) -> Tensor {
        let (images, weight) = (pass.cast(images), pass.cast(&self.weight));
        let (stride, dilation) = match dilation {
            None => (self.stride, 1),
            Some(dilation) if self.stride > 1 => (1, dilation.of_strided),
            Some(dilation) => (1, dilation.of_others),
        };
        if self.is_narrow_point() && images.device() == Device::Cpu {
            return images
                .slice(2, None, None, stride)
                .slice(3, None, None, stride)
                .permute([0, 2, 3, 1])
                .matmul(&weight.flatten(1, 3).tr())
                .permute([0, 3, 1, 2]);
        }
        let padding = self.padding * dilation;
        images.conv2d(&weight, None::<Tensor>, stride, padding, dilation, 1)
    }

    /// Whether the kernel is 1 x 1 and a number of channels is no multiple of a vector register of the CPU.
    ///
    /// The oneDNN of libtorch 2.11 writes past the end of the gradient of such a weight
    /// (`jit_avx2_1x1_convolution_bwd_weights_t`, as Valgrind shows), which crashes the program now and then. A matrix
    /// product gives the same result.
    fn is_narrow_point(&self) -> bool {
        let [out, input, side] = [0, 1, 2].map(|dim| self.weight.size()[dim]);
        side == 1 && (out % VECTOR_LEN != 0 || input % VECTOR_LEN != 0)
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
            running_mean: builder.statistic(
                format!("{name}.running_mean"),
                Tensor::zeros([channels], float),
            ),
            running_var: builder.statistic(
                format!("{name}.running_var"),
                Tensor::ones([channels], float),
            ),
            num_batches_tracked: builder.statistic(
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
        // Each group has statistics of its own, as on a device of its own; the running ones become the mean over groups.
        let (mut means, mut vars) = (Vec::new(), Vec::new());
        let parts: Vec<Tensor> = (images.chunk(groups, 0).iter())
            .map(|part| {
                let mean = self.running_mean.copy();
                let var = self.running_var.copy();
                let normalised = self.normalise(part, &mean, &var, true);
                means.push(mean);
                vars.push(var);
                normalised
            })
            .collect();
        tch::no_grad(|| {
            for (running, of_groups) in [(&self.running_mean, means), (&self.running_var, vars)] {
                let mean = Tensor::stack(&of_groups, 0).mean_dim(0, false, None);
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

/// Fully connected layer: `x W^T + b`.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Weight and bias drawn uniformly within 1 / sqrt(inputs), PyTorch's default.
    pub(super) fn new(builder: &mut Builder, name: &str, [input, out]: [i64; 2]) -> Self {
        let bound = 1.0 / (input as f64).sqrt();
        Self {
            weight: builder.uniform(format!("{name}.weight"), &[out, input], bound),
            bias: Some(builder.uniform(format!("{name}.bias"), &[out], bound)),
        }
    }

    /// Layer with these weights, `out x inputs`, and this bias.
    pub(super) fn of(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    pub(super) fn forward(&self, features: &Tensor, pass: Pass) -> Tensor {
        let bias = self.bias.as_ref().map(|bias| pass.cast(bias));
        pass.cast(features).linear(&pass.cast(&self.weight), bias)
    }
}
