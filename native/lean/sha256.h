#ifndef GALLEY_LEAN_SHA256_H
#define GALLEY_LEAN_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

/* FIPS 180-4. */
void sha256_of(const uint8_t *bytes, size_t size, uint8_t digest[SHA256_SIZE]);

#endif
