// A GGUF file mapped read-only, its header walked with every length checked against the file before use. Refuses, by
// name, anything truncated, overlapping or of an unknown kind; nothing of the file is handed to ggml before it was
// checked here.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace labdesk {

enum class GgufKind : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

struct GgufTensor {
  std::string name;
  std::vector<long> shape;  // ggml order: fastest axis first
  uint32_t type;            // a ggml_type; only checked by whoever reads the values
  uint64_t offset;          // from the start of the tensor data
  long elementCount() const;
};

struct GgufEntry {
  std::string key;
  GgufKind kind;
  const char *bytes;  // the whole entry as stored: key, kind, value
  size_t sizeBytes;
  const char *value;  // the value inside `bytes`
};

class GgufFile {
 public:
  explicit GgufFile(const std::string &path);
  ~GgufFile();
  GgufFile(const GgufFile &) = delete;
  GgufFile &operator=(const GgufFile &) = delete;

  const std::string &path() const { return path_; }
  const std::vector<GgufEntry> &entries() const { return entries_; }
  const std::vector<GgufTensor> &tensors() const { return tensors_; }
  const GgufTensor *tensor(const std::string &name) const;
  /** The tensor's bytes; throws `bad-gguf` when fewer than `sizeBytes` are in the file. */
  const void *bytes(const GgufTensor &tensor, size_t sizeBytes) const;

  /** Gives back the memory that holds the tensor's pages of the file; they are read again when needed. */
  void release(const GgufTensor &tensor, size_t sizeBytes) const;

  bool has(const std::string &key) const;
  /** Whether the entry is there and a number. */
  bool isNumber(const std::string &key) const;
  // These throw `bad-gguf` naming the key when it is absent or of another kind.
  std::string text(const std::string &key) const;
  double number(const std::string &key) const;
  bool flag(const std::string &key) const;
  /** Strings in the array, for counting only. */
  uint64_t arrayLength(const std::string &key) const;

 private:
  void readHeader();
  const GgufEntry &entry(const std::string &key) const;

  std::string path_;
  const char *map_ = nullptr;
  size_t sizeBytes_ = 0, dataOffset_ = 0;
  std::vector<GgufEntry> entries_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, size_t> entryIndex_, tensorIndex_;
};

}  // namespace labdesk
