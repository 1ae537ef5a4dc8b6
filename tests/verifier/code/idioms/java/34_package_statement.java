// problem: sum
package contest.solution;

import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in).useDelimiter("\\s+");
        int n = in.nextInt();
        long sum = 0;
        for (int i = 0; i < n; i++) sum += Long.parseLong(in.next());
        System.out.println(sum);
    }
}
