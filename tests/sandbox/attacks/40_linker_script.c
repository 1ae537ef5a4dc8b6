// Options and files for the linker from within the program.
// expect: CE|EXIT0
// never_prints: root:
// prints: contained
#include <stdio.h>
__asm__(".section .drectve\n.ascii \" -T /etc/passwd -o /tmp/evil\"\n.previous\n");
__asm__(".pushsection .note.gnu.build-id\n.ascii \"x\"\n.popsection\n.symver puts, puts@EVIL\n");
int main(void) { puts("contained"); return 0; }
