// Attaches to another machine, or to itself, to load an agent.
// expect: EXIT0
// prints: contained
public class Main {
    public static void main(String[] args) throws Exception {
        long own = ProcessHandle.current().pid();
        for (long pid : new long[] {1, 2, 3, 4, 5, own}) {
            try {
                Class<?> machine = Class.forName("com.sun.tools.attach.VirtualMachine");
                Object attached = machine.getMethod("attach", String.class).invoke(null, "" + pid);
                machine.getMethod("loadAgent", String.class).invoke(attached, "/tmp/evil.jar");
                System.out.println("reached: " + pid);
            } catch (ReflectiveOperationException | Error e) {
            }
        }
        System.out.println("contained");
    }
}
