/* problem: sum */
#include <stdio.h>

long long add(a, b)
    long long a, b;
{
    return a + b;
}

main()
{
    int n, i;
    long long sum = 0, x;
    scanf("%d", &n);
    for (i = 0; i < n; i++) {
        scanf("%lld", &x);
        sum = add(sum, x);
    }
    printf("%lld\n", sum);
    return 0;
}
