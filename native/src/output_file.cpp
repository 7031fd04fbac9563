// See output_file.h.
#include "output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "failure.h"

namespace labdesk {

namespace {

struct CrcTables {
  uint32_t at[8][256];
  CrcTables() {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t c = i;
      for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
      at[0][i] = c;
    }
    for (int t = 1; t < 8; t++)
      for (int i = 0; i < 256; i++) at[t][i] = at[t - 1][i] >> 8 ^ at[0][at[t - 1][i] & 255];
  }
};

[[noreturn]] void failWrite(const std::string &path, int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    throw Failure("disk-full", path + ": the disk is full.",
                  "Free some space on the disk that holds the project, then resume.");
  throw Failure("io", path + ": writing failed (" + strerror(error) + ").",
                "Check the disk and the folder's permissions.");
}

}  // namespace

// Slicing by 8: eight table look-ups for eight bytes.
uint32_t crc32(uint32_t crc, const void *bytes, size_t sizeBytes) {
  static const CrcTables tables;
  const auto &t = tables.at;
  const auto *p = static_cast<const unsigned char *>(bytes);
  crc = ~crc;
  for (; sizeBytes >= 8; sizeBytes -= 8, p += 8) {
    uint32_t low, high;
    memcpy(&low, p, 4);
    memcpy(&high, p + 4, 4);
    low ^= crc;
    crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^ t[3][high & 255] ^
          t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
  }
  for (; sizeBytes > 0; sizeBytes--, p++) crc = crc >> 8 ^ t[0][(crc ^ *p) & 255];
  return ~crc;
}

OutputFile::OutputFile(const std::string &path) : temporary_(path + ".part") {
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) failWrite(temporary_, errno);
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) close(fd_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void OutputFile::write(const void *bytes, size_t sizeBytes) {
  crc_ = crc32(crc_, bytes, sizeBytes);
  const auto *at = static_cast<const char *>(bytes);
  while (sizeBytes > 0) {
    const ssize_t put = ::write(fd_, at, std::min<size_t>(sizeBytes, 1 << 26));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) failWrite(temporary_, errno);
    at += put;
    sizeBytes -= static_cast<size_t>(put);
    sizeBytes_ += static_cast<size_t>(put);
  }
}

void OutputFile::finish(const std::string &path) {
  if (fsync(fd_) != 0) failWrite(temporary_, errno);
  const int closed = close(fd_);
  fd_ = -1;
  if (closed != 0) failWrite(temporary_, errno);
  if (rename(temporary_.c_str(), path.c_str()) != 0) failWrite(path, errno);
  temporary_.clear();
  // The rename itself must survive a power cut.
  const size_t slash = path.rfind('/');
  const int folder =
      ::open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

}  // namespace labdesk
