"""Makes a batch of records, for `DataLoader(collate_fn=collate)`. Needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def collate(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch of N records, with their fields.

    - Images become a tensor: N x 3 x H x W of `torch.uint8` from Pillow and torchvision, or what a transform made of them.
    - Numbers that a transform added become a tensor of N values; a list of several views becomes a list of tensors.
    - Each field of the json becomes a list of N values: `torch.tensor(batch["meta"]["anchor"]["box_xywh"])` is N x 4. They are no tensors, because
      DataLoader keeps a file open for every tensor that a worker sends, and a record has dozens of numbers.
    - Keys and bytes become a list.

    Raises ValueError if the records have different fields, numbers of views, or sizes of images.
    """
    first = records[0]
    for record in records:
        if record.keys() != first.keys():
            raise ValueError(
                f"record {record.get('key')} has {sorted(record)}, record {first.get('key')} has {sorted(first)}; choose images with `roles`"
            )
    return {name: _batch(name, [record[name] for record in records]) for name in first}


def _batch(name: str, values: list[Any]) -> Any:
    import torch

    first = values[0]
    if isinstance(first, Mapping):
        return _columns(values)
    if isinstance(first, (str, bytes)) or first is None:
        return values
    if isinstance(first, (bool, int, float)):
        return torch.tensor(values)
    if isinstance(first, (list, tuple)):
        if len(lengths := {len(value) for value in values}) > 1:
            raise ValueError(f"{name} is a list of {' or '.join(map(str, sorted(lengths)))} values; expected as many in every record")
        return [_batch(name, list(column)) for column in zip(*values)]
    images = [_tensor(value) for value in values]
    sizes = {tuple(image.shape) for image in images}
    if len(sizes) > 1:
        raise ValueError(f"{name} has images of different sizes, such as {sorted(sizes)[:2]}; crop or resize them in `transform`")
    return torch.stack(images)


def _columns(values: list[Any]) -> Any:
    if isinstance(values[0], Mapping):
        return {name: _columns([value[name] for value in values]) for name in values[0]}
    return values


def _tensor(image: Any) -> Any:
    import torch

    if not hasattr(image, "getbands"):
        return torch.as_tensor(image)
    # An image of Pillow.
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return pixels.view(image.height, image.width, len(image.getbands())).permute(2, 0, 1)
