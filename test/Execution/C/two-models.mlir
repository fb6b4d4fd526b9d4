// Two models in one program: only NAME_entry and NAME_weights are global, and both headers can be included together.
// RUN: leaf-emit %S/mlp.mlir --target=x86-64-v3 -o %t
// RUN: sed 's/leaf.model = "mlp"/leaf.model = "second"/' %S/mlp.mlir > %t/second.mlir
// RUN: leaf-emit %t/second.mlir --target=generic -o %t
// RUN: gcc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I%t -I%include %t/mlp.c %t/second.c %S/Inputs/two_models_main.c -o %t/two
// RUN: %t/two | FileCheck %s
// RUN: gcc -c -O2 %t/mlp.c -o %t/mlp.o
// RUN: llvm-nm -g --defined-only %t/mlp.o | FileCheck %s --check-prefix=SYMBOLS

// CHECK: mlp and second: 1 inputs, 1 outputs, same results
// SYMBOLS-DAG: T mlp_entry
// SYMBOLS-DAG: R mlp_weights
// SYMBOLS-NOT: dense
