// problem: fib
#include <coroutine>
#include <exception>
#include <iostream>

struct Numbers {
    struct promise_type {
        long long value = 0;
        Numbers get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(long long next) {
            value = next;
            return {};
        }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
    ~Numbers() { handle.destroy(); }
    long long next() {
        handle.resume();
        return handle.promise().value;
    }
};

Numbers fibonacci() {
    long long a = 0, b = 1;
    for (;;) {
        co_yield a;
        long long sum = (a + b) % 1000000007;
        a = b;
        b = sum;
    }
}

int main() {
    Numbers numbers = fibonacci();
    int n;
    std::cin >> n;
    for (int i = 0; i < n; ++i) numbers.next();
    std::cout << numbers.next() << std::endl;
}
