"""Makes a batch of records, for `DataLoader(collate_fn=collate)`. Needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def collate(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A batch with the fields of its records.

    Images become a tensor: N x 3 x H x W of `torch.uint8` from Pillow and torchvision, or what a transform made of them. Numbers of the
    json become tensors of N values or N rows (`meta["anchor"]["box_xywh"]`: N x 4), texts and bytes lists of N.

    Raises ValueError if the records have different fields or images of different sizes.
    """
    first = records[0]
    for record in records:
        if record.keys() != first.keys():
            raise ValueError(
                f"record {record.get('key')} has {sorted(record)}, record {first.get('key')} has {sorted(first)}; choose members with `roles`"
            )
    return {name: _batch(name, [record[name] for record in records]) for name in first}


def _batch(name: str, values: list[Any]) -> Any:
    import torch

    first = values[0]
    if isinstance(first, (str, bytes)) or first is None:
        return values
    if isinstance(first, Mapping):
        return {key: _batch(f"{name}.{key}", [value[key] for value in values]) for key in first}
    if isinstance(first, (bool, int)):
        return torch.tensor(values)
    if isinstance(first, float):
        return torch.tensor(values, dtype=torch.float64)
    if isinstance(first, (list, tuple)):
        columns = [_batch(name, list(column)) for column in zip(*values)]
        # A row of numbers becomes a row of a tensor; several views of an image stay a list.
        is_row = bool(first) and isinstance(first[0], (bool, int, float))
        return torch.stack(columns, dim=1) if is_row else columns
    images = [_tensor(value) for value in values]
    sizes = {tuple(image.shape) for image in images}
    if len(sizes) > 1:
        raise ValueError(f"{name} has images of different sizes, such as {sorted(sizes)[:2]}; crop or resize them in `transform`")
    return torch.stack(images)


def _tensor(image: Any) -> Any:
    import torch

    if not hasattr(image, "getbands"):
        return torch.as_tensor(image)
    # An image of Pillow.
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return pixels.view(image.height, image.width, len(image.getbands())).permute(2, 0, 1)
