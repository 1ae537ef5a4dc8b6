// expect: CE|RE
package java.lang;

public class Main {
    public static void main(String[] args) { System.out.println("reached"); }
}
