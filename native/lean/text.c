/* Texts and bytes for the TypeScript of the lean program: UTF-8, digests, and how deep JSON is nested. */
#include <stdbool.h>
#include <string.h>

#include "sha256.h"
#include "system.h"

/* The engine encodes each half of a surrogate pair that has lost the other; UTF-8 has no such sequence. It becomes U+FFFD, as long. */
static void replace_halves(uint8_t *bytes, size_t size) {
  for (size_t i = 0; i + 2 < size; i++) {
    if (bytes[i] == 0xed && bytes[i + 1] >= 0xa0) memcpy(bytes + i, "\xef\xbf\xbd", 3);
  }
}

static JSValue encode(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  size_t size;
  (void)this;
  const char *text = JS_ToCStringLen(js, &size, argc > 0 ? argv[0] : JS_UNDEFINED);
  if (text == NULL) return JS_EXCEPTION;
  JSValue buffer = JS_NewArrayBufferCopy(js, (const uint8_t *)text, size);
  JS_FreeCString(js, text);
  size_t room;
  uint8_t *bytes = JS_GetArrayBuffer(js, &room, buffer);
  if (bytes != NULL) replace_halves(bytes, size);
  return buffer;
}

static JSValue encode_into(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  size_t size, room = 0;
  uint32_t offset;
  (void)this;
  if (argc < 3 || JS_ToUint32(js, &offset, argv[2]) < 0) return JS_ThrowTypeError(js, "encodeInto takes a text, bytes and an offset");
  uint8_t *bytes = bytes_of(js, argv[1], &room);
  const char *text = JS_ToCStringLen(js, &size, argv[0]);
  if (text == NULL) return JS_EXCEPTION;
  bool fits = bytes != NULL && offset <= room && size <= room - offset;
  if (fits) {
    memcpy(bytes + offset, text, size);
    replace_halves(bytes + offset, size);
  }
  JS_FreeCString(js, text);
  return fits ? JS_NewInt64(js, (int64_t)size) : JS_ThrowRangeError(js, "no room for a text");
}

/* Bad sequences become U+FFFD. */
static JSValue decode(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  size_t size = 0;
  (void)this;
  uint8_t *bytes = argc > 0 ? bytes_of(js, argv[0], &size) : NULL;
  return JS_NewStringLen(js, bytes == NULL ? "" : (const char *)bytes, bytes == NULL ? 0 : size);
}

static JSValue sha256(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  uint8_t digest[SHA256_SIZE];
  size_t size = 0;
  (void)this;
  uint8_t *bytes = argc > 0 ? bytes_of(js, argv[0], &size) : NULL;
  sha256_of(bytes, bytes == NULL ? 0 : size, digest);
  return JS_NewArrayBufferCopy(js, digest, sizeof digest);
}

/* How deep a JSON text is nested: the engine's parser recurses without a limit. */
static JSValue nesting(JSContext *js, JSValueConst this, int argc, JSValueConst *argv) {
  int depth = 0, deepest = 0;
  (void)this;
  const char *text = JS_ToCString(js, argc > 0 ? argv[0] : JS_UNDEFINED);
  if (text == NULL) return JS_EXCEPTION;
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == '[' || *at == '{') depth++;
    if (*at == ']' || *at == '}') depth--;
    if (depth > deepest) deepest = depth;
    if (*at != '"') continue;
    for (at++; *at != '"' && *at != '\0'; at++) at += *at == '\\' && at[1] != '\0';
    if (*at == '\0') break;
  }
  JS_FreeCString(js, text);
  return JS_NewInt32(js, deepest);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("encode", 1, encode), JS_CFUNC_DEF("encodeInto", 3, encode_into), JS_CFUNC_DEF("decode", 1, decode),
    JS_CFUNC_DEF("sha256", 1, sha256), JS_CFUNC_DEF("nesting", 1, nesting),
};

void add_text_functions(JSContext *js, JSValueConst system) {
  JS_SetPropertyFunctionList(js, system, functions, sizeof functions / sizeof *functions);
}
