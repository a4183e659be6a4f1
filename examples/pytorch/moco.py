"""MoCo v2 over several processes: the network, its key encoder and queue, and the loss of a batch."""
import functools
import types

import torch
import torch.distributed as dist
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

NETWORKS = {"resnet18": (BasicBlock, [2, 2, 2, 2]), "resnet34": (BasicBlock, [3, 4, 6, 3]), "resnet50": (Bottleneck, [3, 4, 6, 3])}


class GroupedBatchNorm(nn.BatchNorm2d):
    """Batch norm over each of `groups` parts of the batch, as if each were on a device of its own. Running statistics are their mean."""

    def __init__(self, channels: int, groups: int):
        super().__init__(channels)
        self.groups = groups

    def forward(self, images: Tensor) -> Tensor:
        if not self.training or self.groups == 1:
            return super().forward(images)
        self.num_batches_tracked += 1
        means, variances = self.running_mean.repeat(self.groups, 1), self.running_var.repeat(self.groups, 1)
        parts = [F.batch_norm(part, mean, variance, self.weight, self.bias, True, self.momentum, self.eps)
                 for part, mean, variance in zip(images.chunk(self.groups), means, variances)]
        self.running_mean.copy_(means.mean(0))
        self.running_var.copy_(variances.mean(0))
        return torch.cat(parts)


class ResNet(torchvision.models.ResNet):
    """torchvision's ResNet with MoCo v2's head as `fc`, of any width, and with a stem for small views if `train.stem` says so."""

    def __init__(self, train: types.SimpleNamespace, groups: int):
        self.width = train.width
        norm = functools.partial(GroupedBatchNorm, groups=groups)
        super().__init__(*NETWORKS[train.network], norm_layer=norm)
        kernel, stride = (3, 1) if train.stem == "small" else (7, 2)
        self.conv1 = nn.Conv2d(3, self.width, kernel, stride, kernel // 2, bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.bn1 = norm(self.width)
        if train.stem == "small":
            self.maxpool = nn.Identity()
        features = self.inplanes
        self.fc = nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, train.embedding))

    def _make_layer(self, block, planes: int, *args, **kwargs) -> nn.Sequential:
        if planes == 64:
            self.inplanes = self.width
        return super()._make_layer(block, planes * self.width // 64, *args, **kwargs)


def gather(rows: Tensor) -> Tensor:
    """Rows of all ranks, in the order of the ranks."""
    parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)


class MoCo(nn.Module):
    """Momentum contrast (He et al. 2020; Chen et al. 2020) with the loss over frames and regions of Purushwalkam and Gupta (2020)."""

    def __init__(self, train: types.SimpleNamespace):
        super().__init__()
        self.train_settings = train
        self.encoder_q, self.encoder_k = (ResNet(train, train.groups // dist.get_world_size()) for _ in range(2))
        self.encoder_k.load_state_dict(self.encoder_q.state_dict())
        self.encoder_k.requires_grad_(False)
        self.register_buffer("queue", F.normalize(torch.randn(train.embedding, train.queue), dim=0))
        self.register_buffer("queue_ptr", torch.zeros(1, dtype=torch.long))

    def forward(self, views: list[Tensor], random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Loss of this rank's records, their similarity to their keys, and the keys of all ranks, which `enqueue` takes after the step.

        The key encoder moves first: k <- m k + (1 - m) q. All terms of the loss see the same negatives.
        """
        train = self.train_settings
        with torch.no_grad():
            for key, query in zip(self.encoder_k.parameters(), self.encoder_q.parameters()):
                key.lerp_(query, 1.0 - train.key_momentum)
        weights = [1.0] if len(views) == 2 else [1.0 - train.region_weight, train.region_weight]
        terms = [(query, key, weight) for query, key, weight in zip(views[0::2], views[1::2], weights)]
        if train.symmetric:
            terms = [pair for q, k, weight in terms for pair in ((q, k, weight / 2), (k, q, weight / 2))]
        loss, similarity, enqueued = 0.0, 0.0, []
        for query, key, weight in terms:
            queries = self.embed(self.encoder_q, query)
            keys = self.embed_keys(key, random)
            enqueued.append(keys)
            positive = (queries * keys.chunk(dist.get_world_size())[dist.get_rank()]).sum(1, keepdim=True)
            logits = torch.cat([positive, queries @ self.queue], dim=1) / train.temperature
            loss = loss + weight * F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device=logits.device))
            similarity = similarity + weight * positive.detach().mean()
        return loss, similarity, torch.cat(enqueued)

    def embed(self, encoder: ResNet, images: Tensor) -> Tensor:
        """Unit vectors, N x E, of images, N x 3 x S x S."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.train_settings.numbers == "bf16"):
            rows = encoder(images.contiguous(memory_format=torch.channels_last))
        return F.normalize(rows.float() if rows.dtype == torch.bfloat16 else rows, dim=1)

    @torch.no_grad()
    def embed_keys(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Keys of the images of all ranks. ShuffleBN: each image is encoded among those of other ranks and groups than its query is."""
        if self.train_settings.groups == 1 or not self.train_settings.shuffle:
            return gather(self.embed(self.encoder_k, images))
        order = torch.randperm(len(images) * dist.get_world_size(), generator=random).to(images.device)
        mine = order.chunk(dist.get_world_size())[dist.get_rank()]
        return gather(self.embed(self.encoder_k, gather(images)[mine]))[order.argsort()]

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Replaces the oldest keys. Of more than the queue holds, the last stay."""
        length = self.queue.shape[1]
        keys = keys[-length:]
        places = (self.queue_ptr + torch.arange(len(keys), device=keys.device)) % length
        self.queue[:, places] = keys.T
        self.queue_ptr.copy_((self.queue_ptr + len(keys)) % length)
