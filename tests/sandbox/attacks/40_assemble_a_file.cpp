// The assembler reads files too.
// expect: CE
// never_prints: root:
#include <cstdio>
extern const char begin[], end[];
__asm__(".global begin\nbegin:\n.incbin \"/etc/shadow\"\n.global end\nend: .byte 0\n");
int main() { fwrite(begin, 1, end - begin, stdout); }
