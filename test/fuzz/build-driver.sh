#!/bin/sh
# Compiles the fuzzing driver into the path given: the native program's own reader of recipes, with address and undefined-behaviour
# sanitizers, and told of each edge it takes.
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd)
native=$here/../../native
output=$1
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

checked="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
compile() { ${CC:-cc} -std=c11 -g -O1 -Wall -Wextra -Werror "$@"; }

# The C library's memory and string functions are those that the sanitizer watches; base.c's stand aside.
renamed=
for name in memcpy memmove memset memcmp strlen; do renamed="$renamed -D$name=native_$name"; done

compile $checked -fsanitize-coverage=trace-pc -c -o "$objects/recipe.o" "$native/recipe.c"
compile $checked $renamed -Dmap_memory=native_map_memory -c -o "$objects/base.o" "$native/base.c"
compile $checked -c -o "$objects/try.o" "$here/driver-try.c"
compile $checked -c -o "$objects/driver.o" "$here/driver.c"
compile $checked -c -o "$objects/mutate.o" "$here/driver-mutate.c"
compile -c -o "$objects/edges.o" "$here/driver-edges.c"
# Another process may be executing the one that is there.
${CC:-cc} $checked -o "$output.$$.tmp" "$objects"/*.o
mv -f "$output.$$.tmp" "$output"
