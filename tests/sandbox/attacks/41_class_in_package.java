// A name and a package of its own choice.
// expect: EXIT0
// prints: contained
package com.example.deep;

public class Other {
    public static void main(String[] args) { System.out.println("contained"); }
}
