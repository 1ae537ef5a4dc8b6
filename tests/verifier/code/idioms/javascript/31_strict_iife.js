// problem: messy
;(function () {
  "use strict"
  const text = String(require("fs").readFileSync(0))
  let total = 0
  for (const word of text.split(/[ \t\r\n]+/)) {
    if (word === "") continue
    total += +word
  }
  console.log(total)
})()
