// problem: hello
setTimeout(() => process.stdout.write("world"), 5);
Promise.resolve().then(() => process.stdout.write("Hello, "));
setImmediate(() => process.nextTick(() => setTimeout(() => console.log("!"), 10)));
