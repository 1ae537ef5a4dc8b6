// problem: hello
#include <iostream>
#include <string_view>

int main(int argc, char **argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--quiet") return 0;
    std::clog << argv[0] << '\n';
    std::cout << R"(Hello, world!)" << '\n';
}
