// Diagnostics quote the lines that they are about.
// expect: CE
// never_prints: root:
// never_prints: nologin
#include "/etc/shadow"
#include "/etc/passwd"
#include "/etc/hostname"
#include "../../../../etc/passwd"
#include "/proc/self/root/etc/passwd"
#include "/proc/1/root/etc/shadow"
int main() {}
