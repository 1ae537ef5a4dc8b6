// Every declaration is an error of some lines.
// expect: CE
#define ONE(n) int a##n = "text"; int *b##n = 1.5; c##n;
#define UNIQUE(n) ONE(n)
#define T UNIQUE(__COUNTER__)
#define T10 T T T T T T T T T T
#define T100 T10 T10 T10 T10 T10 T10 T10 T10 T10 T10
#define T1000 T100 T100 T100 T100 T100 T100 T100 T100 T100 T100
T1000 T1000 T1000 T1000 T1000 T1000 T1000 T1000 T1000 T1000
int main() {}
