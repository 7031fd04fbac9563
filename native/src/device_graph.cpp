// See device_graph.h.
#include "device_graph.h"

#include <cmath>

#include "failure.h"

namespace labdesk {

namespace {

// Nodes that one append() may bring along: the views it is made of.
constexpr size_t viewsApiece = 8;
constexpr float geluScale = 0.79788456080286535588f, geluCube = 0.044715f;  // sqrt(2 / pi); Hendrycks & Gimpel 2016

}  // namespace

Graph::Graph(const DeviceLibrary &ggml, size_t nodeLimit, Use use) : ggml_(ggml), nodeLimit_(nodeLimit), use_(use) {
  const size_t bytes = 2 * nodeLimit * ggml.ggml_tensor_overhead() + ggml.ggml_graph_overhead_custom(nodeLimit, false);
  context_ = ggml.ggml_init({bytes, nullptr, true});
  if (!context_) throw std::bad_alloc();
  nodes_ = ggml.ggml_new_graph_custom(context_, nodeLimit, false);
}

Graph::~Graph() { ggml_.ggml_free(context_); }

Tensor Graph::append(Tensor node) {
  const auto count = static_cast<size_t>(ggml_.ggml_graph_n_nodes(nodes_));
  require(count + viewsApiece < nodeLimit_, "bad-request",
          "The model has more operations than its graph was planned for.", "Train on the processor, and report it.");
  ggml_.ggml_build_forward_expand(nodes_, node);
  return node;
}

Tensor Graph::unsupported(ggml_backend_dev_t device) const {
  for (int i = 0; i < ggml_.ggml_graph_n_nodes(nodes_); i++) {
    const Tensor node = ggml_.ggml_graph_node(nodes_, i);
    if (!ggml_.ggml_backend_dev_supports_op(device, node)) return node;
  }
  return nullptr;
}

Tensor Graph::integers(std::vector<int32_t> values) {
  const Tensor out = ggml_.ggml_new_tensor_1d(context_, GGML_TYPE_I32, static_cast<int64_t>(values.size()));
  ggml_.ggml_set_input(out);
  inputs_.push_back({out, std::move(values), {}});
  return out;
}

Tensor Graph::floats(long columns, long rows, const std::function<void(float *)> &fill) {
  const Tensor out = ggml_.ggml_new_tensor_2d(context_, GGML_TYPE_F32, columns, rows);
  ggml_.ggml_set_input(out);
  if (use_ == Use::measuring) return out;
  std::vector<float> values(static_cast<size_t>(columns * rows));
  fill(values.data());
  inputs_.push_back({out, {}, std::move(values)});
  return out;
}

void Graph::upload() const {
  for (const Input &input : inputs_)
    if (input.tensor->data)  // an input that nothing uses has no memory
      ggml_.ggml_backend_tensor_set(input.tensor, input.values(), 0, ggml_.ggml_nbytes(input.tensor));
}

Tensor Graph::output(Tensor x) {
  ggml_.ggml_set_output(x);
  return x;
}

Tensor Graph::product(Tensor a, Tensor b) {
  const Tensor out = ggml_.ggml_mul_mat(context_, a, b);
  ggml_.ggml_mul_mat_set_prec(out, GGML_PREC_F32);
  return append(out);
}

Tensor Graph::add(Tensor a, Tensor b) { return append(ggml_.ggml_add(context_, a, b)); }
void Graph::accumulate(Tensor grad, Tensor x) { append(ggml_.ggml_add_inplace(context_, grad, x)); }
Tensor Graph::subtract(Tensor a, Tensor b) { return append(ggml_.ggml_sub(context_, a, b)); }
Tensor Graph::multiply(Tensor a, Tensor b) { return append(ggml_.ggml_mul(context_, a, b)); }
Tensor Graph::divide(Tensor a, Tensor b) { return append(ggml_.ggml_div(context_, a, b)); }
Tensor Graph::scale(Tensor x, float factor, float bias) {
  return factor == 1 && bias == 0 ? x : append(ggml_.ggml_scale_bias(context_, x, factor, bias));
}
Tensor Graph::square(Tensor x) { return append(ggml_.ggml_sqr(context_, x)); }
Tensor Graph::root(Tensor x) { return append(ggml_.ggml_sqrt(context_, x)); }
Tensor Graph::logarithm(Tensor x) { return append(ggml_.ggml_log(context_, x)); }
Tensor Graph::tanh(Tensor x) { return append(ggml_.ggml_tanh(context_, x)); }
Tensor Graph::softmax(Tensor x, Tensor mask, float factor) {
  return append(ggml_.ggml_soft_max_ext(context_, x, mask, factor, 0));
}
Tensor Graph::rowSums(Tensor x) { return append(ggml_.ggml_sum_rows(context_, x)); }
Tensor Graph::columnSums(Tensor x) { return reshape(rowSums(transpose(x)), x->ne[0], 1); }
Tensor Graph::transpose(Tensor x) { return append(ggml_.ggml_cont(context_, ggml_.ggml_transpose(context_, x))); }
Tensor Graph::permute(Tensor x, int a, int b, int c, int d) {
  return append(ggml_.ggml_cont(context_, ggml_.ggml_permute(context_, x, a, b, c, d)));
}
Tensor Graph::reshape(Tensor x, long ne0, long ne1) { return ggml_.ggml_reshape_2d(context_, x, ne0, ne1); }
Tensor Graph::reshape(Tensor x, long ne0, long ne1, long ne2, long ne3) {
  return ggml_.ggml_reshape_4d(context_, x, ne0, ne1, ne2, ne3);
}

Tensor Graph::columns(Tensor x, long first, long count) {
  if (first == 0 && count == x->ne[1]) return x;
  return ggml_.ggml_view_2d(context_, x, x->ne[0], count, x->nb[1], static_cast<size_t>(first) * x->nb[1]);
}

Tensor Graph::slice(Tensor x, long first, long count) {
  if (first == 0 && count == x->ne[0]) return x;
  const size_t offset = static_cast<size_t>(first) * x->nb[0];
  return append(ggml_.ggml_cont(context_, ggml_.ggml_view_2d(context_, x, count, x->ne[1], x->nb[1], offset)));
}

Tensor Graph::gather(Tensor x, Tensor index) { return append(ggml_.ggml_get_rows(context_, x, index)); }
Tensor Graph::scatter(Tensor into, Tensor rows, Tensor index) {
  return append(ggml_.ggml_set_rows(context_, into, rows, index));
}
Tensor Graph::zerosLike(Tensor x) { return append(ggml_.ggml_fill(context_, x, 0)); }
Tensor Graph::join(Tensor a, Tensor b, int axis) { return append(ggml_.ggml_concat(context_, a, b, axis)); }

// Pairs first, so that n parts are copied log2(n) times.
Tensor Graph::joinAll(std::vector<Tensor> parts, int axis) {
  while (parts.size() > 1) {
    std::vector<Tensor> pairs;
    for (size_t i = 0; i + 1 < parts.size(); i += 2) pairs.push_back(join(parts[i], parts[i + 1], axis));
    if (parts.size() % 2) pairs.push_back(parts.back());
    parts = std::move(pairs);
  }
  return parts[0];
}

Tensor Graph::addAt(Tensor sum, Tensor x, long firstColumn) {
  const size_t offset = static_cast<size_t>(firstColumn) * sum->nb[1];
  return append(ggml_.ggml_acc(context_, sum, x, sum->nb[1], sum->nb[2], sum->nb[3], offset));
}

Tensor Graph::norm(Tensor x, Tensor weight, float eps) {
  const long width = weight->ne[0];
  const Tensor rows = reshape(x, width, ggml_.ggml_nelements(x) / width);
  const Tensor out = multiply(append(ggml_.ggml_rms_norm(context_, rows, eps)), weight);
  return reshape(out, x->ne[0], x->ne[1]);
}

// y = x / s, s = sqrt(mean(x^2) + eps), g = dy * weight: dx = (g - y * mean(g * y)) / s
Tensor Graph::normGrad(Tensor x, const DeviceValue &weight, Tensor dy, float eps, bool wantsInput) {
  if (!wantsInput && !weight.grad) return nullptr;
  const long width = weight.value->ne[0], rows = ggml_.ggml_nelements(x) / width;
  const Tensor in = reshape(x, width, rows), out = reshape(dy, width, rows);
  const Tensor y = append(ggml_.ggml_rms_norm(context_, in, eps));
  if (weight.grad) accumulate(weight.grad, columnSums(multiply(y, out)));
  if (!wantsInput) return nullptr;
  const float share = 1 / static_cast<float>(width);
  const Tensor g = multiply(out, weight.value);
  const Tensor mean = scale(rowSums(multiply(g, y)), share);      // [1, rows]
  const Tensor s = root(scale(rowSums(square(in)), share, eps));  // [1, rows]
  const Tensor dx = divide(subtract(g, multiply(y, mean)), s);
  return reshape(dx, x->ne[0], x->ne[1]);
}

// tanh(k (x + c x^3)). ggml's own GELU reads a table of F16 on the CPU.
Tensor Graph::geluTanh(Tensor x) { return tanh(multiply(x, scale(square(x), geluScale * geluCube, geluScale))); }

// (1 + t) / 2 + x (1 - t^2) k (1 + 3 c x^2) / 2
Tensor Graph::geluSlope(Tensor x, Tensor tanhs) {
  const Tensor inner = scale(square(x), 1.5f * geluScale * geluCube, 0.5f * geluScale);
  const Tensor bend = multiply(multiply(x, inner), scale(square(tanhs), -1, 1));
  return add(bend, scale(tanhs, 0.5f, 0.5f));
}

Tensor Graph::gated(Tensor gate, Tensor up, bool isGelu) {
  if (!isGelu) return multiply(append(ggml_.ggml_silu(context_, gate)), up);
  return multiply(multiply(gate, scale(geluTanh(gate), 0.5f, 0.5f)), up);
}

void Graph::gatedGrad(Tensor gate, Tensor up, Tensor dAct, bool isGelu, Tensor &dGate, Tensor &dUp) {
  const Tensor dGated = multiply(dAct, up);
  if (isGelu) {
    const Tensor tanhs = geluTanh(gate);
    dUp = multiply(dAct, multiply(gate, scale(tanhs, 0.5f, 0.5f)));
    dGate = multiply(dGated, geluSlope(gate, tanhs));
    return;
  }
  dUp = multiply(dAct, append(ggml_.ggml_silu(context_, gate)));
  dGate = append(ggml_.ggml_silu_back(context_, dGated, gate));
}

}  // namespace labdesk
