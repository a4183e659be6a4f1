"""torch.utils.data.DataLoader with two workers, shuffled, over our own reader."""
from common import DataSet


def members(data: DataSet):
    import read_vidpairs
    yield from read_vidpairs.members(data)


def images(data: DataSet):
    from torch.utils.data import DataLoader
    from vidpairs import PairDataset
    pairs = PairDataset(data.folder, decode="pil")
    for batch in DataLoader(pairs, batch_size=8, shuffle=True, num_workers=2, collate_fn=list):
        for record in batch:
            yield record.pop("meta"), {role: image for role, image in record.items() if role != "key"}
