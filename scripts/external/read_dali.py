"""NVIDIA DALI on the CPU, by the .idx beside each shard. It decodes JPEG; rgb-zstd comes as bytes."""
from common import DataSet, as_dict, rgb, truth_names


def members(data: DataSet):
    from nvidia.dali import fn, pipeline_def
    import numpy as np
    names, shards = truth_names(data), data.shards()

    @pipeline_def(batch_size=1, num_threads=1, device_id=None)
    def pipeline():
        return tuple(fn.readers.webdataset(paths=shards, index_paths=[shard[:-3] + "idx" for shard in shards], ext=names, name="pairs"))

    reader = pipeline()
    reader.build()
    for _ in range(reader.reader_meta("pairs")["epoch_size"]):
        record = dict(zip(names, (np.array(output.at(0)).tobytes() for output in reader.run())))
        yield as_dict(record["json"])["key"], record


def images(data: DataSet):
    from nvidia.dali import fn, pipeline_def
    from nvidia.dali.plugin.base_iterator import LastBatchPolicy
    from nvidia.dali.plugin.pytorch import DALIGenericIterator
    names, shards = truth_names(data), data.shards()

    @pipeline_def(batch_size=1, num_threads=2, device_id=None)
    def pipeline():
        read = fn.readers.webdataset(paths=shards, index_paths=[shard[:-3] + "idx" for shard in shards], ext=names, name="pairs")
        return tuple(fn.decoders.image(member) if name.endswith("jpg") else member for name, member in zip(names, read))

    for (batch,) in DALIGenericIterator(pipeline(), names, reader_name="pairs", last_batch_policy=LastBatchPolicy.PARTIAL):
        meta = as_dict(batch.pop("json")[0].numpy().tobytes())
        found = {name: value[0] for name, value in batch.items()}
        yield meta, {name: rgb(value.numpy().tobytes(), meta, name) if name.endswith("zst") else value for name, value in found.items()}
