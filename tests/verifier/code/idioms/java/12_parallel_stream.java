// problem: sorted
import java.util.*;
import java.util.stream.Collectors;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        in.nextLine();
        System.out.println(Arrays.stream(in.nextLine().trim().split(" ")).parallel()
                .map(Integer::valueOf).sorted().map(String::valueOf).collect(Collectors.joining(" ")));
    }
}
