// A file written under a temporary name and given its real one only when complete and on the disk; dropped unfinished,
// it leaves nothing behind. A full disk is reported as `disk-full`.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace labdesk {

class OutputFile {
 public:
  explicit OutputFile(const std::string &path);
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  void write(const void *bytes, size_t sizeBytes);
  size_t sizeBytes() const { return sizeBytes_; }
  uint32_t crc() const { return crc_; }
  /** Flushes to disk and renames to `path`. */
  void finish(const std::string &path);

 private:
  std::string temporary_;
  int fd_;
  size_t sizeBytes_ = 0;
  uint32_t crc_ = 0;
};

/** CRC-32 (IEEE) continued from `crc`. */
uint32_t crc32(uint32_t crc, const void *bytes, size_t sizeBytes);

}  // namespace labdesk
