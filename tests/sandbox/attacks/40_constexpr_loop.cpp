// expect: CE
constexpr long loop()
{
	long n = 0;
	for (;;)
		n++;
	return n;
}
static_assert(loop() == 0);
int main() {}
