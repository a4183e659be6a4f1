"""Reads what vidpairs renders with programs that know nothing of it; prints JSON.

usage: read_synth.py mat FILE             a MATLAB file, through scipy
       read_synth.py pascal3d ROOT        every annotation of a PASCAL3D+, through scipy
       read_synth.py got10k ROOT SUBSET   a split of GOT-10k, through its own toolkit
       read_synth.py coco ROOT            every annotation of an MSCOCO, as pycocotools reads it
       read_synth.py voc ROOT             every annotation of a Pascal VOC, and what its lists must be
       read_synth.py masks ROOT           boxes and areas of the masks in truth.jsonl
"""

import json
import os
import pathlib
import sys
import xml.etree.ElementTree

import numpy
import scipy.io
from got10k.datasets import GOT10k


def mat(path):
    """The header, the whole of `record`, and what public loaders of PASCAL3D+ ask of it."""
    found = scipy.io.loadmat(path)
    record = found["record"]
    return {
        "header": found["__header__"].decode(),
        "record": plain(record),
        "loaders": loaders(record),
        "squeezed": squeezed(path),
    }


def pascal3d(root):
    """What loaders ask of each annotation, by its path below `Annotations` without `.mat`."""
    top = pathlib.Path(root, "Annotations")
    paths = {path.relative_to(top).with_suffix("").as_posix(): path for path in top.rglob("*.mat")}
    return {name: loaders(scipy.io.loadmat(path)["record"]) for name, path in paths.items()}


def loaders(record):
    objects = record["objects"][0, 0]
    return {
        "filename": record["filename"][0, 0][0],
        "imgsize": record["imgsize"][0, 0][0].tolist(),
        "objects": [as_loaders_do(objects[0, i]) for i in range(objects.shape[1])],
    }


def as_loaders_do(item):
    viewpoint = item["viewpoint"][0, 0]
    return {
        "class": item["class"][0],
        "bbox": item["bbox"][0].tolist(),
        "truncated": item["truncated"][0, 0].item(),
        "cad_index": int(item["cad_index"][0, 0]),
        "azimuth": viewpoint["azimuth"][0, 0].item(),
        "azimuth_item": viewpoint["azimuth"].item(),
        "elevation": viewpoint["elevation"][0, 0].item(),
        "distance": viewpoint["distance"][0][0].item(),
        "anchors": list(item["anchors"].shape),
    }


def squeezed(path):
    """Classes and azimuths by the other way that loaders go: attributes, no dimensions of one."""
    found = scipy.io.loadmat(path, squeeze_me=True, struct_as_record=False)
    objects = numpy.atleast_1d(found["record"].objects)
    return [[item.__dict__["class"], item.viewpoint.azimuth] for item in objects]


def plain(value):
    """Arrays of structs as lists of dicts, other arrays as what they hold."""
    if value.dtype.names:
        names = value.dtype.names
        return [{name: plain(item[name]) for name in names} for item in value.flat]
    if value.dtype.kind == "U":
        return "".join(value.flat)
    if value.dtype.kind == "O":
        # An array of no structs has no fields either.
        assert value.size == 0, value
        return []
    assert value.dtype == numpy.float64, value.dtype
    return {"shape": list(value.shape), "values": value.ravel().tolist()}


def got10k(root, subset):
    """Name, files, boxes, labels and meta of every sequence, in the order of the list."""
    dataset = GOT10k(root, subset=subset, return_meta=True)
    return [sequence(dataset, index) for index in range(len(dataset))]


def sequence(dataset, index):
    # For the test split the toolkit leaves the meta out.
    files, boxes, *meta = dataset[index]
    labels = ("cover", "absence", "cut_by_image")
    meta = meta[0] if meta else {}
    return {
        "name": dataset.seq_names[index],
        "frames": [os.path.basename(file) for file in files],
        "boxes": boxes.tolist(),
        "labels": {name: meta[name].tolist() for name in labels if name in meta},
        "meta": {key: value for key, value in meta.items() if key not in labels},
    }


