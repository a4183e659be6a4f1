"""Hugging Face datasets: the folder itself, by the card README.md in it; map-style and streaming."""
from common import DataSet, by_key, rgb


def members(data: DataSet):
    import datasets
    for streaming in (False, True):
        pairs = datasets.load_dataset(str(data.folder), split="train", streaming=streaming)
        for name, feature in pairs.features.items():
            if isinstance(feature, datasets.Image):
                pairs = pairs.cast_column(name, datasets.Image(decode=False))
        for key, record in by_key(iter(pairs)):
            yield key, {name: value["bytes"] if name.endswith("jpg") else value for name, value in record.items()}


def images(data: DataSet):
    from datasets import load_dataset
    for sample in load_dataset(str(data.folder), split="train", streaming=True):
        meta = sample["json"]
        found = {name: value for name, value in sample.items() if name.endswith((".jpg", ".zst"))}
        yield meta, {name: rgb(value, meta, name) if name.endswith("zst") else value.convert("RGB") for name, value in found.items()}
