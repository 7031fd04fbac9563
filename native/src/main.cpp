// labdesk-trainer: reads request frames from stdin, answers each in order on stdout, writes words for people to stderr.
// Ends with status 0 when stdin ends or on SIGTERM, after the step in hand; at once when whoever reads its answers is
// gone.
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "failure.h"
#include "session.h"

namespace {

int stopPipe[2];

void stop(int) {
  const char byte = 0;
  if (write(stopPipe[1], &byte, 1) < 0) _exit(1);
}

// A host that was killed reads no answer any more: a step of hours must not keep memory and cores for nobody. Nothing
// is lost, since checkpoints are written by rename.
void endWithHost() {
  pollfd answers = {STDOUT_FILENO, 0, 0};
  while (poll(&answers, 1, -1) < 0 || (answers.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0) {
  }
  _exit(3);
}

labdesk::Json errorFrame(const labdesk::Failure &failure) {
  labdesk::Json error = labdesk::Json::object();
  error.set("code", failure.code);
  error.set("message", failure.message);
  error.set("remedy", failure.remedy);
  return error;
}

}  // namespace

int main() {
  if (pipe(stopPipe) != 0) return 1;
  signal(SIGTERM, stop);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file-size limit is reported like a full disk
  signal(SIGINT, SIG_IGN);   // Ctrl-C in a terminal reaches the whole group; the host decides

  std::thread(endWithHost).detach();
  labdesk::Session session;
  labdesk::Frame frame;
  try {
    while (labdesk::readFrame(STDIN_FILENO, stopPipe[0], frame)) {
      labdesk::Json answer = labdesk::Json::object();
      if (const labdesk::Json *id = frame.head.find("id")) answer.set("id", *id);
      labdesk::Reply reply;
      try {
        reply = session.answer(frame);
        answer.set("ok", std::move(reply.head));
      } catch (const labdesk::Failure &failure) {
        reply.payload.clear();
        answer.set("error", errorFrame(failure));
      }
      if (!labdesk::writeFrame(STDOUT_FILENO, answer, reply.payload.data(), reply.payload.size() * sizeof(float)))
        break;
    }
  } catch (const std::exception &broken) {
    fprintf(stderr, "labdesk-trainer: %s\n", broken.what());
    return 2;
  }
  return 0;
}
