// problem: deeper
#include <iostream>
#include <vector>

std::vector<int> order;

void visit(int node, int last) {
    int here[4] = {node, node + 1, last, 0};
    order.push_back(here[0]);
    if (here[0] < here[2]) visit(here[1], here[2]);
    order[node - 1] += here[3];
}

int main() {
    int n;
    std::cin >> n;
    visit(1, n);
    long long sum = 0;
    for (int node : order) sum += node;
    std::cout << sum << "\n";
}
