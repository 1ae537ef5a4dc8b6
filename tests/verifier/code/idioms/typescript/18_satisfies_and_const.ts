// problem: hello
const words = { greeting: "Hello", whom: "world" } as const satisfies Record<string, string>;
type Words = typeof words;
const key: keyof Words = "whom";
console.log(`${words.greeting}, ${words[key]}!`);
