"""Tests of PairDataset on data sets of the program and on damaged ones."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import random
import shutil
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from datasets import PROGRAM, REGIONS, VIEWS, FolderTest, extract, members_of, record, write_dataset

from vidpairs import DatasetError, PairDataset, decode, unpack_rgb
from vidpairs.meta import uniform_meta


def needs(*modules: str):  # type: ignore[no-untyped-def]
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return unittest.skipIf(missing, f"needs {missing}")


@unittest.skipUnless(PROGRAM.is_file() and shutil.which("ffmpeg"), f"needs {PROGRAM} and ffmpeg")
class DatasetOfTheProgram(unittest.TestCase):
    folder: Path
    datasets: dict[str, Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="vidpairs tests "))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.datasets = {
            "frames": extract(cls.folder, "frames"),
            "images": extract(cls.folder, "images", "pairs.kind=images"),
            "regions": extract(cls.folder, "regions", *REGIONS),
            "raw": extract(cls.folder, "raw", "images.codec=rgb-zstd"),
            "parts": extract(cls.folder, "parts", parts=4),
            "regions in parts": extract(cls.folder, "regions in parts", *REGIONS, parts=3),
        }

    def check_bytes(self, dataset: PairDataset, members: dict[str, bytes]) -> None:
        """Every member of every record, read in a random order, against what another program reads."""
        order = list(range(len(dataset)))
        random.Random(1).shuffle(order)
        found = {}
        for number in order:
            item = dataset[number]
            extension = "rgb.zst" if f"{item['key']}.anchor.rgb.zst" in members else "jpg"
            found.update({f"{item['key']}.{role}.{extension}": item[role] for role in VIEWS if role in item})
            stored = json.loads(members[f"{item['key']}.json"])
            for name in ("key", "clip", "source", "kind", "json_crc32"):
                self.assertEqual(item["meta"][name], stored[name])
            for role in VIEWS:
                self.assertEqual(item["meta"][role]["is_stored"], role in item)
            self.assertEqual(item["meta"], dataset.meta(number))
        self.assertEqual(found, {name: data for name, data in members.items() if not name.endswith(".json")})

    def test_every_byte_is_what_tarfile_reads(self) -> None:
        for name, folder in self.datasets.items():
            with self.subTest(name):
                dataset = PairDataset(folder, check=True)
                self.assertGreater(len(dataset), 4)
                self.check_bytes(dataset, members_of(folder))

    @needs("webdataset")
    def test_every_byte_is_what_webdataset_reads(self) -> None:
        import webdataset

        for name, folder in self.datasets.items():
            with self.subTest(name):
                urls = [str(path) for path in sorted(folder.rglob("*.tar"))]
                members = {}
                for sample in webdataset.WebDataset(urls, shardshuffle=False):
                    members.update({f"{sample['__key__']}.{name}": data for name, data in sample.items() if not name.startswith("__")})
                self.check_bytes(PairDataset(folder), members)

    def test_the_json_has_the_same_fields_and_types_in_every_record_of_every_kind(self) -> None:
        forms = {str(form(meta)) for folder in self.datasets.values() for meta in map(PairDataset(folder).meta, range(4))}
        self.assertEqual(len(forms), 1, forms)

    def test_keys_clips_and_labels_are_those_of_the_records(self) -> None:
        for name, folder in self.datasets.items():
            with self.subTest(name):
                dataset = PairDataset(folder)
                metas = [dataset.meta(number) for number in range(len(dataset))]
                self.assertEqual(dataset.keys, [meta["key"] for meta in metas])
                self.assertEqual(dataset.clips, [meta["clip"] for meta in metas])
                self.assertEqual(dataset.labels, [""] * len(dataset))
                self.assertEqual(dataset.clip_ordinals, [int(key[:8]) for key in dataset.keys])
                self.assertEqual([dataset.number_of(key) for key in dataset.keys], list(range(len(dataset))))

    def test_a_merged_data_set_has_the_records_of_one_machine_in_its_order(self) -> None:
        for whole, parts in (("frames", "parts"), ("regions", "regions in parts")):
            whole, parts = PairDataset(self.datasets[whole]), PairDataset(self.datasets[parts])
            self.assertGreater(len({path.parent for path in parts.folder.rglob("*.tar")}), 1)
            self.assertEqual(list(whole), list(parts))
            self.assertEqual(whole.keys, parts.keys)
            by_clip = [sorted(map(json.dumps, dataset.tracklets())) for dataset in (whole, parts)]
            self.assertEqual(*by_clip)

    def test_tracklets_are_the_lines_that_the_program_zstd_prints_with_a_module_and_without(self) -> None:
        dataset = PairDataset(self.datasets["regions"])
        printed = subprocess.run(["zstd", "-dcq", dataset.folder / "tracks.jsonl.zst"], stdout=subprocess.PIPE, check=True).stdout
        lines = [json.loads(line) for line in printed.splitlines()]
        self.assertEqual(list(dataset.tracklets()), lines)
        with mock.patch.object(decode, "_zstd_module", lambda: None):
            self.assertEqual(list(dataset.tracklets()), lines)
            self.assertEqual(next(dataset.tracklets()), lines[0])
        self.assertEqual([line["key"] for line in lines if line["key"]], dataset.keys)
        self.assertEqual(list(PairDataset(self.datasets["frames"]).tracklets()), [])

    def test_tracklets_that_are_cut_or_damaged_are_refused(self) -> None:
        dataset, folder = PairDataset(self.datasets["regions"]), self.folder / "cut"
        shutil.copytree(dataset.folder, folder)
        lines = list(dataset.tracklets())
        self.assertGreater(len({line["clip"] for line in lines}), 1)
        path = folder / "tracks.jsonl.zst"
        for text, reason in (("".join(json.dumps(line) + "\n" for line in lines[:-1]), "tracklets; dataset.json says"), ("{\n", "line 1 is damaged")):
            path.write_bytes(subprocess.run(["zstd", "-cq"], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout)
            with self.assertRaisesRegex(DatasetError, f"tracks.jsonl.zst .*{reason}"):
                list(PairDataset(folder).tracklets())

    def test_a_file_of_tracklets_that_is_cut_anywhere_says_so_with_a_module_and_without(self) -> None:
        folder = self.folder / "cut anywhere"
        shutil.copytree(self.datasets["regions"], folder)
        path = folder / "tracks.jsonl.zst"
        whole = path.read_bytes()
        for length in range(0, len(whole), 97):
            path.write_bytes(whole[:length])
            for module in (decode._zstd_module(), None):
                with mock.patch.object(decode, "_zstd_module", return_value=module), self.assertRaises(DatasetError) as caught:
                    list(PairDataset(folder).tracklets())
                self.assertRegex(str(caught.exception), "tracks.jsonl.zst (is cut|cannot be read|has [0-9]+ tracklets; dataset.json says)")

    def test_without_any_zstd_each_use_says_what_to_install(self) -> None:
        regions, raw = PairDataset(self.datasets["regions"]), PairDataset(self.datasets["raw"])
        with mock.patch.object(decode, "_zstd_module", lambda: None), mock.patch.object(shutil, "which", lambda _: None):
            for use in (lambda: list(regions.tracklets()), lambda: PairDataset(self.datasets["parts"])):
                with self.assertRaisesRegex(DatasetError, "zst is compressed with zstd; install .*zstandard"):
                    use()
            with self.assertRaisesRegex(ImportError, "install .*zstandard"):
                unpack_rgb(raw[0]["anchor"], (1, 1))
            self.assertIsInstance(raw[0]["anchor"], bytes)

    @needs("PIL")
    def test_images_of_pillow_are_those_of_the_members(self) -> None:
        import io

        from PIL import Image

        for name in ("frames", "regions"):
            dataset, plain = PairDataset(self.datasets[name], decode="pil"), PairDataset(self.datasets[name])
            for number in range(len(dataset)):
                for role in set(VIEWS) & plain[number].keys():
                    image = Image.open(io.BytesIO(plain[number][role]))
                    self.assertEqual(dataset[number][role].tobytes(), image.convert("RGB").tobytes())
                    self.assertEqual(list(image.size), plain[number]["meta"][role]["image_size"])

    @needs("PIL", "zstandard")
    def test_raw_images_have_the_pixels_that_the_program_zstd_prints(self) -> None:
        dataset = PairDataset(self.datasets["raw"], decode="pil")
        pixels = PairDataset(self.datasets["raw"], decode=lambda data, extension, size: (unpack_rgb(data, size), extension))
        for number, plain in enumerate(PairDataset(self.datasets["raw"])):
            printed = subprocess.run(["zstd", "-dcq"], input=plain["positive"], stdout=subprocess.PIPE, check=True).stdout
            self.assertEqual(dataset[number]["positive"].tobytes(), printed)
            self.assertEqual(pixels[number]["positive"], (printed, "rgb.zst"))

    @needs("PIL", "torch", "torchvision", "zstandard")
    def test_tensors_have_the_pixels_of_pillow(self) -> None:
        import torch

        for name, tolerance in (("frames", 2), ("raw", 0)):
            images, tensors = PairDataset(self.datasets[name], decode="pil"), PairDataset(self.datasets[name], decode="torch")
            for number, image in enumerate(images):
                tensor, image = tensors[number]["anchor"], image["anchor"]
                expected = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(image.height, image.width, 3)
                # torchvision and Pillow bring their own libjpeg-turbo.
                self.assertLessEqual((tensor.permute(1, 2, 0).int() - expected.int()).abs().max(), tolerance)

    @needs("torch")
    def test_workers_read_the_same_records_with_fork_and_spawn(self) -> None:
        from torch.utils.data import DataLoader

        for name in ("frames", "parts"):
            for method in ("fork", "spawn"):
                dataset = PairDataset(self.datasets[name])
                expected = list(PairDataset(self.datasets[name]))
                dataset[0]  # A map and an index are there before the workers start.
                for _ in range(2):
                    loader = DataLoader(dataset, batch_size=4, num_workers=2, multiprocessing_context=method, collate_fn=list)
                    self.assertEqual([item for batch in loader for item in batch], expected)

    def test_an_unfinished_run_and_parts_that_are_not_merged_are_refused_with_what_to_do(self) -> None:
        folder = self.folder / "unfinished"
        shutil.copytree(self.datasets["parts"], folder)
        (folder / "dataset.json").unlink()
        with self.assertRaisesRegex(DatasetError, "vidpairs merge"):
            PairDataset(folder)
        (folder / "parts.json").unlink()
        (folder / ".journal").mkdir()
        with self.assertRaisesRegex(DatasetError, "unfinished.*vidpairs extract"):
            PairDataset(folder)
        part = PairDataset(next(self.datasets["parts"].glob("part-*")))
        self.check_bytes(part, members_of(part.folder))

    def test_an_order_that_is_cut_or_of_another_data_set_is_refused(self) -> None:
        folder = self.folder / "order"
        shutil.copytree(self.datasets["parts"], folder)
        path = folder / "order.txt.zst"
        text = subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
        lines = text.splitlines(keepends=True)
        for damaged in (b"".join(lines[:-1]), text + lines[0], text.replace(b" 0 ", b" 1 ", 1), b"9 0 1\n" + text, b"words\n"):
            path.write_bytes(subprocess.run(["zstd", "-cq"], input=damaged, stdout=subprocess.PIPE, check=True).stdout)
            with self.assertRaisesRegex(DatasetError, "order.txt.zst is damaged"):
                PairDataset(folder)
        path.write_bytes(b"no zstd")
        for module in (decode._zstd_module(), None):
            with mock.patch.object(decode, "_zstd_module", return_value=module), self.assertRaisesRegex(DatasetError, "cannot be read"):
                PairDataset(folder)


def form(value: object) -> object:
    """Field names and types of a json."""
    if isinstance(value, dict):
        return {name: form(value[name]) for name in sorted(value)}
    return [form(item) for item in value] if isinstance(value, list) else type(value).__name__


class DatasetWrittenByHand(FolderTest):
    def dataset(self) -> Path:
        shards = [[record(clip, pair) for clip in range(3) for pair in range(2)], [record(7, 0)], [], [record(8, pair) for pair in range(3)]]
        return write_dataset(self.folder / "data set", *shards)

    def assert_fails(self, reason: str, read: object = lambda folder: list(PairDataset(folder, check=True))) -> None:
        with self.assertRaisesRegex(DatasetError, reason) as caught:
            read(self.folder / "data set")  # type: ignore[operator]
        self.assertIn(str(self.folder), str(caught.exception))
        self.assertIn(str(caught.exception), str(pickle.loads(pickle.dumps(caught.exception))))

    def test_negative_numbers_and_slices_count_from_the_end(self) -> None:
        dataset = PairDataset(self.dataset())
        self.assertEqual(len(dataset), 10)
        self.assertEqual(dataset[-1], dataset[9])
        self.assertEqual(dataset[-10]["key"], "00000000-0000")
        self.assertEqual([item["key"] for item in dataset[7:9]], dataset.keys[7:9])
        self.assertEqual([item["key"] for item in dataset[::-4]], dataset.keys[::-4])
        for number in (10, -11):
            with self.assertRaisesRegex(IndexError, f"record {number} of 10"):
                dataset[number]
        with self.assertRaises(TypeError):
            dataset[0.5]
        with self.assertRaises(KeyError):
            dataset.number_of("00000009-0000")

    def test_both_schemas_give_the_same_json(self) -> None:
        for roles in (("anchor",), ("anchor", "positive"), VIEWS):
            fields = {"label": "cat, \u00e9", "k": 5} if len(roles) > 1 else {}
            metas = []
            for schema in (1, 2):
                folder = write_dataset(self.folder / f"schema {schema}", [record(1, 2, schema, roles, **fields)])
                dataset = PairDataset(folder, check=True)
                metas.append({**dataset[0]["meta"], "json_crc32": 0})
                self.assertEqual(dataset.labels, [fields.get("label", "")])
            self.assertEqual(*metas)
            self.assertEqual(form(metas[0]), form(metas[1]))
            self.assertEqual(metas[0]["anchor"]["box_xywh"], [0.0, 0.0, 64.0, 48.0])

    def test_records_of_other_schemas_and_kinds_mix(self) -> None:
        items = [record(0, 0, 1, ("anchor",)), record(0, 1, 2, VIEWS, label="dog", k=3), record(1, 0, 1, ("anchor", "positive"), k=9)]
        dataset = PairDataset(write_dataset(self.folder / "data set", items), check=True)
        self.assertEqual([[role for role in VIEWS if role in item] for item in dataset], [["anchor"], list(VIEWS), ["anchor", "positive"]])
        self.assertEqual(dataset.labels, ["", "dog", ""])
        self.assertEqual(dataset.clips, ["clip 0.mp4", "clip 0.mp4", "clip 1.mp4"])
        self.assertEqual(len({str(form(item["meta"])) for item in dataset}), 1)
        only = PairDataset(dataset.folder, roles=("positive",), transform=sorted)
        self.assertEqual(list(only), [["key", "meta"], ["key", "meta", "positive"], ["key", "meta", "positive"]])

    def test_a_data_set_of_one_record_and_one_of_none_are_read(self) -> None:
        one = PairDataset(write_dataset(self.folder / "one", [record(0, 0)]), check=True)
        self.assertEqual((len(one), one.keys), (1, ["00000000-0000"]))
        for shards in ([], [[]]):
            none = PairDataset(write_dataset(self.folder / "none", *shards), check=True)
            self.assertEqual((len(none), list(none), none.keys, none.clips, list(none.tracklets())), (0, [], [], [], []))

    def test_no_json_is_read_twice_for_clips_and_labels_and_no_image_at_all(self) -> None:
        dataset, read = PairDataset(self.dataset()), []
        meta = dataset.meta
        with mock.patch.multiple(dataset, meta=lambda number: read.append(number) or meta(number), _read=None):
            self.assertEqual((len(dataset.clips), len(dataset.labels), len(dataset.clips)), (10, 10, 10))
        self.assertEqual(read, list(range(10)))

    def test_a_pickled_data_set_reads_the_same_and_holds_no_map(self) -> None:
        dataset = PairDataset(self.dataset())
        expected = list(dataset)
        self.assertEqual(len(dataset.clips), 10)
        self.assertEqual(list(pickle.loads(pickle.dumps(dataset))), expected)
        self.assertEqual(pickle.loads(pickle.dumps(dataset)).clips, dataset.clips)

    @unittest.skipUnless(Path("/proc/self/fd").is_dir(), "needs /proc")
    def test_hundreds_of_shards_are_read_by_threads_with_few_files_open(self) -> None:
        dataset = PairDataset(write_dataset(self.folder / "data set", *([record(clip, 0)] for clip in range(400))))
        before, failed = len(os.listdir("/proc/self/fd")), []

        def read(seed: int) -> None:
            order = random.Random(seed)
            try:
                for number in (order.randrange(400) for _ in range(3000)):
                    assert dataset[number]["key"] == f"{number:08}-0000"
            except BaseException as error:  # What a thread raises is printed and lost.
                failed.append(error)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        self.assertLess(len(os.listdir("/proc/self/fd")) - before, 140)

    def test_what_is_no_data_set_is_refused_with_the_reason(self) -> None:
        folder = self.folder / "data set"
        read = PairDataset
        self.assert_fails("is no folder", read)
        folder.mkdir()
        self.assert_fails("not a data set: it has no dataset.json", read)
        manifest = folder / "dataset.json"
        for text, reason in (
            ('{"format":"other"}', "not of vidpairs"),
            ('{"format":"vidpairs","format_version":3}', "format_version 3.*newer vidpairs"),
            ('{"format":"vidpairs","format_version":1}', "damaged.*shards"),
            ('{"format":"vidpairs","format_version":1,"shards":[{"file":"a.tar"}]}', "damaged.*bytes"),
            ('{"format":"vidpairs","format_version":1.5}', "damaged: format_version is 1.5; expected a whole number"),
            ("[" * 100_000, "damaged"),
            ("[]", "damaged: it is .*expected an object"),
            ("{", "damaged"),
        ):
            manifest.write_text(text)
            self.assert_fails(reason, read)
        with self.assertRaisesRegex(ValueError, "decode is 'jpeg'"):
            PairDataset(self.dataset(), decode="jpeg")
        with self.assertRaisesRegex(ValueError, "roles has .'negative'."):
            PairDataset(self.dataset(), roles=("negative",))
        with self.assertRaisesRegex(ValueError, "roles is 'anchor'; expected several names, such as .'anchor',."):
            PairDataset(self.dataset(), roles="anchor")

    def test_a_manifest_of_other_types_names_or_sums_is_refused_with_the_field(self) -> None:
        folder = self.dataset()
        sound = json.loads((folder / "dataset.json").read_text())
        first = sound["shards"][0]
        for change, reason in (
            ({"shards": {}}, "shards is {}; expected a list"),
            ({"shards": [7]}, "shards.0. is 7; expected an object"),
            *(({"shards": [{**first, "records": value}]}, f"shards.0..records is {value}; expected a whole number")
              for value in (-1, 1.5, 9.0, True)),
            ({"shards": [{**first, "bytes": "5"}]}, "shards.0..bytes is '5'"),
            ({"shards": [first, first]}, "totals.records is 10; expected 12"),
            ({"shards": [first, first], "totals": {"records": 12}}, "lists the shard 'pairs-000000.tar' twice"),
            ({"totals": {"records": 9}}, "totals.records is 9; expected 10"),
            ({"totals": 9}, "totals is 9"),
            ({"tracks": 7}, "tracks is 7; expected an object"),
            ({"tracks": {"file": "tracks.jsonl.zst", "tracklets": 1.5}}, "tracks.tracklets is 1.5"),
            ({"tracks": {"file": "../tracks.jsonl.zst", "tracklets": 1}}, "tracks.file is '../tracks.jsonl.zst'; expected 'tracks.jsonl.zst'"),
            ({"parts": 7}, "parts is 7"),
            ({"parts": {"order": 1, "list": []}}, "parts.order is 1; expected an object"),
            ({"parts": {"order": {"file": "/etc/passwd"}, "list": []}}, "parts.order.file is '/etc/passwd'"),
            ({"parts": {"order": {"file": "order.txt.zst"}, "list": []}}, "shards of all parts is 0; expected 4"),
        ):
            with self.subTest(reason):
                (folder / "dataset.json").write_text(json.dumps({**sound, **change}))
                self.assert_fails(f"dataset.json is damaged: .*{reason}", PairDataset)

    def test_a_shard_outside_the_folder_is_refused(self) -> None:
        folder = self.dataset()
        sound = (folder / "dataset.json").read_text()
        other = f"../{folder.name}/pairs-000000.tar"
        for name in (other, str(folder / "pairs-000000.tar"), "b/a.tar", "..tar", ".tar", "a.zip", "a b.tar", "a\u0000.tar", ""):
            with self.subTest(name):
                (folder / "dataset.json").write_text(sound.replace('"pairs-000000.tar"', json.dumps(name)))
                self.assert_fails("damaged: it names the shard .*expected the name of a .tar in the same folder", PairDataset)

    def test_measures_of_schema_1_are_there_together_or_not_at_all(self) -> None:
        item = record(0, 0, 1)
        stored = json.loads(item["00000000-0000.json"])
        for tracklet, flags, psr in (
            ({"psr_mean": 7, "psr_min": 5.0}, (True, False), (7.0, 5.0)),
            ({"psr_mean": 7.0, "psr_min": None}, (False, False), (0.0, 0.0)),
            ({"psr_mean": 7.0, "psr_min": 5.0, "confidence_mean": 0.9, "confidence_min": float("nan"), "confidence_last": 1.0},
             (True, False), (7.0, 5.0)),
        ):
            meta = uniform_meta({**stored, "tracklet": {"tracker": "", **tracklet}})["tracklet"]
            self.assertEqual(((meta["has_psr"], meta["has_confidence"]), (meta["psr_mean"], meta["psr_min"])), (flags, psr))
            self.assertEqual(meta["confidence_mean"], 0.0)

    def test_a_newer_schema_is_refused(self) -> None:
        item = record(0, 0)
        item["00000000-0000.json"] = item["00000000-0000.json"].replace(b'"schema":2', b'"schema":3')
        write_dataset(self.folder / "data set", [item])
        self.assert_fails("pairs-000000.tar record 0: schema is 3.*newer vidpairs", lambda folder: PairDataset(folder)[0])
        self.assert_fails("record 0: schema is 3", lambda folder: PairDataset(folder).meta(0))

    def test_a_flipped_byte_of_an_image_that_is_not_asked_for_is_found(self) -> None:
        path = self.dataset() / "pairs-000001.tar"
        path.write_bytes(path.read_bytes().replace(b"positive of", b"Positive of"))
        self.assert_fails("positive.jpg have another CRC-32", lambda folder: PairDataset(folder, roles=("anchor",), check=True)[6])
        self.assertEqual(PairDataset(path.parent, roles=("anchor",))[6]["key"], "00000007-0000")

    def test_members_of_other_records_are_refused(self) -> None:
        sound, other = record(0, 0), record(0, 1)
        folder = self.folder / "data set"
        for image, meta, reason in (
            (("00000000-0001.anchor.jpg", b""), sound["00000000-0000.json"], "0001.anchor.jpg has another key than 00000000-0000"),
            (("00000000-0000.anchor.jpg", b""), other["00000000-0001.json"], "0000.json describes 00000000-0001"),
            (("00000000-0000.anchor.jpg", b""), sound["00000000-0000.json"], "has the members .'anchor'., which its json does not describe"),
        ):
            write_dataset(folder, [dict([image]) | {"00000000-0000.json": meta}])
            idx = folder / "pairs-000000.idx"
            idx.write_text(idx.read_text().replace("00000000-0001", "00000000-0000"))
            self.assert_fails(reason, lambda folder: PairDataset(folder)[0])

    def test_records_that_the_index_and_the_manifest_leave_out_are_missed(self) -> None:
        folder = write_dataset(self.folder / "data set", [record(0, 0), record(0, 1)])
        idx, manifest = folder / "pairs-000000.idx", folder / "dataset.json"
        idx.write_text("v1.2 1\n" + idx.read_text().split("\n")[1] + "\n")
        manifest.write_text(manifest.read_text().replace('"records": 2', '"records": 1'))
        self.assert_fails("pairs-000000.idx line 2 is damaged: its members and the two blocks after them take 4608 bytes; the tar has 8192")

    def test_an_index_that_is_as_long_as_the_tar_without_its_end_names_two_lengths(self) -> None:
        folder = write_dataset(self.folder / "data set", [record(0, 0)])
        tar, manifest = folder / "pairs-000000.tar", folder / "dataset.json"
        whole = tar.read_bytes()
        tar.write_bytes(whole[:-1024])
        manifest.write_text(manifest.read_text().replace(f'"bytes": {len(whole)}', f'"bytes": {len(whole) - 1024}'))
        self.assert_fails(f"take {len(whole)} bytes; the tar has {len(whole) - 1024}")

    @unittest.skipUnless(hasattr(os, "mkfifo"), "needs named pipes")
    def test_a_named_pipe_in_place_of_a_file_is_refused_at_once(self) -> None:
        folder = self.dataset()
        for name in ("dataset.json", "pairs-000000.tar", "pairs-000000.idx"):
            (folder / name).rename(folder / "aside")
            os.mkfifo(folder / name)
            self.assert_fails(f"{name} .*is no regular file")
            (folder / "aside").rename(folder / name)
        dataset = PairDataset(folder)
        (folder / "pairs-000000.tar").unlink()
        os.mkfifo(folder / "pairs-000000.tar")
        self.assert_fails("pairs-000000.tar cannot be opened: .*no regular file", lambda _: dataset[0])
        os.mkfifo(folder / "tracks.jsonl.zst")
        dataset.manifest["tracks"] = {"file": "tracks.jsonl.zst", "tracklets": 1}
        self.assert_fails("tracks.jsonl.zst cannot be read: .*no regular file", lambda _: list(dataset.tracklets()))

    def test_a_missing_or_cut_shard_is_named_when_the_data_set_is_opened(self) -> None:
        folder = self.dataset()
        tar, idx = folder / "pairs-000001.tar", folder / "pairs-000001.idx"
        whole = tar.read_bytes()
        idx.rename(folder / "aside")
        self.assert_fails("pairs-000001.idx cannot be read: No such file")
        self.assertEqual(PairDataset(folder)[0]["key"], "00000000-0000")
        (folder / "aside").rename(idx)
        tar.write_bytes(whole[:-512])
        self.assert_fails("pairs-000001.tar has [0-9]+ bytes; dataset.json says", PairDataset)
        tar.unlink()
        self.assert_fails("pairs-000001.tar is missing", PairDataset)

    def test_a_shard_that_changes_while_it_is_open_is_an_error(self) -> None:
        folder = self.dataset()
        dataset = PairDataset(folder)
        (folder / "pairs-000001.tar").write_bytes(b"short")
        self.assert_fails("pairs-000001.tar has 5 bytes", lambda _: dataset[6])
        (folder / "pairs-000001.tar").unlink()
        self.assert_fails("pairs-000001.tar cannot be opened", lambda _: dataset[6])
        self.assertEqual(dataset[7]["key"], "00000008-0000")

    def test_every_flipped_byte_of_a_tar_is_found_or_changes_no_record(self) -> None:
        items = record(0, 1, roles=("anchor",))
        folder = write_dataset(self.folder / "data set", [items])
        path = folder / "pairs-000000.tar"
        sound, dataset = path.read_bytes(), PairDataset(folder, check=True)
        expected, found = dataset[0], 0
        with path.open("r+b", buffering=0) as file:
            for at in range(len(sound) - 1024):
                os.pwrite(file.fileno(), bytes([sound[at] ^ 0x11]), at)
                try:
                    self.assertEqual(dataset[0], expected, at)
                except DatasetError as error:
                    self.assertRegex(str(error), "pairs-000000.tar record 0: ")
                    found += 1
                os.pwrite(file.fileno(), sound[at : at + 1], at)
        # All bytes of members and of headers. The rest is padding.
        self.assertEqual(found, 512 * len(items) + sum(map(len, items.values())))

    def test_every_flipped_byte_and_every_cut_of_an_index_is_found_or_changes_no_record(self) -> None:
        folder = write_dataset(self.folder / "data set", [record(0, 0), record(1, 1, 1)])
        path = folder / "pairs-000000.idx"
        sound, expected = path.read_bytes(), list(PairDataset(folder))
        found = 0
        for at in range(len(sound)):
            for damaged in (sound[:at], sound[:at] + bytes([sound[at] ^ 0x01]) + sound[at + 1 :]):
                path.write_bytes(damaged)
                try:
                    self.assertEqual((list(PairDataset(folder)), len(PairDataset(folder).keys)), (expected, 2))
                except DatasetError as error:
                    self.assertRegex(str(error), "pairs-000000.(idx line [123] is damaged|tar record [01]:)")
                    found += 1
        # A size is used to find the next member only, so another one that ends in the same block does no harm.
        self.assertGreater(found, 2 * len(sound) - 20)

    def test_an_image_that_cannot_be_decoded_is_named(self) -> None:
        def decoder(data: bytes, extension: str, size: tuple[int, int]) -> None:
            raise OSError(f"no {extension} of {size}")

        self.dataset()
        reason = "pairs-000000.tar record 1: 00000000-0001.anchor.jpg cannot be decoded: no jpg of .32, 24."
        self.assert_fails(reason, lambda folder: PairDataset(folder, decode=decoder)[1])


if __name__ == "__main__":
    unittest.main()
