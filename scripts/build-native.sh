#!/bin/sh
# Compiles native/*.c into build/galley-native, or into the path given as the first argument.
# The result appears in one rename and carries the time at which compilation began, so that a source
# changed meanwhile counts as newer.
set -eu

home=$(cd -- "$(dirname -- "$0")/.." && pwd)
output=${1:-$home/build/galley-native}
mkdir -p "$(dirname -- "$output")"
partial=$output.$$.tmp
began=$output.$$.began
trap 'rm -f "$partial" "$began"' EXIT
: >"$began"

${CC:-cc} -std=c11 -O2 -static -nostdlib -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
  -ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,--build-id=none -s \
  -Wall -Wextra -Werror -o "$partial" "$home"/native/*.c

touch -r "$began" "$partial"
mv -f "$partial" "$output"
