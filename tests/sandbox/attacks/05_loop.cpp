// expect: CPU
// limits: cpu=0.3 wall=3
int main()
{
	for (volatile int n = 0;; n = n + 1)
		;
}
