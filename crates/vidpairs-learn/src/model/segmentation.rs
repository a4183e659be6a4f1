//! Head of semantic segmentation: a class for each pixel.

use tch::{Device, Kind, Tensor};
use vidpairs_types::{Seed, SizePx};

use super::layers::{Linear, Pass};
use super::tensors::{Builder, NamedTensors};

/// Class of a pixel that does not count.
pub const UNLABELLED: u8 = 255;

/// Least weight of a batch in the running statistics.
const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;
/// Values of logits that are upsampled at a time.
const MAX_LOGITS: usize = 1 << 26;

/// Batch norm without weights, then a 1 x 1 convolution: a linear classifier of each place of a map.
///
/// # Source
/// The linear head of Oquab et al., "DINOv2", 2023. Its batch norm makes the learning rate independent of the scale of the features. The first
/// ten batches have equal weights in the running statistics, so that short trainings are not tested with what the statistics began with.
#[derive(Debug)]
pub struct SegmentationHead {
    mean: Tensor,
    var: Tensor,
    num_batches: Tensor,
    classifier: Linear,
    tensors: NamedTensors,
}

impl SegmentationHead {
    /// Head with weights drawn from `seed` as PyTorch's default.
    pub fn new(num_features: i64, num_classes: i64, seed: Seed, device: Device) -> Self {
        let mut builder = Builder::new(Some(seed), device);
        let float = (Kind::Float, Device::Cpu);
        let mut statistic = |name: &str, tensor| builder.statistic(format!("norm.{name}"), tensor);
        let mean = statistic("running_mean", Tensor::zeros([num_features], float));
        let var = statistic("running_var", Tensor::ones([num_features], float));
        let num_batches = Tensor::zeros([0i64; 0], (Kind::Int64, Device::Cpu));
        let num_batches = statistic("num_batches_tracked", num_batches);
        let classifier = Linear::new(&mut builder, "classifier", [num_features, num_classes]);
        Self {
            mean,
            var,
            num_batches,
            classifier,
            tensors: builder.build(),
        }
    }

    /// Weights, and statistics of batch norm.
    pub fn tensors(&self) -> &NamedTensors {
        &self.tensors
    }

    /// Maps feature maps, `N x D x h x w`, f32, to logits, `N x K x h x w`, f32.
    pub fn forward(&self, maps: &Tensor, pass: Pass) -> Tensor {
        let is_training = matches!(pass, Pass::Training { .. });
        let mut momentum = MOMENTUM;
        if is_training {
            let counted = self.num_batches.shallow_clone().g_add_scalar_(1);
            momentum = momentum.max(1.0 / counted.double_value(&[]));
        }
        let (mean, var) = (Some(&self.mean), Some(&self.var));
        let none = None::<&Tensor>;
        let maps = maps.batch_norm(none, none, mean, var, is_training, momentum, EPSILON, true);
        // A matrix product: libtorch's 1 x 1 convolution is unsound for some numbers of channels (`Conv::is_narrow_point`).
        let logits = self.classifier.forward(&maps.permute([0, 2, 3, 1]), pass);
        pass.widened(&logits.permute([0, 3, 1, 2]))
    }

    /// Mean cross-entropy over the pixels that are labelled, nats. The logits are upsampled to the size of the labels; 0 without such a pixel.
    ///
    /// - `logits`: `N x K x h x w`; `labels`: `N x H x W` of classes or [`UNLABELLED`], `u8`, where `H` is a multiple of `h`.
    pub fn loss(logits: &Tensor, labels: &Tensor) -> Tensor {
        let size = labels.size();
        let logits = logits.upsample_bilinear2d(&size[1..], false, None, None);
        let num_labelled = labels.not_equal(i64::from(UNLABELLED)).sum(Kind::Float);
        let sum = logits.cross_entropy_loss(
            &labels.to_kind(Kind::Int64),
            None::<Tensor>,
            tch::Reduction::Sum,
            i64::from(UNLABELLED),
            0.0,
        );
        sum / num_labelled.clamp_min(1.0)
    }
}

