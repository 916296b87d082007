/* The native program, as it lies in the build directory. */
.section .rodata
.globl native_start, native_end
.balign 16
native_start: .incbin "galley-native"
native_end: .byte 0
.section .note.GNU-stack,"",%progbits
