// Threads that are still running when main returns.
// expect: EXIT0
// prints: contained
// within: 10
#include <cstdio>
#include <thread>
#include <unistd.h>

int main()
{
	for (int n = 0; n < 8; n++)
		std::thread([n] {
			for (volatile int k = 0;; k = k + 1)
				if (n % 2)
					sleep(1);
		}).detach();
	puts("contained");
}
