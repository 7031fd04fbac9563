// JSON values of the wire protocol and the checkpoint manifest. Reading refuses malformed text with a Failure; depth is
// bounded.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace labdesk {

class Json {
 public:
  enum class Kind { null, boolean, number, string, array, object };

  Json() = default;
  Json(bool value) : kind_(Kind::boolean), number_(value) {}
  Json(double value) : kind_(Kind::number), number_(value) {}
  Json(int value) : Json(static_cast<double>(value)) {}
  Json(long value) : Json(static_cast<double>(value)) {}
  Json(size_t value) : Json(static_cast<double>(value)) {}
  Json(std::string value) : kind_(Kind::string), text_(std::move(value)) {}
  Json(const char *value) : Json(std::string(value)) {}
  static Json array() { return Json(Kind::array); }
  static Json object() { return Json(Kind::object); }
  static Json parse(const std::string &text);

  std::string dump() const;
  Kind kind() const { return kind_; }

  void push(Json value) { values_.push_back(std::move(value)); }
  void set(std::string key, Json value);
  /** The member, or null when absent. */
  const Json *find(const std::string &key) const;
  // The following throw `bad-request` naming the key when the member is absent or of another kind.
  const std::string &text(const std::string &key) const;
  double number(const std::string &key) const;
  long integer(const std::string &key, long least, long most) const;
  const Json &object(const std::string &key) const;
  const std::vector<Json> &list(const std::string &key) const;
  bool flag(const std::string &key) const;  // absent = false

  const std::vector<Json> &values() const { return values_; }
  const std::vector<std::string> &keys() const { return keys_; }
  const std::string &asText() const { return text_; }
  double asNumber() const { return number_; }

 private:
  explicit Json(Kind kind) : kind_(kind) {}
  void write(std::string &out) const;

  Kind kind_ = Kind::null;
  double number_ = 0;
  std::string text_;
  std::vector<std::string> keys_;  // of an object, beside values_
  std::vector<Json> values_;
  friend struct JsonReader;
};

}  // namespace labdesk
