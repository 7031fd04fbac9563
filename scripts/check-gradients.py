"""Compares the trainer's gradients with PyTorch's in float64. Usage: check-gradients.py FOLDER (written by check-gradients.ts).

The forward pass here is written independently of the trainer: one row at a time, dense masks, autograd."""
import json
import pathlib
import sys

try:
    import numpy as np
    import torch
except ImportError as missing:
    sys.exit(f"check-gradients needs PyTorch ({missing}); Debian: apt-get install python3-torch")

LIMIT = 1e-4  # relative error of a tensor's gradient in F32


def read_values(case, path):
    numbers = np.fromfile(path, dtype="<f4").astype(np.float64)
    out, at = {}, 0
    for entry in case["values"]:
        out[entry["name"]] = torch.tensor(numbers[at : at + entry["count"]])
        at += entry["count"]
    return out


def rms_norm(x, weight, eps):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * weight


def rotate(x, base):
    """llama.cpp's "norm" order: pairs (2i, 2i+1). x: [tokens, heads, head size]"""
    tokens, _, size = x.shape
    angle = torch.arange(tokens, dtype=torch.float64)[:, None] * base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    cos, sin = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def linear(values, case, name, x):
    weight = values[name].view(-1, x.shape[-1])
    y = x @ weight.T
    if name + ".lora_a" in values:
        a = values[name + ".lora_a"].view(-1, x.shape[-1])
        b = values[name + ".lora_b"].view(weight.shape[0], -1)
        y = y + case["scale"] * (x @ a.T) @ b.T
    return y


def row_loss(values, case, tokens, weights):
    shape, eps = case["shape"], case["eps"]
    heads, kv_heads, width = shape["headCount"], shape["kvHeadCount"], shape["width"]
    size, count = width // heads, len(tokens)
    embedding = values["token_embd.weight"].view(-1, width)
    x = embedding[tokens]
    mask = torch.full((count, count), float("-inf"), dtype=torch.float64).triu(1)
    for layer in range(shape["layerCount"]):
        at = f"blk.{layer}."
        h = rms_norm(x, values[at + "attn_norm.weight"], eps)
        q = rotate(linear(values, case, at + "attn_q.weight", h).view(count, heads, size), shape["ropeBase"])
        k = rotate(linear(values, case, at + "attn_k.weight", h).view(count, kv_heads, size), shape["ropeBase"])
        v = linear(values, case, at + "attn_v.weight", h).view(count, kv_heads, size)
        k, v = (t.repeat_interleave(heads // kv_heads, 1) for t in (k, v))
        scores = torch.einsum("ihd,jhd->hij", q, k) / size**0.5 + mask
        o = torch.einsum("hij,jhd->ihd", scores.softmax(-1), v).reshape(count, -1)
        x = x + linear(values, case, at + "attn_output.weight", o)
        h = rms_norm(x, values[at + "ffn_norm.weight"], eps)
        gate = torch.nn.functional.silu(linear(values, case, at + "ffn_gate.weight", h))
        x = x + linear(values, case, at + "ffn_down.weight", gate * linear(values, case, at + "ffn_up.weight", h))
    x = rms_norm(x, values["output_norm.weight"], eps)
    head = embedding if shape["isTied"] else values["output.weight"].view(-1, width)
    log_p = (x[:-1] @ head.T).log_softmax(-1)
    return -(weights[1:] * log_p.gather(1, tokens[1:, None])[:, 0]).sum()


def check(path):
    case = json.loads(path.read_text())
    values = read_values(case, path.with_suffix(".values"))
    for entry in case["gradients"]:
        values[entry["name"]].requires_grad_(True)
    tokens, weights = torch.tensor(case["tokens"]), torch.tensor(case["weights"], dtype=torch.float64)
    loss, at = 0, 0
    for length in case["rowLengths"]:
        loss = loss + row_loss(values, case, tokens[at : at + length], weights[at : at + length])
        at += length
    loss = loss / weights.sum()
    loss.backward()

    theirs = np.fromfile(path.with_suffix(".gradients"), dtype="<f4").astype(np.float64)
    errors, at = [], 0
    for entry in case["gradients"]:
        own = values[entry["name"]].grad.numpy().ravel()
        other = theirs[at : at + own.size]
        at += own.size
        errors.append((np.linalg.norm(own - other) / np.linalg.norm(own), entry["name"]))
    worst = max(errors)
    print(f"{case['name']:12} loss {case['loss']:.7f} torch {loss.item():.7f}  {len(errors)} tensors, "
          f"worst relative error {worst[0]:.2e} ({worst[1]})")
    return worst[0] < LIMIT and abs(loss.item() - case["loss"]) < 1e-5


cases = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
sys.exit(0 if cases and all([check(path) for path in cases]) else 1)
