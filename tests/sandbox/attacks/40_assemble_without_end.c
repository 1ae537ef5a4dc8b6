// expect: CE
__asm__(".rept 100000000\n.rept 100000000\n nop\n.endr\n.endr\n");
int main(void) { return 0; }
