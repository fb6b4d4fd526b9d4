/*===- start.c - start code of emulated boards ----------------------------===*
 *
 * Part of Leafcutter, under the Apache License v2.0. See LICENSE.
 *
 *===----------------------------------------------------------------------===*/

/* Start of a Cortex-M program under qemu: vectors, floating point on, then newlib's start code. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

extern uint32_t __stack;
extern char end[], __heap_end[];
extern void _start(void);

/* CPACR at 0xE000ED88: access to coprocessors 10 and 11, the floating point and vector unit. */
__attribute__((naked, used)) void Reset_Handler(void) {
  __asm volatile("ldr r0, =0xE000ED88\n"
                 "ldr r1, [r0]\n"
                 "ldr r2, =0x00F00000\n"
                 "orr r1, r2\n"
                 "str r1, [r0]\n"
                 "dsb\n"
                 "isb\n"
                 "bl _start\n"
                 "b .\n");
}

/* Faults end the run through semihosting: SYS_EXIT (0x18) with ADP_Stopped_InternalError. */
__attribute__((naked, used)) void Fault_Handler(void) {
  __asm volatile("movs r0, #0x18\n"
                 "ldr r1, =0x20024\n"
                 "bkpt #0xAB\n"
                 "b .\n");
}

/* Newlib's own takes the limit from qemu, which does not know where the heap starts. */
void *_sbrk(ptrdiff_t bytes) {
  static char *top = end;
  char *start = top;
  if (bytes > __heap_end - top) {
    errno = ENOMEM;
    return (void *)-1;
  }
  top += bytes;
  return start;
}

__attribute__((section(".vectors"), used)) const uintptr_t leaf_vectors[] = {
    (uintptr_t)&__stack,      (uintptr_t)Reset_Handler, (uintptr_t)Fault_Handler, (uintptr_t)Fault_Handler,
    (uintptr_t)Fault_Handler, (uintptr_t)Fault_Handler, (uintptr_t)Fault_Handler};
