// expect: MLE
// limits: memory=64M
#include <cstdlib>
#include <cstring>

int main()
{
	for (;;) {
		void *p = malloc(1 << 20);
		if (p)
			memset(p, 1, 1 << 20);
	}
}
