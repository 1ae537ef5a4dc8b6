// expect: CPU
// limits: cpu=0.4 wall=3
#include <thread>
#include <vector>

int main()
{
	std::vector<std::thread> all;
	for (int n = 0; n < 8; n++)
		all.emplace_back([] {
			for (volatile int k = 0;; k = k + 1)
				;
		});
	for (auto &one : all)
		one.join();
}
