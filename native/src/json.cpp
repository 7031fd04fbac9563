// See json.h.
#include "json.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "failure.h"

namespace labdesk {

namespace {

[[noreturn]] void refuse(const std::string &what) {
  throw Failure("bad-request", what, "Restart Labdesk; if it returns, report it.");
}

void writeText(std::string &out, const std::string &text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      char escaped[8];
      snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  out += '"';
}

void appendUtf8(std::string &out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 63));
    out += static_cast<char>(0x80 | (code >> 6 & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
}

}  // namespace

struct JsonReader {
  const std::string &text;
  size_t at = 0;
  int depth = 0;

  void skipSpace() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')) at++;
  }
  char peek() {
    skipSpace();
    if (at >= text.size()) refuse("The request's JSON ends too early.");
    return text[at];
  }
  void expect(char c) {
    if (peek() != c) refuse(std::string("The request's JSON lacks a '") + c + "' at byte " + std::to_string(at) + ".");
    at++;
  }
  bool takeWord(const char *word) {
    const std::string wanted(word);
    if (text.compare(at, wanted.size(), wanted) != 0) return false;
    at += wanted.size();
    return true;
  }

  unsigned readHex() {
    if (at + 4 > text.size()) refuse("The request's JSON ends inside an escape.");
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
      const char c = text[at++];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) refuse("The request's JSON has a malformed escape.");
      code = code * 16 + static_cast<unsigned>(digit);
    }
    return code;
  }

  void readEscape(std::string &out) {
    if (at >= text.size()) refuse("The request's JSON ends inside an escape.");
    const char c = text[at++];
    switch (c) {
      case 'n':
        out += '\n';
        return;
      case 't':
        out += '\t';
        return;
      case 'r':
        out += '\r';
        return;
      case 'b':
        out += '\b';
        return;
      case 'f':
        out += '\f';
        return;
      case '"':
      case '\\':
      case '/':
        out += c;
        return;
      case 'u':
        break;
      default:
        refuse("The request's JSON has an unknown escape.");
    }
    unsigned code = readHex();
    if (code >= 0xD800 && code < 0xDC00 && takeWord("\\u"))
      code = 0x10000 + ((code - 0xD800) << 10) + ((readHex() - 0xDC00) & 0x3FF);
    appendUtf8(out, code);
  }

  std::string readText() {
    expect('"');
    std::string out;
    while (at < text.size() && text[at] != '"') {
      const char c = text[at++];
      if (c == '\\')
        readEscape(out);
      else
        out += c;
    }
    if (at >= text.size()) refuse("The request's JSON ends inside a string.");
    at++;
    return out;
  }

  Json readMembers(char open, char close) {
    if (++depth > 32) refuse("The request's JSON is nested too deeply.");
    expect(open);
    Json out = open == '{' ? Json::object() : Json::array();
    while (peek() != close) {
      if (open == '{') {
        out.keys_.push_back((skipSpace(), readText()));
        expect(':');
      }
      out.values_.push_back(read());
      if (peek() == ',')
        at++;
      else if (peek() != close)
        refuse("The request's JSON lacks a ',' at byte " + std::to_string(at) + ".");
    }
    at++;
    depth--;
    return out;
  }

  Json read() {
    const char c = peek();
    if (c == '{') return readMembers('{', '}');
    if (c == '[') return readMembers('[', ']');
    if (c == '"') return Json(readText());
    if (takeWord("true")) return Json(true);
    if (takeWord("false")) return Json(false);
    if (takeWord("null")) return Json();
    const char *begin = text.c_str() + at;
    char *end = nullptr;
    const double value = strtod(begin, &end);
    if (end == begin || !std::isfinite(value))
      refuse("The request's JSON has an unexpected character at byte " + std::to_string(at) + ".");
    at += static_cast<size_t>(end - begin);
    return Json(value);
  }
};

Json Json::parse(const std::string &text) {
  JsonReader reader{text};
  Json out = reader.read();
  reader.skipSpace();
  if (reader.at != text.size()) refuse("The request's JSON has text after its end.");
  return out;
}

void Json::write(std::string &out) const {
  char number[40];
  switch (kind_) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += number_ != 0 ? "true" : "false";
      return;
    case Kind::number:
      if (!std::isfinite(number_)) {
        out += "null";
        return;
      }
      snprintf(number, sizeof number, number_ == std::floor(number_) && std::fabs(number_) < 1e15 ? "%.0f" : "%.17g",
               number_);
      out += number;
      return;
    case Kind::string:
      writeText(out, text_);
      return;
    case Kind::array:
    case Kind::object:
      break;
  }
  const bool isObject = kind_ == Kind::object;
  out += isObject ? '{' : '[';
  for (size_t i = 0; i < values_.size(); i++) {
    if (i) out += ',';
    if (isObject) {
      writeText(out, keys_[i]);
      out += ':';
    }
    values_[i].write(out);
  }
  out += isObject ? '}' : ']';
}

std::string Json::dump() const {
  std::string out;
  write(out);
  return out;
}

void Json::set(std::string key, Json value) {
  keys_.push_back(std::move(key));
  values_.push_back(std::move(value));
}

const Json *Json::find(const std::string &key) const {
  for (size_t i = 0; i < keys_.size(); i++)
    if (keys_[i] == key) return values_[i].kind_ == Kind::null ? nullptr : &values_[i];
  return nullptr;
}

namespace {
const Json &member(const Json &object, const std::string &key, Json::Kind kind) {
  const Json *found = object.find(key);
  if (!found || found->kind() != kind) refuse("The request lacks a valid '" + key + "'.");
  return *found;
}
}  // namespace

const std::string &Json::text(const std::string &key) const { return member(*this, key, Kind::string).text_; }
double Json::number(const std::string &key) const { return member(*this, key, Kind::number).number_; }
const Json &Json::object(const std::string &key) const { return member(*this, key, Kind::object); }
const std::vector<Json> &Json::list(const std::string &key) const { return member(*this, key, Kind::array).values_; }
bool Json::flag(const std::string &key) const { return find(key) && member(*this, key, Kind::boolean).number_ != 0; }

long Json::integer(const std::string &key, long least, long most) const {
  const double value = number(key);
  if (value != std::floor(value) || value < static_cast<double>(least) || value > static_cast<double>(most))
    refuse("'" + key + "' must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
  return static_cast<long>(value);
}

}  // namespace labdesk
