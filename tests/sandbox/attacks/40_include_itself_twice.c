// As deep as before, and twice as wide at each level.
// expect: CE
#include __FILE__
#include __FILE__
int main(void) { return 0; }
