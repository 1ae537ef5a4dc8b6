// problem: echo
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        System.setOut(new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8));
        Scanner in = new Scanner(System.in, StandardCharsets.UTF_8);
        while (in.hasNextLine()) System.out.println(in.nextLine());
        System.out.close();
    }
}
