"""PyTorch's side of bench-train: the same llama shape, batch, loss and AdamW as the trainer. Usage: bench-train.py JSON (a job of
bench-torch.ts: probe, tune or run); prints one line of JSON. Weights are random and made here: speed does not depend on them.

Fairness: whatever PyTorch is better off with is used. Rotations, masks and positions are made once, outside the steps; the causal mask
is added inside the product (baddbmm), LoRA inside addmm; logits are computed only for rows that count in the loss; SDPA, fused
RMSNorm and fused AdamW where this torch has them. Rows of several lengths run in the fastest of three layouts (tune):
  padded  one batch, rows padded at the right (causal attention never sees the padding, so no other mask is needed)
  rows    one row after another, gradients added up
  packed  linear layers over all rows end to end, attention row by row"""
import json
import math
import os
import sys
import time

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as missing:
    print(json.dumps({"missing": str(missing)}))
    sys.exit(0)

HAS_SDPA = hasattr(F, "scaled_dot_product_attention")
HAS_RMS = hasattr(F, "rms_norm")


def peak_bytes():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


class Linear(nn.Module):
    def __init__(self, inputs, outputs, lora, is_target):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs).normal_(0, 0.02), requires_grad=lora is None)
        self.scale = None
        if lora is not None and is_target:
            self.a = nn.Parameter(torch.empty(lora["rank"], inputs).normal_(0, 1 / math.sqrt(inputs)))
            self.b = nn.Parameter(torch.zeros(outputs, lora["rank"]))
            self.scale = lora["alpha"] / lora["rank"]

    def forward(self, x):  # [tokens, inputs]
        y = F.linear(x, self.weight)
        return y if self.scale is None else torch.addmm(y, F.linear(x, self.a), self.b.t(), alpha=self.scale)


class Norm(nn.Module):
    def __init__(self, width, trains):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width), requires_grad=trains)

    def forward(self, x):
        if HAS_RMS:
            return F.rms_norm(x, self.weight.shape, self.weight, 1e-5)
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Layout:
    """How rows are laid out: `batch` x `length` tokens, positions, spans of attention, and which places count in the loss."""

    def __init__(self, rows, batch, length, size):
        self.batch, self.length = batch, length
        self.tokens = torch.zeros(batch * length, dtype=torch.long)
        self.spans = [(0, length)] if batch > 1 or len(rows) == 1 else []
        positions = torch.arange(length)
        places, targets = [], []
        at = 0
        for index, row in enumerate(rows):
            start = index * length if batch > 1 else at
            count = len(row["tokens"])
            self.tokens[start : start + count] = torch.tensor(row["tokens"])
            first = count - row["counted"]  # the loss is on the last `counted` tokens, each predicted from the place before it
            places.append(torch.arange(start + first - 1, start + count - 1))
            targets.append(torch.tensor(row["tokens"][first:]))
            if batch == 1 and len(rows) > 1:
                positions[at : at + count] = torch.arange(count)
                self.spans.append((at, at + count))
            at += count
        self.places, self.targets = torch.cat(places), torch.cat(targets)
        angle = torch.outer(positions.float(), 1e4 ** (-torch.arange(0, size, 2).float() / size))
        self.cos, self.sin = angle.cos(), angle.sin()
        longest = max(b - a for a, b in self.spans)
        self.mask = None if HAS_SDPA else torch.full((longest, longest), float("-inf")).triu(1)


def rotate(x, layout):  # [batch, heads, tokens, head size]
    low, high = x.chunk(2, -1)
    cos, sin = layout.cos, layout.sin
    return torch.cat([low * cos - high * sin, high * cos + low * sin], -1)


def attend(q, k, v, mask):  # [batch, heads, tokens, head size], causal
    if HAS_SDPA:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    batch, heads, count, size = q.shape
    flat = [t.reshape(batch * heads, count, size) for t in (q, k, v)]
    scores = torch.baddbmm(mask[:count, :count], flat[0], flat[1].transpose(1, 2), alpha=1 / math.sqrt(size))
    return torch.bmm(scores.softmax(-1), flat[2]).view(batch, heads, count, size)


