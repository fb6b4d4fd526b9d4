// Every arithmetic operation that a kernel may hold, on scalars and on vectors: the results must have the same bits, and
// be what C computes.
// RUN: leaf-emit %s --target=x86-64-v3 -o %t
// RUN: gcc -std=c99 -O2 -Wall -Wextra -pedantic -Werror -I%t %t/ops.c %S/Inputs/ops_main.c -lm -o %t/gcc
// RUN: %t/gcc | FileCheck %s
// RUN: clang-22 -std=c99 -O1 -g -fsanitize=address,undefined -fno-sanitize=float-divide-by-zero -fno-sanitize-recover=all -Wall -Wextra -pedantic -Werror -I%t %t/ops.c %S/Inputs/ops_main.c -lm -o %t/clang
// RUN: %t/clang | FileCheck %s
// RUN: clang++-22 -x c++ -std=c++17 -O2 -Wall -Wextra -pedantic -Werror -I%t %t/ops.c %S/Inputs/ops_main.c -o %t/cxx
// RUN: %t/cxx | FileCheck %s
//
// CHECK-NOT: differs
// CHECK: 22 float and 36 integer operations
module attributes {leaf.model = "ops"} {
  func.func @main(%a: memref<16xf32> {leaf.name = "a", plan.capacity = 16 : i64, plan.upper_bounds = array<i64: 16>},
                  %b: memref<16xf32> {leaf.name = "b", plan.capacity = 16 : i64, plan.upper_bounds = array<i64: 16>},
                  %i: memref<16xi32> {leaf.name = "i", plan.capacity = 16 : i64, plan.upper_bounds = array<i64: 16>},
                  %j: memref<16xi32> {leaf.name = "j", plan.capacity = 16 : i64, plan.upper_bounds = array<i64: 16>},
                  %h: memref<16xf16> {leaf.name = "h", plan.capacity = 16 : i64, plan.upper_bounds = array<i64: 16>},
                  %f: memref<352xf32> {leaf.name = "f", plan.output, plan.capacity = 352 : i64, plan.upper_bounds = array<i64: 352>},
                  %g: memref<576xi32> {leaf.name = "g", plan.output, plan.capacity = 576 : i64, plan.upper_bounds = array<i64: 576>},
                  %vf: memref<352xf32> {leaf.name = "vf", plan.output, plan.capacity = 352 : i64, plan.upper_bounds = array<i64: 352>},
                  %vg: memref<576xi32> {leaf.name = "vg", plan.output, plan.capacity = 576 : i64, plan.upper_bounds = array<i64: 576>}) {
    %c2 = arith.constant 2 : index
    %c16 = arith.constant 16 : index
    plan.launch @scalar_ops(%a, %b, %i, %j, %h, %f, %g : memref<16xf32>, memref<16xf32>, memref<16xi32>, memref<16xi32>, memref<16xf16>, memref<352xf32>, memref<576xi32>) tiles(%c16)
    plan.launch @vector_ops(%a, %b, %i, %j, %h, %vf, %vg : memref<16xf32>, memref<16xf32>, memref<16xi32>, memref<16xi32>, memref<16xf16>, memref<352xf32>, memref<576xi32>) tiles(%c2)
    return
  }

