//! Reads files of `torch.save`: a zip since PyTorch 1.6, before a stream of pickles and storages.
//!
//! **Takes** the bytes of a file. **Gives** the tensors of its state dict. **Fails** with `WeightsError`.
//! **Source**: PyTorch's `torch/serialization.py` and `caffe2/serialize/inline_container.h`.

mod gather;
mod state;
mod stream;
mod zip;

pub(super) use stream::parse as parse_stream;
pub(super) use zip::parse as parse_zip;
