// A GGUF file being put together: entries and tensor table in memory, the tensors' values asked for one by one while
// writing.
#pragma once
#include <ggml.h>

#include <functional>
#include <string>
#include <vector>

#include "gguf_file.h"
#include "output_file.h"

namespace labdesk {

struct OutTensor {
  std::string name;
  std::vector<long> shape;  // ggml order
  ggml_type type;
  size_t sizeBytes;
  std::function<std::vector<float>()> values;
};

class GgufDraft {
 public:
  void addText(const std::string &key, const std::string &value) {
    begin(key, GgufKind::string);
    appendText(entries_, value);
  }
  void addNumber(const std::string &key, uint32_t value) {
    begin(key, GgufKind::u32);
    append(entries_, value);
  }
  void addFloat(const std::string &key, float value) {
    begin(key, GgufKind::f32);
    append(entries_, value);
  }
  /** An entry as another file holds it. */
  void addRaw(const GgufEntry &entry) {
    entries_.append(entry.bytes, entry.sizeBytes);
    entryCount_++;
  }
  void addTensor(OutTensor tensor) { tensors_.push_back(std::move(tensor)); }

  const std::vector<OutTensor> &tensors() const { return tensors_; }

  std::string header() const {
    std::string out = "GGUF";
    append<uint32_t>(out, 3);
    append<uint64_t>(out, tensors_.size());
    append<uint64_t>(out, entryCount_);
    out += entries_;
    uint64_t offset = 0;
    for (const OutTensor &t : tensors_) {
      appendText(out, t.name);
      append<uint32_t>(out, static_cast<uint32_t>(t.shape.size()));
      for (const long size : t.shape) append<uint64_t>(out, static_cast<uint64_t>(size));
      append<uint32_t>(out, t.type);
      append<uint64_t>(out, offset);
      offset += (t.sizeBytes + alignment - 1) / alignment * alignment;
    }
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    return out;
  }

  /** What stands between a tensor of that size and the next. */
  static void pad(OutputFile &file, size_t sizeBytes) {
    const char padding[alignment] = {};
    file.write(padding, (alignment - sizeBytes % alignment) % alignment);
  }

 private:
  static constexpr size_t alignment = 32;

  template <typename T>
  static void append(std::string &out, T value) {
    out.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  static void appendText(std::string &out, const std::string &text) {
    append<uint64_t>(out, text.size());
    out += text;
  }
  void begin(const std::string &key, GgufKind kind) {
    appendText(entries_, key);
    append(entries_, static_cast<uint32_t>(kind));
    entryCount_++;
  }

  std::string entries_;
  uint64_t entryCount_ = 0;
  std::vector<OutTensor> tensors_;
};

}  // namespace labdesk
