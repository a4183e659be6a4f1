"""webdataset, one process."""
from common import DataSet, by_key, rgb


def members(data: DataSet):
    import webdataset as wds
    yield from by_key(wds.WebDataset(data.shards(), shardshuffle=False, empty_check=False))


def images(data: DataSet):
    import webdataset as wds
    for sample in wds.WebDataset(data.shards(), shardshuffle=False).decode("pilrgb"):
        meta = sample["json"]
        found = {name: value for name, value in sample.items() if name.endswith((".jpg", ".zst"))}
        yield meta, {name: rgb(value, meta, name) if name.endswith("zst") else value for name, value in found.items()}
