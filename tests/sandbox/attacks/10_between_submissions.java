// A compiler that stays, and a run that does not, keep nothing of the one before.
// expect: EXIT0
// tiers: T3
// prints: contained
// submissions: 3
// runs: 2
import java.io.*;
import java.nio.file.*;

public class Main {
    public static void main(String[] args) throws Exception {
        for (String place : new String[] {"/tmp", "/box", "/var/tmp"}) {
            Path path = Path.of(place, "note");
            if (Files.exists(path)) System.out.println("reached: " + path);
            try {
                Files.writeString(path, "x");
            } catch (IOException e) {
            }
        }
        if (System.getProperty("touched") != null) System.out.println("reached: properties");
        System.setProperty("touched", "1");
        try {
            Class.forName("Helper");
            System.out.println("reached: a class of another program");
        } catch (ClassNotFoundException e) {
        }
        try (Writer w = new FileWriter("/tmp/Helper.class")) {
            w.write("x");
        }
        System.out.println("contained");
    }
}
