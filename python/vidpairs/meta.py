"""Brings the json of a record into one form, whatever the version that wrote it."""

from __future__ import annotations

import math
from typing import Any

SCHEMA = 2
"""Newest schema of a record that is read."""

VIEWS = ("anchor", "positive", "anchor_frame", "positive_frame")
_NO_VIEW = {"is_stored": False, "frame": 0, "has_pts": False, "pts_seconds": 0.0, "frame_size": [0, 0],
            "box_xywh": [0.0, 0.0, 0.0, 0.0], "image_size": [0, 0], "crc32": 0}
_MEASURES = {"psr": ("psr_mean", "psr_min"), "forward_backward": ("forward_backward_iou",),
             "confidence": ("confidence_mean", "confidence_min", "confidence_last")}


def uniform_meta(stored: dict[str, Any]) -> dict[str, Any]:
    """The json of a record in the form of schema 2: the same fields and types in every record, and no null.

    A value that is absent is 0, 0.0 or "", and a flag beside it says so: `is_stored` of a view, `has_pts`, `has_psr`,
    `has_forward_backward`, `has_confidence`. Schema 2 is returned as it is stored.

    Raises ValueError for a newer schema, and KeyError or TypeError for a json that is no record.
    """
    schema = stored["schema"]
    if schema == SCHEMA:
        return stored
    if schema != 1:
        raise ValueError(f"schema is {schema!r}; this reader knows up to {SCHEMA}: install a newer vidpairs")
    meta = {**stored, "schema": SCHEMA, "label": stored["label"] or "", "k": stored["k"] or 0}
    meta.update((name, _uniform_view(stored.get(name))) for name in VIEWS)
    meta["tracklet"] = _uniform_tracklet(stored.get("tracklet") or {})
    return meta


def _uniform_view(stored: dict[str, Any] | None) -> dict[str, Any]:
    if stored is None:
        return {name: list(value) if isinstance(value, list) else value for name, value in _NO_VIEW.items()}
    box, (width, height) = stored["box_xywh"], stored["frame_size"]
    has_pts, (pts,) = _flagged(stored["pts_seconds"])
    return {**stored, "is_stored": True, "has_pts": has_pts, "pts_seconds": pts,
            "box_xywh": [0.0, 0.0, float(width), float(height)] if box is None else [float(side) for side in box]}


def _uniform_tracklet(stored: dict[str, Any]) -> dict[str, Any]:
    tracklet: dict[str, Any] = {"tracker": stored.get("tracker") or ""}
    for measure, names in _MEASURES.items():
        tracklet[f"has_{measure}"], values = _flagged(*map(stored.get, names))
        tracklet.update(zip(names, values))
    return tracklet


def _flagged(*values: float | None) -> tuple[bool, list[float]]:
    """Values that are there together or not at all, and whether they are."""
    are_there = all(value is not None and math.isfinite(value) for value in values)
    return are_there, [float(value or 0.0) if are_there else 0.0 for value in values]
