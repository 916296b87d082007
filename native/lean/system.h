#ifndef GALLEY_LEAN_SYSTEM_H
#define GALLEY_LEAN_SYSTEM_H

#include "quickjs.h"

/* Defines the global object `system`; src/lean/system.ts has its types. */
void add_system(JSContext *js);

/* Its functions of text.c. */
void add_text_functions(JSContext *js, JSValueConst system);

/* The bytes of a typed array, or NULL. */
uint8_t *bytes_of(JSContext *js, JSValueConst value, size_t *size);

/* What differs from one start to the next. */
void set_arguments(JSContext *js, char **argv);

#endif
