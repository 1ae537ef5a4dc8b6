// problem: mean
import java.io.*;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.*;

public class Main {
    public static void main(String[] args) throws Exception {
        Locale.setDefault(Locale.US);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        int n = Integer.parseInt(in.readLine());
        double sum = Arrays.stream(in.readLine().split(" ")).mapToDouble(Double::parseDouble).sum();
        System.out.println(new DecimalFormat("0.000", new DecimalFormatSymbols(Locale.ROOT)).format(sum / n));
        System.exit(0);
    }
}
