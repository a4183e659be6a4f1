"""Ray Data on the cores of this machine."""
from common import DataSet, by_key, rgb


def rows(data: DataSet, decoder: bool | None):
    import ray
    if not ray.is_initialized():
        ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False, object_store_memory=200 << 20)
        ray.data.DataContext.get_current().enable_progress_bars = False
    return ray.data.read_webdataset(data.shards(), decoder=decoder).iter_rows()


def members(data: DataSet):
    yield from by_key(rows(data, None))


def images(data: DataSet):
    import ray
    for sample in ray.data.read_webdataset(data.shards()).iter_rows():
        meta = sample["json"]
        found = {name: value for name, value in sample.items() if name.endswith((".jpg", ".zst"))}
        yield meta, {name: rgb(value, meta, name) if name.endswith("zst") else value for name, value in found.items()}
