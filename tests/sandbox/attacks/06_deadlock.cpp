// expect: WALL
// limits: wall=0.4
#include <mutex>
#include <thread>

int main()
{
	std::mutex m;
	m.lock();
	std::thread([&] { m.lock(); }).join();
}
