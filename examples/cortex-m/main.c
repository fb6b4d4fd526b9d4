/* Draws a bar into a 28x28 picture and says on the serial line which digit the network takes it for, where its memory
   lies, and how much stack was used. */
#include "digits.h"

extern uint32_t __StackTop[], __StackLimit[];

/* The arena goes where the linker script says; it needs no initialization. */
LEAF_ALIGNAS(DIGITS_ARENA_ALIGN) __attribute__((section(".arena"))) static unsigned char arena[DIGITS_ARENA_BYTES];
static float picture[28][28], scores[10];

/* The serial line of an MPS2 board: CMSDK UART 0. */
struct uart {
  volatile uint32_t data, state, control, interrupt, divider;
};
static struct uart *const uart = (struct uart *)0x40004000;

static void put(const char *text) {
  for (; *text != 0; ++text) {
    while (uart->state & 1)
      ;
    uart->data = (uint32_t)*text;
  }
}

static void put_number(uint32_t number, uint32_t base) {
  char text[12], *digit = text + sizeof text - 1;
  for (*digit = 0; digit == text + sizeof text - 1 || number > 0; number /= base)
    *--digit = "0123456789abcdef"[number % base];
  put(digit);
}

static void put_line(const char *label, uint32_t number, uint32_t base, const char *unit) {
  put(label);
  put_number(number, base);
  put(unit);
}

static uint32_t unused_stack(void) {
  const uint32_t *word = __StackLimit;
  while (word < __StackTop && *word == 0xA5A5A5A5)
    ++word;
  return (uint32_t)((const char *)word - (const char *)__StackLimit);
}

/* Ends the emulation: semihosting, SYS_EXIT. Remove it for a real board. */
static void leave(int good) {
  register uint32_t operation __asm("r0") = 0x18, reason __asm("r1") = good ? 0x20026 : 0x20024;
  __asm volatile("bkpt #0xAB" ::"r"(operation), "r"(reason) : "memory");
}

int main(void) {
  leaf_context context;
  digits_inputs in;
  digits_outputs out;
  leaf_status status;
  uint32_t i, best = 0, stack = (uint32_t)((char *)__StackTop - (char *)__StackLimit);
  uart->divider = 16;
  uart->control = 1;
  for (i = 5; i < 23; ++i)
    picture[i][13] = picture[i][14] = 1;
  in.image = &picture[0][0];
  out.logits = scores;
  status = digits_init(&context, arena, sizeof arena);
  if (status == LEAF_OK)
    status = digits_run(&context, &in, &out);
  put_line("status ", (uint32_t)status, 10, "\n");
  for (i = 1; i < 10; ++i)
    if (scores[i] > scores[best])
      best = i;
  put_line("a bar is a ", best, 10, "\n");
  put_line("weights at 0x", (uint32_t)(uintptr_t)digits_weights, 16, "");
  put_line(", ", DIGITS_WEIGHTS_BYTES, 10, " bytes\n");
  put_line("arena at 0x", (uint32_t)(uintptr_t)arena, 16, "");
  put_line(", ", DIGITS_ARENA_BYTES, 10, " bytes\n");
  put_line("stack used ", stack - unused_stack(), 10, "");
  put_line(" of ", stack, 10, " bytes\n");
  leave(status == LEAF_OK);
  return 0;
}
