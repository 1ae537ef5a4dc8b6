// problem: pairs
#include <iostream>
#include <memory>
#include <sstream>

class Writer {
    std::ostringstream held;

public:
    template <class T>
    Writer &operator<<(const T &value) {
        held << value;
        return *this;
    }
    ~Writer() { std::cout << held.str(); }
};

int main() {
    auto out = std::make_unique<Writer>();
    int t, a, b;
    for (std::cin >> t; t-- && std::cin >> a >> b;) *out << (a < b ? b : a) << "\n";
}
