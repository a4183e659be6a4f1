"""Megatron Energon on `vidpairs export --to energon`."""
from common import DataSet, by_key, rgb

EXPORT = "energon"


def members(data: DataSet):
    from megatron.energon import Cooker, DefaultTaskEncoder, WorkerConfig, get_loader, get_val_dataset, stateless

    @stateless
    def cook(sample):
        return sample

    class Pairs(DefaultTaskEncoder):
        cookers = [Cooker(cook)]
        decoder = None

    here = WorkerConfig(rank=0, world_size=1, num_workers=0)
    pairs = get_val_dataset(data.export("energon"), split_part="train", batch_size=None, worker_config=here, task_encoder=Pairs())
    yield from by_key(get_loader(pairs))


def images(data: DataSet):
    from megatron.energon import Cooker, DefaultTaskEncoder, SampleDecoder, WorkerConfig, get_loader, get_val_dataset, stateless

    @stateless
    def cook(sample):
        return sample

    class Pairs(DefaultTaskEncoder):
        cookers = [Cooker(cook)]
        decoder = SampleDecoder(image_decode="pilrgb")

    here = WorkerConfig(rank=0, world_size=1, num_workers=0)
    pairs = get_val_dataset(data.export("energon"), split_part="train", batch_size=None, worker_config=here, task_encoder=Pairs())
    for sample in get_loader(pairs):
        meta = sample["json"]
        found = {name: value for name, value in sample.items() if name.endswith((".jpg", ".zst"))}
        yield meta, {name: rgb(value, meta, name) if name.endswith("zst") else value for name, value in found.items()}
