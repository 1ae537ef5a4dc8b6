// problem: sum
import java.io.*;
import java.util.*;

class Main {
    public static void main(String[] args) throws IOException {
        BufferedReader br = new BufferedReader(new InputStreamReader(System.in));
        int n = Integer.parseInt(br.readLine().trim());
        StringTokenizer st = new StringTokenizer(br.readLine());
        long sum = 0;
        while (n-- > 0) sum += Long.parseLong(st.nextToken());
        System.out.println(sum);
        br.close();
    }
}