  func.func private @scalar_ops(%pa: memref<?xf32>, %pb: memref<?xf32>, %pi: memref<?xi32>, %pj: memref<?xi32>, %ph: memref<?xf16>,
      %pf: memref<?xf32> {leaf.restrict}, %pg: memref<?xi32> {leaf.restrict}, %scratch: memref<?xi8>, %begin: index, %end: index)
      attributes {leaf.kernel, nodes = ["scalar_ops"]} {
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %three = arith.constant 3 : i32
    scf.for %n = %begin to %end step %c1 {
      %a = memref.load %pa[%n] : memref<?xf32>
      %b = memref.load %pb[%n] : memref<?xf32>
      %i = memref.load %pi[%n] : memref<?xi32>
      %j = memref.load %pj[%n] : memref<?xi32>
      %h = memref.load %ph[%n] : memref<?xf16>
      %rf320 = arith.addf %a, %b : f32
      %of320 = arith.constant 0 : index
      %atf320 = arith.addi %of320, %n : index
      memref.store %rf320, %pf[%atf320] : memref<?xf32>
      %rf321 = arith.subf %a, %b : f32
      %of321 = arith.constant 16 : index
      %atf321 = arith.addi %of321, %n : index
      memref.store %rf321, %pf[%atf321] : memref<?xf32>
      %rf322 = arith.mulf %a, %b : f32
      %of322 = arith.constant 32 : index
      %atf322 = arith.addi %of322, %n : index
      memref.store %rf322, %pf[%atf322] : memref<?xf32>
      %rf323 = arith.divf %a, %b : f32
      %of323 = arith.constant 48 : index
      %atf323 = arith.addi %of323, %n : index
      memref.store %rf323, %pf[%atf323] : memref<?xf32>
      %rf324 = arith.negf %a : f32
      %of324 = arith.constant 64 : index
      %atf324 = arith.addi %of324, %n : index
      memref.store %rf324, %pf[%atf324] : memref<?xf32>
      %rf325 = math.absf %a : f32
      %of325 = arith.constant 80 : index
      %atf325 = arith.addi %of325, %n : index
      memref.store %rf325, %pf[%atf325] : memref<?xf32>
      %rf326 = math.copysign %a, %b : f32
      %of326 = arith.constant 96 : index
      %atf326 = arith.addi %of326, %n : index
      memref.store %rf326, %pf[%atf326] : memref<?xf32>
      %rf327 = math.sqrt %a : f32
      %of327 = arith.constant 112 : index
      %atf327 = arith.addi %of327, %n : index
      memref.store %rf327, %pf[%atf327] : memref<?xf32>
      %rf328 = math.floor %a : f32
      %of328 = arith.constant 128 : index
      %atf328 = arith.addi %of328, %n : index
      memref.store %rf328, %pf[%atf328] : memref<?xf32>
      %rf329 = math.ceil %a : f32
      %of329 = arith.constant 144 : index
      %atf329 = arith.addi %of329, %n : index
      memref.store %rf329, %pf[%atf329] : memref<?xf32>
      %rf3210 = math.roundeven %a : f32
      %of3210 = arith.constant 160 : index
      %atf3210 = arith.addi %of3210, %n : index
      memref.store %rf3210, %pf[%atf3210] : memref<?xf32>
      %rf3211 = math.trunc %a : f32
      %of3211 = arith.constant 176 : index
      %atf3211 = arith.addi %of3211, %n : index
      memref.store %rf3211, %pf[%atf3211] : memref<?xf32>
      %rf3212 = math.fma %a, %b, %a : f32
      %of3212 = arith.constant 192 : index
      %atf3212 = arith.addi %of3212, %n : index
      memref.store %rf3212, %pf[%atf3212] : memref<?xf32>
      %rf3213 = arith.maximumf %a, %b : f32
      %of3213 = arith.constant 208 : index
      %atf3213 = arith.addi %of3213, %n : index
      memref.store %rf3213, %pf[%atf3213] : memref<?xf32>
      %rf3214 = arith.minnumf %a, %b : f32
      %of3214 = arith.constant 224 : index
      %atf3214 = arith.addi %of3214, %n : index
      memref.store %rf3214, %pf[%atf3214] : memref<?xf32>
      %cf3215 = arith.cmpf ogt, %a, %b : f32
      %rf3215 = arith.select %cf3215, %a, %b : f32
      %of3215 = arith.constant 240 : index
      %atf3215 = arith.addi %of3215, %n : index
      memref.store %rf3215, %pf[%atf3215] : memref<?xf32>
      %cf3216 = arith.cmpf une, %a, %b : f32
      %rf3216 = arith.select %cf3216, %b, %a : f32
      %of3216 = arith.constant 256 : index
      %atf3216 = arith.addi %of3216, %n : index
      memref.store %rf3216, %pf[%atf3216] : memref<?xf32>
      %rf3217 = arith.sitofp %i : i32 to f32
      %of3217 = arith.constant 272 : index
      %atf3217 = arith.addi %of3217, %n : index
      memref.store %rf3217, %pf[%atf3217] : memref<?xf32>
      %rf3218 = arith.uitofp %i : i32 to f32
      %of3218 = arith.constant 288 : index
      %atf3218 = arith.addi %of3218, %n : index
      memref.store %rf3218, %pf[%atf3218] : memref<?xf32>
      %rf3219 = arith.extf %h : f16 to f32
      %of3219 = arith.constant 304 : index
      %atf3219 = arith.addi %of3219, %n : index
      memref.store %rf3219, %pf[%atf3219] : memref<?xf32>
      %tf3220 = arith.truncf %a : f32 to f16
      %rf3220 = arith.extf %tf3220 : f16 to f32
      %of3220 = arith.constant 320 : index
      %atf3220 = arith.addi %of3220, %n : index
      memref.store %rf3220, %pf[%atf3220] : memref<?xf32>
      %rf3221 = arith.bitcast %i : i32 to f32
      %of3221 = arith.constant 336 : index
      %atf3221 = arith.addi %of3221, %n : index
      memref.store %rf3221, %pf[%atf3221] : memref<?xf32>
      %ri320 = arith.addi %i, %j : i32
      %oi320 = arith.constant 0 : index
      %ati320 = arith.addi %oi320, %n : index
      memref.store %ri320, %pg[%ati320] : memref<?xi32>
      %ri321 = arith.subi %i, %j : i32
      %oi321 = arith.constant 16 : index
      %ati321 = arith.addi %oi321, %n : index
      memref.store %ri321, %pg[%ati321] : memref<?xi32>
      %ri322 = arith.muli %i, %j : i32
      %oi322 = arith.constant 32 : index
      %ati322 = arith.addi %oi322, %n : index
      memref.store %ri322, %pg[%ati322] : memref<?xi32>
      %ri323 = arith.divsi %i, %j : i32
      %oi323 = arith.constant 48 : index
      %ati323 = arith.addi %oi323, %n : index
      memref.store %ri323, %pg[%ati323] : memref<?xi32>
      %ri324 = arith.remsi %i, %j : i32
      %oi324 = arith.constant 64 : index
      %ati324 = arith.addi %oi324, %n : index
      memref.store %ri324, %pg[%ati324] : memref<?xi32>
      %ri325 = arith.divui %i, %j : i32
      %oi325 = arith.constant 80 : index
      %ati325 = arith.addi %oi325, %n : index
      memref.store %ri325, %pg[%ati325] : memref<?xi32>
      %ri326 = arith.remui %i, %j : i32
      %oi326 = arith.constant 96 : index
      %ati326 = arith.addi %oi326, %n : index
      memref.store %ri326, %pg[%ati326] : memref<?xi32>
      %ri327 = arith.shli %i, %three : i32
      %oi327 = arith.constant 112 : index
      %ati327 = arith.addi %oi327, %n : index
      memref.store %ri327, %pg[%ati327] : memref<?xi32>
      %ri328 = arith.shrsi %i, %three : i32
      %oi328 = arith.constant 128 : index
      %ati328 = arith.addi %oi328, %n : index
      memref.store %ri328, %pg[%ati328] : memref<?xi32>
      %ri329 = arith.shrui %i, %three : i32
      %oi329 = arith.constant 144 : index
      %ati329 = arith.addi %oi329, %n : index
      memref.store %ri329, %pg[%ati329] : memref<?xi32>
      %ri3210 = arith.andi %i, %j : i32
      %oi3210 = arith.constant 160 : index
      %ati3210 = arith.addi %oi3210, %n : index
      memref.store %ri3210, %pg[%ati3210] : memref<?xi32>
      %ri3211 = arith.ori %i, %j : i32
      %oi3211 = arith.constant 176 : index
      %ati3211 = arith.addi %oi3211, %n : index
      memref.store %ri3211, %pg[%ati3211] : memref<?xi32>
      %ri3212 = arith.xori %i, %j : i32
      %oi3212 = arith.constant 192 : index
      %ati3212 = arith.addi %oi3212, %n : index
      memref.store %ri3212, %pg[%ati3212] : memref<?xi32>
      %ri3213 = arith.maxsi %i, %j : i32
      %oi3213 = arith.constant 208 : index
      %ati3213 = arith.addi %oi3213, %n : index
      memref.store %ri3213, %pg[%ati3213] : memref<?xi32>
      %ri3214 = arith.minsi %i, %j : i32
      %oi3214 = arith.constant 224 : index
      %ati3214 = arith.addi %oi3214, %n : index
      memref.store %ri3214, %pg[%ati3214] : memref<?xi32>
      %ri3215 = arith.maxui %i, %j : i32
      %oi3215 = arith.constant 240 : index
      %ati3215 = arith.addi %oi3215, %n : index
      memref.store %ri3215, %pg[%ati3215] : memref<?xi32>
      %ri3216 = arith.minui %i, %j : i32
      %oi3216 = arith.constant 256 : index
      %ati3216 = arith.addi %oi3216, %n : index
      memref.store %ri3216, %pg[%ati3216] : memref<?xi32>
      %ci3217 = arith.cmpi slt, %i, %j : i32
      %ri3217 = arith.extui %ci3217 : i1 to i32
      %oi3217 = arith.constant 272 : index
      %ati3217 = arith.addi %oi3217, %n : index
      memref.store %ri3217, %pg[%ati3217] : memref<?xi32>
      %ci3218 = arith.cmpi ugt, %i, %j : i32
      %ri3218 = arith.extui %ci3218 : i1 to i32
      %oi3218 = arith.constant 288 : index
      %ati3218 = arith.addi %oi3218, %n : index
      memref.store %ri3218, %pg[%ati3218] : memref<?xi32>
      %ti3219 = arith.trunci %i : i32 to i8
      %ri3219 = arith.extsi %ti3219 : i8 to i32
      %oi3219 = arith.constant 304 : index
      %ati3219 = arith.addi %oi3219, %n : index
      memref.store %ri3219, %pg[%ati3219] : memref<?xi32>
      %ti3220 = arith.trunci %i : i32 to i8
      %ri3220 = arith.extui %ti3220 : i8 to i32
      %oi3220 = arith.constant 320 : index
      %ati3220 = arith.addi %oi3220, %n : index
      memref.store %ri3220, %pg[%ati3220] : memref<?xi32>
      %ri3221 = arith.bitcast %a : f32 to i32
      %oi3221 = arith.constant 336 : index
      %ati3221 = arith.addi %oi3221, %n : index
      memref.store %ri3221, %pg[%ati3221] : memref<?xi32>
      %ci3222 = arith.cmpf oeq, %a, %b : f32
      %ri3222 = arith.extui %ci3222 : i1 to i32
      %oi3222 = arith.constant 352 : index
      %ati3222 = arith.addi %oi3222, %n : index
      memref.store %ri3222, %pg[%ati3222] : memref<?xi32>
      %ci3223 = arith.cmpf ogt, %a, %b : f32
      %ri3223 = arith.extui %ci3223 : i1 to i32
      %oi3223 = arith.constant 368 : index
      %ati3223 = arith.addi %oi3223, %n : index
      memref.store %ri3223, %pg[%ati3223] : memref<?xi32>
      %ci3224 = arith.cmpf oge, %a, %b : f32
      %ri3224 = arith.extui %ci3224 : i1 to i32
      %oi3224 = arith.constant 384 : index
      %ati3224 = arith.addi %oi3224, %n : index
      memref.store %ri3224, %pg[%ati3224] : memref<?xi32>
      %ci3225 = arith.cmpf olt, %a, %b : f32
      %ri3225 = arith.extui %ci3225 : i1 to i32
      %oi3225 = arith.constant 400 : index
      %ati3225 = arith.addi %oi3225, %n : index
      memref.store %ri3225, %pg[%ati3225] : memref<?xi32>
      %ci3226 = arith.cmpf ole, %a, %b : f32
      %ri3226 = arith.extui %ci3226 : i1 to i32
      %oi3226 = arith.constant 416 : index
      %ati3226 = arith.addi %oi3226, %n : index
      memref.store %ri3226, %pg[%ati3226] : memref<?xi32>
      %ci3227 = arith.cmpf one, %a, %b : f32
      %ri3227 = arith.extui %ci3227 : i1 to i32
      %oi3227 = arith.constant 432 : index
      %ati3227 = arith.addi %oi3227, %n : index
      memref.store %ri3227, %pg[%ati3227] : memref<?xi32>
      %ci3228 = arith.cmpf ord, %a, %b : f32
      %ri3228 = arith.extui %ci3228 : i1 to i32
      %oi3228 = arith.constant 448 : index
      %ati3228 = arith.addi %oi3228, %n : index
      memref.store %ri3228, %pg[%ati3228] : memref<?xi32>
      %ci3229 = arith.cmpf ueq, %a, %b : f32
      %ri3229 = arith.extui %ci3229 : i1 to i32
      %oi3229 = arith.constant 464 : index
      %ati3229 = arith.addi %oi3229, %n : index
      memref.store %ri3229, %pg[%ati3229] : memref<?xi32>
      %ci3230 = arith.cmpf ugt, %a, %b : f32
      %ri3230 = arith.extui %ci3230 : i1 to i32
      %oi3230 = arith.constant 480 : index
      %ati3230 = arith.addi %oi3230, %n : index
      memref.store %ri3230, %pg[%ati3230] : memref<?xi32>
      %ci3231 = arith.cmpf uge, %a, %b : f32
      %ri3231 = arith.extui %ci3231 : i1 to i32
      %oi3231 = arith.constant 496 : index
      %ati3231 = arith.addi %oi3231, %n : index
      memref.store %ri3231, %pg[%ati3231] : memref<?xi32>
      %ci3232 = arith.cmpf ult, %a, %b : f32
      %ri3232 = arith.extui %ci3232 : i1 to i32
      %oi3232 = arith.constant 512 : index
      %ati3232 = arith.addi %oi3232, %n : index
      memref.store %ri3232, %pg[%ati3232] : memref<?xi32>
      %ci3233 = arith.cmpf ule, %a, %b : f32
      %ri3233 = arith.extui %ci3233 : i1 to i32
      %oi3233 = arith.constant 528 : index
      %ati3233 = arith.addi %oi3233, %n : index
      memref.store %ri3233, %pg[%ati3233] : memref<?xi32>
      %ci3234 = arith.cmpf une, %a, %b : f32
      %ri3234 = arith.extui %ci3234 : i1 to i32
      %oi3234 = arith.constant 544 : index
      %ati3234 = arith.addi %oi3234, %n : index
      memref.store %ri3234, %pg[%ati3234] : memref<?xi32>
      %ci3235 = arith.cmpf uno, %a, %b : f32
      %ri3235 = arith.extui %ci3235 : i1 to i32
      %oi3235 = arith.constant 560 : index
      %ati3235 = arith.addi %oi3235, %n : index
      memref.store %ri3235, %pg[%ati3235] : memref<?xi32>
    }
    return
  }

