// problem: copy
const { pipeline, PassThrough } = require("stream");

pipeline(process.stdin, new PassThrough(), process.stdout, (error) => {
  if (error) throw error;
});
