#!/usr/bin/env python3
"""What PyTorch and torchvision compute for crates/vidpairs-torch/tests/train/golden.rs: features, losses, gradients, next weights.

usage: train.py OUT_DIR      (tests/golden/train; packages: scripts/golden/requirements.txt)

Weights and images are not stored: `fill` makes them from a formula on both sides. Of large tensors a digest is stored: sum, sum of
absolute values, and sixteen values spread over it. Steps of training are taken in 64 bits: in 32 they magnify the last bits so much that
layouts in memory part after two steps. The methods are written here from the papers' equations (He et al. 2020;
Chen et al. 2020; Misra and van der Maaten 2020; Purushwalkam and Gupta 2020), on PyTorch's own layers and optimiser.
"""
import copy
import json
import pathlib
import sys

import numpy
import torch
import torch.nn.functional as F
import torchvision

STEPS = 5
LR = 0.03


def uniform(shape, stream):
    """Numbers between -1 and 1 that depend on their place and `stream` alone."""
    count = int(numpy.prod(shape))
    wave = numpy.sin(numpy.arange(count, dtype=numpy.float64) * 12.9898 + stream * 78.233) * 4375.85453
    return (2.0 * (wave - numpy.floor(wave)) - 1.0).reshape(shape)


def fill(module):
    """Parameters and statistics from the formula, each scaled as its layer needs it."""
    with torch.no_grad():
        for stream, (name, tensor) in enumerate(module.state_dict().items()):
            shape = tuple(tensor.shape)
            if name.endswith("num_batches_tracked"):
                continue
            values = uniform(shape, stream)
            if len(shape) == 4:
                values = values * numpy.sqrt(3.0) * numpy.sqrt(2.0 / (shape[0] * shape[2] * shape[3]))
            elif len(shape) == 2:
                values = values / numpy.sqrt(shape[1])
            elif name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
                values = 1.0 + 0.1 * values
            else:
                values = 0.1 * values
            tensor.copy_(torch.from_numpy(values))


def images(count, side, stream):
    return (torch.from_numpy(uniform((count, 3, side, side), stream)) * 1.5).to(torch.get_default_dtype())


def unit(rows):
    return F.normalize(rows, dim=1)


def digest(tensor):
    flat = tensor.detach().double().flatten()
    places = [(i * (len(flat) - 1)) // 15 for i in range(16)] if len(flat) > 16 else range(len(flat))
    return {"sum": flat.sum().item(), "abs": flat.abs().sum().item(), "values": [flat[p].item() for p in places]}


def trunk(name):
    model = getattr(torchvision.models, name)()
    model.fc = torch.nn.Identity()
    return model


class Encoder(torch.nn.Module):
    def __init__(self, head):
        super().__init__()
        self.backbone = trunk("resnet18")
        layers = [torch.nn.Linear(512, 128)]
        if head == "mlp":
            layers = [torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 128)]
        self.head = torch.nn.Sequential(*layers)

    def forward(self, x):
        return unit(self.head(self.backbone(x)))


def features():
    out = {}
    for name in ["resnet18", "resnet34", "resnet50"]:
        model = trunk(name)
        fill(model)
        x = images(2, 64, 1000)
        out[name] = {"evaluation": digest(model.eval()(x)), "training": digest(model.train()(x)),
                     "running_mean": digest(model.layer4[0].bn1.running_mean),
                     "running_var": digest(model.layer4[0].bn1.running_var)}
    model = trunk("resnet18")
    fill(model)
    model.eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out["resnet18-bf16"] = {"evaluation": digest(model(images(2, 64, 1000)).float())}
    return out


def info_nce(q, k, queue, temperature):
    positive = (q * k).sum(1, keepdim=True)
    logits = torch.cat([positive, q @ queue.T], 1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))


