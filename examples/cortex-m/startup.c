/* Vectors and reset of a Cortex-M, with the names that CMSIS uses: no C library needed. */
#include <stdint.h>

extern uint32_t __StackTop[], __StackLimit[];
extern uint32_t __data_start__[], __data_end__[], __data_load__[], __bss_start__[], __bss_end__[];
int main(void);
void Reset_Handler(void);
void Default_Handler(void);

#define WEAK_HANDLER __attribute__((weak, alias("Default_Handler")))
void NMI_Handler(void) WEAK_HANDLER;
void HardFault_Handler(void) WEAK_HANDLER;
void MemManage_Handler(void) WEAK_HANDLER;
void BusFault_Handler(void) WEAK_HANDLER;
void UsageFault_Handler(void) WEAK_HANDLER;

typedef void (*handler)(void);
__attribute__((section(".vectors"), used)) static const handler vectors[16] = {
    (handler)__StackTop,
    Reset_Handler,
    NMI_Handler,
    HardFault_Handler,
    MemManage_Handler,
    BusFault_Handler,
    UsageFault_Handler,
    0,
    0,
    0,
    0,
    Default_Handler,
    Default_Handler,
    0,
    Default_Handler,
    Default_Handler,
};

/* Allows floating point before anything uses it: CPACR, coprocessors 10 and 11. */
void SystemInit(void) {
#ifdef __ARM_FP
  *(volatile uint32_t *)0xE000ED88 |= 0x00F00000;
  __asm volatile("dsb\n isb" ::: "memory");
#endif
}

void Reset_Handler(void) {
  uint32_t *to, *from = __data_load__;
  SystemInit();
  for (to = __data_start__; to < __data_end__;)
    *to++ = *from++;
  for (to = __bss_start__; to < __bss_end__;)
    *to++ = 0;
  /* So that the program can tell how much of its stack it has used; all that this function uses lies above. */
  for (to = __StackLimit; to < (uint32_t *)__builtin_frame_address(0) - 16;)
    *to++ = 0xA5A5A5A5;
  main();
  for (;;)
    ;
}

/* Ends the emulation with an error; with a debugger on a real board: stops in it. SYS_EXIT, internal error. */
void Default_Handler(void) {
  register uint32_t operation __asm("r0") = 0x18, reason __asm("r1") = 0x20024;
  __asm volatile("bkpt #0xAB" ::"r"(operation), "r"(reason) : "memory");
  for (;;)
    ;
}
