"""mosaicml-streaming on `vidpairs export --to mds`."""
from common import DataSet, rgb

EXPORT = "mds"


def members(data: DataSet):
    from itertools import accumulate
    from streaming import StreamingDataset
    pairs = StreamingDataset(local=data.export("mds"), batch_size=1, shuffle=False, validate_hash="xxh64")
    for shard in pairs.shards:
        for number in range(shard.samples):
            stored, count = shard.get_sample_data(number), len(shard.column_names)
            sizes = [int.from_bytes(stored[4 * n:4 * n + 4], "little") for n in range(count)]
            ends = list(accumulate(sizes, initial=4 * count))
            record = {name: stored[start:end] for name, start, end in zip(shard.column_names, ends, ends[1:])}
            yield record.pop("key").decode(), record


def images(data: DataSet):
    from streaming import StreamingDataset
    for sample in StreamingDataset(local=data.export("mds"), batch_size=1, shuffle=True):
        meta = sample["json"]
        found = {name: value for name, value in sample.items() if name.endswith((".jpg", ".zst"))}
        yield meta, {name: rgb(value, meta, name) if name.endswith("zst") else value.convert("RGB") for name, value in found.items()}
