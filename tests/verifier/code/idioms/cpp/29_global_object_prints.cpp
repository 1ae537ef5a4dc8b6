// problem: hello
#include <iostream>

struct Greeting {
    Greeting() { std::cout << "Hello, "; }
    ~Greeting() { std::cout << "world!\n"; }
} greeting;

int main() {}
