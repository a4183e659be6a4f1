#!/usr/bin/env python3
"""Crops of annotated boxes as Pillow makes them: the golden pixels of tests/extract/stills.rs.

usage: boxes.py OUT_DIR        (tests/golden/boxes; requirements.txt has the versions of Pillow and NumPy)

Writes into OUT_DIR:
  coco/      images in the layout of MSCOCO: train2017/NAME, annotations/instances_train2017.json
  voc/       the same images and boxes in the layout of Pascal VOC: VOC2007/...; crowds are difficult objects
  cases.json for each of the SETTINGS a list of crops: image, ordinal of the object, label, size, region (upright, px)
  pixels.rgba the crops, one after the other: red, green, blue, and 255 where they are compared, 0 near the edge of the image, where
             a scaled image mixes it with the padding

A crop is cut from the stored image, padded with the mean colour of ImageNet, then turned upright, then scaled.
"""
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48
MEAN = (124, 116, 104)
ORIENTATION = 0x0112
TURNS = {
    1: None,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
}
# x, y, width, height in the stored image, the class, whether it is a crowd. Sides are multiples of 4, so that regions are whole px.
OBJECTS = [
    ([8, 8, 16, 12], "dog", False),
    ([0, 0, 12, 16], "person", False),
    ([2, 2, 60, 40], "person", True),
    ([44, 32, 20, 16], "dog", False),
    ([30, 30, 4, 12], "toothbrush", False),
    ([-4, 20, 16, 12], "toothbrush", False),
    ([64, 10, 12, 12], "dog", False),
]
MIN_BOX_PX = 8
SETTINGS = [
    {"box_scale": 1.0, "short_side": 256},
    {"box_scale": 2.0, "short_side": 256},
    {"box_scale": 1.5, "short_side": 16},
]
CATEGORIES = {"person": 1, "dog": 18, "toothbrush": 90}