  func.func private @vector_ops(%pa: memref<?xf32>, %pb: memref<?xf32>, %pi: memref<?xi32>, %pj: memref<?xi32>, %ph: memref<?xf16>,
      %pf: memref<?xf32> {leaf.restrict}, %pg: memref<?xi32> {leaf.restrict}, %scratch: memref<?xi8>, %begin: index, %end: index)
      attributes {leaf.kernel, nodes = ["vector_ops"]} {
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %three = arith.constant dense<3> : vector<8xi32>
    scf.for %n = %begin to %end step %c1 {
      %x = arith.muli %n, %c8 : index
      %a = vector.load %pa[%x] : memref<?xf32>, vector<8xf32>
      %b = vector.load %pb[%x] : memref<?xf32>, vector<8xf32>
      %i = vector.load %pi[%x] : memref<?xi32>, vector<8xi32>
      %j = vector.load %pj[%x] : memref<?xi32>, vector<8xi32>
      %h = vector.load %ph[%x] : memref<?xf16>, vector<8xf16>
      %rf320 = arith.addf %a, %b : vector<8xf32>
      %of320 = arith.constant 0 : index
      %atf320 = arith.addi %of320, %x : index
      vector.store %rf320, %pf[%atf320] : memref<?xf32>, vector<8xf32>
      %rf321 = arith.subf %a, %b : vector<8xf32>
      %of321 = arith.constant 16 : index
      %atf321 = arith.addi %of321, %x : index
      vector.store %rf321, %pf[%atf321] : memref<?xf32>, vector<8xf32>
      %rf322 = arith.mulf %a, %b : vector<8xf32>
      %of322 = arith.constant 32 : index
      %atf322 = arith.addi %of322, %x : index
      vector.store %rf322, %pf[%atf322] : memref<?xf32>, vector<8xf32>
      %rf323 = arith.divf %a, %b : vector<8xf32>
      %of323 = arith.constant 48 : index
      %atf323 = arith.addi %of323, %x : index
      vector.store %rf323, %pf[%atf323] : memref<?xf32>, vector<8xf32>
      %rf324 = arith.negf %a : vector<8xf32>
      %of324 = arith.constant 64 : index
      %atf324 = arith.addi %of324, %x : index
      vector.store %rf324, %pf[%atf324] : memref<?xf32>, vector<8xf32>
      %rf325 = math.absf %a : vector<8xf32>
      %of325 = arith.constant 80 : index
      %atf325 = arith.addi %of325, %x : index
      vector.store %rf325, %pf[%atf325] : memref<?xf32>, vector<8xf32>
      %rf326 = math.copysign %a, %b : vector<8xf32>
      %of326 = arith.constant 96 : index
      %atf326 = arith.addi %of326, %x : index
      vector.store %rf326, %pf[%atf326] : memref<?xf32>, vector<8xf32>
      %rf327 = math.sqrt %a : vector<8xf32>
      %of327 = arith.constant 112 : index
      %atf327 = arith.addi %of327, %x : index
      vector.store %rf327, %pf[%atf327] : memref<?xf32>, vector<8xf32>
      %rf328 = math.floor %a : vector<8xf32>
      %of328 = arith.constant 128 : index
      %atf328 = arith.addi %of328, %x : index
      vector.store %rf328, %pf[%atf328] : memref<?xf32>, vector<8xf32>
      %rf329 = math.ceil %a : vector<8xf32>
      %of329 = arith.constant 144 : index
      %atf329 = arith.addi %of329, %x : index
      vector.store %rf329, %pf[%atf329] : memref<?xf32>, vector<8xf32>
      %rf3210 = math.roundeven %a : vector<8xf32>
      %of3210 = arith.constant 160 : index
      %atf3210 = arith.addi %of3210, %x : index
      vector.store %rf3210, %pf[%atf3210] : memref<?xf32>, vector<8xf32>
      %rf3211 = math.trunc %a : vector<8xf32>
      %of3211 = arith.constant 176 : index
      %atf3211 = arith.addi %of3211, %x : index
      vector.store %rf3211, %pf[%atf3211] : memref<?xf32>, vector<8xf32>
      %rf3212 = math.fma %a, %b, %a : vector<8xf32>
      %of3212 = arith.constant 192 : index
      %atf3212 = arith.addi %of3212, %x : index
      vector.store %rf3212, %pf[%atf3212] : memref<?xf32>, vector<8xf32>
      %rf3213 = arith.maximumf %a, %b : vector<8xf32>
      %of3213 = arith.constant 208 : index
      %atf3213 = arith.addi %of3213, %x : index
      vector.store %rf3213, %pf[%atf3213] : memref<?xf32>, vector<8xf32>
      %rf3214 = arith.minnumf %a, %b : vector<8xf32>
      %of3214 = arith.constant 224 : index
      %atf3214 = arith.addi %of3214, %x : index
      vector.store %rf3214, %pf[%atf3214] : memref<?xf32>, vector<8xf32>
      %cf3215 = arith.cmpf ogt, %a, %b : vector<8xf32>
      %rf3215 = arith.select %cf3215, %a, %b : vector<8xi1>, vector<8xf32>
      %of3215 = arith.constant 240 : index
      %atf3215 = arith.addi %of3215, %x : index
      vector.store %rf3215, %pf[%atf3215] : memref<?xf32>, vector<8xf32>
      %cf3216 = arith.cmpf une, %a, %b : vector<8xf32>
      %rf3216 = arith.select %cf3216, %b, %a : vector<8xi1>, vector<8xf32>
      %of3216 = arith.constant 256 : index
      %atf3216 = arith.addi %of3216, %x : index
      vector.store %rf3216, %pf[%atf3216] : memref<?xf32>, vector<8xf32>
      %rf3217 = arith.sitofp %i : vector<8xi32> to vector<8xf32>
      %of3217 = arith.constant 272 : index
      %atf3217 = arith.addi %of3217, %x : index
      vector.store %rf3217, %pf[%atf3217] : memref<?xf32>, vector<8xf32>
      %rf3218 = arith.uitofp %i : vector<8xi32> to vector<8xf32>
      %of3218 = arith.constant 288 : index
      %atf3218 = arith.addi %of3218, %x : index
      vector.store %rf3218, %pf[%atf3218] : memref<?xf32>, vector<8xf32>
      %rf3219 = arith.extf %h : vector<8xf16> to vector<8xf32>
      %of3219 = arith.constant 304 : index
      %atf3219 = arith.addi %of3219, %x : index
      vector.store %rf3219, %pf[%atf3219] : memref<?xf32>, vector<8xf32>
      %tf3220 = arith.truncf %a : vector<8xf32> to vector<8xf16>
      %rf3220 = arith.extf %tf3220 : vector<8xf16> to vector<8xf32>
      %of3220 = arith.constant 320 : index
      %atf3220 = arith.addi %of3220, %x : index
      vector.store %rf3220, %pf[%atf3220] : memref<?xf32>, vector<8xf32>
      %rf3221 = arith.bitcast %i : vector<8xi32> to vector<8xf32>
      %of3221 = arith.constant 336 : index
      %atf3221 = arith.addi %of3221, %x : index
      vector.store %rf3221, %pf[%atf3221] : memref<?xf32>, vector<8xf32>
      %ri320 = arith.addi %i, %j : vector<8xi32>
      %oi320 = arith.constant 0 : index
      %ati320 = arith.addi %oi320, %x : index
      vector.store %ri320, %pg[%ati320] : memref<?xi32>, vector<8xi32>
      %ri321 = arith.subi %i, %j : vector<8xi32>
      %oi321 = arith.constant 16 : index
      %ati321 = arith.addi %oi321, %x : index
      vector.store %ri321, %pg[%ati321] : memref<?xi32>, vector<8xi32>
      %ri322 = arith.muli %i, %j : vector<8xi32>
      %oi322 = arith.constant 32 : index
      %ati322 = arith.addi %oi322, %x : index
      vector.store %ri322, %pg[%ati322] : memref<?xi32>, vector<8xi32>
      %ri323 = arith.divsi %i, %j : vector<8xi32>
      %oi323 = arith.constant 48 : index
      %ati323 = arith.addi %oi323, %x : index
      vector.store %ri323, %pg[%ati323] : memref<?xi32>, vector<8xi32>
      %ri324 = arith.remsi %i, %j : vector<8xi32>
      %oi324 = arith.constant 64 : index
      %ati324 = arith.addi %oi324, %x : index
      vector.store %ri324, %pg[%ati324] : memref<?xi32>, vector<8xi32>
      %ri325 = arith.divui %i, %j : vector<8xi32>
      %oi325 = arith.constant 80 : index
      %ati325 = arith.addi %oi325, %x : index
      vector.store %ri325, %pg[%ati325] : memref<?xi32>, vector<8xi32>
      %ri326 = arith.remui %i, %j : vector<8xi32>
      %oi326 = arith.constant 96 : index
      %ati326 = arith.addi %oi326, %x : index
      vector.store %ri326, %pg[%ati326] : memref<?xi32>, vector<8xi32>
      %ri327 = arith.shli %i, %three : vector<8xi32>
      %oi327 = arith.constant 112 : index
      %ati327 = arith.addi %oi327, %x : index
      vector.store %ri327, %pg[%ati327] : memref<?xi32>, vector<8xi32>
      %ri328 = arith.shrsi %i, %three : vector<8xi32>
      %oi328 = arith.constant 128 : index
      %ati328 = arith.addi %oi328, %x : index
      vector.store %ri328, %pg[%ati328] : memref<?xi32>, vector<8xi32>
      %ri329 = arith.shrui %i, %three : vector<8xi32>
      %oi329 = arith.constant 144 : index
      %ati329 = arith.addi %oi329, %x : index
      vector.store %ri329, %pg[%ati329] : memref<?xi32>, vector<8xi32>
      %ri3210 = arith.andi %i, %j : vector<8xi32>
      %oi3210 = arith.constant 160 : index
      %ati3210 = arith.addi %oi3210, %x : index
      vector.store %ri3210, %pg[%ati3210] : memref<?xi32>, vector<8xi32>
      %ri3211 = arith.ori %i, %j : vector<8xi32>
      %oi3211 = arith.constant 176 : index
      %ati3211 = arith.addi %oi3211, %x : index
      vector.store %ri3211, %pg[%ati3211] : memref<?xi32>, vector<8xi32>
      %ri3212 = arith.xori %i, %j : vector<8xi32>
      %oi3212 = arith.constant 192 : index
      %ati3212 = arith.addi %oi3212, %x : index
      vector.store %ri3212, %pg[%ati3212] : memref<?xi32>, vector<8xi32>
      %ri3213 = arith.maxsi %i, %j : vector<8xi32>
      %oi3213 = arith.constant 208 : index
      %ati3213 = arith.addi %oi3213, %x : index
      vector.store %ri3213, %pg[%ati3213] : memref<?xi32>, vector<8xi32>
      %ri3214 = arith.minsi %i, %j : vector<8xi32>
      %oi3214 = arith.constant 224 : index
      %ati3214 = arith.addi %oi3214, %x : index
      vector.store %ri3214, %pg[%ati3214] : memref<?xi32>, vector<8xi32>
      %ri3215 = arith.maxui %i, %j : vector<8xi32>
      %oi3215 = arith.constant 240 : index
      %ati3215 = arith.addi %oi3215, %x : index
      vector.store %ri3215, %pg[%ati3215] : memref<?xi32>, vector<8xi32>
      %ri3216 = arith.minui %i, %j : vector<8xi32>
      %oi3216 = arith.constant 256 : index
      %ati3216 = arith.addi %oi3216, %x : index
      vector.store %ri3216, %pg[%ati3216] : memref<?xi32>, vector<8xi32>
      %ci3217 = arith.cmpi slt, %i, %j : vector<8xi32>
      %ri3217 = arith.extui %ci3217 : vector<8xi1> to vector<8xi32>
      %oi3217 = arith.constant 272 : index
      %ati3217 = arith.addi %oi3217, %x : index
      vector.store %ri3217, %pg[%ati3217] : memref<?xi32>, vector<8xi32>
      %ci3218 = arith.cmpi ugt, %i, %j : vector<8xi32>
      %ri3218 = arith.extui %ci3218 : vector<8xi1> to vector<8xi32>
      %oi3218 = arith.constant 288 : index
      %ati3218 = arith.addi %oi3218, %x : index
      vector.store %ri3218, %pg[%ati3218] : memref<?xi32>, vector<8xi32>
      %ti3219 = arith.trunci %i : vector<8xi32> to vector<8xi8>
      %ri3219 = arith.extsi %ti3219 : vector<8xi8> to vector<8xi32>
      %oi3219 = arith.constant 304 : index
      %ati3219 = arith.addi %oi3219, %x : index
      vector.store %ri3219, %pg[%ati3219] : memref<?xi32>, vector<8xi32>
      %ti3220 = arith.trunci %i : vector<8xi32> to vector<8xi8>
      %ri3220 = arith.extui %ti3220 : vector<8xi8> to vector<8xi32>
      %oi3220 = arith.constant 320 : index
      %ati3220 = arith.addi %oi3220, %x : index
      vector.store %ri3220, %pg[%ati3220] : memref<?xi32>, vector<8xi32>
      %ri3221 = arith.bitcast %a : vector<8xf32> to vector<8xi32>
      %oi3221 = arith.constant 336 : index
      %ati3221 = arith.addi %oi3221, %x : index
      vector.store %ri3221, %pg[%ati3221] : memref<?xi32>, vector<8xi32>
      %ci3222 = arith.cmpf oeq, %a, %b : vector<8xf32>
      %ri3222 = arith.extui %ci3222 : vector<8xi1> to vector<8xi32>
      %oi3222 = arith.constant 352 : index
      %ati3222 = arith.addi %oi3222, %x : index
      vector.store %ri3222, %pg[%ati3222] : memref<?xi32>, vector<8xi32>
      %ci3223 = arith.cmpf ogt, %a, %b : vector<8xf32>
      %ri3223 = arith.extui %ci3223 : vector<8xi1> to vector<8xi32>
      %oi3223 = arith.constant 368 : index
      %ati3223 = arith.addi %oi3223, %x : index
      vector.store %ri3223, %pg[%ati3223] : memref<?xi32>, vector<8xi32>
      %ci3224 = arith.cmpf oge, %a, %b : vector<8xf32>
      %ri3224 = arith.extui %ci3224 : vector<8xi1> to vector<8xi32>
      %oi3224 = arith.constant 384 : index
      %ati3224 = arith.addi %oi3224, %x : index
      vector.store %ri3224, %pg[%ati3224] : memref<?xi32>, vector<8xi32>
      %ci3225 = arith.cmpf olt, %a, %b : vector<8xf32>
      %ri3225 = arith.extui %ci3225 : vector<8xi1> to vector<8xi32>
      %oi3225 = arith.constant 400 : index
      %ati3225 = arith.addi %oi3225, %x : index
      vector.store %ri3225, %pg[%ati3225] : memref<?xi32>, vector<8xi32>
      %ci3226 = arith.cmpf ole, %a, %b : vector<8xf32>
      %ri3226 = arith.extui %ci3226 : vector<8xi1> to vector<8xi32>
      %oi3226 = arith.constant 416 : index
      %ati3226 = arith.addi %oi3226, %x : index
      vector.store %ri3226, %pg[%ati3226] : memref<?xi32>, vector<8xi32>
      %ci3227 = arith.cmpf one, %a, %b : vector<8xf32>
      %ri3227 = arith.extui %ci3227 : vector<8xi1> to vector<8xi32>
      %oi3227 = arith.constant 432 : index
      %ati3227 = arith.addi %oi3227, %x : index
      vector.store %ri3227, %pg[%ati3227] : memref<?xi32>, vector<8xi32>
      %ci3228 = arith.cmpf ord, %a, %b : vector<8xf32>
      %ri3228 = arith.extui %ci3228 : vector<8xi1> to vector<8xi32>
      %oi3228 = arith.constant 448 : index
      %ati3228 = arith.addi %oi3228, %x : index
      vector.store %ri3228, %pg[%ati3228] : memref<?xi32>, vector<8xi32>
      %ci3229 = arith.cmpf ueq, %a, %b : vector<8xf32>
      %ri3229 = arith.extui %ci3229 : vector<8xi1> to vector<8xi32>
      %oi3229 = arith.constant 464 : index
      %ati3229 = arith.addi %oi3229, %x : index
      vector.store %ri3229, %pg[%ati3229] : memref<?xi32>, vector<8xi32>
      %ci3230 = arith.cmpf ugt, %a, %b : vector<8xf32>
      %ri3230 = arith.extui %ci3230 : vector<8xi1> to vector<8xi32>
      %oi3230 = arith.constant 480 : index
      %ati3230 = arith.addi %oi3230, %x : index
      vector.store %ri3230, %pg[%ati3230] : memref<?xi32>, vector<8xi32>
      %ci3231 = arith.cmpf uge, %a, %b : vector<8xf32>
      %ri3231 = arith.extui %ci3231 : vector<8xi1> to vector<8xi32>
      %oi3231 = arith.constant 496 : index
      %ati3231 = arith.addi %oi3231, %x : index
      vector.store %ri3231, %pg[%ati3231] : memref<?xi32>, vector<8xi32>
      %ci3232 = arith.cmpf ult, %a, %b : vector<8xf32>
      %ri3232 = arith.extui %ci3232 : vector<8xi1> to vector<8xi32>
      %oi3232 = arith.constant 512 : index
      %ati3232 = arith.addi %oi3232, %x : index
      vector.store %ri3232, %pg[%ati3232] : memref<?xi32>, vector<8xi32>
      %ci3233 = arith.cmpf ule, %a, %b : vector<8xf32>
      %ri3233 = arith.extui %ci3233 : vector<8xi1> to vector<8xi32>
      %oi3233 = arith.constant 528 : index
      %ati3233 = arith.addi %oi3233, %x : index
      vector.store %ri3233, %pg[%ati3233] : memref<?xi32>, vector<8xi32>
      %ci3234 = arith.cmpf une, %a, %b : vector<8xf32>
      %ri3234 = arith.extui %ci3234 : vector<8xi1> to vector<8xi32>
      %oi3234 = arith.constant 544 : index
      %ati3234 = arith.addi %oi3234, %x : index
      vector.store %ri3234, %pg[%ati3234] : memref<?xi32>, vector<8xi32>
      %ci3235 = arith.cmpf uno, %a, %b : vector<8xf32>
      %ri3235 = arith.extui %ci3235 : vector<8xi1> to vector<8xi32>
      %oi3235 = arith.constant 560 : index
      %ati3235 = arith.addi %oi3235, %x : index
      vector.store %ri3235, %pg[%ati3235] : memref<?xi32>, vector<8xi32>
    }
    return
  }
}
