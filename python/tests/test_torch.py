"""Tests with PyTorch: batches of tensors, DataLoader, and two processes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import unittest
from typing import Any

from datasets import PROGRAM, REGIONS, ROOT, FolderTest, extract, record, write_dataset

from vidpairs import ClipBatchSampler, PairDataset, collate

HAS_TORCH = importlib.util.find_spec("torch") is not None
HAS_PIL = importlib.util.find_spec("PIL") is not None


def picture(data: bytes, extension: str, size: tuple[int, int]) -> Any:
    """An image of one colour, which the bytes of the member give."""
    from PIL import Image

    return Image.new("RGB", size, (len(data) % 256, data[-1], 7))


def plain(data: bytes, extension: str, size: tuple[int, int]) -> Any:
    import torch

    return torch.full((3, size[1], size[0]), len(data) % 256, dtype=torch.uint8)


def to_float(item: dict[str, Any]) -> dict[str, Any]:
    return {"key": item["key"], "views": [item["anchor"] / 255.0, item["positive"] / 255.0]}


def batches_of_rank(rank: int, folder: str, port_file: str, out: str) -> None:
    import torch

    torch.distributed.init_process_group("gloo", init_method=f"file://{port_file}", rank=rank, world_size=2)
    dataset = PairDataset(folder)
    loader = torch.utils.data.DataLoader(dataset, batch_sampler=ClipBatchSampler(dataset, 3), num_workers=1, collate_fn=collate)
    keys = [batch["key"] for batch in loader]
    everyone: list[Any] = [None, None]
    torch.distributed.all_gather_object(everyone, keys)
    if rank == 0:
        torch.save(everyone, out)
    torch.distributed.destroy_process_group()


@unittest.skipUnless(HAS_TORCH, "needs torch")
class Torch(FolderTest):
    def dataset(self, **settings: Any) -> PairDataset:
        records = [record(clip, pair, schema, label=f"class {clip}", k=5 + pair)
                   for schema in (1, 2) for clip in range(4 * schema, 4 * schema + 4) for pair in range(3)]
        return PairDataset(write_dataset(self.folder / "data set", records[:9], records[9:]), **settings)

    @unittest.skipUnless(HAS_PIL, "needs Pillow")
    def test_images_of_pillow_become_a_tensor_with_their_pixels(self) -> None:
        import torch

        dataset = self.dataset(decode=picture)
        batch = collate([dataset[number] for number in (0, 5, 20)])
        self.assertEqual((batch["anchor"].dtype, tuple(batch["anchor"].shape)), (torch.uint8, (3, 3, 24, 32)))
        for row, number in enumerate((0, 5, 20)):
            colours = batch["positive"][row].flatten(1).unique(dim=1).squeeze(1).tolist()
            self.assertEqual(tuple(colours), dataset[number]["positive"].getpixel((0, 0)))

    def test_each_field_of_the_json_becomes_a_list_and_a_number_of_a_transform_a_tensor(self) -> None:
        dataset = self.dataset(decode=plain)
        batch = collate([{**item, "weight": 0.5} for item in dataset[1:23:7]])
        self.assertEqual(batch["key"], dataset.keys[1:23:7])
        self.assertEqual(batch["meta"]["label"], dataset.labels[1:23:7])
        self.assertEqual(batch["meta"]["k"], [dataset.meta(number)["k"] for number in range(1, 23, 7)])
        self.assertEqual(batch["meta"]["anchor"]["box_xywh"], [[0.0, 0.0, 64.0, 48.0]] * 4)
        self.assertEqual(batch["meta"]["anchor"]["crc32"], [dataset.meta(number)["anchor"]["crc32"] for number in range(1, 23, 7)])
        self.assertEqual(batch["weight"].tolist(), [0.5] * 4)

    @unittest.skipUnless(os.path.isdir("/proc/self/fd"), "needs /proc")
    def test_batches_that_wait_for_the_trainer_hold_a_file_for_each_image_tensor_only(self) -> None:
        from torch.utils.data import DataLoader

        before = len(os.listdir("/proc/self/fd"))
        batches = list(DataLoader(self.dataset(decode=plain), 1, num_workers=1, collate_fn=collate))
        self.assertLess(len(os.listdir("/proc/self/fd")) - before, 2 * len(batches) + 20)

    def test_the_default_collate_of_torch_takes_every_record_of_both_schemas(self) -> None:
        from torch.utils.data import DataLoader

        for number, batch in enumerate(DataLoader(self.dataset(decode=plain), batch_size=24)):
            self.assertEqual(tuple(batch["anchor"].shape), (24, 3, 24, 32))
            self.assertEqual(len(batch["meta"]["tracklet"]["psr_mean"]), 24)
        self.assertEqual(number, 0)

    def test_views_of_a_transform_stay_a_list_of_tensors(self) -> None:
        import torch

        first, second = collate(self.dataset(decode=plain, transform=to_float)[:5])["views"]
        self.assertEqual((first.dtype, tuple(second.shape)), (torch.float32, (5, 3, 24, 32)))

    def test_records_that_do_not_fit_together_are_refused(self) -> None:
        import torch

        dataset = self.dataset(decode=plain)
        with self.assertRaisesRegex(ValueError, "different sizes.*transform"):
            collate([dataset[0], {**dataset[1], "anchor": torch.zeros(3, 9, 9, dtype=torch.uint8)}])
        with self.assertRaisesRegex(ValueError, "roles"):
            collate([dataset[0], {"key": "a"}])
        with self.assertRaisesRegex(ValueError, "views is a list of 2 or 3 values"):
            collate([{"views": [1, 2]}, {"views": [1, 2, 3]}])

    def test_a_damaged_record_stops_the_loader_with_its_name(self) -> None:
        from torch.utils.data import DataLoader

        dataset = self.dataset()
        path = dataset.folder / "pairs-000001.tar"
        path.write_bytes(path.read_bytes().replace(b"anchor of", b"Anchor of"))
        with self.assertRaisesRegex(Exception, "pairs-000001.tar record [0-9]+: .*CRC-32"):
            list(DataLoader(PairDataset(dataset.folder, check=True), num_workers=2, collate_fn=list))

    def test_the_sampler_resumes_in_a_loader_with_workers(self) -> None:
        from torch.utils.data import DataLoader

        dataset = self.dataset()

        def keys(sampler: ClipBatchSampler) -> list[list[str]]:
            return [batch["key"] for batch in DataLoader(dataset, batch_sampler=sampler, num_workers=2, collate_fn=collate)]

        expected = keys(ClipBatchSampler(dataset, 3))
        sampler = ClipBatchSampler(dataset, 3)
        sampler.load_state_dict(ClipBatchSampler(dataset, 3).state_dict(position=4))
        self.assertEqual(keys(sampler), expected[4:])

    @unittest.skipUnless(importlib.util.find_spec("torchvision"), "needs torchvision")
    @unittest.skipUnless(PROGRAM.is_file() and shutil.which("ffmpeg"), f"needs {PROGRAM} and ffmpeg")
    def test_each_example_of_the_readme_runs_on_every_kind_of_data_set(self) -> None:
        examples = [text.split("```")[0] for text in (ROOT / "python/README.md").read_text().split("```python\n")[1:]]
        kinds = {"frames": (), "images": ("pairs.kind=images",), "regions": REGIONS, "raw": ("images.codec=rgb-zstd",), "parts": ()}
        for kind, settings in kinds.items():
            if kind == "raw" and not importlib.util.find_spec("zstandard"):
                continue
            (self.folder / kind).mkdir()
            extract(self.folder / kind, "pairs", *settings, parts=3 if kind == "parts" else 1)
            views = "None" if kind == "images" else "4 3 96 96"
            for example in examples:
                with self.subTest(kind):
                    printed = "print(*anchor.shape, *positive.shape if positive is not None else [None], len(k), epoch)\n"
                    (self.folder / kind / "example.py").write_text(example + printed)
                    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
                    ran = subprocess.run([sys.executable, "example.py"], cwd=self.folder / kind, env=environment, stdout=subprocess.PIPE, text=True)
                    self.assertEqual((ran.returncode, ran.stdout), (0, f"4 3 96 96 {views} 4 1\n"))

    def test_two_processes_of_torch_distributed_share_the_records(self) -> None:
        import torch

        dataset, out = self.dataset(), str(self.folder / "keys.pt")
        torch.multiprocessing.spawn(batches_of_rank, (str(dataset.folder), str(self.folder / "meeting"), out), nprocs=2)
        ranks = torch.load(out)
        self.assertEqual([len(keys) for keys in ranks], [4, 4])
        for keys in zip(*ranks):
            self.assertEqual(len({key[:8] for key in sum(keys, [])}), 6)
        self.assertEqual(len({key for keys in ranks for key in sum(keys, [])}), 24)


if __name__ == "__main__":
    unittest.main()
