"""torchvision's ImageFolder and lightly's LightlyDataset on `vidpairs export --to folder`: a folder of images for each view."""
from common import DataSet, as_dict

EXPORT = "folder"
NOT_FOR = {"rgb.zst": "no: no loader of image folders reads it, and export refuses it"}


def members(data: DataSet):
    from pathlib import Path
    root = Path(data.export("folder"))
    files = {(path.parts[len(root.parts)], path.stem): path for path in root.rglob("*.jpg")}
    roles = sorted({role for role, _ in files})
    for line in (root / "records.jsonl").read_bytes().splitlines():
        meta = as_dict(line)
        yield meta["key"], {"json": meta, **{f"{role}.jpg": files[role, meta["key"]].read_bytes() for role in roles}}


def images(data: DataSet):
    from pathlib import Path
    from torchvision.datasets import ImageFolder
    root = Path(data.export("folder"))
    metas = {meta["key"]: meta for meta in map(as_dict, (root / "records.jsonl").read_bytes().splitlines())}
    views = {view.name: ImageFolder(view) for view in root.iterdir() if view.is_dir()}
    for number, (path, _) in enumerate(views["anchor"].samples):
        yield metas[Path(path).stem], {role: view[number][0] for role, view in views.items()}
