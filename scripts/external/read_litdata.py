"""litdata on `vidpairs export --to litdata`."""
from common import DataSet, rgb

EXPORT = "litdata"


def members(data: DataSet):
    from litdata import StreamingDataset
    from litdata.streaming.serializers import JPEGSerializer

    class Stored(JPEGSerializer):
        def deserialize(self, data: bytes) -> bytes:
            return bytes(data)

    for sample in StreamingDataset(data.export("litdata"), serializers={"jpeg": Stored()}):
        yield sample.pop("key"), sample


def images(data: DataSet):
    from litdata import StreamingDataset
    for sample in StreamingDataset(data.export("litdata"), shuffle=True):
        meta = sample["json"]
        found = {name: value for name, value in sample.items() if name.endswith((".jpg", ".zst"))}
        yield meta, {name: rgb(value, meta, name) if name.endswith("zst") else value for name, value in found.items()}
