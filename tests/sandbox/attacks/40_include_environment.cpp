// What the compiler's process, its parents and the server were told.
// expect: CE
// never_prints: TOUCHSTONE
// never_prints: canary-
// never_prints: pytest
#include "/proc/self/environ"
#include "/proc/self/cmdline"
#include "/proc/1/environ"
#include "/proc/1/cmdline"
#include "/proc/2/environ"
#include "/proc/2/cmdline"
int main() {}