class Block(nn.Module):
    def __init__(self, shape, lora):
        super().__init__()
        width, ffn = shape["width"], shape["ffnWidth"]
        self.heads, self.kv_heads = shape["headCount"], shape["kvHeadCount"]
        self.size = width // self.heads
        kv_width = self.size * self.kv_heads
        linear = lambda name, i, o: Linear(i, o, lora, lora is not None and name in lora["targets"])
        self.norm1, self.norm2 = Norm(width, lora is None), Norm(width, lora is None)
        self.q, self.o = linear("attn_q", width, width), linear("attn_output", width, width)
        self.k, self.v = linear("attn_k", width, kv_width), linear("attn_v", width, kv_width)
        self.gate, self.up = linear("ffn_gate", width, ffn), linear("ffn_up", width, ffn)
        self.down = linear("ffn_down", ffn, width)

    def forward(self, x, layout):  # [batch * tokens, width]
        h = self.norm1(x)
        split = lambda t, heads: t.view(layout.batch, layout.length, heads, self.size).transpose(1, 2)
        q = rotate(split(self.q(h), self.heads), layout)
        k = rotate(split(self.k(h), self.kv_heads), layout)
        v = split(self.v(h), self.kv_heads)
        if self.kv_heads != self.heads:
            k, v = (t.repeat_interleave(self.heads // self.kv_heads, 1) for t in (k, v))
        parts = [attend(q[:, :, a:b], k[:, :, a:b], v[:, :, a:b], layout.mask) for a, b in layout.spans]
        joined = parts[0] if len(parts) == 1 else torch.cat(parts, 2)
        x = x + self.o(joined.transpose(1, 2).reshape(x.shape))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Model(nn.Module):
    def __init__(self, shape, lora):
        super().__init__()
        self.embedding = nn.Parameter(
            torch.empty(shape["vocabSize"], shape["width"]).normal_(0, 0.02), requires_grad=lora is None
        )
        self.blocks = nn.ModuleList([Block(shape, lora) for _ in range(shape["layerCount"])])
        self.norm = Norm(shape["width"], lora is None)

    def loss_sum(self, layout):
        x = F.embedding(layout.tokens, self.embedding)
        for block in self.blocks:
            x = block(x, layout)
        if len(layout.places) < len(layout.tokens) - layout.batch:
            x = x[layout.places]
            logits = F.linear(self.norm(x), self.embedding)
        else:  # all but the last place of each row count: a slice is cheaper than a gather
            x = x.view(layout.batch, layout.length, -1)[:, :-1].reshape(len(layout.places), -1)
            logits = F.linear(self.norm(x), self.embedding)
        return F.cross_entropy(logits, layout.targets, reduction="sum")


def layouts_of(name, rows, size):
    lengths = [len(row["tokens"]) for row in rows]
    if name == "rows":
        return [Layout([row], 1, len(row["tokens"]), size) for row in rows]
    if name == "packed":
        return [Layout(rows, 1, sum(lengths), size)]
    return [Layout(rows, len(rows), max(lengths), size)]


def adamw(name, parameters):
    kind = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}[name]
    return torch.optim.AdamW(parameters, lr=1e-5, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.01, **kind)


class Training:
    def __init__(self, job):
        torch.manual_seed(0)
        self.shape, self.vocab = job["shape"], job["shape"]["vocabSize"]
        self.rows = job["rows"]
        self.model = Model(self.shape, job["lora"])
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]

    def step(self, layout_name, optimizer):
        """One optimiser step on new random tokens; returns milliseconds, the making of the tokens left out."""
        rows = [
            {"tokens": torch.randint(0, self.vocab, (row["length"],)).tolist(), "counted": row["counted"]}
            for row in self.rows
        ]
        layouts = layouts_of(layout_name, rows, self.shape["width"] // self.shape["headCount"])
        counted = sum(row["counted"] for row in rows)
        start = time.perf_counter()
        for layout in layouts:
            (self.model.loss_sum(layout) / counted).backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return (time.perf_counter() - start) * 1000

    def run(self, layout_name, optimizer_name, seconds, least):
        optimizer = adamw(optimizer_name, self.parameters)
        self.step(layout_name, optimizer)  # warm-up
        times, start = [], time.perf_counter()
        while len(times) < least or time.perf_counter() - start < seconds:
            times.append(self.step(layout_name, optimizer))
        return times


def tune(job):
    """The fastest layout with the optimiser this torch likes best, by the best of two steps each."""
    training = Training(job)
    same_length = len({row["length"] for row in job["rows"]}) == 1
    names = ["padded"] if same_length else ["padded", "rows", "packed"]
    tried = {name: min(training.run(name, "foreach", 0, 2)) for name in names}
    layout = min(tried, key=tried.get)
    tried_optimizers = {}
    for name in ("fused", "foreach", "loop"):
        try:
            tried_optimizers[name] = min(training.run(layout, name, 0, 2))
        except (RuntimeError, TypeError, ValueError):  # this torch has no such AdamW for the CPU
            continue
    optimizer = min(tried_optimizers, key=tried_optimizers.get)
    return {"layout": layout, "optimizer": optimizer, "layoutMs": tried, "optimizerMs": tried_optimizers}


def is_right(m, k, n):
    """Whether the BLAS' three forms of product are right, by element sums in float64 that use no BLAS."""
    a, b = torch.randn(m, k), torch.randn(n, k)
    forms = [a @ b.t(), a @ b.t().contiguous(), a.t().contiguous().t() @ b.t().contiguous()]
    for product in forms:
        for first in range(0, m, 64):
            part = a[first : first + 64].double()
            want = torch.stack([(part * row.double()).sum(-1) for row in b[:48]], 1)
            if not torch.allclose(product[first : first + 64, :48].double(), want, atol=1e-4 * math.sqrt(k)):
                return False
    return True


def probe():
    """Version, memory of torch alone, speed of a product as training has them, and whether products are right."""
    alone = peak_bytes()
    a, b = torch.randn(512, 576), torch.randn(1536, 576)
    start, best = time.perf_counter(), math.inf
    while time.perf_counter() - start < 0.6:
        before = time.perf_counter()
        F.linear(a, b)
        best = min(best, time.perf_counter() - before)
    config = torch.__config__.show()
    blas = next((word[10:] for word in config.replace(",", " ").split() if word.startswith("BLAS_INFO=")), "unknown")
    return {
        "torch": torch.__version__,
        "blas": blas,
        "python": sys.version.split()[0],
        "aloneBytes": alone,
        "gflops": 2 * 512 * 576 * 1536 / best / 1e9,
        "isRight": all(is_right(*sides) for sides in ((512, 576, 96), (511, 64, 190), (190, 1536, 16), (7, 33, 50))),
    }


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    if job["kind"] == "probe":
        return probe()
    if job["kind"] == "tune":
        return tune(job)
    times = Training(job).run(job["layout"], job["optimizer"], job["seconds"], job["leastSteps"])
    return {"stepMs": times, "peakBytes": peak_bytes()}


print(json.dumps(main()))
