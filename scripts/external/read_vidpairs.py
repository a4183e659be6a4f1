"""Our own reader, python/vidpairs, record by record in one process."""
from common import DataSet


def members(data: DataSet):
    from vidpairs import PairDataset
    from common import truth_names
    names = truth_names(data)
    for record in PairDataset(data.folder, check=True):
        yield record["key"], {name: record["meta"] if name == "json" else record[name.split(".")[0]] for name in names}


def images(data: DataSet):
    from vidpairs import PairDataset
    for record in PairDataset(data.folder, decode="pil"):
        meta = record.pop("meta")
        yield meta, {role: image for role, image in record.items() if role != "key"}
