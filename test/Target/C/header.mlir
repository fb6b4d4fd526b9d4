// Names of any bytes become unique C fields and harmless comments; the header is C99 and C++ and describes the model.
// RUN: leaf-emit %s --target=generic -o %t
// RUN: FileCheck %s < %t/names.h
// RUN: gcc -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only %t/names.c %t/example.c %t/verify_main.c
// RUN: g++ -x c++ -std=c++17 -Wall -Wextra -pedantic -Werror -fsyntax-only %t/names.c %t/example.c %t/verify_main.c
// RUN: clang-22 -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only %t/names.c %t/example.c %t/verify_main.c
// RUN: gcc -std=c99 -Wall -Wextra -pedantic -Werror -I%include -include leaf/model.h -fsyntax-only %t/example.c
// RUN: g++ -x c++ -std=c++17 -Wall -Wextra -pedantic -Werror -I%include -include leaf/model.h -fsyntax-only %t/example.c

// CHECK-NOT: {{^.*bad\*/}}
// CHECK: #define NAMES_ARENA_BYTES 0
// CHECK: #define NAMES_MAX_past_len 63
// CHECK: typedef struct names_inputs {
// CHECK: /** 'in put': float32 [1, past len <= 63], dense row-major, room for 63 elements. */
// CHECK-NEXT: const float *in_put;
// CHECK: /** 'in-put': uint8 [4], dense row-major, room for 4 elements. */
// CHECK-NEXT: const uint8_t *in_put_2;
// CHECK: /** 'bad*\x2F\x0A': bool [2]
// CHECK-NEXT: const uint8_t *bad___;
// CHECK: /** 'int': float16 []
// CHECK-NEXT: const uint16_t *int_;
// CHECK: int64_t past_len;
// CHECK: typedef struct names_outputs {
// CHECK: int64_t *out;
// CHECK: int64_t out_past_len;
// CHECK: names_run
// CHECK: #ifdef LEAF_MODEL_H
// CHECK: static const int32_t in0_dims[] = {-1, 0};
// CHECK: {"bad*/\012", LEAF_BOOL, 1
module attributes {leaf.model = "names", leaf.bounds = {"past len" = 63 : i64}} {
  func.func @main(%a: memref<1x?xf32> {leaf.name = "in put", leaf.dims = ["", "past len"], plan.capacity = 63 : i64, plan.upper_bounds = array<i64: 1, 63>},
                  %b: memref<4xi8> {leaf.name = "in-put", leaf.element_type = "uint8", plan.capacity = 4 : i64, plan.upper_bounds = array<i64: 4>},
                  %c: memref<2xi1> {leaf.name = "bad*/\0A", leaf.element_type = "bool", plan.capacity = 2 : i64, plan.upper_bounds = array<i64: 2>},
                  %d: memref<f16> {leaf.name = "int", plan.capacity = 1 : i64, plan.upper_bounds = array<i64>},
                  %out: memref<?xi64> {leaf.name = "out", leaf.dims = ["past len"], plan.output, plan.capacity = 63 : i64, plan.upper_bounds = array<i64: 63>},
                  %past: index {leaf.dim = "past len"}) -> (index {leaf.name = "out", leaf.axis = 0 : i64}) {
    return %past : index
  }
}
