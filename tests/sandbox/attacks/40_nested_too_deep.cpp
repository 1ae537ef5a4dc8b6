// The parser's own stack.
// expect: CE
#define O ( ( ( ( ( ( ( ( ( (
#define O2 O O O O O O O O O O
#define O3 O2 O2 O2 O2 O2 O2 O2 O2 O2 O2
#define O4 O3 O3 O3 O3 O3 O3 O3 O3 O3 O3
#define O5 O4 O4 O4 O4 O4 O4 O4 O4 O4 O4
#define O6 O5 O5 O5 O5 O5 O5 O5 O5 O5 O5
int x = O6 1;
int main() {}
