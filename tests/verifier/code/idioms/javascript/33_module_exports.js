// problem: hello
function greet(whom) {
  return `Hello, ${whom}!`;
}

module.exports = { greet };

if (require.main === module) console.log(greet("world"));