/// The class of the greatest logit of each pixel of a label image, row by row; of equal logits, any.
///
/// The logits are interpolated bilinearly at the centre of each pixel, as PyTorch's `interpolate(mode="bilinear", align_corners=False)`.
///
/// - `logits`: `K x h x w`; a place stands for `stride` px of the input along a side.
/// - `input`: size of the input without padding. `labels`: size of the label image, which shows the same.
pub fn classes_of_pixels(logits: &Tensor, stride: i64, input: SizePx, labels: SizePx) -> Vec<u8> {
    let (num_classes, device) = (logits.size()[0], logits.device());
    // Lower place, upper place, and weight of the upper place of each pixel.
    let neighbours = |num_places: i64, input_px: u32, labels_px: u32| {
        let step = f64::from(input_px) / f64::from(labels_px) / stride as f64;
        let last = num_places - 1;
        let (mut lower, mut upper, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for px in 0..labels_px {
            let place = ((f64::from(px) + 0.5) * step - 0.5).max(0.0);
            let below = (place as i64).min(last);
            lower.push(below);
            upper.push((below + 1).min(last));
            weights.push((place - below as f64).min(1.0) as f32);
        }
        (
            Tensor::from_slice(&lower).to_device(device),
            Tensor::from_slice(&upper).to_device(device),
            Tensor::from_slice(&weights).to_device(device),
        )
    };
    let between = |maps: &Tensor, dim: i64, (lower, upper, weights): &(Tensor, Tensor, Tensor)| {
        let (lower, upper) = (maps.index_select(dim, lower), maps.index_select(dim, upper));
        let shape = if dim == 1 { [1, -1, 1] } else { [1, 1, -1] };
        lower.lerp_tensor(&upper, &weights.view(shape))
    };
    let columns = neighbours(logits.size()[2], input.width, labels.width);
    let wide = between(logits, 2, &columns);
    let (lower, upper, weights) = neighbours(logits.size()[1], input.height, labels.height);
    let row_len = num_classes as usize * labels.width as usize;
    let band = (MAX_LOGITS / row_len.max(1)).max(1) as i64;
    let height = i64::from(labels.height);
    let mut classes = Vec::with_capacity(labels.area() as usize);
    for start in (0..height).step_by(band as usize) {
        let len = band.min(height - start);
        let part = |all: &Tensor| all.narrow(0, start, len);
        let rows = (part(&lower), part(&upper), part(&weights));
        let found = between(&wide, 1, &rows).argmax(0, false);
        let found = found
            .to_kind(Kind::Uint8)
            .to_device(Device::Cpu)
            .contiguous();
        let num_before = classes.len();
        classes.resize(num_before + found.numel(), 0);
        found.copy_data_u8(&mut classes[num_before..], found.numel());
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::super::NumberFormat;
    use super::*;

    fn waves(shape: &[i64]) -> Tensor {
        let num: i64 = shape.iter().product();
        (Tensor::arange(num, (Kind::Float, Device::Cpu)) * 12.9898)
            .sin()
            .view(shape)
    }

    fn size(width: u32, height: u32) -> SizePx {
        SizePx { width, height }
    }

    #[test]
    fn classes_are_those_of_logits_that_libtorch_upsamples_and_crops() {
        let logits = waves(&[5, 6, 9]);
        let by_libtorch = |height: i64, width: i64| {
            let upsampled = logits
                .unsqueeze(0)
                .upsample_bilinear2d([48, 72], false, None, None);
            upsampled.narrow(2, 0, height).narrow(3, 0, width)
        };
        for (width, height) in [(72u32, 48u32), (67, 43), (65, 41)] {
            let input = size(width, height);
            let expected = by_libtorch(height.into(), width.into());
            let found = classes_of_pixels(&logits, 8, input, input);
            let expected = Vec::<i64>::try_from(expected.argmax(1, false).flatten(0, -1)).unwrap();
            let same = found
                .iter()
                .zip(&expected)
                .filter(|(a, b)| i64::from(**a) == **b);
            // Two logits may be equal up to rounding.
            assert!(same.count() + 2 >= expected.len(), "{width} x {height}");
        }
        // Another size than the input's: whole maps are upsampled straight to it.
        let whole = logits
            .unsqueeze(0)
            .upsample_bilinear2d([31, 100], false, None, None);
        let expected = Vec::<i64>::try_from(whole.argmax(1, false).flatten(0, -1)).unwrap();
        let found = classes_of_pixels(&logits, 8, size(72, 48), size(100, 31));
        let same = found
            .iter()
            .zip(&expected)
            .filter(|(a, b)| i64::from(**a) == **b);
        assert!(same.count() + 2 >= expected.len());
    }

    #[test]
    fn the_loss_is_the_mean_over_labelled_pixels_of_the_batch() {
        let logits = waves(&[2, 3, 2, 2]).set_requires_grad(true);
        let mut labels = vec![UNLABELLED; 2 * 4 * 4];
        (labels[0], labels[5], labels[31]) = (2, 0, 1);
        let labels = Tensor::from_slice(&labels).view([2, 4, 4]);
        let upsampled = logits.upsample_bilinear2d([4, 4], false, None, None);
        let expected = upsampled.cross_entropy_loss(
            &labels.to_kind(Kind::Int64),
            None::<Tensor>,
            tch::Reduction::Mean,
            255,
            0.0,
        );
        let found = SegmentationHead::loss(&logits, &labels);
        let difference = (found - expected).abs().double_value(&[]);
        assert!(difference < 1e-6, "{difference}");
        let none = SegmentationHead::loss(&logits, &labels.full_like(255));
        assert_eq!(none.double_value(&[]), 0.0);
    }

    #[test]
    fn the_head_does_not_depend_on_the_scale_of_the_features_even_after_few_steps() {
        let (precision, groups) = (NumberFormat::F32, 1);
        let passes = [
            Pass::Training { groups, precision },
            Pass::Training { groups, precision },
            Pass::Evaluation { precision },
        ];
        let maps = waves(&[2, 7, 4, 5]);
        let passed = |scale: f64, offset: f64| {
            let head = SegmentationHead::new(7, 3, Seed::of_run(1), Device::Cpu);
            passes.map(|pass| head.forward(&(&maps * scale + offset), pass))
        };
        for (own, scaled) in passed(1.0, 0.0).iter().zip(passed(0.1, 5.0)) {
            let difference = (own - scaled).abs().max().double_value(&[]);
            assert!(difference < 1e-2, "{difference}");
        }
    }
}
