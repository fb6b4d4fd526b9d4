# Writes FOLDER/NAME_weights.c: empty, or the weights that leafc put into NAME_weights.bin because they are too large for
# an array in C. (NAME_weights.S does the same, but needs a project with the language ASM.)
if(EXISTS "${FOLDER}/${NAME}_weights.bin")
  file(WRITE "${FOLDER}/${NAME}_weights.c" "/* Weights of ${NAME}. */
__asm__(\".section .rodata.leaf,\\\"a\\\",%progbits\\n\"
        \".balign 64\\n\"
        \".global ${NAME}_weights\\n\"
        \"${NAME}_weights:\\n\"
        \".incbin \\\"${FOLDER}/${NAME}_weights.bin\\\"\\n\"
        \".previous\\n\");
")
else()
  file(WRITE "${FOLDER}/${NAME}_weights.c" "/* The weights are in ${NAME}.c. */
typedef int ${NAME}_weights_are_elsewhere;
")
endif()
