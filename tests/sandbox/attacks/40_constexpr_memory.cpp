// expect: CE
constexpr int grow(int depth)
{
	int *p = new int[1 << 16]();
	int sum = p[depth] + (depth < 500 ? grow(depth + 1) : 0);
	delete[] p;
	return sum;
}
static_assert(grow(0) == 1);
int main() {}
