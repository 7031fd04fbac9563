// See frames.h. A length is trusted only below fixed limits, so a broken host cannot make the trainer allocate without
// bound.
#include "frames.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "failure.h"

namespace labdesk {

namespace {

constexpr uint32_t maxJsonBytes = 64u << 20;
constexpr uint32_t maxPayloadBytes = 1u << 30;

// Waits for input; false when told to stop.
bool waitForInput(int fd, int stopFd) {
  pollfd watched[2] = {{fd, POLLIN, 0}, {stopFd, POLLIN, 0}};
  while (poll(watched, 2, -1) < 0)
    if (errno != EINTR) return false;
  return watched[1].revents == 0;
}

bool readFully(int fd, int stopFd, void *into, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    if (!waitForInput(fd, stopFd)) return false;
    const ssize_t got = read(fd, static_cast<char *>(into) + done, bytes - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

bool writeFully(int fd, const void *from, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t put = write(fd, static_cast<const char *>(from) + done, bytes - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    done += static_cast<size_t>(put);
  }
  return true;
}

}  // namespace

bool readFrame(int fd, int stopFd, Frame &frame) {
  uint32_t lengths[2];
  if (!readFully(fd, stopFd, lengths, sizeof lengths)) return false;
  require(lengths[0] <= maxJsonBytes && lengths[1] <= maxPayloadBytes, "bad-request",
          "A frame claims an impossible length.", "Restart Labdesk; if it returns, report it.");
  std::string text(lengths[0], '\0');
  frame.payload.resize(lengths[1]);
  if (!readFully(fd, stopFd, text.data(), text.size())) return false;
  if (!readFully(fd, stopFd, frame.payload.data(), frame.payload.size())) return false;
  frame.head = Json::parse(text);
  return true;
}

bool writeFrame(int fd, const Json &head, const void *payload, size_t payloadBytes) {
  const std::string text = head.dump();
  const uint32_t lengths[2] = {static_cast<uint32_t>(text.size()), static_cast<uint32_t>(payloadBytes)};
  std::string start(reinterpret_cast<const char *>(lengths), sizeof lengths);
  start += text;
  return writeFully(fd, start.data(), start.size()) && (payloadBytes == 0 || writeFully(fd, payload, payloadBytes));
}

}  // namespace labdesk