def drawn_image():
    """Smooth waves without symmetry: scaling by another filter would show, rounding hardly does."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    waves = [128 + 100 * np.sin(x * a + y * b + c) for a, b, c in [(0.11, 0.05, 0), (0.06, -0.09, 1), (-0.05, 0.12, 2)]]
    return Image.fromarray(np.stack(waves, axis=-1).round().astype(np.uint8))


def with_orientation(value):
    exif = Image.Exif()
    exif[ORIENTATION] = value
    return exif


def write_images(folder):
    folder.mkdir(parents=True, exist_ok=True)
    image = drawn_image()
    image.save(folder / "000000000001.png")
    options = {"quality": 98, "subsampling": 0}
    image.save(folder / "000000000006.jpg", exif=with_orientation(6), **options)
    image.save(folder / "000000000007.jpg", exif=with_orientation(7), **options)
    image.convert("L").save(folder / "000000000008.jpg", quality=98)
    image.convert("CMYK").save(folder / "000000000009.jpg", **options)
    return sorted(folder.iterdir())


def write_coco(root, images):
    listed = [
        {"id": int(path.stem), "file_name": path.name, "width": WIDTH, "height": HEIGHT} for path in images
    ]
    annotations = [
        {"id": 100 * image["id"] + number, "image_id": image["id"], "bbox": box, "category_id": CATEGORIES[label],
         "iscrowd": int(crowd), "segmentation": [[1.5, 2.5, 9, 2, 9, 9]], "area": box[2] * box[3]}
        for image in listed for number, (box, label, crowd) in enumerate(OBJECTS)
    ]
    categories = [{"id": number, "name": name} for name, number in CATEGORIES.items()]
    folder = root / "annotations"
    folder.mkdir(exist_ok=True)
    whole = {"info": {}, "licenses": [], "images": listed, "annotations": annotations, "categories": categories}
    (folder / "instances_train2017.json").write_text(json.dumps(whole))


def write_voc(root, images):
    for part in ["JPEGImages", "Annotations", "ImageSets/Main"]:
        (root / part).mkdir(parents=True, exist_ok=True)
    for path in images:
        (root / "JPEGImages" / path.name).write_bytes(path.read_bytes())
        annotation = ElementTree.Element("annotation")
        size = ElementTree.SubElement(annotation, "size")
        for name, value in [("width", WIDTH), ("height", HEIGHT), ("depth", 3)]:
            ElementTree.SubElement(size, name).text = str(value)
        for (x, y, width, height), label, crowd in OBJECTS:
            found = ElementTree.SubElement(annotation, "object")
            ElementTree.SubElement(found, "name").text = label
            ElementTree.SubElement(found, "difficult").text = str(int(crowd))
            corners = ElementTree.SubElement(found, "bndbox")
            # Pixels from 1, the last one included.
            for name, value in [("xmin", x + 1), ("ymin", y + 1), ("xmax", x + width), ("ymax", y + height)]:
                ElementTree.SubElement(corners, name).text = str(value)
        ElementTree.ElementTree(annotation).write(root / "Annotations" / f"{path.stem}.xml")
    ids = "".join(f"{path.stem}\n" for path in images)
    (root / "ImageSets/Main/trainval.txt").write_text(ids)


def inside(box):
    """The part of a box in the image as first and last edges; None if there is none."""
    x, y, width, height = box
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, WIDTH), min(y + height, HEIGHT)
    return (left, top, right, bottom) if left < right and top < bottom else None


def turned(image, turn):
    return image if turn is None else image.transpose(turn)


def crop(image, turn, region, short_side):
    """RGBA of a region of the stored image, and the region in the upright one."""
    left, top, right, bottom = region
    padded = Image.new("RGB", (right - left, bottom - top), MEAN)
    padded.paste(image, (-left, -top))
    shown = Image.new("L", padded.size, 0)
    shown.paste(Image.new("L", image.size, 255), (-left, -top))
    padded, shown = turned(padded, turn), turned(shown, turn)
    width, height = padded.size
    scale = min(1, short_side / min(width, height))
    size = (round(width * scale), round(height * scale))
    if scale < 1:
        padded = padded.resize(size, Image.Resampling.BILINEAR)
        shown = shown.resize(size, Image.Resampling.BILINEAR)
    # Within two pixels of an edge of the image, scaled pixels are mixed with the padding.
    shown = np.array(shown)
    compared = np.full(shown.shape, 255, np.uint8)
    if scale < 1:
        around = np.pad(shown, 2, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(around, (5, 5))
        compared[windows.min(axis=(2, 3)) != windows.max(axis=(2, 3))] = 0
    # Where a marked region lies in the upright image: the marker is turned as the image is.
    pad = 2 * WIDTH
    marker = np.zeros((HEIGHT + 2 * pad, WIDTH + 2 * pad), np.uint8)
    marker[top + pad:bottom + pad, left + pad:right + pad] = 255
    rows, columns = np.nonzero(np.array(turned(Image.fromarray(marker), turn)))
    upright = [int(columns.min()) - pad, int(rows.min()) - pad, width, height]
    return np.dstack([np.array(padded), compared]), upright


def main(out):
    coco = out / "coco"
    images = write_images(coco / "train2017")
    write_coco(coco, images)
    write_voc(out / "voc/VOC2007", images)
    settings, pixels = [], []
    for setting in SETTINGS:
        crops = []
        for path in images:
            stored = Image.open(path)
            turn = TURNS[stored.getexif().get(ORIENTATION, 1)]
            for ordinal, (box, label, crowd) in enumerate(OBJECTS):
                cut = inside(box)
                if crowd or cut is None or min(cut[2] - cut[0], cut[3] - cut[1]) < MIN_BOX_PX:
                    continue
                across = round((cut[2] - cut[0]) * (setting["box_scale"] - 1) / 2)
                down = round((cut[3] - cut[1]) * (setting["box_scale"] - 1) / 2)
                region = (cut[0] - across, cut[1] - down, cut[2] + across, cut[3] + down)
                rgba, upright = crop(stored.convert("RGB"), turn, region, setting["short_side"])
                pixels.append(rgba.tobytes())
                crops.append({"image": path.name, "ordinal": ordinal, "label": label,
                              "size": [rgba.shape[1], rgba.shape[0]], "region": upright})
        settings.append({**setting, "min_box_px": MIN_BOX_PX, "crops": crops})
    (out / "cases.json").write_text(json.dumps(settings, indent=1) + "\n")
    (out / "pixels.rgba").write_bytes(b"".join(pixels))
    print(f"{len(pixels)} crops")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
