// problem: copy
#include <iostream>

int main() {
    if (std::cin.peek() != EOF) std::cout << std::cin.rdbuf();
}
