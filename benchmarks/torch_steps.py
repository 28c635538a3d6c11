"""Training steps of a ResNet-20 in PyTorch; run by `bench_reference_gate.py`.

With the gate as the method's authors apply it: a Python loop over the batch
builds a mask of the maps' size. Reads a number of steps from each line of
stdin, and answers with the seconds they took.

    python torch_steps.py gated|standard float32|bfloat16 eager|compiled
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional

BATCH_SIZE, SIZE, CLASSES, FILTERS = 128, 32, 10, 64


class Block(nn.Module):
    """Two 3x3 convolutions and the shortcut without weights."""

    def __init__(self, before, filters, stride):
        super().__init__()
        self.stride, self.missing = stride, filters - before
        self.conv1 = nn.Conv2d(before, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)

    def forward(self, x):
        """Returns the features behind the block."""
        y = functional.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.stride > 1:
            half = self.missing // 2
            x = x[:, :, :: self.stride, :: self.stride]
            x = functional.pad(x, (0, 0, 0, 0, half, self.missing - half))
        return functional.relu(x + y)


def resnet20():
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)]
    layers.append(nn.ReLU())
    before = 16
    for filters in (16, 32, 64):
        for block in range(3):
            stride = 2 if filters > 16 and block == 0 else 1
            layers.append(Block(before, filters, stride))
            before = filters
    return nn.Sequential(*layers)


class Gate(nn.Module):
    """A class-by-filter matrix, applied to the maps sample by sample."""

    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(CLASSES, FILTERS))

    def forward(self, maps, labels):
        """Returns the maps, gated."""
        mask = torch.zeros_like(maps)
        for sample in range(len(maps)):
            row = self.matrix[labels[sample]]
            mask[sample] = row[:, None, None].expand(maps.shape[1:])
        return maps * mask

    @torch.no_grad()
    def project(self):
        """Keeps each filter fully open to its best class."""
        self.matrix /= self.matrix.max(dim=0, keepdim=True).values
        self.matrix.clamp_(0, 1)


def create_step(gated, dtype, compiled):
    """Returns a function that trains on one constant batch."""
    torch.manual_seed(0)
    torch.set_num_threads(2)
    network = resnet20().to(memory_format=torch.channels_last)
    head, gate = nn.Linear(FILTERS, CLASSES), Gate()
    forward = torch.compile(network) if compiled else network
    parameters = [*network.parameters(), *head.parameters()]
    if gated:
        parameters += gate.parameters()
    optimizer = torch.optim.SGD(
        parameters, 0.01, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    images = torch.rand(BATCH_SIZE, 3, SIZE, SIZE)
    images = images.to(memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (BATCH_SIZE,))

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype != "float32"):
            maps = forward(images)
            loss = functional.cross_entropy(head(maps.mean((2, 3))), labels)
            if gated:
                features = gate(maps, labels).mean((2, 3))
                loss = loss + functional.cross_entropy(head(features), labels)
                loss = loss + 1e-3 * functional.relu(gate.matrix.abs().sum())
        loss.backward()
        optimizer.step()
        if gated:
            gate.project()

    return step


def main():
    gated, dtype, compiled = sys.argv[1:]
    step = create_step(gated == "gated", dtype, compiled == "compiled")
    for _ in range(2):
        step()
    print("ready", flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
