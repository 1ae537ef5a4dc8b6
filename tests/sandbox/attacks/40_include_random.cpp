// A file without end.
// expect: CE
#include "/dev/random"
int main() {}
