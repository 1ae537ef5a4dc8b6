// expect: CE
template <int N> struct Deep { enum { value = Deep<N + 1>::value }; };
int main() { return Deep<0>::value; }
