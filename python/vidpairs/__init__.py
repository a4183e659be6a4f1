"""Reads data sets of vidpairs in Python: any record by its number, for PyTorch's DataLoader or without PyTorch.

- PairDataset: map-style data set over the shards that `vidpairs extract` writes.
- ClipBatchSampler: batches without two records of one clip, for one process or many.
- collate: records to a batch of tensors.

Needs Python's standard library only. Images are decoded by Pillow, torchvision or a function of your own. Tracklets and merged data sets
need a zstd module (`pip install zstandard`; Python 3.14 has one) or the program `zstd`; decoding the codec rgb-zstd needs the module.
docs/SHARDS.md in the repository specifies the format.
"""

from .collate import collate
from .dataset import PairDataset
from .decode import unpack_rgb
from .errors import DatasetError
from .sampler import ClipBatchSampler

__all__ = ["ClipBatchSampler", "DatasetError", "PairDataset", "collate", "unpack_rgb"]
