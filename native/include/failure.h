// The one way a request fails: a code of the protocol, what happened, and what the user can do about it.
#pragma once
#include <exception>
#include <string>

namespace labdesk {

struct Failure : std::exception {
  std::string code, message, remedy;
  Failure(std::string code, std::string message, std::string remedy)
      : code(std::move(code)), message(std::move(message)), remedy(std::move(remedy)) {}
  const char *what() const noexcept override { return message.c_str(); }
};

inline void require(bool holds, const char *code, const std::string &message, const std::string &remedy) {
  if (!holds) throw Failure(code, message, remedy);
}

}  // namespace labdesk
