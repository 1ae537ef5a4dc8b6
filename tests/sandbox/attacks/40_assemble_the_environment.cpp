// expect: CE|EXIT0
// never_prints: TOUCHSTONE
// never_prints: canary-
#include <cstdio>
extern const char begin[], end[];
__asm__(".global begin\nbegin:\n.incbin \"/proc/self/environ\"\n.incbin \"/proc/self/cmdline\"\n.global end\nend: .byte 0\n");
int main() { fwrite(begin, 1, end - begin, stdout); }
