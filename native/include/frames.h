// Frames of the protocol: u32 LE JSON length | u32 LE payload length | JSON | payload.
#pragma once
#include <string>
#include <vector>

#include "json.h"

namespace labdesk {

struct Frame {
  Json head;
  std::vector<char> payload;
};

/** Reads one frame from `fd`; false at the end of input or as soon as `stopFd` is readable. Throws on a broken frame.
 */
bool readFrame(int fd, int stopFd, Frame &frame);

/** Writes one frame; false when the reader is gone. */
bool writeFrame(int fd, const Json &head, const void *payload, size_t payloadBytes);

}  // namespace labdesk