def coco(root):
    """Every annotation with its image and class by their names, and the box and area of its decoded mask."""
    return {
        path.stem.removeprefix("instances_"): instances(path)
        for path in pathlib.Path(root, "annotations").iterdir()
    }


def instances(path):
    found = json.loads(path.read_text())
    images, classes = ({item["id"]: item for item in found[key]} for key in ("images", "categories"))
    assert len(images) == len(found["images"]) and len(classes) == len(found["categories"])
    assert all(image["license"] == found["licenses"][0]["id"] for image in images.values())
    read = []
    for item in found["annotations"]:
        image = images[item["image_id"]]
        mask = decoded(item["segmentation"])
        assert mask.shape == (image["height"], image["width"]) and item["iscrowd"] == 0
        stated = [item["bbox"], item["area"]]
        assert stated == measured(mask), item
        name = classes[item["category_id"]]["name"]
        read.append({"id": item["id"], "image": image["file_name"], "class": name, "bbox": item["bbox"]})
    return {
        "images": [image["file_name"] for image in found["images"]],
        "classes": [[item["id"], item["name"], item["supercategory"]] for item in found["categories"]],
        "annotations": read,
    }


def decoded(segmentation):
    """An uncompressed RLE: runs down the columns, the first of them outside."""
    height, width = segmentation["size"]
    inside = numpy.arange(len(segmentation["counts"])) % 2 == 1
    return numpy.repeat(inside, segmentation["counts"]).reshape(width, height).T


def measured(mask):
    """Left, top, width, height and area of a mask."""
    rows, columns = numpy.nonzero(mask)
    if not len(rows):
        return [None, 0]
    low, high = (int(columns.min()), int(rows.min())), (int(columns.max()), int(rows.max()))
    return [[*low, high[0] - low[0] + 1, high[1] - low[1] + 1], len(rows)]


def masks(root):
    lines = pathlib.Path(root, "truth.jsonl").read_text().splitlines()
    return [measured(decoded(json.loads(line)["mask"])) for line in lines]


def voc(root):
    """The objects of every image, the lists, and the lists of classes that follow from the objects by the definition of VOC."""
    top = pathlib.Path(root, "VOCdevkit", "VOC2007")
    images = {path.stem: voc_objects(path) for path in (top / "Annotations").iterdir()}
    assert {path.stem for path in (top / "JPEGImages").iterdir()} == set(images)
    lists = {path.stem: path.read_text() for path in (top / "ImageSets" / "Main").iterdir()}
    classes = {item["name"] for objects in images.values() for item in objects}
    expected = {}
    for split in ("train", "val", "trainval", "test"):
        for name in classes:
            lines = [f"{image} {presence(images[image], name):2d}\n" for image in lists[split].split()]
            expected[f"{name}_{split}"] = "".join(lines)
    return {"images": images, "lists": lists, "expected": expected}


def voc_objects(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag == "annotation" and root.findtext("filename") == f"{path.stem}.jpg"
    assert root.findtext("folder") == "VOC2007" and root.findtext("segmented") == "0"
    width, height = (int(root.findtext(f"size/{side}")) for side in ("width", "height"))
    objects = []
    for item in root.iter("object"):
        corners = [int(item.findtext(f"bndbox/{name}")) for name in ("xmin", "ymin", "xmax", "ymax")]
        assert 1 <= corners[0] <= corners[2] <= width and 1 <= corners[1] <= corners[3] <= height
        flags = {name: int(item.findtext(name)) for name in ("truncated", "difficult")}
        texts = {name: item.findtext(name) for name in ("name", "pose")}
        objects.append({"corners": corners} | flags | texts)
    return objects


def presence(objects, name):
    difficult = [item["difficult"] for item in objects if item["name"] == name]
    if not difficult:
        return -1
    return 0 if all(difficult) else 1


def main():
    command, *arguments = sys.argv[1:]
    commands = {"mat": mat, "pascal3d": pascal3d, "got10k": got10k, "coco": coco, "voc": voc, "masks": masks}
    print(json.dumps(commands[command](*arguments)))


if __name__ == "__main__":
    main()
