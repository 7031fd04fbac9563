// See gguf_file.h.
#include "gguf_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "failure.h"

namespace labdesk {

namespace {

constexpr const char *remedy = "Choose another model file, or download this one again.";
constexpr int maxDimensions = 4;

struct Cursor {
  const char *at, *end;
  const std::string &path;

  [[noreturn]] void refuse(const std::string &what) const { throw Failure("bad-gguf", path + ": " + what, remedy); }

  const char *take(uint64_t bytes, const char *what) {
    if (bytes > static_cast<uint64_t>(end - at))
      refuse(std::string("the file ends inside ") + what + "; it is truncated or damaged.");
    const char *from = at;
    at += bytes;
    return from;
  }
  template <typename T>
  T value(const char *what) {
    T out;
    memcpy(&out, take(sizeof(T), what), sizeof(T));
    return out;
  }
  std::string text(const char *what) {
    const auto length = value<uint64_t>(what);
    const char *from = take(length, what);
    return std::string(from, length);
  }
};

size_t scalarBytes(GgufKind kind) {
  switch (kind) {
    case GgufKind::u8:
    case GgufKind::i8:
    case GgufKind::boolean:
      return 1;
    case GgufKind::u16:
    case GgufKind::i16:
      return 2;
    case GgufKind::u32:
    case GgufKind::i32:
    case GgufKind::f32:
      return 4;
    case GgufKind::u64:
    case GgufKind::i64:
    case GgufKind::f64:
      return 8;
    case GgufKind::string:
    case GgufKind::array:
      break;
  }
  return 0;
}

GgufKind readKind(Cursor &cursor, const std::string &key) {
  const auto kind = cursor.value<uint32_t>("the metadata");
  if (kind > static_cast<uint32_t>(GgufKind::f64))
    cursor.refuse("the metadata '" + key + "' is of the unknown kind " + std::to_string(kind) + ".");
  return static_cast<GgufKind>(kind);
}

void skipValue(Cursor &cursor, GgufKind kind, const std::string &key) {
  if (kind == GgufKind::string) {
    cursor.take(cursor.value<uint64_t>("the metadata"), "the metadata");
    return;
  }
  if (kind != GgufKind::array) {
    cursor.take(scalarBytes(kind), "the metadata");
    return;
  }
  const GgufKind element = readKind(cursor, key);
  const auto count = cursor.value<uint64_t>("the metadata");
  if (element == GgufKind::array) cursor.refuse("the metadata '" + key + "' is an array of arrays.");
  if (count > static_cast<uint64_t>(cursor.end - cursor.at))
    cursor.refuse("the metadata array '" + key + "' is longer than the file.");
  if (element == GgufKind::string)
    for (uint64_t i = 0; i < count; i++) cursor.take(cursor.value<uint64_t>("the metadata"), "the metadata");
  else
    cursor.take(count * scalarBytes(element), "the metadata");
}

GgufTensor readTensor(Cursor &cursor, size_t alignment) {
  GgufTensor out;
  out.name = cursor.text("the tensor table");
  if (out.name.empty() || out.name.size() > 127) cursor.refuse("a tensor has an empty or overlong name.");
  const auto dimensions = cursor.value<uint32_t>("the tensor table");
  if (dimensions < 1 || dimensions > maxDimensions)
    cursor.refuse("the tensor '" + out.name + "' has " + std::to_string(dimensions) + " dimensions.");
  double elements = 1;
  for (uint32_t i = 0; i < dimensions; i++) {
    const auto size = cursor.value<uint64_t>("the tensor table");
    elements *= static_cast<double>(size);
    if (size < 1 || elements > 1e12) cursor.refuse("the tensor '" + out.name + "' has an impossible shape.");
    out.shape.push_back(static_cast<long>(size));
  }
  out.type = cursor.value<uint32_t>("the tensor table");
  out.offset = cursor.value<uint64_t>("the tensor table");
  if (out.offset % alignment)
    cursor.refuse("the tensor '" + out.name + "' does not start at a multiple of the alignment.");
  return out;
}

}  // namespace

long GgufTensor::elementCount() const {
  long count = 1;
  for (const long size : shape) count *= size;
  return count;
}

GgufFile::GgufFile(const std::string &path) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    throw Failure("model-missing", path + ": the model file cannot be opened (" + strerror(errno) + ").",
                  "Check that the file is still there and readable.");
  struct stat status;
  const bool isFile = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  sizeBytes_ = isFile ? static_cast<size_t>(status.st_size) : 0;
  void *map = sizeBytes_ ? mmap(nullptr, sizeBytes_, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  close(fd);
  require(map != MAP_FAILED, "bad-gguf", path + ": not a readable model file.", remedy);
  map_ = static_cast<const char *>(map);
  try {
    readHeader();
  } catch (...) {
    munmap(map, sizeBytes_);
    throw;
  }
}

GgufFile::~GgufFile() { munmap(const_cast<char *>(map_), sizeBytes_); }

void GgufFile::readHeader() {
  Cursor cursor{map_, map_ + sizeBytes_, path_};
  if (memcmp(cursor.take(4, "the header"), "GGUF", 4) != 0) cursor.refuse("this is not a GGUF file.");
  const auto version = cursor.value<uint32_t>("the header");
  if (version != 2 && version != 3) cursor.refuse("GGUF version " + std::to_string(version) + " is not supported.");
  const auto tensorCount = cursor.value<uint64_t>("the header");
  const auto entryCount = cursor.value<uint64_t>("the header");
  if (tensorCount > sizeBytes_ / 24 || entryCount > sizeBytes_ / 12)
    cursor.refuse("the header counts more than the file can hold.");

  for (uint64_t i = 0; i < entryCount; i++) {
    GgufEntry entry;
    entry.bytes = cursor.at;
    entry.key = cursor.text("the metadata");
    entry.kind = readKind(cursor, entry.key);
    entry.value = cursor.at;
    skipValue(cursor, entry.kind, entry.key);
    entry.sizeBytes = static_cast<size_t>(cursor.at - entry.bytes);
    if (!entryIndex_.emplace(entry.key, entries_.size()).second)
      cursor.refuse("the metadata '" + entry.key + "' appears twice.");
    entries_.push_back(std::move(entry));
  }

  const double alignment = has("general.alignment") ? number("general.alignment") : 32;
  if (alignment < 8 || alignment > 65536 || static_cast<long>(alignment) % 8)
    cursor.refuse("general.alignment is not usable.");
  const auto align = static_cast<size_t>(alignment);
  for (uint64_t i = 0; i < tensorCount; i++) {
    GgufTensor tensor = readTensor(cursor, align);
    if (!tensorIndex_.emplace(tensor.name, tensors_.size()).second)
      cursor.refuse("the tensor '" + tensor.name + "' appears twice.");
    tensors_.push_back(std::move(tensor));
  }
  dataOffset_ = (static_cast<size_t>(cursor.at - map_) + align - 1) / align * align;
}

const GgufTensor *GgufFile::tensor(const std::string &name) const {
  const auto found = tensorIndex_.find(name);
  return found == tensorIndex_.end() ? nullptr : &tensors_[found->second];
}

const void *GgufFile::bytes(const GgufTensor &tensor, size_t sizeBytes) const {
  const bool isInside = dataOffset_ <= sizeBytes_ && tensor.offset <= sizeBytes_ - dataOffset_ &&
                        sizeBytes <= sizeBytes_ - dataOffset_ - tensor.offset;
  require(isInside, "bad-gguf", path_ + ": the file ends inside the tensor '" + tensor.name + "'; it is truncated.",
          remedy);
  return map_ + dataOffset_ + tensor.offset;
}

void GgufFile::release(const GgufTensor &tensor, size_t sizeBytes) const {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t begin = (dataOffset_ + tensor.offset) / page * page;
  const size_t end = std::min(sizeBytes_, dataOffset_ + tensor.offset + sizeBytes) / page * page;
  if (begin < end) madvise(const_cast<char *>(map_) + begin, end - begin, MADV_DONTNEED);
}

bool GgufFile::has(const std::string &key) const { return entryIndex_.count(key) > 0; }

bool GgufFile::isNumber(const std::string &key) const {
  const auto found = entryIndex_.find(key);
  if (found == entryIndex_.end()) return false;
  const GgufKind kind = entries_[found->second].kind;
  return kind != GgufKind::boolean && kind != GgufKind::string && kind != GgufKind::array;
}

const GgufEntry &GgufFile::entry(const std::string &key) const {
  const auto found = entryIndex_.find(key);
  require(found != entryIndex_.end(), "bad-gguf", path_ + ": the metadata '" + key + "' is missing.", remedy);
  return entries_[found->second];
}

std::string GgufFile::text(const std::string &key) const {
  const GgufEntry &found = entry(key);
  require(found.kind == GgufKind::string, "bad-gguf", path_ + ": the metadata '" + key + "' is not text.", remedy);
  uint64_t length;
  memcpy(&length, found.value, sizeof length);
  return std::string(found.value + sizeof length, length);
}

namespace {
template <typename T>
double numberAt(const char *at) {
  T out;
  memcpy(&out, at, sizeof out);
  return static_cast<double>(out);
}
}  // namespace

double GgufFile::number(const std::string &key) const {
  const GgufEntry &found = entry(key);
  switch (found.kind) {
    case GgufKind::u8:
      return numberAt<uint8_t>(found.value);
    case GgufKind::i8:
      return numberAt<int8_t>(found.value);
    case GgufKind::u16:
      return numberAt<uint16_t>(found.value);
    case GgufKind::i16:
      return numberAt<int16_t>(found.value);
    case GgufKind::u32:
      return numberAt<uint32_t>(found.value);
    case GgufKind::i32:
      return numberAt<int32_t>(found.value);
    case GgufKind::f32:
      return numberAt<float>(found.value);
    case GgufKind::u64:
      return numberAt<uint64_t>(found.value);
    case GgufKind::i64:
      return numberAt<int64_t>(found.value);
    case GgufKind::f64:
      return numberAt<double>(found.value);
    case GgufKind::boolean:
    case GgufKind::string:
    case GgufKind::array:
      break;
  }
  throw Failure("bad-gguf", path_ + ": the metadata '" + key + "' is not a number.", remedy);
}

bool GgufFile::flag(const std::string &key) const {
  const GgufEntry &found = entry(key);
  require(found.kind == GgufKind::boolean, "bad-gguf", path_ + ": the metadata '" + key + "' is not true or false.",
          remedy);
  return found.value[0] != 0;
}

uint64_t GgufFile::arrayLength(const std::string &key) const {
  const GgufEntry &found = entry(key);
  require(found.kind == GgufKind::array, "bad-gguf", path_ + ": the metadata '" + key + "' is not an array.", remedy);
  uint64_t count;
  memcpy(&count, found.value + sizeof(uint32_t), sizeof count);
  return count;
}

}  // namespace labdesk
