// See combine.h.
#include "combine.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "failure.h"
#include "gguf_draft.h"
#include "tensor_values.h"

namespace labdesk {

namespace {

constexpr const char *remedy = "Choose LoRA adapters that were trained on the same model.";

struct Source {
  std::unique_ptr<GgufFile> file;
  double weight, alpha;

  const GgufTensor *find(const std::string &name, const char *half) const { return file->tensor(name + half); }
  /** scale = weight * alpha / rank, put into B. */
  float factor(const GgufTensor &a) const {
    return static_cast<float>(weight * alpha / static_cast<double>(a.shape[1]));
  }
};

std::vector<Source> openAll(const Json &request) {
  std::vector<Source> out;
  for (const Json &one : request.list("adapters")) {
    Source source;
    source.file = std::make_unique<GgufFile>(one.text("path"));
    source.weight = one.number("weight");
    const GgufFile &file = *source.file;
    require(std::isfinite(source.weight), "bad-request", "An adapter's weight is no number.",
            "Give each adapter a weight.");
    require(file.has("adapter.type") && file.text("adapter.type") == "lora", "bad-gguf",
            file.path() + ": this is no LoRA adapter.", remedy);
    require(out.empty() || file.text("general.architecture") == out[0].file->text("general.architecture"), "bad-gguf",
            file.path() + ": the adapter belongs to a model of another architecture.", remedy);
    source.alpha = file.number("adapter.lora.alpha");
    out.push_back(std::move(source));
  }
  require(!out.empty(), "bad-request", "There is no adapter to combine.", "Choose at least one.");
  return out;
}

// The weights that any adapter changes, in the order of their names.
std::set<std::string> targetsOf(const std::vector<Source> &sources) {
  std::set<std::string> out;
  for (const Source &source : sources)
    for (const GgufTensor &t : source.file->tensors()) {
      const size_t half = t.name.rfind(".lora_");
      require(half != std::string::npos && t.shape.size() == 2, "bad-gguf",
              source.file->path() + ": the tensor '" + t.name + "' is no part of a LoRA adapter.", remedy);
      out.insert(t.name.substr(0, half));
    }
  return out;
}

struct Half {
  const Source *source;
  const GgufTensor *a, *b;
};

std::vector<Half> halvesOf(const std::vector<Source> &sources, const std::string &target) {
  std::vector<Half> out;
  for (const Source &source : sources) {
    const Half half = {&source, source.find(target, ".lora_a"), source.find(target, ".lora_b")};
    if (!half.a && !half.b) continue;
    const bool fits =
        half.a && half.b && half.a->shape[1] == half.b->shape[0] &&
        (out.empty() || (half.a->shape[0] == out[0].a->shape[0] && half.b->shape[1] == out[0].b->shape[1]));
    require(fits, "bad-gguf",
            source.file->path() + ": the adapter's tensors of '" + target + "' do not fit the others'.", remedy);
    out.push_back(half);
  }
  return out;
}

}  // namespace

size_t combineAdapters(const GgmlLibrary &ggml, const Json &request) {
  const std::vector<Source> sources = openAll(request);
  long largest = 0;  // every target gets this rank, since a file has one alpha
  std::vector<std::pair<std::string, std::vector<Half>>> targets;
  for (const std::string &target : targetsOf(sources)) {
    targets.emplace_back(target, halvesOf(sources, target));
    long rank = 0;
    for (const Half &half : targets.back().second) rank += half.a->shape[1];
    largest = std::max(largest, rank);
  }
  GgufDraft draft;
  draft.addText("general.type", "adapter");
  draft.addText("general.architecture", sources[0].file->text("general.architecture"));
  draft.addText("adapter.type", "lora");
  draft.addFloat("adapter.lora.alpha", static_cast<float>(largest));
  for (const auto &entry : targets) {
    const std::string &target = entry.first;
    const std::vector<Half> &halves = entry.second;
    const long in = halves[0].a->shape[0], out = halves[0].b->shape[1];
    draft.addTensor({target + ".lora_a",
                     {in, largest},
                     GGML_TYPE_F32,
                     static_cast<size_t>(in * largest) * sizeof(float),
                     [&ggml, &halves, in, largest] {
                       std::vector<float> values(static_cast<size_t>(in * largest));
                       float *at = values.data();
                       for (const Half &half : halves) {
                         readValues(ggml, *half.source->file, *half.a, at);
                         at += half.a->elementCount();
                       }
                       return values;
                     }});
    draft.addTensor({target + ".lora_b",
                     {largest, out},
                     GGML_TYPE_F32,
                     static_cast<size_t>(out * largest) * sizeof(float),
                     [&ggml, &halves, out, largest] {
                       std::vector<float> values(static_cast<size_t>(out * largest));
                       long before = 0;
                       for (const Half &half : halves) {
                         const long rank = half.b->shape[0];
                         std::vector<float> own(static_cast<size_t>(half.b->elementCount()));
                         readValues(ggml, *half.source->file, *half.b, own.data());
                         for (long row = 0; row < out; row++)
                           for (long r = 0; r < rank; r++)
                             values[static_cast<size_t>(row * largest + before + r)] =
                                 half.source->factor(*half.a) * own[static_cast<size_t>(row * rank + r)];
                         before += rank;
                       }
                       return values;
                     }});
  }
  const std::string path = request.text("path"), header = draft.header();
  OutputFile file(path);
  file.write(header.data(), header.size());
  for (const OutTensor &t : draft.tensors()) {
    file.write(t.values().data(), t.sizeBytes);
    GgufDraft::pad(file, t.sizeBytes);
  }
  const size_t sizeBytes = file.sizeBytes();
  file.finish(path);
  return sizeBytes;
}

}  // namespace labdesk
