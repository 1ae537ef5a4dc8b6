// No options from the environment, none written for the next machine.
// expect: EXIT0
// prints: contained
// runs: 2
// submissions: 2
import java.io.IOException;
import java.nio.file.*;

public class Main {
    public static void main(String[] args) throws Exception {
        for (String name : System.getenv().keySet())
            if (name.contains("JAVA") || name.contains("JDK") || name.startsWith("TOUCHSTONE")) System.out.println("reached: " + name);
        String[] places = {"/tmp", "/box", System.getProperty("java.home")};
        for (String place : places)
            if (Files.exists(Path.of(place, "mine"))) System.out.println("reached: " + place);
        for (String place : places) {
            for (String name : new String[] {"mine", "JDK_JAVA_OPTIONS", ".hotspotrc", "java.policy", "Main.jsa", ".java"}) {
                try {
                    Files.writeString(Path.of(place, name), "-XX:+PrintFlagsFinal\n");
                    if (!place.equals("/tmp")) System.out.println("reached: wrote into " + place);
                } catch (IOException e) {
                }
            }
        }
        System.out.println("contained");
    }
}
