// Twice as many instantiations at each level.
// expect: CE
template <int N, long M> struct Tree { enum { value = Tree<N - 1, M * 2>::value + Tree<N - 1, M * 2 + 1>::value }; };
template <long M> struct Tree<0, M> { enum { value = 1 }; };
int main() { return Tree<40, 1>::value; }