def moco(head, temperature, views_per_step):
    """views_per_step 2: (query, key); 4: (frame, later frame, region, tracked region) at 0.5 and 0.5."""
    torch.manual_seed(0)
    query = Encoder(head)
    fill(query)
    key = copy.deepcopy(query)
    for p in key.parameters():
        p.requires_grad = False
    queue = unit(torch.from_numpy(uniform((32, 128), 5000)))
    pointer = 0
    optimizer = torch.optim.SGD(query.parameters(), LR, momentum=0.9, weight_decay=1e-4)
    steps = []
    for step in range(STEPS):
        views = [images(8, 32, 100 * step + v) for v in range(views_per_step)]
        with torch.no_grad():
            for k, q in zip(key.parameters(), query.parameters()):
                k.data = k.data * 0.9 + q.data * 0.1
        loss, keys = 0.0, []
        weight = 2 / views_per_step
        for q, k in zip(views[0::2], views[1::2]):
            embedded = query(q)
            with torch.no_grad():
                keys.append(key(k))
            loss = loss + weight * info_nce(embedded, keys[-1], queue, temperature)
        optimizer.zero_grad()
        loss.backward()
        gradient = {n: digest(p.grad) for n, p in query.named_parameters()
                    if n in ("backbone.conv1.weight", "backbone.layer4.1.bn2.weight", "head.0.weight")}
        norm = torch.sqrt(sum((p.grad.double() ** 2).sum() for p in query.parameters())).item()
        optimizer.step()
        for k in keys:
            queue[pointer:pointer + len(k)] = k
            pointer = (pointer + len(k)) % len(queue)
        steps.append({"loss": loss.item(), "gradient_norm": norm, "gradient": gradient, "queue": digest(queue),
                      "weight": digest(query.backbone.layer3[0].conv1.weight), "head": digest(query.head[0].weight),
                      "key": digest(key.backbone.layer3[0].conv1.weight),
                      "key_running_mean": digest(key.backbone.bn1.running_mean)})
    return steps


class Pirl(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = trunk("resnet18")
        self.head = torch.nn.ModuleDict({"image": torch.nn.Sequential(torch.nn.Linear(512, 128)),
                                         "patch": torch.nn.Sequential(torch.nn.Linear(512, 128)),
                                         "jigsaw": torch.nn.Sequential(torch.nn.Linear(9 * 128, 128))})


def pirl():
    """Negatives are every vector of the memory once but the record's own."""
    model = Pirl()
    fill(model)
    bank = unit(torch.from_numpy(uniform((24, 128), 6000)))
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD([{"params": decayed, "weight_decay": 1e-4}, {"params": others, "weight_decay": 0.0}],
                                LR, momentum=0.9)
    steps = []
    for step in range(STEPS):
        records = (torch.arange(4) * 5 + step) % 24
        image = unit(model.head["image"](model.backbone(images(4, 32, 100 * step))))
        patches = model.head["patch"](model.backbone(images(36, 16, 100 * step + 1))).reshape(4, 9 * 128)
        jigsaw = unit(model.head["jigsaw"](patches))
        loss = 0.0
        for q in (image, jigsaw):
            logits = q @ bank.T
            own = F.one_hot(records, 24).bool()
            positive = logits[own].unsqueeze(1)
            logits = torch.cat([positive, logits.masked_fill(own, -float("inf"))], 1) / 0.07
            loss = loss + 0.5 * F.cross_entropy(logits, torch.zeros(4, dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            bank[records] = unit(0.5 * bank[records] + 0.5 * image.detach())
        steps.append({"loss": loss.item(), "bank": digest(bank), "weight": digest(model.backbone.layer2[0].conv1.weight),
                      "jigsaw": digest(model.head["jigsaw"][0].weight), "bn": digest(model.backbone.bn1.weight)})
    return steps


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    torch.set_num_threads(2)
    made = {"features": features()}
    torch.set_default_dtype(torch.float64)
    made |= {"moco-v1": moco("linear", 0.07, 2), "moco-v2": moco("mlp", 0.2, 2),
            "frames-and-regions": moco("mlp", 0.2, 4), "pirl": pirl()}
    for name, content in made.items():
        content = {"torch": torch.__version__, "torchvision": torchvision.__version__,
                   "command": "scripts/golden/train.py tests/golden/train", "content": content}
        (out / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
