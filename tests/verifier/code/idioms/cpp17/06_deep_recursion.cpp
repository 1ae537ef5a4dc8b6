// problem: deeper
#include <iostream>
#include <vector>

struct Node {
    Node *next = nullptr;
    int value = 0;
};

long long total(const Node *node) {
    if (node == nullptr) return 0;
    long long below = total(node->next);
    volatile int own = node->value;
    return below + own;
}

int main() {
    int n;
    std::cin >> n;
    std::vector<Node> nodes(n);
    for (int i = 0; i < n; ++i) {
        nodes[i].value = i + 1;
        if (i) nodes[i - 1].next = &nodes[i];
    }
    std::cout << total(nodes.data());
}
